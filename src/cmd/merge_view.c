#include "cmd/merge_view.h"

#include "cmd/show.h"
#include "out/table.h"

enum { VALUE_WIDTH = 40 };

/* Both sides beside each other, one column a line: what differs, or all of a row that has no counterpart. */
static void add_conflict(Table *table, const MergeRelation *r, const MergeConflict *c)
{
    json_t *source = json_loads(c->source, 0, NULL);
    json_t *target = c->target == NULL ? NULL : json_loads(c->target, 0, NULL);
    const char *name;
    json_t *value;
    bool first = true;
    json_object_foreach(source, name, value)
    {
        json_t *other = json_object_get(target, name);
        if (target != NULL && json_equal(value, other))
            continue;
        bool named = c->detail != NULL && !g_str_equal(c->kind, "value");
        g_autofree char *kind =
            g_strdup_printf("%s%s%s: %s", c->kind, named ? " " : "", named ? c->detail : "", c->action);
        g_autofree char *here = NULL, *there = NULL;
        show_values(json_string_value(value), json_string_value(other), VALUE_WIDTH, &here, &there);
        table_add(table, OUT_NAME, first ? r->source->label : "");
        table_add(table, g_str_equal(c->action, "stop") ? OUT_BAD : OUT_DIM, first ? kind : "");
        table_add(table, OUT_BOLD, first ? c->key : "");
        table_add(table, OUT_PLAIN, name);
        table_add(table, OUT_PLAIN, here);
        table_add(table, OUT_PLAIN, target == NULL ? "" : there);
        first = false;
    }
    json_decref(source);
    json_decref(target);
}

void merge_show_conflicts(Out *out, const Merge *merge)
{
    static const TableColumn COLUMNS[] = {{"CONFLICTS IN", TABLE_LEFT, false},
                                          {"KIND", TABLE_LEFT, false},
                                          {"KEY", TABLE_LEFT, true},
                                          {"COLUMN", TABLE_LEFT, false},
                                          {"SOURCE", TABLE_LEFT, true},
                                          {"TARGET", TABLE_LEFT, true},
                                          {NULL, TABLE_LEFT, false}};
    g_autoptr(Table) table = table_new(COLUMNS);
    guint64 shown = 0, all = 0;
    for (guint i = 0; merge != NULL && i < merge->relations->len; i++) {
        const MergeRelation *r = merge->relations->pdata[i];
        all += r->counts.stopped + r->counts.kept + r->counts.overwritten;
        shown += r->conflicts->len;
        for (guint k = 0; k < r->conflicts->len; k++)
            add_conflict(table, r, r->conflicts->pdata[k]);
    }
    if (table_rows(table) == 0)
        return;
    out_line(out, "%s", "");
    table_print(table, out);
    if (shown < all)
        out_line(out, "... and %" G_GUINT64_FORMAT " more (--rows N)", all - shown);
}

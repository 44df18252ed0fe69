#include "cmd/plan_view.h"

#include "cmd/merge_view.h"
#include "cmd/show.h"
#include "out/table.h"

static OutStyle style_of(PlanAction action)
{
    switch (action) {
    case PLAN_NEW:
        return OUT_GOOD;
    case PLAN_SAME:
    case PLAN_SKIP:
        return OUT_DIM;
    case PLAN_MERGE:
        return OUT_WARN;
    case PLAN_BLOCKED:
        return OUT_BAD;
    }
    return OUT_PLAIN;
}

static void add_relation(Table *table, const PlanRelation *r)
{
    const AuditRelation *audit = r->verify->audit;
    table_add(table, OUT_NAME, audit->source->label);
    table_add(table, style_of(r->action), plan_action_text(r->action));
    if (audit->source_digested) {
        table_add_count(table, OUT_PLAIN, audit->source_digest.rows);
        table_add_bytes(table, OUT_PLAIN, audit->source->bytes);
    } else {
        table_add(table, OUT_PLAIN, "");
        table_add(table, OUT_PLAIN, "");
    }
    table_add(table, OUT_PLAIN, r->reason);
    if (r->reason == NULL && (r->action == PLAN_NEW || r->action == PLAN_SAME))
        table_usual(table);
}

static void show_relations(Out *out, const Plan *plan)
{
    static const TableColumn COLUMNS[] = {{"TABLE", TABLE_LEFT, false}, {"ACTION", TABLE_LEFT, false},
                                          {"ROWS", TABLE_RIGHT, false}, {"BYTES", TABLE_RIGHT, false},
                                          {"REASON", TABLE_LEFT, true}, {NULL, TABLE_LEFT, false}};
    g_autoptr(Table) table = table_new(COLUMNS);
    for (guint i = 0; i < plan->relations->len; i++)
        if (!((const PlanRelation *)plan->relations->pdata[i])->verify->audit->source->left_out) /* named in a note */
            add_relation(table, plan->relations->pdata[i]);
    out_line(out, "%s", "");
    if (table_rows(table) > 0)
        table_print(table, out);
    else
        out_line(out, "There are no tables.");
}

typedef struct KindCount {
    guint counts[PLAN_BLOCKED + 1];
} KindCount;

static GHashTable *count_kinds(const Plan *plan)
{
    GHashTable *kinds = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *entry = plan->entries->pdata[i];
        KindCount *count = g_hash_table_lookup(kinds, entry->entry->type);
        if (count == NULL) {
            count = g_new0(KindCount, 1);
            g_hash_table_insert(kinds, entry->entry->type, count);
        }
        count->counts[entry->action]++;
    }
    return kinds;
}

static void add_kind_count(Table *table, guint count)
{
    if (count > 0)
        table_add_count(table, OUT_PLAIN, count);
    else
        table_add(table, OUT_PLAIN, "");
}

static void show_kinds(Out *out, const Plan *plan)
{
    static const TableColumn COLUMNS[] = {{"OBJECTS", TABLE_LEFT, true},   {"NEW", TABLE_RIGHT, false},
                                          {"SAME", TABLE_RIGHT, false},    {"SKIP", TABLE_RIGHT, false},
                                          {"BLOCKED", TABLE_RIGHT, false}, {NULL, TABLE_LEFT, false}};
    g_autoptr(GHashTable) kinds = count_kinds(plan);
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(kinds), (GCompareFunc)g_strcmp0);
    if (names == NULL)
        return;
    g_autoptr(Table) table = table_new(COLUMNS);
    for (GList *name = names; name != NULL; name = name->next) {
        const KindCount *count = g_hash_table_lookup(kinds, name->data);
        g_autofree char *lower = g_ascii_strdown(name->data, -1);
        table_add(table, OUT_NAME, lower);
        add_kind_count(table, count->counts[PLAN_NEW]);
        add_kind_count(table, count->counts[PLAN_SAME]);
        add_kind_count(table, count->counts[PLAN_SKIP]);
        add_kind_count(table, count->counts[PLAN_BLOCKED]);
    }
    out_line(out, "%s", "");
    table_print(table, out);
}

static void show_entries(Out *out, const Plan *plan)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *entry = plan->entries->pdata[i];
        const DumpEntry *e = entry->entry;
        g_ptr_array_add(texts,
                        g_strdup_printf("%-7s  %s %s%s%s%s%s", plan_action_text(entry->action), e->type,
                                        e->schema == NULL ? "" : e->schema, e->schema == NULL ? "" : ".", e->name,
                                        entry->reason == NULL ? "" : ": ", entry->reason == NULL ? "" : entry->reason));
    }
    show_list(out, "Every object", texts);
}

static void show_roles(Out *out, const Plan *plan)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < plan->roles->len; i++) {
        const PlanRole *role = plan->roles->pdata[i];
        if (role->reason != NULL)
            g_ptr_array_add(texts, g_strdup_printf("%s: %s", role->name, role->reason));
        else if (role->create_sql != NULL)
            g_ptr_array_add(texts, g_strdup_printf("%s: created, without a password", role->name));
        else if (out->verbose)
            g_ptr_array_add(texts, g_strdup_printf("%s: the target has it", role->name));
    }
    show_list(out, "Roles", texts);
}

static void show_verdict(Out *out, const Analysis *analysis, const GPtrArray *blocks)
{
    const Plan *plan = analysis->plan;
    g_autofree char *name = out_styled(out, OUT_BOLD, analysis->comparison->ends->source_config->name);
    g_autofree char *rows = show_count(plan->rows_to_copy, "row");
    g_autofree char *bytes = out_bytes(plan->bytes_to_copy);
    g_autofree char *tables = show_count(plan_count(plan, PLAN_NEW), "new table");
    g_autofree char *same = out_count(plan_count(plan, PLAN_SAME));
    g_autofree char *reasons = show_count(blocks->len, "reason");
    g_autofree char *merged = show_count(plan->rows_to_merge, "row");
    bool merges = plan_count(plan, PLAN_MERGE) > 0, copies = plan_count(plan, PLAN_NEW) > 0 || !merges;
    g_autofree char *copy = copies ? g_strdup_printf("%s, %s (%s) to copy", tables, rows, bytes) : g_strdup("");
    g_autofree char *merge = merges ? g_strdup_printf("%s%s to merge", copies ? ", " : "", merged) : g_strdup("");
    g_autofree char *conflicts = show_count(plan->rows_stopped, "row");
    bool good = blocks->len == 0 && plan->rows_stopped == 0;
    g_autofree char *text =
        blocks->len > 0 ? g_strdup_printf("a fold would refuse, for %s", reasons)
        : good          ? g_strdup_printf("a fold may go on: %s%s; %s the same", copy, merge, same)
                        : g_strdup_printf(
                              "a fold would stop: %s in conflict, and no rule settles them (on_conflict in pgfold.yaml)",
                              conflicts);
    g_autofree char *verdict = out_styled(out, good ? OUT_GOOD : OUT_BAD, text);
    out_line(out, "\n%s: %s", name, verdict);
}

void plan_show(const PlanView *view, const Analysis *analysis, const GPtrArray *blocks)
{
    Out *out = view->out;
    const Ends *ends = analysis->comparison->ends;
    const Plan *plan = analysis->plan;
    if (out->json) {
        json_array_append_new(view->sources, plan_json(analysis, blocks));
        return;
    }
    show_end(out, ends->source_config->name, ends->source);
    if (ends->target_missing == NULL)
        show_end(out, "target", ends->target);
    else
        out_line(out, "target: the server has no database \"%s\" yet; a fold creates it", ends->target_missing);
    show_relations(out, plan);
    show_kinds(out, plan);
    if (out->verbose)
        show_entries(out, plan);
    show_roles(out, plan);
    if (!out->quiet)
        show_list(out, "Good to know", plan->notices);
    show_findings(out, analysis->findings);
    merge_show_conflicts(out, plan->merge);
    show_list(out, "Why a fold would refuse", blocks);
    show_verdict(out, analysis, blocks);
}

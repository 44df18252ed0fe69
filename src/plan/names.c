/* Names that are taken in the target by something of another kind: known now, not when CREATE fails halfway. */
#include <string.h>

#include "plan/internal.h"
#include "plan/plan_sql.h"

static const char *const RELATIONS[] = {"TABLE",         "VIEW",  "MATERIALIZED VIEW", "SEQUENCE",
                                        "FOREIGN TABLE", "INDEX", "CONSTRAINT",        NULL};
/* A relation with columns is a type as well. */
static const char *const TYPES[] = {"TYPE",          "DOMAIN", "SHELL TYPE", "TABLE", "VIEW", "MATERIALIZED VIEW",
                                    "FOREIGN TABLE", NULL};
static const char *const ROUTINES[] = {"FUNCTION", "PROCEDURE", "AGGREGATE", NULL};

static char *key_of(const char *class, const char *schema, const char *name)
{
    return g_strjoin("\n", class, schema == NULL ? "" : schema, name, NULL);
}

/* An index goes with its table. */
static bool is_hidden(const Hidden *hidden, const PgResult *r, int row)
{
    const char *schema = pg_result_get(r, row, 1), *name = pg_result_get(r, row, 2), *table = pg_result_get(r, row, 4);
    return hidden_has_type(hidden, schema, name) || (table != NULL && hidden_has_relation(hidden, schema, table));
}

static GHashTable *taken_names(const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->target, PLAN_TAKEN_NAMES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return NULL;
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (int i = 0; i < pg_result_rows(r); i++)
        if (!is_hidden(spec->hidden, r, i))
            g_hash_table_insert(names, key_of(pg_result_get(r, i, 0), pg_result_get(r, i, 1), pg_result_get(r, i, 2)),
                                g_strdup(pg_result_get(r, i, 3)));
    return names;
}

/* Routines are told apart by name and arguments, which is how pg_dump calls them. */
static void add_routines(GHashTable *names, const Dump *dump)
{
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        if (g_strv_contains(ROUTINES, entry->type))
            g_hash_table_insert(names, key_of("routine", entry->schema, entry->name), g_ascii_strdown(entry->type, -1));
    }
}

/* The index of a constraint has its name, which pg_dump writes after the table's. */
static const char *own_name(const DumpEntry *entry, GHashTable *by_id)
{
    if (!g_str_equal(entry->type, "CONSTRAINT"))
        return entry->name;
    for (guint i = 0; i < entry->depends->len; i++) {
        const DumpEntry *table = g_hash_table_lookup(by_id, GINT_TO_POINTER(g_array_index(entry->depends, int, i)));
        gsize length = table == NULL ? 0 : strlen(table->name);
        if (table != NULL && g_str_has_prefix(entry->name, table->name) && entry->name[length] == ' ')
            return entry->name + length + 1;
    }
    return entry->name;
}

static void check_entry(Plan *plan, PlanEntry *p, GHashTable *names, GHashTable *by_id)
{
    const DumpEntry *entry = p->entry;
    const char *const *const lists[] = {RELATIONS, TYPES, ROUTINES};
    const char *const classes[] = {"relation", "type", "routine"};
    const char *name = own_name(entry, by_id);
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (!g_strv_contains(lists[i], entry->type))
            continue;
        g_autofree char *key = key_of(classes[i], entry->schema, name);
        const char *what = g_hash_table_lookup(names, key);
        if (what == NULL)
            continue;
        p->action = PLAN_BLOCKED;
        p->reason = g_strdup_printf("the name is taken by a %s of the target", what);
        plan_block(plan, "%s %s.%s: the target has a %s of that name: rename one of the two", entry->type,
                   entry->schema == NULL ? "" : entry->schema, name, what);
        return;
    }
}

bool plan_check_names(Plan *plan, const PlanSpec *spec, GError **error)
{
    if (spec->target_dump == NULL)
        return true;
    g_autoptr(GHashTable) names = taken_names(spec, error);
    if (names == NULL)
        return false;
    add_routines(names, spec->target_dump);
    g_autoptr(GHashTable) by_id = plan_entries_by_id(spec->source_dump);
    for (guint i = 0; i < plan->entries->len; i++) {
        PlanEntry *p = plan->entries->pdata[i];
        if (p->action == PLAN_NEW)
            check_entry(plan, p, names, by_id);
    }
    return true;
}

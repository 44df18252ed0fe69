/* Tablespaces are the server's: one that the target does not have is no reason against a fold. */
#include "plan/internal.h"
#include "plan/plan_sql.h"

/* Name -> whether we may create something there. */
static GHashTable *read_tablespaces(PgConn *target, GError **error)
{
    g_autoptr(PgResult) r = pg_query(target, PLAN_TABLESPACES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return NULL;
    GHashTable *there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < pg_result_rows(r); i++)
        g_hash_table_insert(there, g_strdup(pg_result_get(r, i, 0)), GINT_TO_POINTER(pg_result_bool(r, i, 1) ? 1 : 0));
    return there;
}

static const char *tablespace_of(const PlanTablespaces *spaces, const DumpEntry *entry)
{
    return g_hash_table_lookup(spaces->wanted, entry);
}

void plan_tablespaces_clear(PlanTablespaces *spaces)
{
    g_clear_pointer(&spaces->there, g_hash_table_unref);
    g_clear_pointer(&spaces->wanted, g_hash_table_unref);
}

bool plan_tablespaces_map(const PlanSpec *spec, PlanTablespaces *ret_spaces, GError **error)
{
    ret_spaces->wanted = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    ret_spaces->there = read_tablespaces(spec->target, error);
    for (guint i = 0; ret_spaces->there != NULL && i < spec->source_dump->entries->len; i++) {
        DumpEntry *entry = spec->source_dump->entries->pdata[i];
        char *name = dump_entry_tablespace(entry);
        if (name == NULL)
            continue;
        g_hash_table_insert(ret_spaces->wanted, entry, name);
        if (!g_hash_table_contains(ret_spaces->there, name))
            dump_entry_use_default_tablespace(entry);
    }
    return ret_spaces->there != NULL;
}

/* Name -> how many new entries want it. In the order of pg_dump's entries, each name once. */
static GPtrArray *count_wanted(const Plan *plan, const PlanTablespaces *spaces, GHashTable *counts)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        const char *name = p->action == PLAN_NEW ? tablespace_of(spaces, p->entry) : NULL;
        if (name == NULL)
            continue;
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, name));
        if (n == 0)
            g_ptr_array_add(names, (gpointer)name);
        g_hash_table_insert(counts, (gpointer)name, GUINT_TO_POINTER(n + 1));
    }
    return names;
}

void plan_tablespaces_judge(Plan *plan, const PlanSpec *spec, const PlanTablespaces *spaces)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) names = count_wanted(plan, spaces, counts);
    const char *role = pg_conn_identity(spec->target)->role;
    g_autofree char *us = pg_quote_ident(role);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, name));
        gpointer allowed = NULL;
        g_autofree char *quoted = pg_quote_ident(name);
        if (!g_hash_table_lookup_extended(spaces->there, name, NULL, &allowed))
            plan_notice(plan, "the target has no tablespace %s: %u object%s of it %s into the default one", name, n,
                        n == 1 ? "" : "s", n == 1 ? "goes" : "go");
        else if (allowed == NULL)
            plan_block(plan,
                       "role %s may not put anything into tablespace %s of the target: GRANT CREATE ON "
                       "TABLESPACE %s TO %s",
                       role, name, quoted, us);
    }
}

/* What would come as a surprise in the middle of a fold, or after it, and can be known before. */
#include <string.h>

#include "plan/internal.h"
#include "plan/plan_sql.h"

/* A table with its TOAST table, that one's index, and a sequence, each locked until the transaction that makes them
 * ends. */
enum { LOCKS_PER_TABLE = 4 };

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

static const PlanRelation *find_relation(const Plan *plan, const char *quoted)
{
    for (guint i = 0; i < plan->relations->len; i++) {
        const PlanRelation *r = plan->relations->pdata[i];
        if (g_str_equal(r->verify->audit->source->quoted, quoted))
            return r;
    }
    return NULL;
}

/* Rows whose parents are left out could not be given their foreign key back. */
static void check_skipped_parents(Plan *plan)
{
    const Catalog *source = plan->verification->audit->source;
    for (guint i = 0; plan_count(plan, PLAN_SKIP) > 0 && i < source->foreign_keys->len; i++) {
        const CatalogForeignKey *key = source->foreign_keys->pdata[i];
        const PlanRelation *child = find_relation(plan, key->child);
        const PlanRelation *parent = find_relation(plan, key->parent);
        if (child == NULL || parent == NULL || child->action != PLAN_NEW || parent->action != PLAN_SKIP ||
            parent->verify->audit->target != NULL || child->verify->audit->source_digest.rows == 0)
            continue;
        plan_block(plan, "%s: its foreign key %s leads to %s, whose rows are left out: leave both out, or neither",
                   key->child_label, key->name, parent->verify->audit->source->label);
    }
}

static bool check_target(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->target, PLAN_TARGET_LIMITS_SQL, soon(), error);
    if (r == NULL)
        return false;
    guint64 locks = (guint64)pg_result_int(r, 0, 0);
    guint64 wanted = (guint64)plan_count(plan, PLAN_NEW) * LOCKS_PER_TABLE;
    if (wanted > locks / 10 * 8)
        plan_block(plan,
                   "%u new tables are made in one transaction, which needs about %" G_GUINT64_FORMAT
                   " locks, and the target's server has %" G_GUINT64_FORMAT
                   ": raise max_locks_per_transaction there, or fold into a database that does not exist yet",
                   plan_count(plan, PLAN_NEW), wanted, locks);
    const char *privileges = pg_result_get(r, 0, 1);
    if (privileges != NULL)
        plan_notice(plan, "new objects get the default privileges of the target beside their own: %s", privileges);
    return true;
}

/* What a fence has made of the source's database is nothing that the target could miss. */
static bool is_of_fence(const PlanSpec *spec, const char *sql)
{
    return spec->undo_sql != NULL && spec->undo_sql->len > 0 &&
           (strstr(sql, " SET default_transaction_read_only TO ") != NULL || g_str_has_prefix(sql, "GRANT ") ||
            g_str_has_prefix(sql, "REVOKE "));
}

/* A database that is there keeps what it has. */
static bool compare_database_settings(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) source = pg_query(spec->source, PLAN_DATABASE_SETTINGS_SQL, soon(), error);
    g_autoptr(PgResult) target =
        source == NULL ? NULL : pg_query(spec->target, PLAN_DATABASE_SETTINGS_SQL, soon(), error);
    if (target == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(source); i++) {
        const char *sql = pg_result_get(source, i, 0);
        bool there = false;
        for (int k = 0; k < pg_result_rows(target); k++)
            there = there || g_str_equal(pg_result_get(target, k, 0), sql);
        g_autofree char *quoted = pg_quote_ident(pg_conn_identity(spec->target)->database);
        g_autoptr(GString) text = g_string_new(pg_result_get(source, i, 1));
        g_string_replace(text, "{database}", quoted, 0);
        if (!there && !is_of_fence(spec, sql))
            plan_notice(plan, "of the source's database, not applied to the target's, which exists: %s", text->str);
    }
    return true;
}

/* ALTER ROLE ... SET goes along with a role that is created; one that is there keeps its own. */
static bool bring_role_settings(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autofree char *names = plan_role_names(plan);
    const char *values[] = {names};
    g_autoptr(PgResult) r = pg_query_params(spec->source, PLAN_ROLE_SETTINGS_SQL, 1, values, soon(), error);
    if (r == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(r); i++) {
        PlanRole *role = plan_find_role(plan, pg_result_get(r, i, 0));
        const char *sql = pg_result_get(r, i, 1);
        if (role == NULL || role->create_sql == NULL) {
            plan_notice(plan, "of a role that the target has already, not applied to it: %s", pg_result_get(r, i, 2));
            continue;
        }
        char *with = g_strdup_printf("%s; %s", role->create_sql, sql);
        g_free(role->create_sql);
        role->create_sql = with;
    }
    return true;
}

static bool has_table(const Catalog *source, const ConfigSource *config, const ConfigTable *entry)
{
    return catalog_find(source, entry->schema, entry->table) != NULL ||
           catalog_find(source, config_target_schema(config, entry->schema), entry->table) != NULL;
}

/* A rule for a table that is not there is misspelt, or was meant for another source. Of fold.tables the latter is
 * likely where there are several. */
static void tell_unknown_tables(Plan *plan, const PlanSpec *spec, const GPtrArray *tables, const char *where)
{
    const Catalog *source = plan->verification->audit->source;
    for (guint i = 0; i < tables->len; i++) {
        const ConfigTable *entry = tables->pdata[i];
        if (!has_table(source, spec->source_config, entry))
            plan_notice(plan, "%s names %s.%s, and the source has no such table", where, entry->schema, entry->table);
    }
}

bool plan_advice(Plan *plan, const PlanSpec *spec, GError **error)
{
    check_skipped_parents(plan);
    if (spec->source_config != NULL)
        tell_unknown_tables(plan, spec, spec->source_config->tables, "tables of this source");
    if (spec->source_config != NULL && spec->config->sources->len == 1 && spec->source_config->base == NULL)
        tell_unknown_tables(plan, spec, spec->config->fold.tables, "fold.tables");
    return bring_role_settings(plan, spec, error) &&
           (spec->target_missing || (check_target(plan, spec, error) && compare_database_settings(plan, spec, error)));
}

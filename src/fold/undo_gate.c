/* What is protected is not taken out of the target either, whenever it came under protection. */
#include <string.h>

#include "base/error.h"
#include "config/protect.h"
#include "dump/dump.h"
#include "fold/undo_gate.h"

static bool refuse(const char *what, const char *entry, GError **error)
{
    char *hint = g_strdup_printf("Keep the fold, or take \"%s\" out of protect.", entry);
    pgf_error_take_hint(error, PGF_ERROR_REFUSED, hint, "%s is protected (%s): undo would change it", what, entry);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed in the target");
    return false;
}

static bool check_table(const Config *config, const char *schema, const char *name, GError **error)
{
    const char *entry = config_protects_table(config, schema, name);
    g_autofree char *label = g_strconcat(schema, ".", name, NULL);
    return entry == NULL || refuse(label, entry, error);
}

bool undo_gate_known(const UndoSpec *spec, GError **error)
{
    if (!config_check_protected(spec->config, "target", spec->receipt->target.database, error))
        return false;
    for (guint i = 0; !spec->forget && i < spec->receipt->relations->len; i++) {
        const ReceiptRelation *r = spec->receipt->relations->pdata[i];
        bool written = r->action == RECEIPT_NEW || r->action == RECEIPT_MERGE;
        if (written && !check_table(spec->config, r->schema, r->name, error))
            return false;
    }
    return true;
}

/* A fold that was stopped before its receipt has only this to say which tables it wrote to. */
static bool check_undo_schema(const UndoSpec *spec, PgConn *conn, GError **error)
{
    g_autofree char *schema = pg_quote_ident(spec->merge->undo_schema);
    g_autofree char *sql = g_strdup_printf("SELECT n.nspname, c.relname FROM %s.tables t "
                                           "JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(t.there) "
                                           "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY t.n",
                                           schema);
    g_autoptr(PgResult) r = pg_query(conn, sql, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        if (!check_table(spec->config, pg_result_get(r, i, 0), pg_result_get(r, i, 1), error))
            return false;
    }
    return r != NULL;
}

/* "DROP TABLE kept.a", "DROP SCHEMA IF EXISTS kept" */
static bool drops_in_schema(const char *sql, const char *schema)
{
    g_autofree char *shown = pg_display_ident(schema);
    g_autofree char *escaped = g_regex_escape_string(shown, -1);
    g_autofree char *pattern =
        g_strdup_printf("(?<![[:alnum:]_\".])%s\\.|SCHEMA (IF EXISTS )?%s(?![[:alnum:]_])", escaped, escaped);
    return g_regex_match_simple(pattern, sql, 0, 0);
}

static bool check_drops(const UndoSpec *spec, PgConn *conn, GError **error)
{
    const char *sql = spec->merge->drop_sql == NULL ? "" : spec->merge->drop_sql;
    g_autoptr(PgResult) r = pg_query(conn,
                                     "SELECT true, nspname FROM pg_catalog.pg_namespace UNION ALL "
                                     "SELECT false, rolname FROM pg_catalog.pg_roles",
                                     deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        bool schema = pg_result_bool(r, i, 0);
        const char *name = pg_result_get(r, i, 1);
        const char *entry =
            config_protected(spec->config, schema ? CONFIG_PROTECT_SCHEMAS : CONFIG_PROTECT_ROLES, name);
        g_autofree char *what = g_strconcat(schema ? "schema " : "role ", name, NULL);
        if (entry != NULL && (schema ? drops_in_schema(sql, name) : dump_names_role(sql, name)))
            return refuse(what, entry, error);
    }
    return r != NULL;
}

bool undo_gate_target(const UndoSpec *spec, PgConn *conn, GError **error)
{
    if (spec->forget)
        return true;
    return (*spec->merge->undo_schema == '\0' || check_undo_schema(spec, conn, error)) &&
           check_drops(spec, conn, error);
}

#include <string.h>

#include "base/error.h"
#include "rename/internal.h"
#include "rename/rename_sql.h"

#define DATABASE "renamed"

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

void scratch_clear(Scratch *scratch)
{
    g_clear_pointer(&scratch->conn, pg_conn_close);
    g_clear_pointer(&scratch->db, testdb_close);
}

static TestDb *open_server(const RenameSpec *spec, GError **error)
{
    static const char *const settings[] = {"autovacuum=off", NULL};
    TestDbOptions options = {.version = pg_conn_identity(spec->source)->version / 10000, .settings = settings};
    return testdb_open_at_least(&options, error);
}

static PgConn *open_conn(const TestDb *db, const char *database, GError **error)
{
    g_autofree char *url = testdb_own_url(db, database);
    return pg_conn_open("ephemeral server", url, NULL, deadline_in_ms(PG_CONNECT_MS), error);
}

static bool check_extensions(PgConn *admin, const char *names, GError **error)
{
    const char *values[] = {names};
    g_autoptr(PgResult) r = pg_query_params(admin, RENAME_MISSING_EXTENSIONS_SQL, 1, values, soon(), error);
    if (r == NULL)
        return false;
    const char *missing = pg_result_get(r, 0, 0);
    if (missing == NULL)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE,
                  "Install what provides them on this machine for that version (Debian: postgresql-contrib, or the "
                  "extension's own package), or fold into a database of its own (into: NAME).",
                  "PostgreSQL %s of this machine lacks extensions of the source: %s",
                  pg_conn_identity(admin)->version_text, missing);
    return false;
}

/* Runs each row's text on conn. */
static bool run_rows(PgConn *conn, const PgResult *rows, GError **error)
{
    for (int i = 0; i < pg_result_rows(rows); i++)
        if (!pg_exec(conn, pg_result_get(rows, i, 0), soon(), error))
            return false;
    return true;
}

static bool create_roles(PgConn *admin, const char *names, GError **error)
{
    const char *values[] = {names};
    g_autoptr(PgResult) r = pg_query_params(admin, RENAME_MISSING_ROLES_SQL, 1, values, soon(), error);
    return r != NULL && run_rows(admin, r, error);
}

/* In the source's locale where this machine has it: a definition may depend on the order of texts. */
static bool create_database(PgConn *admin, const PgResult *source, GError **error)
{
    const char *const locales[][2] = {
        {pg_result_get(source, 0, 1), pg_result_get(source, 0, 2)}, {"C", "C.UTF-8"}, {"C", "C"}};
    g_autofree char *encoding = pg_quote_literal(pg_result_get(source, 0, 0));
    g_autoptr(GError) cause = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(locales); i++) {
        g_autofree char *collate = pg_quote_literal(locales[i][0]);
        g_autofree char *ctype = pg_quote_literal(locales[i][1]);
        g_clear_error(&cause);
        if (pg_execf(admin, soon(), &cause,
                     "CREATE DATABASE " DATABASE " TEMPLATE template0 ENCODING %s LC_COLLATE %s LC_CTYPE %s", encoding,
                     collate, ctype))
            return true;
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* As an ordinary schema: the one that initdb made has privileges that pg_dump does not write. */
static bool replace_public(const RenameSpec *spec, PgConn *conn, GError **error)
{
    const char *values[] = {spec->from};
    if (!g_str_equal(spec->from, "public"))
        return true;
    g_autoptr(PgResult) r = pg_query_params(spec->source, RENAME_SCHEMA_PRIVILEGES_SQL, 1, values, soon(), error);
    return r != NULL && pg_exec(conn, "DROP SCHEMA public; CREATE SCHEMA public", soon(), error) &&
           run_rows(conn, r, error);
}

static bool is_left_out(const RenameSpec *spec, const DumpEntry *entry)
{
    if (*entry->sql == '\0' || g_str_has_prefix(entry->type, "SUBSCRIPTION"))
        return true;
    bool is_public = g_str_equal(spec->from, "public");
    return is_public && ((g_str_equal(entry->type, "SCHEMA") && g_str_equal(entry->name, "public")) ||
                         (g_str_equal(entry->type, "ACL") && g_str_equal(entry->name, "SCHEMA public")));
}

/* A folder in the server's own, so that the definitions keep their words. */
static bool make_tablespace(const DumpEntry *entry, PgConn *conn, GError **error)
{
    g_autofree char *name = dump_entry_tablespace(entry);
    if (name == NULL)
        return true;
    const char *values[] = {name};
    g_autoptr(PgResult) there = pg_query_params(conn, "SELECT FROM pg_catalog.pg_tablespace WHERE spcname = $1::text",
                                                1, values, soon(), error);
    if (there == NULL || pg_result_rows(there) > 0)
        return there != NULL;
    g_autofree char *quoted = pg_quote_ident(name);
    return pg_exec(conn, "SET allow_in_place_tablespaces = on", soon(), error) &&
           pg_execf(conn, soon(), error, "CREATE TABLESPACE %s LOCATION ''", quoted);
}

/* A materialized view that is filled is only called so: its query may not do without rows, or may ask another server.
 */
static bool run_entry(const DumpEntry *entry, PgConn *conn, GError **error)
{
    if (!g_str_equal(entry->type, "MATERIALIZED VIEW DATA"))
        return pg_exec(conn, entry->sql, soon(), error);
    g_autofree char *name = pg_quote_qualified(entry->schema, entry->name);
    g_autofree char *literal = pg_quote_literal(name);
    return pg_execf(conn, soon(), error,
                    "UPDATE pg_catalog.pg_class SET relispopulated = true WHERE oid = %s::pg_catalog.regclass",
                    literal);
}

static bool run_entries(const RenameSpec *spec, const Dump *dump, PgConn *conn, GError **error)
{
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        if (is_left_out(spec, entry) || (make_tablespace(entry, conn, error) && run_entry(entry, conn, error)))
            continue;
        if (error != NULL && g_error_matches(*error, PGF_ERROR, PGF_ERROR_MIDWAY))
            pgf_error_set_code(*error, PGF_ERROR_REFUSED);
        g_prefix_error(error, "%s %s%s%s: ", entry->type, entry->schema == NULL ? "" : entry->schema,
                       entry->schema == NULL ? "" : ".", entry->name);
        return false;
    }
    return true;
}

/* Extensions go back to the schema under its old name. */
static bool put_extensions_back(const RenameSpec *spec, PgConn *conn, Renamed *renamed, GError **error)
{
    const char *values[] = {spec->to};
    g_autoptr(PgResult) r = pg_query_params(conn, RENAME_EXTENSIONS_IN_SQL, 1, values, soon(), error);
    if (r == NULL)
        return false;
    g_autofree char *from = pg_quote_ident(spec->from);
    if (pg_result_rows(r) > 0 && !pg_execf(conn, soon(), error, "CREATE SCHEMA %s", from))
        return false;
    for (int i = 0; i < pg_result_rows(r); i++) {
        const char *name = pg_result_get(r, i, 0);
        g_autofree char *quoted = pg_quote_ident(name);
        g_autoptr(GError) cause = NULL;
        if (pg_execf(conn, soon(), &cause, "ALTER EXTENSION %s SET SCHEMA %s", quoted, from))
            continue;
        if (!g_error_matches(cause, PGF_ERROR, PGF_ERROR_MIDWAY)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        rename_block(renamed,
                     "extension %s is in schema %s of the source and cannot be told apart from it (%s): move it to a "
                     "schema of its own, or fold into a database of its own (into: NAME)",
                     name, spec->from, cause->message);
    }
    return true;
}

static bool rename_in(const RenameSpec *spec, PgConn *conn, Renamed *renamed, GError **error)
{
    g_autofree char *from = pg_quote_ident(spec->from), *to = pg_quote_ident(spec->to);
    return pg_execf(conn, soon(), error, "ALTER SCHEMA %s RENAME TO %s", from, to) &&
           put_extensions_back(spec, conn, renamed, error);
}

static bool check_names(const RenameSpec *spec, const PgResult *source, GError **error)
{
    if (!pg_result_bool(source, 0, 5))
        pgf_error_set(error, PGF_ERROR_USAGE, "Name the schema that holds its tables with into.from.",
                      "%s: the source has no schema %s", spec->label, spec->from);
    else if (pg_result_bool(source, 0, 6))
        pgf_error_set(error, PGF_ERROR_USAGE, "Choose another name.", "%s: the source has a schema %s itself",
                      spec->label, spec->to);
    return pg_result_bool(source, 0, 5) && !pg_result_bool(source, 0, 6);
}

static bool prepare(const RenameSpec *spec, const TestDb *db, const PgResult *source, GError **error)
{
    g_autoptr(PgConn) admin = open_conn(db, "postgres", error);
    return admin != NULL && check_extensions(admin, pg_result_get(source, 0, 4), error) &&
           create_roles(admin, pg_result_get(source, 0, 3), error) && create_database(admin, source, error);
}

bool scratch_make(const RenameSpec *spec, const Dump *dump, Renamed *renamed, Scratch *ret_scratch, GError **error)
{
    const char *values[] = {spec->from, spec->to};
    g_autoptr(PgResult) source = pg_query_params(spec->source, RENAME_SOURCE_SQL, 2, values, soon(), error);
    if (source == NULL || !check_names(spec, source, error))
        return false;
    ret_scratch->db = open_server(spec, error);
    if (ret_scratch->db == NULL || !prepare(spec, ret_scratch->db, source, error))
        return false;
    PgConn *conn = ret_scratch->conn = open_conn(ret_scratch->db, DATABASE, error);
    return conn != NULL &&
           pg_exec(conn, "SET session_replication_role = replica; SET check_function_bodies = off", soon(), error) &&
           replace_public(spec, conn, error) && run_entries(spec, dump, conn, error) &&
           rename_in(spec, conn, renamed, error);
}

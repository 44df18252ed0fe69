#include "base/error.h"
#include "fold/internal.h"

enum { GONE_MS = 60000, LOCK_SECONDS = 20 };

/* Statements of a killed run may still be running: a backend that builds an index does not notice that its client died.
 * Their sessions are named after the run's marker (fold.c). Returns when pg_stat_activity no longer lists them. */
bool fold_end_backends(PgConn *conn, const char *database, GError **error)
{
    static const char SQL[] =
        "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity "
        "WHERE datname = $1 AND application_name ~ '^pgfold_' AND pg_catalog.pg_has_role(usesysid, 'MEMBER') "
        "AND pid <> pg_catalog.pg_backend_pid()";
    const char *values[] = {database};
    Deadline deadline = deadline_in_ms(GONE_MS);
    for (;;) {
        g_autoptr(PgResult) r = pg_query_params(conn, SQL, 1, values, deadline, error);
        if (r == NULL)
            return false;
        if (pg_result_int(r, 0, 0) == 0)
            return true;
        if (!pg_exec(conn, "SELECT pg_catalog.pg_sleep(0.02)", deadline, error))
            return false;
    }
}

/* Whoever holds a lock on what is to go is not waited for without end, and triggers of the target that forbid dropping
 * are for its users, not for what a failed run has left. */
static bool prepare(PgConn *conn, GError **error)
{
    const char *replica = pg_conn_identity(conn)->superuser ? "SET session_replication_role = replica" : "";
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "SET lock_timeout = '%ds'; %s", LOCK_SECONDS, replica);
}

/* A template cannot be dropped; a fold may have died between making it one and naming it. */
static bool unmake_template(PgConn *conn, const char *database, GError **error)
{
    static const char SQL[] = "SELECT FROM pg_catalog.pg_database WHERE datname = $1 AND datistemplate";
    const char *values[] = {database};
    g_autofree char *quoted = pg_quote_ident(database);
    g_autoptr(PgResult) r = pg_query_params(conn, SQL, 1, values, deadline_in_ms(PG_CATALOG_MS), error);
    return r != NULL && (pg_result_rows(r) == 0 || pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error,
                                                            "ALTER DATABASE %s IS_TEMPLATE false", quoted));
}

static char *sql_of(const LedgerObject *object, const PgConn *conn)
{
    /* A session that came in meanwhile must not keep the database of a failed run for ever (FORCE: 13). */
    bool force = g_str_equal(object->kind, "database") && pg_conn_identity(conn)->version >= 130000;
    return g_strconcat(object->cleanup_sql, force ? " WITH (FORCE)" : "", NULL);
}

static bool remove_object(Ledger *ledger, const LedgerObject *object, const char *url, GError **error)
{
    g_autofree char *missing = NULL;
    g_autoptr(PgConn) conn =
        pg_conn_open_or_maintenance("target", url, object->database, deadline_in_ms(PG_CONNECT_MS), &missing, error);
    if (conn == NULL)
        return false;
    if (g_strcmp0(pg_conn_identity(conn)->system_identifier, object->system_identifier) != 0) {
        pgf_error_set(error, PGF_ERROR_CONNECT, "Give the URL of the server that the run wrote to.",
                      "the target is another cluster than that of the run");
        return false;
    }
    bool gone = missing != NULL && object->database != NULL; /* its whole database was dropped */
    const char *database = g_str_equal(object->kind, "database") ? object->name : object->database;
    if (!gone && database != NULL && !fold_end_backends(conn, database, error))
        return false;
    if (g_str_equal(object->kind, "database") && !unmake_template(conn, object->name, error))
        return false;
    g_autofree char *sql = sql_of(object, conn);
    return (gone || (prepare(conn, error) && pg_exec(conn, sql, DEADLINE_NONE, error))) &&
           ledger_object_removed(ledger, object->id, error);
}

bool fold_clean_up(Ledger *ledger, gint64 run, const char *target_url, const char *system_identifier,
                   const char *database, gint64 except, GPtrArray *removed, GError **error)
{
    g_autoptr(GPtrArray) objects = ledger_owned_objects(ledger, run, system_identifier, error);
    if (objects == NULL)
        return false;
    for (guint i = 0; i < objects->len; i++) {
        const LedgerObject *object = objects->pdata[i];
        bool elsewhere = database != NULL && object->database != NULL && !g_str_equal(object->database, database);
        bool stays = except != 0 && object->run == except && !g_str_equal(object->kind, "large objects");
        if (elsewhere || stays)
            continue;
        if (!remove_object(ledger, object, target_url, error)) {
            g_prefix_error(error, "taking away %s %s: ", object->kind, object->name);
            return false;
        }
        if (removed != NULL)
            g_ptr_array_add(removed, g_strdup_printf("%s %s", object->kind, object->name));
    }
    return true;
}

bool fold_remove_object(Ledger *ledger, gint64 run, gint64 object, const char *target_url, GError **error)
{
    g_autoptr(GPtrArray) objects = ledger_owned_objects(ledger, run, NULL, error);
    for (guint i = 0; objects != NULL && i < objects->len; i++) {
        const LedgerObject *o = objects->pdata[i];
        if (o->id == object)
            return remove_object(ledger, o, target_url, error);
    }
    return objects != NULL;
}

#include "base/error.h"
#include "fence/fence_sql.h"
#include "fence/internal.h"

static bool run_all(PgConn *conn, const GPtrArray *statements, GError **error)
{
    for (guint i = 0; i < statements->len; i++) {
        if (pg_exec(conn, statements->pdata[i], fence_soon(), error))
            continue;
        g_prefix_error(error, "%s: ", (const char *)statements->pdata[i]);
        return false;
    }
    return true;
}

/* What the statements led to, seen from inside the transaction. */
static bool is_closed(PgConn *conn, GError **error)
{
    g_autoptr(FenceDatabase) database = fence_database_read(conn, error);
    if (database == NULL)
        return false;
    g_autoptr(FenceChange) left = fence_change_make(database);
    if (left->statements->len == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Somebody changes the same privileges and settings: run this again.",
                  "%s: the database did not stay closed: it still needs %s", pg_conn_label(conn),
                  (const char *)left->statements->pdata[0]);
    return false;
}

/* Everything but the commit. *ret_fence: 0 where there is nothing to do. */
static bool close_database(PgConn *conn, Ledger *ledger, gint64 run, const char *source_name, gint64 *ret_fence,
                           GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, "BEGIN; SELECT pg_catalog.txid_current()::text", fence_soon(), error);
    g_autoptr(FenceDatabase) database = r == NULL ? NULL : fence_database_read(conn, error);
    g_autoptr(GPtrArray) rows = database == NULL ? NULL : ledger_fences(ledger, pg_conn_identity(conn), error);
    if (rows == NULL)
        return false;
    g_autoptr(FenceChange) change = fence_change_make(database);
    if (change->statements->len == 0 && rows->len > 0)
        return true;
    return ledger_fence_begin(ledger, run, source_name, pg_conn_identity(conn), pg_result_get(r, 0, 0),
                              json_incref(change->before), ret_fence, error) &&
           run_all(conn, change->statements, error) && is_closed(conn, error);
}

static bool commit(PgConn *conn, GError **error)
{
    if (pg_exec(conn, "COMMIT", fence_soon(), error))
        return true;
    if (error != NULL && *error != NULL) {
        pgf_error_set_code(*error, PGF_ERROR_MIDWAY);
        pgf_error_set_state(*error, "the database is either open as before or fenced as a whole");
        pgf_error_set_hint(*error, "Run the same command again: it finds out, and goes on.");
    }
    return false;
}

/* After the commit: sessions that began before this moment may have other settings. */
static bool note_time(PgConn *conn, Ledger *ledger, gint64 fence, gint64 *since, GError **error)
{
    if (fence == 0 && *since != 0)
        return true;
    g_autoptr(PgResult) r = pg_query(
        conn, "SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint", fence_soon(), error);
    if (r == NULL)
        return false;
    *since = pg_result_int(r, 0, 0);
    return fence == 0 || ledger_fence_stands(ledger, fence, *since, error);
}

bool fence_raise(PgConn *conn, Ledger *ledger, gint64 run, const char *source_name, gint64 *since, GError **error)
{
    gint64 fence = 0;
    if (!close_database(conn, ledger, run, source_name, &fence, error)) {
        (void)pg_exec(conn, "ROLLBACK", fence_soon(), NULL); /* or with the connection */
        if (fence != 0)
            (void)ledger_fence_void(ledger, fence, NULL);
        return false;
    }
    if (!commit(conn, error))
        return false;
    if (note_time(conn, ledger, fence, since, error))
        return true;
    if (error != NULL && *error != NULL) {
        pgf_error_set_code(*error, PGF_ERROR_MIDWAY);
        pgf_error_set_state(*error, "new sessions of the database are read-only, older ones were not ended yet");
        pgf_error_set_hint(*error, "Run the same command again: it goes on.");
    }
    return false;
}

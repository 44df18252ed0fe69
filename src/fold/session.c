#include "base/error.h"
#include "fold/internal.h"
#include "fold_sql.h"

static const gint64 MIB = 1024 * 1024;
enum { SORT_MIN_MIB = 64, SORT_UNKNOWN_MIB = 256, SORT_MAX_MIB = 1024 };

/* 0: it cannot be told. The server may not be allowed to read the files, whatever the role is. */
static bool free_memory(PgConn *conn, gint64 *ret_bytes, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(PgResult) r = pg_query(conn, FOLD_MEMORY_FREE_SQL, deadline_in_ms(PG_CATALOG_MS), &cause);
    if (r == NULL && (cause->code == PGF_ERROR_CONNECT || cause->code == PGF_ERROR_CANCELLED)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    if (r == NULL)
        return true;
    *ret_bytes = pg_result_get(r, 0, 0) == NULL ? 0 : pg_result_int(r, 0, 0);
    return true;
}

/* Indexes are sorted in memory where there is enough of it: with 64 MB, the default of the server, large ones go
 * through files. Where nothing is known but the size of the server's cache, that is taken for a measure of the machine.
 */
bool fold_choose_memory(Fold *fold, guint workers, GError **error)
{
    g_autoptr(PgResult) r = pg_query(fold->main, FOLD_MEMORY_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    gint64 its_own = pg_result_int(r, 0, 0);
    gint64 available = 0;
    if (pg_result_bool(r, 0, 2) && !free_memory(fold->main, &available, error))
        return false;
    gint64 share = available > 0 ? MAX(available / 4 / workers, SORT_MIN_MIB * MIB)
                                 : MAX(pg_result_int(r, 0, 1) / workers, SORT_UNKNOWN_MIB * MIB);
    fold->sort_memory = MAX(its_own, MIN(share, SORT_MAX_MIB * MIB));
    return true;
}

/* The application's name is that by which fold_clean_up() finds what a killed run still has running on the server. */
bool fold_prepare_session(const Fold *fold, PgConn *conn, GError **error)
{
    g_autofree char *name = pg_quote_literal(fold->marker);
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error,
                    "SET application_name = %s; SET check_function_bodies = off; SET synchronous_commit = off; "
                    "SET client_min_messages = warning; SET maintenance_work_mem = '%" G_GINT64_FORMAT "kB'",
                    name, fold->sort_memory / 1024);
}

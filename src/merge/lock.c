/* Locks on several tables at once, in a database where others work. */
#include "base/error.h"
#include "merge/internal.h"

enum { BRIEFLY_MS = 200 };

static bool is_locked(const PgConn *conn)
{
    return g_str_equal(pg_conn_sqlstate(conn), "55P03");
}

static bool lock(PgConn *conn, const MergeLock *lock, GError **error)
{
    return pg_execf(conn, DEADLINE_NONE, error, "LOCK TABLE ONLY %s IN %s MODE", lock->table,
                    lock->against_readers ? "ACCESS EXCLUSIVE" : "SHARE ROW EXCLUSIVE");
}

static bool refuse(const MergeLock *lock, int seconds, GError **error)
{
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "`SELECT * FROM pg_locks` on the target tells who; then run this again (fold.lock_timeout is how "
                  "long it waits).",
                  "%s is locked by somebody else on the target for longer than %d s", lock->label, seconds);
    return false;
}

/* While one lock is waited for, no other is held for as long as the server's search for deadlocks waits. */
static bool wait_briefly(PgConn *conn, GError **error)
{
    return pg_execf(
        conn, deadline_in_ms(PG_CATALOG_MS), error,
        "SELECT pg_catalog.set_config('lock_timeout', greatest(least(%d, setting::int / 2), 1)::text, true) "
        "FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'",
        BRIEFLY_MS);
}

/* True with *ret_held set to the table that somebody else holds. */
static bool lock_others(PgConn *conn, const MergeLock *locks, guint n, guint first, guint *ret_held, GError **error)
{
    *ret_held = n;
    if (!wait_briefly(conn, error))
        return false;
    for (guint i = 0; i < n; i++) {
        g_autoptr(GError) cause = NULL;
        if (i == first || lock(conn, &locks[i], &cause))
            continue;
        if (!is_locked(conn)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        *ret_held = i;
        return true;
    }
    return true;
}

bool lock_tables(PgConn *conn, const MergeLock *locks, guint n, int seconds, GError **error)
{
    Deadline deadline = deadline_in_ms(1000 * seconds);
    for (guint first = 0; n > 0;) {
        g_autoptr(GError) cause = NULL;
        guint held = n;
        if (!pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "SAVEPOINT pgfold_locks; SET LOCAL lock_timeout = %d",
                      MAX(deadline_poll_ms(deadline), 1)))
            return false;
        if (!lock(conn, &locks[first], &cause)) {
            if (is_locked(conn))
                return refuse(&locks[first], seconds, error);
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        if (!lock_others(conn, locks, n, first, &held, error))
            return false;
        if (held == n)
            break;
        if (deadline_poll_ms(deadline) == 0)
            return refuse(&locks[held], seconds, error);
        if (!pg_exec(conn, "ROLLBACK TO SAVEPOINT pgfold_locks; RELEASE SAVEPOINT pgfold_locks",
                     deadline_in_ms(PG_CATALOG_MS), error))
            return false;
        first = held;
    }
    /* Rows may be locked as well: the limit stays. */
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "%sSET LOCAL lock_timeout = '%ds'",
                    n > 0 ? "RELEASE SAVEPOINT pgfold_locks; " : "", seconds);
}

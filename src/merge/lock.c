/* Locks on several tables at once, in a database where others work. */
#include "base/error.h"
#include "merge/internal.h"

enum { BRIEFLY_MS = 200 };

static void append_lock(GString *body, const MergeLock *locks, guint i)
{
    g_string_append_printf(body, "held := %u; LOCK TABLE ONLY %s IN %s MODE; ", i, locks[i].table,
                           locks[i].against_readers ? "ACCESS EXCLUSIVE" : "SHARE ROW EXCLUSIVE");
}

/* One lock is waited for while no other is held. Then all others are asked for in the same breath, before whoever let
 * the first one go comes again; each only for less than the server's search for deadlocks waits. What was got by then
 * is let go where one cannot be had: that ends with the block of its exception. */
static char *attempt_sql(const MergeLock *locks, guint n, guint first, int wait_ms)
{
    g_autoptr(GString) body = g_string_new("DECLARE held int; BEGIN ");
    g_string_append_printf(body, "PERFORM pg_catalog.set_config('lock_timeout', '%d', true); ", wait_ms);
    append_lock(body, locks, first);
    g_string_append_printf(
        body,
        "PERFORM pg_catalog.set_config('lock_timeout', greatest(least(%d, s.setting::int / 2), 1)::text, "
        "true) FROM pg_catalog.pg_settings s WHERE s.name = 'deadlock_timeout'; ",
        BRIEFLY_MS);
    for (guint i = 0; i < n; i++)
        if (i != first)
            append_lock(body, locks, i);
    g_string_append(body,
                    "PERFORM pg_catalog.set_config('pgfold.held', '-1', true); EXCEPTION WHEN lock_not_available THEN "
                    "PERFORM pg_catalog.set_config('pgfold.held', held::text, true); END");
    g_autofree char *literal = pg_quote_literal(body->str);
    return g_strdup_printf("DO %s; SELECT pg_catalog.current_setting('pgfold.held')", literal);
}

bool lock_tables(PgConn *conn, const MergeLock *locks, guint n, int seconds, GError **error)
{
    Deadline deadline = deadline_in_ms(1000 * (gint64)seconds);
    gint64 held = n > 0 ? 0 : -1;
    while (held >= 0) {
        g_autofree char *sql = attempt_sql(locks, n, (guint)held, MAX(deadline_poll_ms(deadline), 1));
        g_autoptr(PgResult) result = pg_query(conn, sql, DEADLINE_NONE, error);
        if (result == NULL)
            return false;
        held = pg_result_int(result, 0, 0);
        if (held < 0 || deadline_poll_ms(deadline) > 0)
            continue;
        pgf_error_set(error, PGF_ERROR_REFUSED,
                      "`SELECT * FROM pg_locks` on the target tells who; then run this again (fold.lock_timeout is how "
                      "long it waits).",
                      "%s is locked by somebody else on the target for longer than %d s", locks[held].label, seconds);
        return false;
    }
    /* Rows may be locked as well: the limit stays. */
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "SET LOCAL lock_timeout = '%ds'", seconds);
}

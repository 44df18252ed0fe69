/* Who was connected before the fence: their transactions are not read-only, whatever the settings say since. */
#include "base/error.h"
#include "fence/fence_sql.h"
#include "fence/internal.h"

enum { STARTING_MS = 20000, GONE_MS = 30000 };

static void session_free(gpointer data)
{
    FenceSession *session = data;
    g_free(session->role);
    g_free(session->application);
    g_free(session->kind);
    g_free(session->state);
    g_free(session->since);
    g_free(session);
}

static bool pause_briefly(PgConn *conn, Deadline deadline, GError **error)
{
    return pg_exec(conn, "SELECT pg_catalog.pg_sleep(0.02)", deadline, error);
}

static char *starting(PgConn *conn, const char *only, GError **error)
{
    const char *values[] = {only};
    g_autoptr(PgResult) r = pg_query_params(conn, FENCE_STARTING_SQL, 1, values, fence_soon(), error);
    if (r == NULL)
        return NULL;
    GString *pids = g_string_new("{");
    for (int i = 0; i < pg_result_rows(r); i++)
        g_string_append_printf(pids, "%s%s", i > 0 ? "," : "", pg_result_get(r, i, 0));
    g_string_append_c(pids, '}');
    return g_string_free(pids, FALSE);
}

/* A session that has read its settings before our commit may not be listed yet. */
static bool await_starting(PgConn *conn, GError **error)
{
    Deadline deadline = deadline_in_ms(STARTING_MS);
    g_autofree char *pids = starting(conn, "{}", error);
    while (pids != NULL && !g_str_equal(pids, "{}")) {
        if (deadline_poll_ms(deadline) == 0) {
            pgf_error_set(error, PGF_ERROR_MIDWAY, "Look at these processes on the server, then run this again.",
                          "%s: sessions that are starting do not get on: processes %s", pg_conn_label(conn), pids);
            return false;
        }
        if (!pause_briefly(conn, fence_soon(), error))
            return false;
        char *left = starting(conn, pids, error);
        g_free(pids);
        pids = left;
    }
    return pids != NULL;
}

static GPtrArray *list(PgConn *conn, gint64 since, GError **error)
{
    g_autofree char *before = since == 0 ? g_strdup("") : g_strdup_printf("%" G_GINT64_FORMAT, since);
    const char *values[] = {before};
    g_autoptr(PgResult) r = pg_query_params(conn, FENCE_SESSIONS_SQL, 1, values, fence_soon(), error);
    if (r == NULL)
        return NULL;
    GPtrArray *sessions = g_ptr_array_new_with_free_func(session_free);
    for (int i = 0; i < pg_result_rows(r); i++) {
        FenceSession *session = g_new0(FenceSession, 1);
        session->pid = (int)pg_result_int(r, i, 0);
        session->role = g_strdup(pg_result_get(r, i, 1));
        session->application = g_strdup(pg_result_get(r, i, 2));
        session->kind = g_strdup(pg_result_get(r, i, 3));
        session->state = g_strdup(pg_result_get(r, i, 4));
        session->since = g_strdup(pg_result_get(r, i, 5));
        session->may_end = pg_result_bool(r, i, 6);
        g_ptr_array_add(sessions, session);
    }
    return sessions;
}

GPtrArray *fence_sessions(PgConn *conn, gint64 since, GError **error)
{
    return await_starting(conn, error) ? list(conn, since, error) : NULL;
}

static void set_remaining(const PgConn *conn, const GPtrArray *sessions, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < sessions->len; i++) {
        const FenceSession *session = sessions->pdata[i];
        g_string_append_printf(text, "\n- process %d, %s%s%s%s", session->pid, session->kind,
                               *session->role == '\0' ? "" : " of ", session->role,
                               session->may_end ? "" : ": the role of pgfold may not end it");
    }
    pgf_error_set(error, PGF_ERROR_MIDWAY, "End them (pg_terminate_backend, as a superuser), then run this again.",
                  "%s: sessions that began before the fence are still there:%s", pg_conn_label(conn), text->str);
}

static bool end_those_we_may(PgConn *conn, const GPtrArray *sessions, guint *ret_ended, GError **error)
{
    *ret_ended = 0;
    for (guint i = 0; i < sessions->len; i++) {
        const FenceSession *session = sessions->pdata[i];
        if (!session->may_end)
            continue;
        if (!pg_execf(conn, fence_soon(), error, "SELECT pg_catalog.pg_terminate_backend(%d)", session->pid))
            return false;
        (*ret_ended)++;
    }
    return true;
}

bool fence_end_sessions(PgConn *conn, gint64 since, GError **error)
{
    Deadline deadline = deadline_in_ms(GONE_MS);
    if (!await_starting(conn, error))
        return false;
    for (;;) {
        guint ended = 0;
        g_autoptr(GPtrArray) sessions = list(conn, since, error);
        if (sessions == NULL || !end_those_we_may(conn, sessions, &ended, error))
            return false;
        if (sessions->len == 0)
            return true;
        if (ended == 0 || deadline_poll_ms(deadline) == 0) {
            set_remaining(conn, sessions, error);
            return false;
        }
        if (!pause_briefly(conn, fence_soon(), error))
            return false;
    }
}

/* --- the proof ---------------------------------------------------------------------------------------------------- */

static bool nothing_left(PgConn *conn, gint64 since, GError **error)
{
    g_autoptr(GPtrArray) sessions = fence_sessions(conn, since, error);
    g_autoptr(GPtrArray) obstacles = sessions == NULL ? NULL : fence_obstacles(conn, error);
    if (obstacles == NULL)
        return false;
    if (sessions->len > 0) {
        set_remaining(conn, sessions, error);
        return false;
    }
    if (obstacles->len == 0)
        return true;
    const FenceObstacle *first = obstacles->pdata[0];
    pgf_error_take_hint(error, PGF_ERROR_MIDWAY,
                        g_strdup_printf("SET " FENCE_SETTING " = off; %s Then run this again.", first->statement),
                        "%s: %s", pg_conn_label(conn), first->what);
    return false;
}

/* Our connections switch the setting off for themselves (pg/conn.c): the probe takes what any new session gets. */
static bool write_is_refused(PgConn *conn, const char *url, GError **error)
{
    g_autoptr(PgConn) probe =
        pg_conn_open(pg_conn_label(conn), url, pg_conn_identity(conn)->database, deadline_in_ms(PG_CONNECT_MS), error);
    if (probe == NULL || !pg_exec(probe, "RESET " FENCE_SETTING, fence_soon(), error) ||
        !pg_exec(probe, "BEGIN", fence_soon(), error))
        return false;
    g_autoptr(GError) refused = NULL;
    if (pg_exec(probe, "CREATE SCHEMA pgfold_fence_probe", fence_soon(), &refused)) {
        (void)pg_exec(probe, "ROLLBACK", fence_soon(), NULL);
        pgf_error_set(error, PGF_ERROR_MIDWAY,
                      "Does something set " FENCE_SETTING " off for this role: the URL (options=), PGOPTIONS?",
                      "%s: a new session could write (it was rolled back)", pg_conn_label(conn));
        return false;
    }
    if (g_str_equal(pg_conn_sqlstate(probe), "25006"))
        return true;
    g_propagate_prefixed_error(error, g_steal_pointer(&refused), "trying to write: ");
    return false;
}

bool fence_prove(PgConn *conn, const char *url, gint64 since, GError **error)
{
    return nothing_left(conn, since, error) && write_is_refused(conn, url, error);
}

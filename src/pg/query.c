#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"
#include "pg/conn.h"
#include "pg/internal.h"

enum { ABANDON_MS = 5000, CANCEL_AGAIN_MS = 100 };

/* What helps, whatever the statement was. */
static const char *hint_for(const char *sqlstate)
{
    static const char *const HINTS[][2] = {
        {"42501", "Grant the privilege to this role, or connect as the owner of the objects."},
        {"55P03",
         "Another session holds, or waits for, an exclusive lock: run the same command again when it is done."},
        {"22P05", "A character of one side has no place in the other's encoding: a UTF8 database takes all of them. Or "
                  "change the value in the source."},
        {"22021", "The value is no text in its database's encoding: mend it in the source."},
        {"53200",
         "That server is short of memory, or its table of locks is full: then raise max_locks_per_transaction there, "
         "and restart it."},
        {"53100", "Make room on the disk of that server, and run the same command again."},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(HINTS); i++)
        if (g_str_equal(HINTS[i][0], sqlstate))
            return HINTS[i][1];
    return NULL;
}

void pg_set_error(PgConn *conn, const PGresult *res, GError **error)
{
    const char *state = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *primary = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL);
    g_strlcpy(conn->sqlstate, state == NULL ? "" : state, sizeof conn->sqlstate);
    if (PQstatus(conn->pg) == CONNECTION_BAD || primary == NULL) {
        g_autofree char *said = g_strstrip(g_strdup(PQerrorMessage(conn->pg)));
        g_autofree char *message = pg_route_explain(conn, *said == '\0' ? "closed by the server" : said);
        pgf_error_set(error, PGF_ERROR_CONNECT,
                      conn->route != NULL ? "Run the same command again: it opens the tunnel anew."
                                          : "Look at the server's log, and run the same command again.",
                      "%s: connection lost: %s", conn->label, message);
        return;
    }
    bool forbidden = g_str_equal(conn->sqlstate, "42501");
    pgf_error_set(error, forbidden ? PGF_ERROR_REFUSED : PGF_ERROR_MIDWAY, hint_for(conn->sqlstate),
                  "%s: %s%s%s (SQLSTATE %s)", conn->label, primary, detail == NULL ? "" : ": ",
                  detail == NULL ? "" : detail, conn->sqlstate);
}

bool pg_flush(PgConn *conn, Deadline deadline, GError **error)
{
    for (;;) {
        int left = PQflush(conn->pg);
        if (left == 0)
            return true;
        if (left < 0) {
            pg_set_error(conn, NULL, error);
            return false;
        }
        struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN | POLLOUT};
        if (!wait_fds(&fd, 1, deadline, error))
            return false;
        if ((fd.revents & POLLIN) != 0 && PQconsumeInput(conn->pg) == 0) {
            pg_set_error(conn, NULL, error);
            return false;
        }
    }
}

/* Reads until a result is there. Not wait_fds(): this runs after a cancel. */
static bool drain_input(PgConn *conn, Deadline deadline)
{
    while (PQflush(conn->pg) > 0 || PQisBusy(conn->pg) != 0) {
        struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};
        int n = poll(&fd, 1, deadline_poll_ms(deadline));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || PQconsumeInput(conn->pg) == 0)
            return false;
    }
    return true;
}

static bool drain_copy_out(PgConn *conn, Deadline deadline)
{
    for (;;) {
        char *data = NULL;
        int len = PQgetCopyData(conn->pg, &data, 1);
        PQfreemem(data);
        if (len < 0)
            return true;
        if (len > 0)
            continue;
        struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};
        if (poll(&fd, 1, deadline_poll_ms(deadline)) == 0 || PQconsumeInput(conn->pg) == 0)
            return false;
    }
}

static void send_cancel(PgConn *conn)
{
    PGcancel *cancel = PQgetCancel(conn->pg);
    char message[256];
    if (cancel == NULL)
        return;
    (void)PQcancel(cancel, message, sizeof message);
    PQfreeCancel(cancel);
}

/* True when nothing is left of the statement, or of the batch: there a NULL ends one statement, two of them all. */
static bool drain(PgConn *conn, Deadline deadline)
{
    int ends = 0;
    for (;;) {
        if (!drain_input(conn, deadline))
            return PQstatus(conn->pg) == CONNECTION_BAD;
        PGresult *res = PQgetResult(conn->pg);
        ends = res == NULL ? ends + 1 : 0;
        if (ends == 2 || (ends == 1 && PQpipelineStatus(conn->pg) == PQ_PIPELINE_OFF))
            return true;
        ExecStatusType status = PQresultStatus(res);
        PQclear(res);
        if (status == PGRES_PIPELINE_SYNC && PQexitPipelineMode(conn->pg) == 1)
            return true;
        if (status == PGRES_COPY_IN)
            (void)PQputCopyEnd(conn->pg, "pgfold gave this copy up");
        if (status == PGRES_COPY_OUT && !drain_copy_out(conn, deadline))
            return PQstatus(conn->pg) == CONNECTION_BAD;
    }
}

void pg_abandon(PgConn *conn)
{
    Deadline deadline = deadline_in_ms(ABANDON_MS);
    /* A cancel that overtakes its statement is forgotten by the server (it travels on a connection of its own): repeat.
     */
    do
        send_cancel(conn);
    while (!drain(conn, MIN(deadline, deadline_in_ms(CANCEL_AGAIN_MS))) && deadline_poll_ms(deadline) > 0);
}

void pg_leave_batch(PgConn *conn)
{
    /* Without a cancel at first: one that comes too late would hit what the session does next. */
    if (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF && !drain(conn, deadline_in_ms(CANCEL_AGAIN_MS)))
        pg_abandon(conn);
}

bool pg_wait_result(PgConn *conn, Deadline deadline, GError **error)
{
    while (PQisBusy(conn->pg) != 0) {
        struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};
        if (!wait_fds(&fd, 1, deadline, error)) {
            g_prefix_error(error, "%s: ", conn->label);
            pg_abandon(conn);
            return false;
        }
        if (PQconsumeInput(conn->pg) == 0) {
            pg_set_error(conn, NULL, error);
            return false;
        }
    }
    return true;
}

static bool sent(PgConn *conn, int ok, Deadline deadline, GError **error)
{
    conn->sqlstate[0] = '\0';
    if (ok == 0) {
        pg_set_error(conn, NULL, error);
        return false;
    }
    return pg_flush(conn, deadline, error);
}

bool pg_send(PgConn *conn, const char *sql, GError **error)
{
    return sent(conn, PQsendQuery(conn->pg, sql), deadline_in_ms(PG_CATALOG_MS), error);
}

bool pg_send_raw(PgConn *conn, const char *sql, GError **error)
{
    return sent(conn, PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 1), deadline_in_ms(PG_CATALOG_MS),
                error);
}

PgResult *pg_receive(PgConn *conn, Deadline deadline, GError **error)
{
    PGresult *last = NULL;
    bool failed = false;
    for (;;) {
        g_autoptr(GError) late = NULL;
        if (!pg_wait_result(conn, deadline, &late)) {
            PQclear(last);
            /* What the statement failed of is the error, also where the wait for its end is given up; but a connection
             * that is lost says more than that somebody ended it. */
            if (failed && late->code == PGF_ERROR_CONNECT)
                g_clear_error(error);
            if (!failed || late->code == PGF_ERROR_CONNECT)
                g_propagate_error(error, g_steal_pointer(&late));
            return NULL;
        }
        PGresult *res = PQgetResult(conn->pg);
        if (res == NULL)
            break;
        ExecStatusType status = PQresultStatus(res);
        PQclear(last);
        last = res;
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
            break; /* the caller of pg_receive() is copy.c */
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            if (!failed)
                pg_set_error(conn, res, error);
            failed = true;
        }
    }
    if (failed || last == NULL) {
        if (!failed)
            pg_set_error(conn, NULL, error);
        PQclear(last);
        return NULL;
    }
    PgResult *result = g_new(PgResult, 1);
    result->res = last;
    return result;
}

PgResult *pg_query(PgConn *conn, const char *sql, Deadline deadline, GError **error)
{
    if (!sent(conn, PQsendQuery(conn->pg, sql), deadline, error))
        return NULL;
    return pg_receive(conn, deadline, error);
}

PgResult *pg_query_params(PgConn *conn, const char *sql, guint n, const char *const *values, Deadline deadline,
                          GError **error)
{
    if (!sent(conn, PQsendQueryParams(conn->pg, sql, (int)n, NULL, values, NULL, NULL, 0), deadline, error))
        return NULL;
    return pg_receive(conn, deadline, error);
}

bool pg_exec(PgConn *conn, const char *sql, Deadline deadline, GError **error)
{
    g_autoptr(PgResult) result = pg_query(conn, sql, deadline, error);
    return result != NULL;
}

bool pg_execf(PgConn *conn, Deadline deadline, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *sql = g_strdup_vprintf(format, args);
    va_end(args);
    return pg_exec(conn, sql, deadline, error);
}

/* Hands one single-row result on. False when the statement is to be given up. */
static bool hand_over(PgConn *conn, PGresult *res, PgRowFunc func, gpointer data, GError **error)
{
    PgResult row = {.res = res};
    switch (PQresultStatus(res)) {
    case PGRES_SINGLE_TUPLE:
        return func(&row, data, error);
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        return true;
    default:
        pg_set_error(conn, res, error);
        return false;
    }
}

bool pg_query_each(PgConn *conn, const char *sql, guint n, const char *const *values, PgRowFunc func, gpointer data,
                   Deadline deadline, GError **error)
{
    if (!sent(conn, PQsendQueryParams(conn->pg, sql, (int)n, NULL, values, NULL, NULL, 0), deadline, error))
        return false;
    PQsetSingleRowMode(conn->pg);
    for (;;) {
        if (!pg_wait_result(conn, deadline, error))
            return false;
        PGresult *res = PQgetResult(conn->pg);
        if (res == NULL)
            return true;
        bool ok = hand_over(conn, res, func, data, error);
        PQclear(res);
        if (!ok) {
            pg_abandon(conn);
            return false;
        }
    }
}

bool pg_conn_in_transaction(const PgConn *conn)
{
    PGTransactionStatusType status = PQtransactionStatus(conn->pg);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

const char *pg_conn_sqlstate(const PgConn *conn)
{
    return conn->sqlstate;
}

void pg_result_free(PgResult *result)
{
    if (result == NULL)
        return;
    PQclear(result->res);
    g_free(result);
}

int pg_result_rows(const PgResult *result)
{
    return PQntuples(result->res);
}

int pg_result_columns(const PgResult *result)
{
    return PQnfields(result->res);
}

const char *pg_result_name(const PgResult *result, int column)
{
    return PQfname(result->res, column);
}

const char *pg_result_get(const PgResult *result, int row, int column)
{
    g_assert(column < PQnfields(result->res));
    return PQgetisnull(result->res, row, column) != 0 ? NULL : PQgetvalue(result->res, row, column);
}

const guint8 *pg_result_bytes(const PgResult *result, int row, int column, gsize *ret_length)
{
    g_assert(column < PQnfields(result->res));
    *ret_length = (gsize)PQgetlength(result->res, row, column);
    return PQgetisnull(result->res, row, column) != 0 ? NULL : (const guint8 *)PQgetvalue(result->res, row, column);
}

gint64 pg_result_int(const PgResult *result, int row, int column)
{
    const char *text = pg_result_get(result, row, column);
    if (text == NULL)
        return 0;
    char *end = NULL;
    gint64 value = g_ascii_strtoll(text, &end, 10);
    g_assert(end != text && *end == '\0');
    return value;
}

bool pg_result_bool(const PgResult *result, int row, int column)
{
    const char *text = pg_result_get(result, row, column);
    g_assert(text == NULL || ((*text == 't' || *text == 'f') && text[1] == '\0'));
    return text != NULL && *text == 't';
}

guint64 pg_result_affected(const PgResult *result)
{
    return g_ascii_strtoull(PQcmdTuples(result->res), NULL, 10);
}

#include "pg/copy.h"

#include <string.h>

#include "base/error.h"
#include "base/wait.h"
#include "pg/internal.h"

enum {
    CHECK_TARGET_EVERY = 1 << 20, /* bytes sent between two looks for an error of the target */
    PIECE = 256 << 10,            /* bytes of a row that are handed to libpq at once */
};

static bool start_copy(PgConn *conn, const char *sql, ExecStatusType expected, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, sql, DEADLINE_NONE, error);
    if (r == NULL)
        return false;
    if (PQresultStatus(r->res) != expected) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "%s: not a COPY statement: %s", conn->label, sql);
        return false;
    }
    return true;
}

/* Reads the results that end a COPY. The number of rows is in the command tag. */
static bool finish(PgConn *conn, guint64 *ret_rows, GError **error)
{
    g_autoptr(PgResult) r = pg_receive(conn, DEADLINE_NONE, error);
    if (r == NULL)
        return false;
    *ret_rows = pg_result_affected(r);
    return true;
}

/* The target reports an error while we still send: notice it now rather than after the last row. */
static bool target_still_reads(PgConn *target, GError **error)
{
    if (PQconsumeInput(target->pg) == 0) {
        pg_set_error(target, NULL, error);
        return false;
    }
    if (PQisBusy(target->pg) != 0)
        return true;
    PGresult *res = PQgetResult(target->pg);
    bool copying = PQresultStatus(res) == PGRES_COPY_IN;
    if (!copying)
        pg_set_error(target, res, error);
    PQclear(res);
    return copying;
}

/* Waits until the target has taken what is buffered; the source is not read meanwhile, so memory stays flat. */
static bool drain_to_target(PgConn *target, GError **error)
{
    for (;;) {
        int left = PQflush(target->pg);
        if (left == 0)
            return true;
        if (left < 0) {
            pg_set_error(target, NULL, error);
            return false;
        }
        struct pollfd fd = {.fd = PQsocket(target->pg), .events = POLLIN | POLLOUT};
        if (!wait_fds(&fd, 1, DEADLINE_NONE, error))
            return false;
        if ((fd.revents & POLLIN) != 0 && !target_still_reads(target, error))
            return false;
    }
}

static bool wait_for_source(PgConn *source, PgConn *target, GError **error)
{
    struct pollfd fds[2] = {{.fd = PQsocket(source->pg), .events = POLLIN},
                            {.fd = PQsocket(target->pg), .events = POLLIN}};
    if (!drain_to_target(target, error) || !wait_fds(fds, 2, DEADLINE_NONE, error))
        return false;
    if (fds[1].revents != 0 && !target_still_reads(target, error))
        return false;
    if (fds[0].revents != 0 && PQconsumeInput(source->pg) == 0) {
        pg_set_error(source, NULL, error);
        return false;
    }
    return true;
}

/* A row may be a gigabyte. Handed over whole, it would be in memory once more; and libpq moves all that is not sent yet
 * to the front of its buffer whenever the socket has taken a part of it. */
static bool put(PgConn *target, const char *data, int length, GError **error)
{
    while (length > PIECE) {
        if (PQputCopyData(target->pg, data, PIECE) < 0) {
            pg_set_error(target, NULL, error);
            return false;
        }
        if (!drain_to_target(target, error))
            return false;
        data += PIECE;
        length -= PIECE;
    }
    if (PQputCopyData(target->pg, data, length) >= 0)
        return true;
    pg_set_error(target, NULL, error);
    return false;
}

/* Moves every row; the source's COPY has ended when it returns true, the target's has not. */
static bool stream(PgConn *source, PgConn *target, PgCopyProgress *progress, guint64 *ret_messages, GError **error)
{
    gsize unchecked = 0;
    for (;;) {
        char *data = NULL;
        int len = PQgetCopyData(source->pg, &data, 1);
        if (len == -1)
            return true;
        if (len == -2) {
            pg_set_error(source, NULL, error);
            return false;
        }
        if (len == 0) {
            if (!wait_for_source(source, target, error))
                return false;
            continue;
        }
        bool ok = put(target, data, len, error);
        PQfreemem(data);
        if (!ok)
            return false;
        (*ret_messages)++;
        if (progress != NULL) {
            atomic_fetch_add_explicit(&progress->rows, 1, memory_order_relaxed);
            atomic_fetch_add_explicit(&progress->bytes, (guint64)len, memory_order_relaxed);
        }
        unchecked += (gsize)len;
        if (unchecked >= CHECK_TARGET_EVERY) {
            unchecked = 0;
            if (!drain_to_target(target, error) || !target_still_reads(target, error))
                return false;
        }
    }
}

/* A backend that waits for copy data does not answer a cancel: it is told that the copy has failed. */
static void abort_target(PgConn *target)
{
    (void)PQputCopyEnd(target->pg, "pgfold gave this copy up");
    (void)PQflush(target->pg);
    pg_abandon(target);
}

bool pg_copy(PgConn *source, const char *copy_out, PgConn *target, const char *copy_in, PgCopyProgress *progress,
             guint64 *ret_rows, GError **error)
{
    guint64 read_rows = 0, messages = 0;
    if (!start_copy(target, copy_in, PGRES_COPY_IN, error))
        return false;
    if (!start_copy(source, copy_out, PGRES_COPY_OUT, error)) {
        abort_target(target);
        return false;
    }
    if (!stream(source, target, progress, &messages, error)) {
        pg_abandon(source);
        abort_target(target);
        return false;
    }
    /* Only now is it known that the source sent all of it: its end of data may be an error. */
    if (!finish(source, &read_rows, error)) {
        abort_target(target);
        return false;
    }
    if (PQputCopyEnd(target->pg, NULL) < 0) {
        pg_set_error(target, NULL, error);
        return false;
    }
    if (!drain_to_target(target, error)) {
        pg_abandon(target);
        return false;
    }
    if (!finish(target, ret_rows, error))
        return false;
    if (*ret_rows != read_rows) {
        pgf_error_set(error, PGF_ERROR_MIDWAY, "Look for a rule or a trigger on the target's table, then fold again.",
                      "the source sent %" G_GUINT64_FORMAT " rows, the target stored %" G_GUINT64_FORMAT, read_rows,
                      *ret_rows);
        return false;
    }
    /* One message is one row, but for the header and the trailer of the binary format. */
    if (progress != NULL)
        atomic_fetch_sub_explicit(&progress->rows, messages - read_rows, memory_order_relaxed);
    return true;
}

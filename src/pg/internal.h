/* Shared by the files of src/pg only. */
#pragma once

#include <libpq-fe.h>

#include "pg/conn.h"
#include "pg/route.h"

struct PgConn {
    PGconn *pg;
    char *label;
    char *display;
    PgIdentity identity;
    char sqlstate[6];
    char *route; /* what it was asked for, when it goes through an ssh host; else NULL */
    PgWay way;
};

struct PgResult {
    PGresult *res;
};

/* Sets *error from the connection's or a result's message; remembers the SQLSTATE. res may be NULL. */
void pg_set_error(PgConn *conn, const PGresult *res, GError **error);
/* Finds the way of a connection whose url is a route (conn->way); nothing for any other. */
bool pg_route_follow(PgConn *conn, const char *url, Deadline deadline, GError **error);
void pg_route_forget(PgConn *conn);
/* libpq's message with the server's own address; instead of it what became of the tunnel, where that is the reason.
 * Transfer full. */
char *pg_route_explain(const PgConn *conn, const char *message);
/* A connection that libpq has settled, with the environment and service files, and then refused to begin, because of
 * the last thing that it looks at. host and port: instead of those of url, or NULL. PQfinish() frees it. */
PGconn *pg_settle(const char *url, const char *host, const char *port);
/* Sends what is buffered. */
bool pg_flush(PgConn *conn, Deadline deadline, GError **error);
/* Waits until PQgetResult() would not block. On cancel or at the deadline the statement is cancelled and drained. */
bool pg_wait_result(PgConn *conn, Deadline deadline, GError **error);
/* Asks the server to stop the running statement and reads the rest, for at most a few seconds. */
void pg_abandon(PgConn *conn);
/* Out of pipeline mode, whatever is still to come of it. */
void pg_leave_batch(PgConn *conn);

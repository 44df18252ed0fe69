/* Shared by the files of src/pg only. */
#pragma once

#include <libpq-fe.h>

#include "pg/conn.h"

struct PgConn {
    PGconn *pg;
    char *label;
    char *display;
    PgIdentity identity;
    char sqlstate[6];
};

struct PgResult {
    PGresult *res;
};

/* Sets *error from the connection's or a result's message; remembers the SQLSTATE. res may be NULL. */
void pg_set_error(PgConn *conn, const PGresult *res, GError **error);
/* Sends what is buffered. */
bool pg_flush(PgConn *conn, Deadline deadline, GError **error);
/* Waits until PQgetResult() would not block. On cancel or at the deadline the statement is cancelled and drained. */
bool pg_wait_result(PgConn *conn, Deadline deadline, GError **error);
/* Asks the server to stop the running statement and reads the rest, for at most a few seconds. */
void pg_abandon(PgConn *conn);
/* Out of pipeline mode, whatever is still to come of it. */
void pg_leave_batch(PgConn *conn);

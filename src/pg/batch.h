/*
 * Several statements in one round trip: libpq's pipeline mode (libpq 14 and later). For reading: in a transaction
 * block, those after one that fails do not run; elsewhere each is a transaction of its own, and holds its locks no
 * longer.
 */
#pragma once

#include "pg/conn.h"

typedef struct PgStatement {
    const char *sql; /* one statement */
    guint n;
    const char *const *values; /* $1..$n as text, NULL for SQL NULL */
    PgRowFunc func;            /* is given each row, with flat memory; or NULL: the result is kept */
    gpointer data;
    GError **ret_error; /* or NULL. Outside of a transaction block: takes a failure of this statement, which then counts
                         * as an answer without a result (transfer full) */
} PgStatement;

/* ret_results: room for n results (transfer full), NULL where the statement has a func; or NULL when each has one. On
 * failure nothing is returned, and *ret_failed, where it is wanted, is the index of the statement at fault (after
 * a wait that was given up, of the first one without an answer), or n when it is none's. Errors: as pg_query(), or
 * those of a func. */
bool pg_batch(PgConn *conn, const PgStatement *statements, guint n, PgResult **ret_results, guint *ret_failed,
              Deadline deadline, GError **error);

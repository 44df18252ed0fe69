/*
 * Many statements in one round trip, each of them failing for itself.
 *
 *     PgBatchItem items[] = {{.sql = "SELECT ..."}, {.sql = "SELECT ... $1", .n = 1, .values = values}};
 *     if (!pg_batch(conn, items, 2, deadline, &error)) ...
 *     items[0].result, items[0].error
 *     pg_batch_clear(items, 2);
 *
 * For short reads: results are kept whole. The connection must not be inside a transaction.
 */
#pragma once

#include "pg/conn.h"

typedef struct PgBatchItem {
    const char *sql; /* one statement */
    guint n;
    const char *const *values; /* of $1..$n, as in pg_query_params() */
    PgResult *result;          /* out: NULL where the statement failed */
    GError *error;             /* out: why */
} PgBatchItem;

/* False, with what is known so far in items, when the connection was lost, on cancel or at the deadline. */
bool pg_batch(PgConn *conn, PgBatchItem *items, guint n, Deadline deadline, GError **error);
void pg_batch_clear(PgBatchItem *items, guint n);

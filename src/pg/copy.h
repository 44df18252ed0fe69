/* Rows from one server to another through COPY, with flat memory. */
#pragma once

#include <stdatomic.h>

#include "pg/conn.h"

/* Counters that another thread may read while the copy runs. */
typedef struct PgCopyProgress {
    _Atomic guint64 rows;
    _Atomic guint64 bytes;
} PgCopyProgress;

/* Runs `COPY ... TO STDOUT` on source and feeds `COPY ... FROM STDIN` on target. progress may be NULL (it is added to).
 * False when either end failed, was cancelled, or the two servers do not agree on the number of rows; then the
 * target's COPY was aborted, and its transaction, if any, waits for ROLLBACK. */
bool pg_copy(PgConn *source, const char *copy_out, PgConn *target, const char *copy_in, PgCopyProgress *progress,
             guint64 *ret_rows, GError **error);

/* Shared by the files of src/reconcile only. */
#pragma once

#include "reconcile/grid.h"

/* Count, and sum modulo 2^64, of one group. */
typedef struct Group {
    guint64 rows, sum;
} Group;

struct ReconcileScan {
    KeyPlan key;
    Grid grid;
    char **columns;
    DigestText text;
    Group *source, *target; /* grid_groups() each */
    Digest source_digest, target_digest;
    bool key_proven; /* by an index, or by reconcile_prove_key() */
};

/* Runs one query on each side, both servers at work at once; columns of text and bytea (pg_send_raw). */
bool reconcile_query_both(PgConn *source, const char *source_sql, PgConn *target, const char *target_sql,
                          PgResult **ret_source, PgResult **ret_target, GError **error);

/* "ONLY " for a plain table: rows of tables that inherit from it are theirs. */
const char *reconcile_only(const CatalogRelation *relation);

/* SQL: the lower 64 bits of m, the remainder of a sum divided by 2^64, as bytea. */
extern const char RECONCILE_LOW_SQL[];

/* SQL: a column that keeps the planner from merging a subquery into the query around it: what the subquery computes is
 * then computed once, and the planner expects few groups of it, which it hashes, in parallel, instead of sorting all
 * rows. The function is volatile, safe in parallel workers, and reads one variable of the server. */
extern const char RECONCILE_FENCE_SQL[];

static inline guint64 reconcile_read(const guint8 *bytes, gsize width)
{
    guint64 number = 0;
    for (gsize i = 0; i < width; i++)
        number = number << 8 | bytes[i];
    return number;
}

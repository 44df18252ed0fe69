#include "reconcile/probe.h"

#include "reconcile/leaf.h"

enum {
    MIN_GROUPS = 2048, /* about 300,000 rows: smaller relations are read in no time */
    PROBE_GROUPS = 32, /* about 5,000 rows: of one change in a thousand rows, 1 in 120 such samples sees none */
    LATEST_GROUPS = 2, /* of these: at the end, where most tables change */
    SUM_BYTES = 1 + 8, /* leaf.h */
};

/* Of all rows that were read, modulo 2^64. */
static guint64 total(const PgResult *result)
{
    guint64 sum = 0;
    for (int row = 0; row < pg_result_rows(result); row++) {
        gsize length = 0;
        const guint8 *bytes = pg_result_bytes(result, row, 1, &length);
        for (gsize at = 0; bytes != NULL && at + SUM_BYTES <= length; at += SUM_BYTES)
            sum += reconcile_read(bytes + at + 1, 8);
    }
    return sum;
}

bool probe_alike(const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target, bool *ret_alike,
                 GError **error)
{
    guint groups = grid_groups(&scan->grid);
    *ret_alike = false;
    if (!leaf_by_index(scan) || groups < MIN_GROUPS)
        return true;
    Leaf leaves[PROBE_GROUPS];
    const guint spread = PROBE_GROUPS - LATEST_GROUPS;
    for (guint i = 0; i < PROBE_GROUPS; i++) {
        guint group = i < spread ? (guint)((guint64)i * groups / spread) : groups - PROBE_GROUPS + i;
        leaves[i] = (Leaf){.group = group, .mask = LEAF_ALL};
    }
    g_autofree char *source_sql = leaf_sql(scan, source->relation, leaves, PROBE_GROUPS, LEAF_SUMS, 0, 1);
    g_autofree char *target_sql = leaf_sql(scan, target->relation, leaves, PROBE_GROUPS, LEAF_SUMS, 0, 1);
    g_autoptr(PgResult) s = NULL;
    g_autoptr(PgResult) t = NULL;
    if (!reconcile_query_both(source->conn, source_sql, target->conn, target_sql, &s, &t, error))
        return false;
    *ret_alike = total(s) == total(t);
    return true;
}

#include "base/error.h"
#include "reconcile/internal.h"
#include "reconcile/probe.h"

const char RECONCILE_LOW_SQL[] =
    "pg_catalog.int8send((CASE WHEN m >= 9223372036854775808 THEN m - 18446744073709551616 WHEN m < "
    "-9223372036854775808 THEN m + 18446744073709551616 ELSE m END)::pg_catalog.int8)";

const char RECONCILE_FENCE_SQL[] = "pg_catalog.pg_is_in_recovery() AS fence";

enum { GROUP_BYTES = 4 + 8 + 8 };

const char *reconcile_only(const CatalogRelation *relation)
{
    return relation->kind == 'r' ? "ONLY " : "";
}

bool reconcile_query_both(PgConn *source, const char *source_sql, PgConn *target, const char *target_sql,
                          PgResult **ret_source, PgResult **ret_target, GError **error)
{
    if (!pg_send_raw(source, source_sql, error))
        return false;
    g_autoptr(GError) target_error = NULL;
    bool sent = pg_send_raw(target, target_sql, &target_error);
    *ret_source = pg_receive(source, DEADLINE_NONE, error);
    if (sent)
        *ret_target = pg_receive(target, DEADLINE_NONE, &target_error);
    if (*ret_source == NULL)
        return false;
    if (target_error != NULL) {
        g_propagate_error(error, g_steal_pointer(&target_error));
        return false;
    }
    return true;
}

/* One row: count and sum of all, and every group as number, count and sum. */
static char *scan_sql(const ReconcileScan *scan, const CatalogRelation *relation)
{
    const char *only = reconcile_only(relation);
    const char *key_group = scan->grid.scan_sql != NULL ? scan->grid.scan_sql : scan->grid.group_sql;
    g_autofree char *group = NULL;
    if (grid_groups(&scan->grid) == 1)
        return g_strdup_printf("SELECT count(*)::text, coalesce(sum(%s), 0)::text, NULL::bytea FROM %s%s",
                               scan->key.row_sql, only, relation->read_from);
    if (scan->key.key == NULL) /* made of the row's hash, which is computed once */
        group = g_strdup_printf("(h & %u)::pg_catalog.int4", scan->grid.split - 1);
    return g_strdup_printf(
        "SELECT coalesce(sum(n), 0)::text, coalesce(sum(s), 0)::text, pg_catalog.string_agg("
        "pg_catalog.int4send(GREATEST(LEAST(g, %u), 0)::pg_catalog.int4) || "
        "pg_catalog.int8send(n) || %s, ''::bytea) FROM (SELECT g, n, s, pg_catalog.mod(s, 18446744073709551616) AS m "
        "FROM (SELECT %s AS g, count(*) AS n, sum(h) AS s FROM (SELECT %s AS k, %s AS h, %s FROM %s%s) r GROUP BY 1) "
        "a) b",
        grid_groups(&scan->grid) - 1, RECONCILE_LOW_SQL, group == NULL ? "k" : group,
        group == NULL ? key_group : "NULL", scan->key.row_sql, RECONCILE_FENCE_SQL, only, relation->read_from);
}

static bool take_groups(const PgResult *result, guint groups, Group *to, GError **error)
{
    gsize length = 0;
    const guint8 *bytes = pg_result_bytes(result, 0, 2, &length);
    for (gsize at = 0; bytes != NULL && at + GROUP_BYTES <= length; at += GROUP_BYTES) {
        guint64 group = reconcile_read(bytes + at, 4);
        if (group >= groups) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "a row stands in group %" G_GUINT64_FORMAT " of %u", group,
                          groups);
            return false;
        }
        to[group].rows += reconcile_read(bytes + at + 4, 8);
        to[group].sum += reconcile_read(bytes + at + 12, 8);
    }
    return true;
}

/* One group, or what a failed sample left: the whole relation. */
static bool take_side(const ReconcileScan *scan, const PgResult *result, Group *to, Digest *ret_digest, GError **error)
{
    if (!digest_from_row(result, 0, 0, ret_digest, error))
        return false;
    if (grid_groups(&scan->grid) > 1)
        return take_groups(result, grid_groups(&scan->grid), to, error);
    to[0] = (Group){.rows = ret_digest->rows, .sum = ret_digest->low};
    return true;
}

/* In the groups of scan->grid. */
static bool read_groups(ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target, GError **error)
{
    g_autofree char *source_sql = scan_sql(scan, source->relation);
    g_autofree char *target_sql = scan_sql(scan, target->relation);
    g_autoptr(PgResult) s = NULL;
    g_autoptr(PgResult) t = NULL;
    g_free(scan->source);
    g_free(scan->target);
    scan->source = g_new0(Group, grid_groups(&scan->grid));
    scan->target = g_new0(Group, grid_groups(&scan->grid));
    return reconcile_query_both(source->conn, source_sql, target->conn, target_sql, &s, &t, error) &&
           take_side(scan, s, scan->source, &scan->source_digest, error) &&
           take_side(scan, t, scan->target, &scan->target_digest, error);
}

static bool read_both(ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target, GError **error)
{
    bool alike = false;
    if (!grid_make(&scan->grid, &scan->key, source, target, error) || !probe_alike(scan, source, target, &alike, error))
        return false;
    if (!alike)
        return read_groups(scan, source, target, error);
    g_auto(Grid) groups = scan->grid;
    scan->grid = grid_whole(&scan->key);
    if (!read_groups(scan, source, target, error))
        return false;
    if (digest_equal(&scan->source_digest, &scan->target_digest))
        return true;
    grid_clear(&scan->grid);
    scan->grid = groups;
    groups = (Grid){0};
    return read_groups(scan, source, target, error);
}

ReconcileScan *reconcile_scan(const ReconcileSide *source, const ReconcileSide *target, DigestText text, GError **error)
{
    g_autofree char *obstacle = reconcile_obstacle(source->relation, target->relation);
    if (obstacle != NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Make the columns alike on both sides first.",
                      "%s: rows cannot be compared: %s", source->relation->label, obstacle);
        return NULL;
    }
    g_autoptr(ReconcileScan) scan = g_new0(ReconcileScan, 1);
    scan->columns = digest_columns(source->relation);
    scan->text = text;
    scan->key_proven = !source->relation->key_given && !target->relation->key_given;
    key_plan_init(&scan->key, source->relation, target->relation, (const char *const *)scan->columns, text);
    if (!read_both(scan, source, target, error)) {
        g_prefix_error(error, "%s: ", source->relation->label);
        return NULL;
    }
    return g_steal_pointer(&scan);
}

bool reconcile_scan_target(ReconcileScan *scan, const ReconcileSide *target, GError **error)
{
    g_autofree char *sql = scan_sql(scan, target->relation);
    g_autofree Group *groups = g_new0(Group, grid_groups(&scan->grid));
    Digest digest;
    g_autoptr(PgResult) r =
        pg_send_raw(target->conn, sql, error) ? pg_receive(target->conn, DEADLINE_NONE, error) : NULL;
    if (r == NULL || !take_side(scan, r, groups, &digest, error)) {
        g_prefix_error(error, "%s: ", target->relation->label);
        return false;
    }
    g_free(scan->target);
    scan->target = g_steal_pointer(&groups);
    scan->target_digest = digest;
    return true;
}

void reconcile_scan_free(ReconcileScan *scan)
{
    if (scan == NULL)
        return;
    g_free(scan->source);
    g_free(scan->target);
    g_strfreev(scan->columns);
    grid_clear(&scan->grid);
    key_plan_clear(&scan->key);
    g_free(scan);
}

const Digest *reconcile_scan_source_digest(const ReconcileScan *scan)
{
    return &scan->source_digest;
}

const Digest *reconcile_scan_target_digest(const ReconcileScan *scan)
{
    return &scan->target_digest;
}

#include "reconcile/reconcile.h"

#include <string.h>

#include "base/error.h"
#include "reconcile/key.h"
#include "reconcile/rows.h"

enum {
    ROWS_PER_LEAF = 100000, /* pairs of both sides held in memory at once */
};

/* One range on both sides. */
typedef struct Range {
    guint64 index; /* as width_bucket() counts: 0 lies before the first bound */
    Digest source, target;
} Range;

DigestText reconcile_text_mode(const PgIdentity *a, const PgIdentity *b)
{
    return g_str_equal(a->encoding, b->encoding) ? DIGEST_TEXT_NATIVE : DIGEST_TEXT_UTF8;
}

char *reconcile_obstacle(const CatalogRelation *source, const CatalogRelation *target)
{
    for (guint i = 0; i < source->columns->len; i++) {
        const CatalogColumn *column = source->columns->pdata[i];
        const CatalogColumn *other = catalog_column(target, column->name);
        if (column->is_virtual)
            continue;
        if (other == NULL)
            return g_strdup_printf("the target has no column %s (%s)", column->name, column->type);
        if (!g_str_equal(column->type, other->type))
            return g_strdup_printf("column %s is %s in the source and %s in the target", column->name, column->type,
                                   other->type);
        if (other->is_virtual)
            return g_strdup_printf("column %s is stored in the source and virtual in the target", column->name);
    }
    return NULL;
}

/* Runs one query on each side, both servers at work at once. */
static bool query_both(PgConn *source, const char *source_sql, PgConn *target, const char *target_sql,
                       PgResult **ret_source, PgResult **ret_target, GError **error)
{
    if (!pg_send(source, source_sql, error))
        return false;
    g_autoptr(GError) target_error = NULL;
    bool sent = pg_send(target, target_sql, &target_error);
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

bool reconcile_digests(const ReconcileSide *source, const ReconcileSide *target, const char *const *columns,
                       DigestText text, Digest *ret_source, Digest *ret_target, GError **error)
{
    g_autofree char *source_sql = digest_relation_sql(source->relation, columns, text);
    g_autofree char *target_sql = digest_relation_sql(target->relation, columns, text);
    g_autoptr(PgResult) s = NULL;
    g_autoptr(PgResult) t = NULL;
    if (!query_both(source->conn, source_sql, target->conn, target_sql, &s, &t, error)) {
        g_prefix_error(error, "%s: ", source->relation->label);
        return false;
    }
    return digest_from_row(s, 0, 0, ret_source, error) && digest_from_row(t, 0, 0, ret_target, error);
}

/* Every n-th key of the source, as texts in order. There may be more rows than were expected: then fewer keys. */
static GPtrArray *bounds_of_keys(const ReconcileSide *source, const KeyPlan *plan, GError **error)
{
    guint64 per_range = key_plan_rows_per_range(plan, source);
    g_autofree char *sql =
        g_strdup_printf("SELECT DISTINCT k::pg_catalog.text AS bound, k FROM (SELECT %s AS k, row_number() OVER (ORDER "
                        "BY %s) AS n FROM %s%s) s "
                        "WHERE n %% %" G_GUINT64_FORMAT " = 0 ORDER BY k",
                        plan->order_sql, plan->order_sql, source->relation->kind == 'r' ? "ONLY " : "",
                        source->relation->quoted, per_range);
    g_autoptr(PgResult) r = pg_query(source->conn, sql, DEADLINE_NONE, error);
    if (r == NULL)
        return NULL;
    GPtrArray *bounds = g_ptr_array_new_with_free_func(g_free);
    int step = (int)((guint64)pg_result_rows(r) / key_plan_max_ranges(plan)) + 1;
    for (int i = step - 1; i < pg_result_rows(r); i += step)
        g_ptr_array_add(bounds, g_strdup(pg_result_get(r, i, 0)));
    return bounds;
}

/* Hashes are spread evenly, so even bounds make even ranges. */
static GPtrArray *bounds_of_hashes(guint64 n)
{
    GPtrArray *bounds = g_ptr_array_new_with_free_func(g_free);
    for (guint64 i = 1; i < n; i++) {
        gint64 bound = (gint64)((guint64)G_MININT64 + i * (G_MAXUINT64 / n));
        g_ptr_array_add(bounds, g_strdup_printf("%" G_GINT64_FORMAT, bound));
    }
    return bounds;
}

/* An array literal: "{"a","b"}", every element quoted. */
static char *array_literal(const GPtrArray *texts)
{
    GString *literal = g_string_new("{");
    for (guint i = 0; i < texts->len; i++) {
        g_string_append(literal, i > 0 ? ",\"" : "\"");
        for (const char *c = texts->pdata[i]; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                g_string_append_c(literal, '\\');
            g_string_append_c(literal, *c);
        }
        g_string_append_c(literal, '"');
    }
    g_string_append_c(literal, '}');
    return g_string_free(literal, FALSE);
}

static char *ranges_sql(const CatalogRelation *relation, const KeyPlan *plan, const char *bounds)
{
    return g_strdup_printf(
        "SELECT r, count(*), sum(h)::text FROM (SELECT pg_catalog.width_bucket(%s, %s::%s[]) AS r, %s AS h "
        "FROM %s%s) s GROUP BY r ORDER BY r",
        plan->order_sql, bounds, plan->order_type, plan->row_sql, relation->kind == 'r' ? "ONLY " : "",
        relation->quoted);
}

/* Adds the digests of one side to the ranges (both come in the order of r). */
static bool take_ranges(const PgResult *result, GArray *ranges, bool is_target, GError **error)
{
    guint at = 0;
    for (int row = 0; row < pg_result_rows(result); row++) {
        guint64 index = (guint64)pg_result_int(result, row, 0);
        Digest digest;
        if (!digest_from_row(result, row, 1, &digest, error))
            return false;
        while (at < ranges->len && g_array_index(ranges, Range, at).index < index)
            at++;
        if (at == ranges->len || g_array_index(ranges, Range, at).index != index) {
            Range range = {.index = index};
            g_array_insert_val(ranges, at, range);
        }
        Range *range = &g_array_index(ranges, Range, at);
        *(is_target ? &range->target : &range->source) = digest;
    }
    return true;
}

static bool read_ranges(const ReconcileSide *source, const ReconcileSide *target, const KeyPlan *plan,
                        const GPtrArray *bounds, GArray *ranges, GError **error)
{
    g_autofree char *literal = array_literal(bounds);
    g_autofree char *quoted = pg_quote_literal(literal);
    g_autofree char *source_sql = ranges_sql(source->relation, plan, quoted);
    g_autofree char *target_sql = ranges_sql(target->relation, plan, quoted);
    g_autoptr(PgResult) s = NULL;
    g_autoptr(PgResult) t = NULL;
    return query_both(source->conn, source_sql, target->conn, target_sql, &s, &t, error) &&
           take_ranges(s, ranges, false, error) && take_ranges(t, ranges, true, error);
}

/* first <= range <= last, in the terms of the bounds between them. */
static char *where_sql(const KeyPlan *plan, const GPtrArray *bounds, guint64 first, guint64 last)
{
    GString *where = g_string_new("true");
    if (first > 0) {
        g_autofree char *bound = pg_quote_literal(bounds->pdata[first - 1]);
        g_string_append_printf(where, " AND %s >= %s::%s", plan->order_sql, bound, plan->order_type);
    }
    if (last < bounds->len) {
        g_autofree char *bound = pg_quote_literal(bounds->pdata[last]);
        g_string_append_printf(where, " AND %s < %s::%s", plan->order_sql, bound, plan->order_type);
    }
    return g_string_free(where, FALSE);
}

static guint64 rows_in(const Range *range)
{
    return range->source.rows + range->target.rows;
}

/* A run of ranges as one leaf; one that is too large for memory (many rows under one first key column) in parts. */
static bool compare_run(const RowsJob *job, const GPtrArray *bounds, guint64 first, guint64 last, guint64 rows,
                        GError **error)
{
    g_autofree char *where = where_sql(job->plan, bounds, first, last);
    guint64 parts = rows / ROWS_PER_LEAF + 1;
    for (guint64 part = 0; part < parts; part++) {
        g_autofree char *part_where =
            parts == 1
                ? g_strdup(where)
                : g_strdup_printf(
                      "%s AND pg_catalog.abs(pg_catalog.hashtextextended(%s COLLATE \"C\", 0) %% %" G_GUINT64_FORMAT
                      ") = %" G_GUINT64_FORMAT,
                      where, job->plan->key_sql, parts, part);
        if (!rows_compare(job, part_where, error))
            return false;
    }
    return true;
}

/* Joins neighbouring ranges that differ into leaves, and compares those. */
static bool compare_ranges(const RowsJob *job, const GPtrArray *bounds, const GArray *ranges, GError **error)
{
    guint i = 0;
    while (i < ranges->len) {
        const Range *first = &g_array_index(ranges, Range, i);
        digest_add(&job->result->source, &first->source);
        digest_add(&job->result->target, &first->target);
        i++;
        if (digest_equal(&first->source, &first->target))
            continue;
        guint64 rows = rows_in(first);
        guint64 last = first->index;
        while (i < ranges->len) {
            const Range *next = &g_array_index(ranges, Range, i);
            if (digest_equal(&next->source, &next->target) || rows + rows_in(next) > ROWS_PER_LEAF)
                break;
            digest_add(&job->result->source, &next->source);
            digest_add(&job->result->target, &next->target);
            rows += rows_in(next);
            last = next->index;
            i++;
        }
        if (!compare_run(job, bounds, first->index, last, rows, error))
            return false;
    }
    return true;
}

bool reconcile_rows(const ReconcileSide *source, const ReconcileSide *target, DigestText text, guint max_details,
                    Reconciled *ret_result, GError **error)
{
    g_autofree char *obstacle = reconcile_obstacle(source->relation, target->relation);
    *ret_result = (Reconciled){0};
    if (obstacle != NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Make the columns alike on both sides first.",
                      "%s: rows cannot be compared: %s", source->relation->label, obstacle);
        return false;
    }
    g_auto(GStrv) columns = digest_columns(source->relation);
    g_auto(KeyPlan) plan = {0};
    key_plan_init(&plan, source->relation, target->relation, (const char *const *)columns, text);
    g_autoptr(GPtrArray) bounds =
        plan.keyed ? bounds_of_keys(source, &plan, error) : bounds_of_hashes(key_plan_ranges(&plan, source));
    g_autoptr(GArray) ranges = g_array_new(FALSE, TRUE, sizeof(Range));
    RowsJob job = {.source = source,
                   .target = target,
                   .plan = &plan,
                   .columns = (const char *const *)columns,
                   .max_details = max_details,
                   .result = ret_result};
    if (bounds == NULL || !read_ranges(source, target, &plan, bounds, ranges, error) ||
        !compare_ranges(&job, bounds, ranges, error)) {
        g_prefix_error(error, "%s: ", source->relation->label);
        reconciled_clear(ret_result);
        return false;
    }
    return true;
}

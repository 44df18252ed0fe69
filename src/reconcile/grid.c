#include "reconcile/grid.h"

#include <string.h>

#include "base/error.h"
#include "reconcile/sample.h"

enum {
    ROWS_PER_GROUP = 150, /* a group costs 20 bytes of traffic a side */
    MAX_GROUPS = 65536,
    MAX_TEXT_RANGES = 128, /* width_bucket() walks an array of texts from its start for each row */
    MIN_ROWS = 1000,       /* smaller relations are one group */
    ROWS_PER_PAGE = 60,    /* where nothing is known */
    BINS = 64,             /* for the question whether keys are spread evenly */
    EVEN_FACTOR = 3,
    HEAVY_RANGES = 32, /* so many ranges under one value of the first column: split them by hash */
    MAX_SPLIT = 4096,
};

/* The exact number; else the planner's estimate; of a table that was never analysed (or when it was empty), a guess
 * from its size. */
static guint64 rows_expected(const ReconcileSide *side)
{
    const CatalogRelation *relation = side->relation;
    if (side->rows > 0)
        return side->rows;
    bool known = relation->estimate >= 0 && relation->estimate >= (double)relation->pages;
    return known ? (guint64)relation->estimate : relation->pages * ROWS_PER_PAGE;
}

static guint groups_wanted(const ReconcileSide *source, const ReconcileSide *target)
{
    guint64 rows = MAX(rows_expected(source), rows_expected(target));
    return rows < MIN_ROWS ? 1 : (guint)CLAMP(rows / ROWS_PER_GROUP, 1, MAX_GROUPS);
}

/* The largest power of two that is not larger. */
static guint power_of_two(guint n)
{
    guint power = 1;
    while (power * 2 <= n)
        power *= 2;
    return power;
}

/* In how many of `ranges` even shares of the sample the most frequent key stands. */
static guint heaviest(const GArray *points, guint ranges)
{
    guint most = 0, run = 0;
    for (guint i = 0; i < points->len; i++) {
        bool same = i > 0 && g_array_index(points, guint64, i) == g_array_index(points, guint64, i - 1);
        run = same ? run + 1 : 1;
        most = MAX(most, run);
    }
    return most < 2 ? 1 : (guint)((guint64)most * ranges / points->len);
}

/* The point at position i of n between the first and the last, interpolated. */
static guint64 quantile(const GArray *points, guint i, guint n)
{
    guint64 place = (guint64)i * (points->len - 1);
    guint64 at = place / n, part = place % n;
    guint64 a = g_array_index(points, guint64, at);
    guint64 b = g_array_index(points, guint64, MIN(at + 1, points->len - 1));
    return a + (guint64)((unsigned __int128)(b - a) * part / n);
}

/* Whether no part of the span between first and last key has many more keys than others. Then an even grid will do,
 * whose group is one division instead of a search. */
static bool is_even(const GArray *points, guint64 low, guint64 high)
{
    guint counts[BINS] = {0};
    guint bins = MIN(BINS, points->len / 8);
    if (high - low >= (1ULL << 58)) /* sixteen times a part of it is still a number */
        return false;
    for (guint i = 0; i < points->len && bins > 0; i++) {
        guint64 place = g_array_index(points, guint64, i) - low;
        counts[(unsigned __int128)place * bins / (high - low + 1)]++;
    }
    for (guint i = 0; i < bins; i++)
        if ((guint64)counts[i] * bins > (guint64)points->len * EVEN_FACTOR)
            return false;
    return true;
}

static void make_even(Grid *grid, guint64 low, guint64 high)
{
    grid->even = true;
    grid->low = sample_number(low);
    grid->high = sample_number(high);
    grid->step = (gint64)((high - low) / grid->ranges) + 1;
    grid->ranges = (guint)((high - low) / (guint64)grid->step) + 1;
}

static void make_bounds(Grid *grid, const GArray *points)
{
    grid->bounds = g_ptr_array_new_with_free_func(g_free);
    guint64 last = g_array_index(points, guint64, 0);
    for (guint i = 1; i < grid->ranges; i++) {
        guint64 point = quantile(points, i, grid->ranges);
        char *bound = point > last ? sample_literal(grid->key->order, point) : NULL;
        if (bound == NULL)
            continue;
        g_ptr_array_add(grid->bounds, bound);
        last = point;
    }
    grid->ranges = grid->bounds->len + 1;
}

static bool lay_out_numbers(Grid *grid, guint wanted, const ReconcileSide *source, const ReconcileSide *target,
                            GError **error)
{
    g_autoptr(GArray) points = sample_points(grid->key, source, target, error);
    if (points == NULL)
        return false;
    if (points->len < 2) { /* nothing is known of the keys: hashes do not depend on them */
        grid->split = power_of_two(wanted);
        return true;
    }
    grid->ranges = wanted;
    guint heavy = heaviest(points, wanted);
    if (heavy >= HEAVY_RANGES && grid->key->key[1] != NULL) {
        grid->split = MIN(power_of_two(heavy) * 2, MAX_SPLIT);
        grid->ranges = MAX(wanted / grid->split, 1);
    }
    guint64 low = g_array_index(points, guint64, 0);
    guint64 high = g_array_index(points, guint64, points->len - 1);
    bool is_number = grid->key->order == ORDER_INT || grid->key->order == ORDER_OID;
    if (is_number && is_even(points, low, high))
        make_even(grid, low, high);
    else
        make_bounds(grid, points);
    return true;
}

static bool lay_out_texts(Grid *grid, guint wanted, const ReconcileSide *source, GError **error)
{
    grid->bounds = sample_texts(grid->key, source, MIN(wanted, MAX_TEXT_RANGES), error);
    if (grid->bounds == NULL)
        return false;
    grid->ranges = grid->bounds->len + 1;
    grid->split = power_of_two(MAX(wanted / grid->ranges, 1));
    return true;
}

/* The range of a row, from 0 on. */
static char *range_sql(const Grid *grid)
{
    if (grid->even)
        return g_strdup_printf("((GREATEST(LEAST(%s::pg_catalog.int8, '%" G_GINT64_FORMAT
                               "'::pg_catalog.int8), '%" G_GINT64_FORMAT "'::pg_catalog.int8) - '%" G_GINT64_FORMAT
                               "'::pg_catalog.int8) / '%" G_GINT64_FORMAT "'::pg_catalog.int8)::pg_catalog.int4",
                               grid->key->order_sql, grid->high, grid->low, grid->low, grid->step);
    g_autofree char *array = grid_array(grid->bounds);
    return g_strdup_printf("pg_catalog.width_bucket(%s%s%s, %s::%s[])", grid->key->order_sql,
                           grid->key->order == ORDER_INT ? "::" : "",
                           grid->key->order == ORDER_INT ? grid->key->bound_type : "", array, grid->key->bound_type);
}

static void set_group_sql(Grid *grid)
{
    if (grid->ranges == 1) {
        grid->group_sql = g_strdup_printf("(%s & %u)::pg_catalog.int4", grid->key->hash_sql, grid->split - 1);
        return;
    }
    g_autofree char *range = range_sql(grid);
    if (grid->split == 1)
        grid->group_sql = g_steal_pointer(&range);
    else
        grid->group_sql = g_strdup_printf("(%s * %u + (%s & %u)::pg_catalog.int4)", range, grid->split,
                                          grid->key->hash_sql, grid->split - 1);
}

/* Where an index told the smallest and the largest key, hardly a row lies beyond: no need to look at each. */
static void set_scan_sql(Grid *grid)
{
    const KeyPlan *key = grid->key;
    if (!grid->even || !key->indexed || grid->split > 1)
        return;
    g_autofree char *offset = g_strdup_printf("(%s%s - '%" G_GINT64_FORMAT "'::pg_catalog.int8)", key->order_sql,
                                              key->order == ORDER_OID ? "::pg_catalog.int8" : "", grid->low);
    grid->scan_sql = g_strdup_printf("%s / '%" G_GINT64_FORMAT "'::pg_catalog.int8", offset, grid->step);
    if (grid->step >= LEAF_SHARES)
        grid->share_sql = g_strdup_printf("(%s %% '%" G_GINT64_FORMAT "'::pg_catalog.int8 * %d / '%" G_GINT64_FORMAT
                                          "'::pg_catalog.int8)::pg_catalog.int4",
                                          offset, grid->step, LEAF_SHARES, grid->step);
}

Grid grid_whole(const KeyPlan *key)
{
    return (Grid){.ranges = 1, .split = 1, .key = key};
}

bool grid_make(Grid *grid, const KeyPlan *key, const ReconcileSide *source, const ReconcileSide *target, GError **error)
{
    guint wanted = groups_wanted(source, target);
    bool good = true;
    *grid = grid_whole(key);
    if (wanted > 1 && key->order == ORDER_NONE)
        grid->split = power_of_two(wanted);
    else if (wanted > 1 && key->order == ORDER_TEXT)
        good = lay_out_texts(grid, wanted, source, error);
    else if (wanted > 1)
        good = lay_out_numbers(grid, wanted, source, target, error);
    if (good) {
        set_group_sql(grid);
        set_scan_sql(grid);
    }
    return good;
}

guint grid_groups(const Grid *grid)
{
    return grid->ranges * grid->split;
}

char *grid_bound(const Grid *grid, guint range)
{
    if (!grid->even)
        return g_strdup(grid->bounds->pdata[range - 1]);
    return g_strdup_printf("%" G_GINT64_FORMAT, grid->low + (gint64)range * grid->step);
}

char *grid_share_bound(const Grid *grid, guint range, guint share)
{
    gint64 offset = (gint64)(((__int128)share * grid->step + LEAF_SHARES - 1) / LEAF_SHARES);
    return g_strdup_printf("%" G_GINT64_FORMAT, grid->low + (gint64)range * grid->step + offset);
}

static void append_bound(GString *where, const Grid *grid, const char *operator, guint range)
{
    g_autofree char *bound = grid_bound(grid, range);
    g_autofree char *quoted = pg_quote_literal(bound);
    g_string_append_printf(where, "%s%s %s %s::%s", where->len > 0 ? " AND " : "", grid->key->order_sql, operator,
                           quoted, grid->key->bound_type);
}

char *grid_where(const Grid *grid, guint first, guint last)
{
    GString *where = g_string_new(NULL);
    if (first > 0)
        append_bound(where, grid, ">=", first);
    if (last + 1 < grid->ranges)
        append_bound(where, grid, "<", last + 1);
    if (where->len == 0)
        g_string_append(where, "true");
    return g_string_free(where, FALSE);
}

void grid_clear(Grid *grid)
{
    g_clear_pointer(&grid->bounds, g_ptr_array_unref);
    g_clear_pointer(&grid->group_sql, g_free);
    g_clear_pointer(&grid->scan_sql, g_free);
    g_clear_pointer(&grid->share_sql, g_free);
}

char *grid_array(const GPtrArray *texts)
{
    g_autoptr(GString) literal = g_string_new("{");
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
    return pg_quote_literal(literal->str);
}

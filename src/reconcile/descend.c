#include "base/error.h"
#include "reconcile/found.h"
#include "reconcile/leaf.h"

enum {
    INDEX_ROWS = 100000,   /* pairs of both sides held in memory at once */
    SCAN_ROWS = 400000,    /* the same, where each batch is one more scan of the table */
    INDEX_LEAVES = 8192,   /* ranges in one statement */
    REFINE_ROWS = 2000000, /* rows hashed by one statement that reads sums of shares */
    REFINE_ABOVE = 20000,  /* fewer rows than this travel as pairs at once: one more round trip costs as much */
    REFINE_LEAF = 32,      /* shares of smaller leaves would hold a row or two */
};

typedef struct Descent {
    const ReconcileScan *scan;
    const ReconcileSide *source, *target;
    const ReconcileSink *sink;
    Finder *finder;
    GArray *leaves;   /* of Leaf */
    guint32 *leaf_of; /* group -> index in leaves, for groups that are leaves */
} Descent;

/* What both sides answered for a run of leaves: bytes of each side for each leaf. */
typedef struct Answer {
    const guint8 *bytes[2];
    gsize length[2];
} Answer;

static bool differs(const ReconcileScan *scan, guint group)
{
    return scan->source[group].rows != scan->target[group].rows || scan->source[group].sum != scan->target[group].sum;
}

static void add_leaf(Descent *d, guint group)
{
    const Group *s = &d->scan->source[group], *t = &d->scan->target[group];
    if (!differs(d->scan, group))
        return;
    if (s->rows == 0 && finder_only_counts(d->finder, ROW_EXTRA)) {
        d->finder->result->extra += t->rows;
        return;
    }
    if (t->rows == 0 && finder_only_counts(d->finder, ROW_MISSING)) {
        d->finder->result->missing += s->rows;
        return;
    }
    Leaf leaf = {.group = group, .mask = LEAF_ALL, .rows = s->rows + t->rows};
    d->leaf_of[group] = d->leaves->len;
    g_array_append_val(d->leaves, leaf);
}

static bool hand_over_missing(const Descent *d, guint first, guint last, guint64 rows, GError **error)
{
    g_autofree char *where = grid_where(&d->scan->grid, first, last);
    d->finder->result->missing += rows;
    return d->sink->range_missing(where, rows, d->sink->data, error);
}

static void count_range(const ReconcileScan *scan, guint range, guint64 *ret_source, guint64 *ret_target)
{
    *ret_source = *ret_target = 0;
    for (guint i = range * scan->grid.split; i < (range + 1) * scan->grid.split; i++) {
        *ret_source += scan->source[i].rows;
        *ret_target += scan->target[i].rows;
    }
}

/* Neighbouring ranges of which the target has no row are handed over as one; the rest become leaves. */
static bool collect_leaves(Descent *d, GError **error)
{
    const Grid *grid = &d->scan->grid;
    bool by_range = d->sink != NULL && d->sink->range_missing != NULL;
    guint first = 0;
    guint64 missing = 0;
    for (guint range = 0; range < grid->ranges; range++) {
        guint64 source, target;
        count_range(d->scan, range, &source, &target);
        if (by_range && target == 0) {
            missing += source;
            continue;
        }
        if (missing > 0 && !hand_over_missing(d, first, range - 1, missing, error))
            return false;
        missing = 0;
        first = range + 1;
        for (guint i = 0; i < grid->split; i++)
            add_leaf(d, range * grid->split + i);
    }
    return missing == 0 || hand_over_missing(d, first, grid->ranges - 1, missing, error);
}

/* Reads leaves first..first+n-1 on both sides. The answers point into the results. */
static bool ask(const Descent *d, guint first, guint n, LeafRead read, guint64 part, guint64 parts, PgResult **results,
                Answer *answers, GError **error)
{
    const Leaf *leaves = &g_array_index(d->leaves, Leaf, first);
    g_autofree char *source_sql = leaf_sql(d->scan, d->source->relation, leaves, n, read, part, parts);
    g_autofree char *target_sql = leaf_sql(d->scan, d->target->relation, leaves, n, read, part, parts);
    if (!reconcile_query_both(d->source->conn, source_sql, d->target->conn, target_sql, &results[0], &results[1],
                              error))
        return false;
    for (int side = 0; side < 2; side++)
        for (int row = 0; row < pg_result_rows(results[side]); row++) {
            guint leaf = d->leaf_of[g_ascii_strtoull(pg_result_get(results[side], row, 0), NULL, 10)] - first;
            answers[leaf].bytes[side] = pg_result_bytes(results[side], row, 1, &answers[leaf].length[side]);
        }
    return true;
}

static void results_clear(PgResult **results)
{
    pg_result_free(results[0]);
    pg_result_free(results[1]);
}

/* Leaves out the shares that are the same on both sides. */
static void refine_leaf(Leaf *leaf, const Answer *answer)
{
    enum { SHARE_BYTES = 1 + 8 };
    guint64 sums[2][LEAF_SHARES] = {{0}};
    guint32 present[2] = {0}, mask = 0;
    guint shares = 0;
    for (int side = 0; side < 2; side++)
        for (gsize at = 0; at + SHARE_BYTES <= answer->length[side]; at += SHARE_BYTES) {
            guint share = answer->bytes[side][at] % LEAF_SHARES;
            sums[side][share] = reconcile_read(answer->bytes[side] + at + 1, 8);
            present[side] |= 1U << share;
        }
    for (guint i = 0; i < LEAF_SHARES; i++)
        if (sums[0][i] != sums[1][i] || ((present[0] ^ present[1]) >> i & 1) != 0) {
            mask |= 1U << i;
            shares++;
        }
    leaf->mask = mask;
    leaf->rows = leaf->rows * shares / LEAF_SHARES;
}

static guint batch_from(const Descent *d, guint first, guint64 max_rows, guint max_leaves)
{
    guint64 rows = 0;
    guint n = 0;
    while (first + n < d->leaves->len && n < max_leaves) {
        rows += g_array_index(d->leaves, Leaf, first + n).rows;
        if (n > 0 && rows > max_rows)
            break;
        n++;
    }
    return n;
}

static bool refine(Descent *d, GError **error)
{
    bool by_index = leaf_by_index(d->scan);
    for (guint first = 0, n = 0; first < d->leaves->len; first += n) {
        n = by_index ? batch_from(d, first, REFINE_ROWS, INDEX_LEAVES) : d->leaves->len;
        PgResult *results[2] = {NULL, NULL};
        g_autofree Answer *answers = g_new0(Answer, n);
        bool good = ask(d, first, n, LEAF_SUMS, 0, 1, results, answers, error);
        for (guint i = 0; good && i < n; i++)
            refine_leaf(&g_array_index(d->leaves, Leaf, first + i), &answers[i]);
        results_clear(results);
        if (!good)
            return false;
    }
    return true;
}

/* Leaves whose every share is the same now are gone: where the rows changed since the scan. */
static void drop_empty(Descent *d)
{
    guint kept = 0;
    for (guint i = 0; i < d->leaves->len; i++) {
        Leaf leaf = g_array_index(d->leaves, Leaf, i);
        if (leaf.mask == 0)
            continue;
        d->leaf_of[leaf.group] = kept;
        g_array_index(d->leaves, Leaf, kept++) = leaf;
    }
    g_array_set_size(d->leaves, kept);
}

static bool worth_refining(const Descent *d)
{
    guint64 rows = 0;
    for (guint i = 0; i < d->leaves->len; i++)
        rows += g_array_index(d->leaves, Leaf, i).rows;
    return rows > REFINE_ABOVE && rows / d->leaves->len >= REFINE_LEAF;
}

static bool compare_batch(const Descent *d, guint first, guint n, guint64 part, guint64 parts, GError **error)
{
    PgResult *results[2] = {NULL, NULL};
    g_autofree Answer *answers = g_new0(Answer, n);
    bool good = ask(d, first, n, LEAF_PAIRS, part, parts, results, answers, error);
    for (guint i = 0; good && i < n; i++)
        good = finder_compare(d->finder, answers[i].bytes[0], answers[i].length[0], answers[i].bytes[1],
                              answers[i].length[1], error);
    results_clear(results);
    return good;
}

static bool compare_leaves(const Descent *d, GError **error)
{
    bool by_index = leaf_by_index(d->scan);
    guint64 most = by_index ? INDEX_ROWS : SCAN_ROWS;
    for (guint first = 0, n = 0; first < d->leaves->len; first += n) {
        n = batch_from(d, first, most, by_index ? INDEX_LEAVES : G_MAXUINT);
        /* One leaf that is too large for memory goes in parts. */
        guint64 parts = n > 1 ? 1 : g_array_index(d->leaves, Leaf, first).rows / most + 1;
        for (guint64 part = 0; part < parts; part++)
            if (!compare_batch(d, first, n, part, parts, error))
                return false;
    }
    return true;
}

bool reconcile_descend(const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                       guint max_details, const ReconcileSink *sink, Reconciled *ret_result, GError **error)
{
    g_assert(scan->key_proven || scan->key.key == NULL);
    *ret_result = (Reconciled){.source = scan->source_digest, .target = scan->target_digest};
    g_auto(Finder) finder = {0};
    finder_init(&finder, scan, source, target, max_details, sink, ret_result);
    g_autoptr(GArray) leaves = g_array_new(FALSE, FALSE, sizeof(Leaf));
    g_autofree guint32 *leaf_of = g_new0(guint32, grid_groups(&scan->grid));
    Descent d = {.scan = scan,
                 .source = source,
                 .target = target,
                 .sink = sink,
                 .finder = &finder,
                 .leaves = leaves,
                 .leaf_of = leaf_of};
    bool good = collect_leaves(&d, error);
    if (good && leaves->len > 0 && worth_refining(&d)) {
        good = refine(&d, error);
        drop_empty(&d);
    }
    if (good && compare_leaves(&d, error) && finder_describe(&finder, error))
        return true;
    g_prefix_error(error, "%s: ", source->relation->label);
    reconciled_clear(ret_result);
    return false;
}

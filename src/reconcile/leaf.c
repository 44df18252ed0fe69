#include "reconcile/leaf.h"

/* Bits of the key's hash that the split of the grid does not use. */
static char *share_sql(const KeyPlan *key)
{
    return g_strdup_printf("((%s >> 40) & %d)::pg_catalog.int4", key->hash_sql, LEAF_SHARES - 1);
}

static void append_part(GString *where, const KeyPlan *key, guint64 part, guint64 parts)
{
    if (parts > 1)
        g_string_append_printf(where, " AND ((%s >> 24) & 65535) %% %" G_GUINT64_FORMAT " = %" G_GUINT64_FORMAT,
                               key->hash_sql, parts, part);
}

bool leaf_by_index(const ReconcileScan *scan)
{
    return scan->key.indexed && scan->grid.split == 1 && scan->grid.ranges > 1;
}

static bool all_shares(const Leaf *leaves, guint n)
{
    for (guint i = 0; i < n; i++)
        if (leaves[i].mask != LEAF_ALL)
            return false;
    return true;
}

/* SELECT that gives one bytea for the rows of `from_where`; NULL where there are none. */
static char *read_sql(const KeyPlan *key, LeafRead read, const char *share, const char *from_where)
{
    if (read == LEAF_PAIRS)
        return g_strdup_printf("SELECT pg_catalog.string_agg(%s, ''::pg_catalog.bytea) AS p %s", key->pack_sql,
                               from_where);
    return g_strdup_printf(
        "SELECT pg_catalog.string_agg(pg_catalog.set_byte('\\x00', 0, g) || %s, ''::pg_catalog.bytea) AS p FROM ("
        "SELECT g, pg_catalog.mod(sum(h), 18446744073709551616) AS m FROM (SELECT %s AS g, %s AS h, %s %s) pgfold_a "
        "GROUP BY g) pgfold_b",
        RECONCILE_LOW_SQL, share, key->row_sql, RECONCILE_FENCE_SQL, from_where);
}

/* A range without an end on one side: a SELECT of its own. */
static char *open_sql(const ReconcileScan *scan, const CatalogRelation *relation, const Leaf *leaf, LeafRead read,
                      guint64 part, guint64 parts)
{
    g_autofree char *range = grid_where(&scan->grid, leaf->group, leaf->group);
    g_autofree char *share = share_sql(&scan->key);
    g_autoptr(GString) from = g_string_new(NULL);
    g_string_append_printf(from, "FROM %s%s WHERE %s", reconcile_only(relation), relation->read_from, range);
    if (leaf->mask != LEAF_ALL)
        g_string_append_printf(from, " AND (%u >> %s) & 1 = 1", leaf->mask, share);
    append_part(from, &scan->key, part, parts);
    g_autofree char *sql = read_sql(&scan->key, read, share, from->str);
    return g_strdup_printf("SELECT '%u'::pg_catalog.text, p FROM (%s) pgfold_x WHERE p IS NOT NULL", leaf->group, sql);
}

typedef struct Columns {
    GPtrArray *groups, *lows, *highs, *masks;
} Columns;

/* Of the leaf's range; where shares are parts of the range, from the first share of the mask to the last. */
static void add_bounds(Columns *columns, const Grid *grid, const Leaf *leaf)
{
    if (grid->share_sql == NULL || leaf->mask == LEAF_ALL || leaf->mask == 0) {
        g_ptr_array_add(columns->lows, grid_bound(grid, leaf->group));
        g_ptr_array_add(columns->highs, grid_bound(grid, leaf->group + 1));
        return;
    }
    guint first = (guint)g_bit_nth_lsf(leaf->mask, -1);
    guint last = (guint)g_bit_nth_msf(leaf->mask, -1);
    g_ptr_array_add(columns->lows, grid_share_bound(grid, leaf->group, first));
    g_ptr_array_add(columns->highs, grid_share_bound(grid, leaf->group, last + 1));
}

static void append_array(GString *sql, GPtrArray *texts, const char *type)
{
    g_autofree char *array = grid_array(texts);
    g_string_append_printf(sql, "%s%s::%s[]", sql->str[sql->len - 1] == '(' ? "" : ", ", array, type);
    g_ptr_array_unref(texts);
}

/* unnest() of several arrays has no qualified name. Group, low, high, mask of each leaf. False where there is none. */
static bool append_leaves(GString *sql, const ReconcileScan *scan, const Leaf *leaves, guint n)
{
    Columns c = {g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free),
                 g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free)};
    for (guint i = 0; i < n; i++) {
        if (leaves[i].group == 0 || leaves[i].group + 1 == scan->grid.ranges)
            continue;
        g_ptr_array_add(c.groups, g_strdup_printf("%u", leaves[i].group));
        add_bounds(&c, &scan->grid, &leaves[i]);
        g_ptr_array_add(c.masks, g_strdup_printf("%u", leaves[i].mask));
    }
    bool any = c.groups->len > 0;
    g_string_append(sql, "unnest(");
    append_array(sql, c.groups, "pg_catalog.int4");
    append_array(sql, c.lows, scan->key.bound_type);
    append_array(sql, c.highs, scan->key.bound_type);
    append_array(sql, c.masks, "pg_catalog.int4");
    g_string_append(sql, ")");
    return any;
}

static char *by_index_sql(const ReconcileScan *scan, const CatalogRelation *relation, const Leaf *leaves, guint n,
                          LeafRead read, guint64 part, guint64 parts)
{
    const KeyPlan *key = &scan->key;
    g_autofree char *share = scan->grid.share_sql != NULL ? g_strdup(scan->grid.share_sql) : share_sql(key);
    g_autoptr(GString) from = g_string_new(NULL);
    g_autoptr(GString) unnest = g_string_new(NULL);
    GString *sql = g_string_new(NULL);
    g_string_append_printf(from, "FROM %s%s AS pgfold_t WHERE %s >= pgfold_l.low AND %s < pgfold_l.high",
                           reconcile_only(relation), relation->read_from, key->order_sql, key->order_sql);
    if (!all_shares(leaves, n))
        g_string_append_printf(from, " AND (pgfold_l.mask >> %s) & 1 = 1", share);
    append_part(from, key, part, parts);
    g_autofree char *inner = read_sql(key, read, share, from->str);
    if (append_leaves(unnest, scan, leaves, n))
        g_string_append_printf(sql,
                               "SELECT pgfold_l.leaf::pg_catalog.text, p FROM %s AS pgfold_l(leaf, low, high, mask) "
                               "CROSS JOIN LATERAL (%s) pgfold_x WHERE p IS NOT NULL",
                               unnest->str, inner);
    for (guint i = 0; i < n; i++) {
        if (leaves[i].group != 0 && leaves[i].group + 1 != scan->grid.ranges)
            continue;
        g_autofree char *open = open_sql(scan, relation, &leaves[i], read, part, parts);
        g_string_append_printf(sql, "%s%s", sql->len > 0 ? " UNION ALL " : "", open);
    }
    return g_string_free(sql, FALSE);
}

/* '\x...': one bit for each group, or for each share of each group. As get_bit() counts: from the lowest of a byte. */
static char *bitmap_sql(const ReconcileScan *scan, const Leaf *leaves, guint n, bool shares)
{
    guint groups = grid_groups(&scan->grid);
    gsize bytes = (shares ? groups * (gsize)LEAF_SHARES : groups) / 8 + 1;
    g_autofree guint8 *bits = g_new0(guint8, bytes);
    for (guint i = 0; i < n; i++) {
        if (shares) {
            bits[leaves[i].group * 2] = (guint8)(leaves[i].mask & 0xff);
            bits[leaves[i].group * 2 + 1] = (guint8)(leaves[i].mask >> 8);
        } else {
            bits[leaves[i].group / 8] |= (guint8)(1U << leaves[i].group % 8);
        }
    }
    GString *hex = g_string_sized_new(bytes * 2 + 32);
    g_string_append(hex, "'\\x");
    for (gsize i = 0; i < bytes; i++)
        g_string_append_printf(hex, "%02x", bits[i]);
    g_string_append(hex, "'::pg_catalog.bytea");
    return g_string_free(hex, FALSE);
}

static char *by_scan_sql(const ReconcileScan *scan, const CatalogRelation *relation, const Leaf *leaves, guint n,
                         LeafRead read, guint64 part, guint64 parts)
{
    const KeyPlan *key = &scan->key;
    bool shares = !all_shares(leaves, n);
    const char *group = grid_groups(&scan->grid) == 1 ? "0::pg_catalog.int4" : scan->grid.group_sql;
    g_autofree char *share = share_sql(key);
    g_autofree char *bitmap = bitmap_sql(scan, leaves, n, shares);
    g_autoptr(GString) from = g_string_new(NULL);
    g_string_append_printf(from, "FROM %s%s WHERE ", reconcile_only(relation), relation->read_from);
    if (shares)
        g_string_append_printf(from, "pg_catalog.get_bit(%s, %s * %d + %s) = 1", bitmap, group, LEAF_SHARES, share);
    else
        g_string_append_printf(from, "pg_catalog.get_bit(%s, %s) = 1", bitmap, group);
    append_part(from, key, part, parts);
    if (read == LEAF_PAIRS)
        return g_strdup_printf("SELECT g::pg_catalog.text, pg_catalog.string_agg(p, ''::pg_catalog.bytea) FROM (SELECT "
                               "%s AS g, %s AS p, %s %s) pgfold_a GROUP BY g",
                               group, key->pack_sql, RECONCILE_FENCE_SQL, from->str);
    return g_strdup_printf(
        "SELECT g::pg_catalog.text, pg_catalog.string_agg(pg_catalog.set_byte('\\x00', 0, s) || %s, "
        "''::pg_catalog.bytea) FROM (SELECT g, s, pg_catalog.mod(sum(h), 18446744073709551616) AS m FROM (SELECT %s AS "
        "g, %s AS s, %s AS h, %s %s) pgfold_a GROUP BY g, s) pgfold_b GROUP BY g",
        RECONCILE_LOW_SQL, group, share, key->row_sql, RECONCILE_FENCE_SQL, from->str);
}

char *leaf_sql(const ReconcileScan *scan, const CatalogRelation *relation, const Leaf *leaves, guint n, LeafRead read,
               guint64 part, guint64 parts)
{
    if (leaf_by_index(scan))
        return by_index_sql(scan, relation, leaves, n, read, part, parts);
    return by_scan_sql(scan, relation, leaves, n, read, part, parts);
}

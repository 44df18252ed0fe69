/* Tables of many groups: whatever their keys look like, exactly the rows that differ are found. */
#include "fixture.h"
#include "reconcile/internal.h"

/* In all of them t has columns k... and v, and about 20,000 rows; v is a number from 1 on, unless said otherwise. */
typedef struct Keys {
    const char *name;
    const char *columns; /* of t, v excepted */
    const char *values;  /* of the row with number i */
    const char *order;   /* what the first key column must be ordered by; NULL: as numbers, through the index */
} Keys;

static const Keys KEYS[] = {
    {"numbers in a row", "k int PRIMARY KEY", "i", "even"},
    {"numbers with large gaps", "k int8 PRIMARY KEY", "i::int8 * 1000000007", "even"},
    {"negative numbers", "k int PRIMARY KEY", "i - 30000", "even"},
    {"numbers from the smallest on", "k int2 PRIMARY KEY", "i - 32768", "even"},
    {"numbers up to both extremes", "k int8 PRIMARY KEY",
     "CASE i WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807 ELSE i END", "bounds"},
    {"numbers that crowd at one end", "k int8 PRIMARY KEY", "i::int8 * i * i", "bounds"},
    {"oids", "k oid PRIMARY KEY", "(i::int8 * 200000)::oid", "even"},
    {"uuids", "k uuid PRIMARY KEY", "md5(i::text)::uuid", "bounds"},
    {"dates with both infinities", "k date PRIMARY KEY",
     "CASE i WHEN 1 THEN '-infinity' WHEN 2 THEN 'infinity' ELSE date '1900-01-01' + i END", "bounds"},
    {"timestamps with both infinities and far years", "k timestamptz PRIMARY KEY",
     "CASE i WHEN 1 THEN '-infinity' WHEN 2 THEN 'infinity' WHEN 3 THEN '4000-01-01 BC' WHEN 4 THEN '200000-01-01' "
     "ELSE timestamptz '1999-12-31 12:00+00' + i * interval '1.000001 s' END",
     "bounds"},
    {"timestamps without a zone", "k timestamp PRIMARY KEY", "timestamp '2020-01-01' + i * interval '1 minute'",
     "bounds"},
    {"times of the day", "k time PRIMARY KEY", "time '00:00' + i * interval '3.7 s'", "bounds"},
    {"texts", "k text PRIMARY KEY", "'order-' || i", "texts"},
    {"texts that follow time", "k text COLLATE \"und-x-icu\" PRIMARY KEY", "to_char(i, 'FM000000') || '-ä'", "texts"},
    {"citext", "k citext PRIMARY KEY", "chr(65 + i % 26 + i / 10000 * 32) || i", "texts"},
    {"numerics", "k numeric PRIMARY KEY", "CASE WHEN i % 2 = 0 THEN i::numeric ELSE i + 0.50 END", "texts"},
    {"pairs", "a int, b text, PRIMARY KEY (a, b)", "i / 3, 'b' || i", "even"},
    {"pairs of which all begin alike", "a int, b int, PRIMARY KEY (a, b)", "7, i", "split"},
    {"pairs of which half begin alike", "a int, b int, PRIMARY KEY (a, b)", "CASE WHEN i % 2 = 0 THEN 7 ELSE i END, i",
     "split"},
    {"pairs of texts of which all begin alike", "a text, b text, PRIMARY KEY (a, b)", "'a', 'b' || i", "split"},
    {"no key", "a int, b text", "i, 'b'", "split"},
};

static void make_table(const Keys *keys)
{
    g_autofree char *create = g_strdup_printf("CREATE TABLE t (%s%sv int)", keys->columns, ", ");
    g_autofree char *fill =
        g_strdup_printf("INSERT INTO t SELECT %s, i FROM generate_series(1, 20000) i", keys->values);
    fixture_clean();
    in_both(create);
    in_both(fill);
}

static void assert_layout(const Keys *keys, const ReconcileScan *scan)
{
    const Grid *grid = &scan->grid;
    g_assert_cmpuint(grid_groups(grid), >, 40);
    if (g_str_equal(keys->order, "even"))
        g_assert_true(grid->even && grid->split == 1);
    else if (g_str_equal(keys->order, "bounds"))
        g_assert_true(!grid->even && grid->ranges > 40 && grid->split == 1);
    else if (g_str_equal(keys->order, "texts"))
        g_assert_cmpuint(grid->ranges, >, 40);
    else
        g_assert_cmpuint(grid->split, >, 8);
}

/* Rows that are not in the largest group would be a third of all, were the bounds no use. */
static void assert_spread(const ReconcileScan *scan)
{
    guint64 largest = 0;
    for (guint i = 0; i < grid_groups(&scan->grid); i++)
        largest = MAX(largest, scan->source[i].rows);
    g_assert_cmpuint(largest, <, 3000);
}

static void test_keys(gconstpointer data)
{
    const Keys *keys = data;
    g_autoptr(GError) error = NULL;
    ReconcileSide source, target;
    make_table(keys);
    in_b("DELETE FROM t WHERE v IN (1, 77, 19999); UPDATE t SET v = v + 100000 WHERE v IN (2, 500, 20000) OR v % 1000 "
         "= 13");
    in_a("DELETE FROM t WHERE v IN (3, 4, 12345)");
    sides_of("t", &source, &target);
    g_autoptr(ReconcileScan) scan = reconcile_scan(&source, &target, DIGEST_TEXT_NATIVE, &error);
    g_assert_no_error(error);
    assert_layout(keys, scan);
    assert_spread(scan);
    g_auto(Reconciled) result = {0};
    reconcile_descend(scan, &source, &target, 100, NULL, &result, &error);
    g_assert_no_error(error);
    guint64 changed = 23, more = reconcile_key(source.relation, target.relation) == NULL ? changed : 0;
    g_assert_cmpuint(result.different + more, ==, changed);
    g_assert_cmpuint(result.missing, ==, 3 + more);
    g_assert_cmpuint(result.extra, ==, 3 + more);
    g_assert_cmpuint(result.rows->len, ==, 29 + more);
    g_assert_cmpuint(result.source.rows, ==, 19997);
    g_assert_cmpuint(result.target.rows, ==, 19997);
}

static void test_every_row(gconstpointer data)
{
    const Keys *keys = data;
    g_autoptr(GError) error = NULL;
    ReconcileSide source, target;
    make_table(keys);
    in_b("UPDATE t SET v = -v");
    sides_of("t", &source, &target);
    g_auto(Reconciled) result = {0};
    reconcile_rows(&source, &target, DIGEST_TEXT_NATIVE, 0, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result.different + MIN(result.missing, result.extra), ==, 20000);
}

/* More leaves and more rows than one statement takes; several leaves with several rows each. */
static void test_batches(void)
{
    g_autoptr(GError) error = NULL;
    ReconcileSide source, target;
    fixture_clean();
    in_both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 400000) i");
    in_b(
        "UPDATE t SET v = -1 WHERE id % 100 = 0; UPDATE t SET v = -2 WHERE id > 330000; DELETE FROM t WHERE id BETWEEN "
        "100000 AND 170000");
    sides_of("t", &source, &target);
    g_auto(Reconciled) result = {0};
    reconcile_rows(&source, &target, DIGEST_TEXT_NATIVE, 3, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result.missing, ==, 70001);
    g_assert_cmpuint(result.different, ==, 3300 - 701 + 70000);
    g_assert_cmpuint(result.rows->len, ==, 3);
}

static guint groups_of(const ReconcileSide *source, const ReconcileSide *target, Reconciled *ret_result)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ReconcileScan) scan = reconcile_scan(source, target, DIGEST_TEXT_NATIVE, &error);
    g_assert_no_error(error);
    reconcile_descend(scan, source, target, 1, NULL, ret_result, &error);
    g_assert_no_error(error);
    return grid_groups(&scan->grid);
}

/* A large table that looks alike is summed as one group first; what the look did not see is found all the same. */
static void test_probe(void)
{
    static const struct {
        const char *change; /* on top of those before */
        guint64 different, missing, extra;
    } CASES[] = {{"SELECT", 0, 0, 0},
                 {"UPDATE t SET v = 0 WHERE id = 4500", 1, 0, 0}, /* groups 0 and 71 of 150 rows each are looked at */
                 {"INSERT INTO t VALUES (320001, 1)", 1, 0, 1},
                 {"DELETE FROM t WHERE id > 100000", 1, 220000, 0}};
    fixture_clean();
    in_both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 320000) i");
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        ReconcileSide source, target;
        g_auto(Reconciled) result = {0};
        in_b(CASES[i].change);
        sides_of("t", &source, &target);
        guint groups = groups_of(&source, &target, &result);
        if (i == 0)
            g_assert_cmpuint(groups, ==, 1);
        else
            g_assert_cmpuint(groups, >, 2000);
        g_assert_cmpuint(result.different, ==, CASES[i].different);
        g_assert_cmpuint(result.missing, ==, CASES[i].missing);
        g_assert_cmpuint(result.extra, ==, CASES[i].extra);
    }
}

/* A sample that says nothing of most rows (the first blocks were written last). */
static void test_bad_sample(void)
{
    g_autoptr(GError) error = NULL;
    ReconcileSide source, target;
    fixture_clean();
    in_both("CREATE TABLE t (id int8 PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 5000) i; "
            "ALTER TABLE t SET (autovacuum_enabled = off)");
    sides_of("t", &source, &target);
    in_both("INSERT INTO t SELECT 10000000 + i, i FROM generate_series(1, 60000) i"); /* after the catalogs were read */
    in_b("UPDATE t SET v = 0 WHERE id > 10000000");
    g_auto(Reconciled) result = {0};
    reconcile_rows(&source, &target, DIGEST_TEXT_NATIVE, 0, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result.different, ==, 60000);
}

static void add_tests(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        g_autofree char *some = g_strdup_printf("/scale/finds rows by %s", KEYS[i].name);
        g_autofree char *all = g_strdup_printf("/scale/finds all rows by %s", KEYS[i].name);
        g_test_add_data_func(some, &KEYS[i], test_keys);
        g_test_add_data_func(all, &KEYS[i], test_every_row);
    }
    g_test_add_func("/scale/reads more than one batch", test_batches);
    g_test_add_func("/scale/looks before it reads groups", test_probe);
    g_test_add_func("/scale/does not depend on its sample", test_bad_sample);
}

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, add_tests);
}

/* What reconcile hands to its caller: rows, ranges, keys that were given, and the target read again. */
#include <string.h>

#include "base/error.h"
#include "fixture.h"

typedef struct Seen {
    const ReconcileSide *source, *target;
    GString *rows; /* "missing 5; ..." */
    guint64 in_ranges, of_verdict[3];
    guint ranges;
    bool use_connections;
    guint stop_after; /* 0: never */
} Seen;

static void both_idle(const Seen *seen)
{
    g_autoptr(GError) error = NULL;
    pg_exec(seen->source->conn, "SELECT 1", deadline_in_ms(10000), &error);
    g_assert_no_error(error);
    pg_exec(seen->target->conn, "SELECT 1", deadline_in_ms(10000), &error);
    g_assert_no_error(error);
}

static bool on_row(const RowFound *row, gpointer data, GError **error)
{
    static const char *const VERDICTS[] = {"missing", "extra", "different"};
    Seen *seen = data;
    guint64 before = seen->of_verdict[row->verdict];
    seen->of_verdict[row->verdict] += row->times;
    g_autofree char *key = row->key == NULL ? g_strdup("-") : g_strjoinv("/", (char **)row->key);
    if (seen->rows->len < 1000)
        g_string_append_printf(seen->rows, "%s%s %s", seen->rows->len > 0 ? "; " : "", VERDICTS[row->verdict], key);
    g_assert_true((row->verdict == ROW_EXTRA) == (row->source_hash == 0));
    g_assert_true((row->verdict == ROW_MISSING) == (row->target_hash == 0));
    g_assert_true((row->key == NULL) == (row->second_hash != 0));
    if (seen->use_connections)
        both_idle(seen);
    if (seen->stop_after == 0 || before + 1 < seen->stop_after)
        return true;
    pgf_error_set(error, PGF_ERROR_MIDWAY, NULL, "enough");
    return false;
}

static guint64 count_where(const ReconcileSide *side, const char *where)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s WHERE %s", side->relation->quoted, where);
    g_autoptr(PgResult) r = pg_query(side->conn, sql, deadline_in_ms(60000), &error);
    g_assert_no_error(error);
    return (guint64)pg_result_int(r, 0, 0);
}

static bool on_range(const char *where_sql, guint64 rows, gpointer data, GError **error)
{
    Seen *seen = data;
    g_assert_cmpuint(count_where(seen->source, where_sql), ==, rows);
    g_assert_cmpuint(count_where(seen->target, where_sql), ==, 0);
    seen->ranges++;
    seen->in_ranges += rows;
    return true;
}

static bool descend(Seen *seen, ReconcileSink *sink, Reconciled *ret_result, GError **error)
{
    static ReconcileSide source, target;
    sides_of("t", &source, &target);
    *seen = (Seen){.source = &source,
                   .target = &target,
                   .rows = g_string_new(NULL),
                   .use_connections = seen->use_connections,
                   .stop_after = seen->stop_after};
    sink->data = seen;
    g_autoptr(ReconcileScan) scan = reconcile_scan(&source, &target, DIGEST_TEXT_NATIVE, error);
    return scan != NULL && reconcile_descend(scan, &source, &target, 0, sink, ret_result, error);
}

static void test_rows(void)
{
    g_autoptr(GError) error = NULL;
    Seen seen = {.use_connections = true};
    ReconcileSink sink = {.row = on_row};
    g_auto(Reconciled) result = {0};
    fixture_clean();
    in_both("CREATE TABLE t (b text, a int, v int, PRIMARY KEY (b, a)); INSERT INTO t VALUES ('x', 1, 1), ('', 2, 2)");
    in_a("INSERT INTO t VALUES ('ä', -3, 3)");
    in_b("UPDATE t SET v = 0 WHERE a = 2; INSERT INTO t VALUES ('long', 5, 5)");
    descend(&seen, &sink, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(seen.rows->str, ==, "different /2; missing ä/-3; extra long/5");
    g_string_free(seen.rows, TRUE);
    sink.ignore_extra = true;
    descend(&seen, &sink, &result, &error);
    g_assert_cmpstr(seen.rows->str, ==, "different /2; missing ä/-3");
    g_assert_cmpuint(result.extra, ==, 1);
    g_string_free(seen.rows, TRUE);
}

static void test_multiset(void)
{
    g_autoptr(GError) error = NULL;
    Seen seen = {0};
    ReconcileSink sink = {.row = on_row};
    g_auto(Reconciled) result = {0};
    fixture_clean();
    in_both("CREATE TABLE t (v int); INSERT INTO t SELECT i % 1500 FROM generate_series(1, 30000) i");
    in_b("DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE v = 7 LIMIT 12); INSERT INTO t VALUES (9), (-1)");
    descend(&seen, &sink, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(seen.of_verdict[ROW_MISSING], ==, 12);
    g_assert_cmpuint(seen.of_verdict[ROW_EXTRA], ==, 2);
    g_string_free(seen.rows, TRUE);
}

static void test_ranges(gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    Seen seen = {0};
    ReconcileSink sink = {.row = on_row, .range_missing = on_range};
    g_auto(Reconciled) result = {0};
    fixture_clean();
    in_both(data);
    in_b("DELETE FROM t WHERE v BETWEEN 5000 AND 9000 OR v > 19000");
    descend(&seen, &sink, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result.missing, ==, 5001);
    g_assert_cmpuint(seen.in_ranges + seen.of_verdict[ROW_MISSING], ==, 5001);
    g_string_free(seen.rows, TRUE);
    in_b("DELETE FROM t");
    descend(&seen, &sink, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(seen.ranges, ==, 1);
    g_assert_cmpuint(seen.in_ranges, ==, 20000);
    g_string_free(seen.rows, TRUE);
    in_a("DELETE FROM t");
    in_b("INSERT INTO t SELECT i, i FROM generate_series(1, 3) i");
    descend(&seen, &sink, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(seen.ranges, ==, 0);
    g_assert_cmpuint(seen.of_verdict[ROW_EXTRA], ==, 3);
    g_string_free(seen.rows, TRUE);
}

static void test_few_ranges_for_latest_rows(void)
{
    g_autoptr(GError) error = NULL;
    Seen seen = {0};
    ReconcileSink sink = {.row = on_row, .range_missing = on_range};
    g_auto(Reconciled) result = {0};
    fixture_clean();
    in_both("CREATE TABLE t (k int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20000) i");
    in_b("DELETE FROM t WHERE v > 10000");
    descend(&seen, &sink, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(seen.ranges, ==, 1);
    g_assert_cmpuint(seen.in_ranges, >, 9700);
    g_string_free(seen.rows, TRUE);
}

static void test_stop(void)
{
    g_autoptr(GError) error = NULL;
    Seen seen = {.stop_after = 2};
    ReconcileSink sink = {.row = on_row};
    g_auto(Reconciled) result = {0};
    fixture_clean();
    in_both("CREATE TABLE t (k int PRIMARY KEY)");
    in_a("INSERT INTO t SELECT generate_series(1, 10)");
    g_assert_false(descend(&seen, &sink, &result, &error));
    g_assert_nonnull(strstr(error->message, "enough"));
    g_assert_cmpuint(seen.of_verdict[ROW_MISSING], ==, 2);
    g_string_free(seen.rows, TRUE);
}

static void test_target_again(void)
{
    g_autoptr(GError) error = NULL;
    ReconcileSide source, target;
    fixture_clean();
    in_both("CREATE TABLE t (k int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 5000) i");
    in_b("DELETE FROM t WHERE k % 7 = 0");
    sides_of("t", &source, &target);
    g_autoptr(ReconcileScan) scan = reconcile_scan(&source, &target, DIGEST_TEXT_NATIVE, &error);
    g_assert_no_error(error);
    g_assert_false(digest_equal(reconcile_scan_source_digest(scan), reconcile_scan_target_digest(scan)));
    in_b("INSERT INTO t SELECT i, i FROM generate_series(7, 5000, 7) i; INSERT INTO t VALUES (-100000, 1), (1000000, "
         "1)");
    g_assert_true(reconcile_scan_target(scan, &target, &error));
    g_auto(Reconciled) result = {0};
    reconcile_descend(scan, &source, &target, 5, NULL, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result.missing + result.different, ==, 0);
    g_assert_cmpuint(result.extra, ==, 2);
}

/* The key of both sides as pgfold.yaml would give it; the obstacle that reconcile finds in it. */
static char *obstacle_of_key(const char *const *key, Reconciled *ret_result)
{
    g_autoptr(GError) error = NULL;
    ReconcileSide source, target;
    const char *unknown = NULL;
    char *obstacle = NULL;
    sides_of("t", &source, &target);
    g_assert_true(catalog_give_key((CatalogRelation *)(guintptr)source.relation, key, &unknown));
    g_assert_true(catalog_give_key((CatalogRelation *)(guintptr)target.relation, key, &unknown));
    g_autoptr(ReconcileScan) scan = reconcile_scan(&source, &target, DIGEST_TEXT_NATIVE, &error);
    g_assert_no_error(error);
    g_assert_true(reconcile_prove_key(scan, &source, &target, &obstacle, &error));
    g_assert_no_error(error);
    if (obstacle == NULL)
        reconcile_descend(scan, &source, &target, 10, NULL, ret_result, &error);
    g_assert_no_error(error);
    return obstacle;
}

static void test_given_keys(void)
{
    static const char *const A[] = {"a", NULL}, *const AB[] = {"a", "b", NULL};
    g_auto(Reconciled) result = {0};
    fixture_clean();
    in_both("CREATE TABLE t (a int, b int, v int); INSERT INTO t SELECT i / 2, i, i FROM generate_series(1, 6000) i");
    in_b("UPDATE t SET v = 0 WHERE b = 4321");
    g_autofree char *doubled = obstacle_of_key(A, &result);
    g_assert_cmpstr(doubled, ==, "key (a) is not unique in the source");
    g_autofree char *none = obstacle_of_key(AB, &result);
    g_assert_null(none);
    g_autofree char *found = describe(&result);
    g_assert_cmpstr(found, ==, "different a=2160, b=4321 v: 4321 -> 0");
    in_b("INSERT INTO t VALUES (1, NULL, 1)");
    g_autofree char *null = obstacle_of_key(AB, &result);
    g_assert_cmpstr(null, ==, "key (a, b) is NULL in a row in the target");
}

static void test_primary_key_wins(void)
{
    static const char *const V[] = {"v", NULL}, *const NOWHERE[] = {"nowhere", NULL};
    const char *unknown = NULL;
    fixture_clean();
    in_both(
        "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (a int NOT NULL UNIQUE, b int NOT NULL, c int NOT "
        "NULL, UNIQUE (b, c)); ALTER TABLE u REPLICA IDENTITY USING INDEX u_b_c_key");
    CatalogRelation *t = (CatalogRelation *)(guintptr)relation_in_a("t");
    g_assert_true(catalog_give_key(t, V, &unknown));
    g_assert_cmpstr(t->key[0], ==, "id");
    g_assert_false(catalog_give_key(t, NOWHERE, &unknown));
    g_assert_cmpstr(unknown, ==, "nowhere");
    const CatalogRelation *u = relation_in_a("u");
    g_assert_cmpstr(u->key[0], ==, "b");
    g_assert_cmpstr(u->key_name, ==, "u_b_c_key");
}

static void add_tests(void)
{
    static const char *const TABLES[][2] = {
        {"numbers",
         "CREATE TABLE t (k int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20000) i"},
        {"texts", "CREATE TABLE t (k text PRIMARY KEY, v int); INSERT INTO t SELECT to_char(i, 'FM000000'), i FROM "
                  "generate_series(1, 20000) i"},
        {"rows without a key",
         "CREATE TABLE t (k int, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20000) i"}};
    g_test_add_func("/sink/gets every row with its key", test_rows);
    g_test_add_func("/sink/gets rows without a key as often as they differ", test_multiset);
    for (gsize i = 0; i < G_N_ELEMENTS(TABLES); i++) {
        g_autofree char *name = g_strdup_printf("/sink/gets ranges that are missing, of %s", TABLES[i][0]);
        g_test_add_data_func(name, TABLES[i][1], test_ranges);
    }
    g_test_add_func("/sink/gets the latest rows as one range", test_few_ranges_for_latest_rows);
    g_test_add_func("/sink/stops where it says so", test_stop);
    g_test_add_func("/scan/reads the target again", test_target_again);
    g_test_add_func("/key/that was given is proven", test_given_keys);
    g_test_add_func("/key/primary, then replica identity, then unique", test_primary_key_wins);
}

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, add_tests);
}

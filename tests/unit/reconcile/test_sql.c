/* Parts of the digest that need no second database. */
#include "fixture.h"

static void test_methods(void)
{
    static const struct {
        const char *column, *native, *utf8;
    } EXPECTED[] = {{"i", "native", "native"}, {"t", "native", "send"}, {"ts", "send", "send"},
                    {"n", "text", "text"},     {"j", "text", "text"},   {"c", "native", "send"}};
    fixture_clean();
    in_both("CREATE TABLE t (i int, t text, ts timestamp, n numeric, j jsonb, c char(3))");
    const CatalogRelation *relation = relation_in_a("t");
    for (gsize i = 0; i < G_N_ELEMENTS(EXPECTED); i++) {
        const CatalogColumn *column = catalog_column(relation, EXPECTED[i].column);
        g_assert_cmpstr(digest_method(column, DIGEST_TEXT_NATIVE), ==, EXPECTED[i].native);
        g_assert_cmpstr(digest_method(column, DIGEST_TEXT_UTF8), ==, EXPECTED[i].utf8);
    }
}

static void test_salt(void)
{
    fixture_clean();
    in_both("CREATE TABLE t (i int)");
    const CatalogRelation *relation = relation_in_a("t");
    g_autofree char *one = digest_row_sql(relation, NULL, DIGEST_TEXT_NATIVE, 0);
    g_autofree char *other = digest_row_sql(relation, NULL, DIGEST_TEXT_NATIVE, 1);
    g_assert_cmpstr(one, !=, other);
}

static void test_text_of_a_digest(void)
{
    Digest digest = {.rows = 3, .high = 1, .low = 0xfedcba9876543210}, back = {0};
    g_autofree char *text = digest_text(&digest);
    g_assert_cmpstr(text, ==, "0000000000000001fedcba9876543210");
    g_assert_true(digest_parse(text, 3, &back));
    g_assert_true(digest_equal(&digest, &back));
    g_assert_false(digest_parse("0000000000000001fedcba987654321", 3, &back));
    g_assert_false(digest_parse("0000000000000001FEDCBA9876543210", 3, &back));
}

static void test_sums_carry(void)
{
    Digest sum = {.rows = 1, .high = 0, .low = G_MAXUINT64};
    const Digest one = {.rows = 1, .high = 0, .low = 1};
    const Digest minus_one = {.rows = 1, .high = G_MAXUINT64, .low = G_MAXUINT64};
    digest_add(&sum, &one);
    g_assert_cmpuint(sum.high, ==, 1);
    g_assert_cmpuint(sum.low, ==, 0);
    digest_add(&sum, &minus_one);
    g_assert_cmpuint(sum.high, ==, 0);
    g_assert_cmpuint(sum.low, ==, G_MAXUINT64);
    g_assert_cmpuint(sum.rows, ==, 3);
}

static void test_obstacles(void)
{
    fixture_clean();
    in_both("CREATE TABLE same (a int, b text); CREATE TABLE fewer (a int, b text); CREATE TABLE other (a int, b "
            "varchar(10))");
    in_b("ALTER TABLE same ADD extra int; ALTER TABLE fewer DROP b; ALTER TABLE other ALTER b TYPE varchar(20)");
    g_auto(Reconciled) result = {0};
    reconcile_table("same", 1, &result); /* a column more in the target is no obstacle */
    g_assert_true(same_digest("same"));
}

static void add_tests(void)
{
    g_test_add_func("/digest/knows how each type is digested", test_methods);
    g_test_add_func("/digest/has independent hashes for other salts", test_salt);
    g_test_add_func("/digest/is written and read as 32 digits", test_text_of_a_digest);
    g_test_add_func("/digest/adds with carry", test_sums_carry);
    g_test_add_func("/reconcile/compares the columns of the source only", test_obstacles);
}

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, add_tests);
}

/* How connection strings and compose files of others are read. */
#include "discover/internal.h"
#include "pg/url.h"

static void check_url(const char *text, const char *expected, bool expected_exact)
{
    bool exact = false;
    g_autoptr(GHashTable) parts = foreign_url_parse(text, &exact);
    if (expected == NULL) {
        g_assert_null(parts);
        return;
    }
    g_assert_nonnull(parts);
    g_autofree char *url = pg_url_format(parts, false);
    g_assert_cmpstr(url, ==, expected);
    g_assert_cmpint(exact, ==, expected_exact);
}

static void test_connection_strings_of_other_programs(void)
{
    check_url("postgres://a:secret@h:5433/d", "postgresql://a@h:5433/d", true);
    check_url("postgresql+asyncpg://a:secret@h/d", "postgresql://a@h/d", false);
    check_url("jdbc:postgresql://h:1/d", "postgresql://h:1/d", false);
    check_url("postgresql://a@h/d?schema=public&sslmode=require&pgbouncer=true", "postgresql://a@h/d?sslmode=require",
              false);
    check_url("postgresql://a@/d?host=/run/my%20pg", "postgresql://a@/d?host=/run/my%20pg", true);
    check_url("postgresql://a@[::1]:5433/d", "postgresql://a@/d?host=::1&port=5433", true);
    check_url("postgresql://h1:1,h2:2/d", "postgresql:///d?host=h1,h2&port=1,2", true);
    check_url("mysql://a@h/d", NULL, false);
    check_url("postgres", NULL, false);
    check_url("", NULL, false);
}

static void test_a_url_keeps_what_stands_in_it(void)
{
    g_autoptr(GHashTable) parts = pg_url_parse("host=/tmp user='a b' password='x:/@?#%' dbname='d/e?f'");
    g_assert_true(pg_url_has_secret(parts));
    g_autofree char *url = pg_url_format(parts, true);
    g_autoptr(GHashTable) again = pg_url_parse(url);
    g_assert_nonnull(again);
    g_assert_cmpstr(pg_url_get(again, "password"), ==, "x:/@?#%");
    g_assert_cmpstr(pg_url_get(again, "user"), ==, "a b");
    g_assert_cmpstr(pg_url_get(again, "dbname"), ==, "d/e?f");
    g_assert_cmpstr(pg_url_get(again, "host"), ==, "/tmp");
}

static void check_text(const char *text, const char *expected)
{
    g_autoptr(GHashTable) variables = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(variables, "PORT", "5433");
    g_hash_table_insert(variables, "EMPTY", "");
    g_autofree char *result = compose_interpolate(text, variables);
    g_assert_cmpstr(result, ==, expected);
}

static void test_variables_of_compose_files(void)
{
    check_text("${PORT}:5432", "5433:5432");
    check_text("$PORT:5432", "5433:5432");
    check_text("${NOWHERE_SET:-1}${NOWHERE_SET-2}${NOWHERE_SET}", "12");
    check_text("${EMPTY:-1}${EMPTY-2}", "1");
    check_text("${PORT:+yes}${EMPTY:+no}${EMPTY+yes}", "yesyes");
    check_text("${NOWHERE_SET:-${PORT}}", "5433");
    check_text("${PORT:?must be set}", "5433");
    check_text("$$PORT costs $", "$PORT costs $");
    check_text("${PORT", "${PORT");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/discover/connection strings of other programs", test_connection_strings_of_other_programs);
    g_test_add_func("/discover/a url keeps what stands in it", test_a_url_keeps_what_stands_in_it);
    g_test_add_func("/discover/variables of compose files", test_variables_of_compose_files);
    return g_test_run();
}

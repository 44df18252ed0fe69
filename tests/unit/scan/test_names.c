#include "scan/names.h"

typedef struct Case {
    const char *name;
    NameRole role;
    bool database, postgres, foreign;
} Case;

static void test_a_name_says_what_it_holds_and_whose_it_is(void)
{
    static const Case CASES[] = {
        {"DB_HOST", ROLE_HOST, true, false, false},
        {"databaseUrl", ROLE_URL, true, false, false},
        {"PGHOST", ROLE_HOST, true, true, false},
        {"PGPASSWORD", ROLE_PASSWORD, true, true, false},
        {"POSTGRES_USER", ROLE_USER, true, true, false},
        {"POSTGRES_DB", ROLE_DATABASE, true, true, false},
        {"spring.datasource.url", ROLE_URL, true, false, false},
        {"--pg-port", ROLE_PORT, true, true, false},
        {"REDIS_HOST", ROLE_HOST, false, false, true},
        {"host", ROLE_HOST, false, false, false},
        {"timeout", ROLE_NONE, false, false, false},
        {"", ROLE_NONE, false, false, false},
        {NULL, ROLE_NONE, false, false, false},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        NameMeaning meaning = name_meaning(CASES[i].name);
        g_test_message("%s", CASES[i].name == NULL ? "(none)" : CASES[i].name);
        g_assert_cmpint(meaning.role, ==, CASES[i].role);
        g_assert_cmpint(meaning.database, ==, CASES[i].database);
        g_assert_cmpint(meaning.postgres, ==, CASES[i].postgres);
        g_assert_cmpint(meaning.foreign, ==, CASES[i].foreign);
    }
}

static void test_a_name_that_is_endless_says_nothing(void)
{
    g_autofree char *name = g_strnfill(100000, 'a');
    g_assert_cmpint(name_meaning(name).role, ==, ROLE_NONE);
}

static void test_parts_of_one_connection_share_a_prefix(void)
{
    g_autofree char *host = name_prefix("DB_HOST"), *port = name_prefix("DB_PORT"),
                    *other = name_prefix("REPORT_DB_HOST");
    g_assert_cmpstr(host, ==, port);
    g_assert_cmpstr(host, !=, other);
    g_autofree char *joined = name_prefix("PGHOST"), *parted = name_prefix("PG_PORT");
    g_assert_cmpstr(joined, ==, parted);
}

static void test_variables_are_written_in_capitals(void)
{
    g_assert_true(name_is_variable("DB_HOST"));
    g_assert_true(name_is_variable("PG2"));
    g_assert_false(name_is_variable("Db_Host"));
    g_assert_false(name_is_variable("A1"));
    g_assert_false(name_is_variable(""));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/names/meaning", test_a_name_says_what_it_holds_and_whose_it_is);
    g_test_add_func("/scan/names/endless", test_a_name_that_is_endless_says_nothing);
    g_test_add_func("/scan/names/prefix", test_parts_of_one_connection_share_a_prefix);
    g_test_add_func("/scan/names/variable", test_variables_are_written_in_capitals);
    return g_test_run();
}

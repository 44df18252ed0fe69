#include <string.h>

#include "dump/internal.h"

static void assert_tablespace(const char *sql, const char *wanted, const char *then)
{
    DumpEntry entry = {.sql = g_strdup(sql)};
    g_autofree char *got = dump_entry_tablespace(&entry);
    g_assert_cmpstr(got, ==, wanted);
    dump_entry_use_default_tablespace(&entry);
    g_assert_cmpstr(entry.sql, ==, then);
    g_free(entry.sql);
}

static void test_a_tablespace_is_read_and_replaced_whatever_its_name(void)
{
    assert_tablespace("SET default_tablespace = fast;\nCREATE TABLE t ();", "fast",
                      "SET default_tablespace = '';\nCREATE TABLE t ();");
    assert_tablespace("SET default_tablespace = \"a;\"\" b\";\nCREATE TABLE t ();", "a;\" b",
                      "SET default_tablespace = '';\nCREATE TABLE t ();");
    assert_tablespace("SET default_tablespace = '';\nCREATE TABLE t ();", NULL,
                      "SET default_tablespace = '';\nCREATE TABLE t ();");
    assert_tablespace("CREATE TABLE t ();", NULL, "CREATE TABLE t ();");
    assert_tablespace("", NULL, "");
}

static void assert_password(const char *sql, const char *then, bool found)
{
    DumpEntry entry = {.sql = g_strdup(sql)};
    dump_entry_drop_password(&entry);
    g_assert_cmpstr(entry.sql, ==, then);
    g_assert_true(entry.without_password == found);
    g_free(entry.sql);
}

#define MAPPING "CREATE USER MAPPING FOR u SERVER s"

static void test_passwords_are_taken_out_and_nothing_else(void)
{
    assert_password(MAPPING " OPTIONS (\n    password 'x',\n    \"user\" 'bob'\n);",
                    MAPPING " OPTIONS (\n    \"user\" 'bob'\n);", true);
    assert_password(MAPPING " OPTIONS (\n    \"user\" 'bob',\n    sslpassword E'a\\\\'',) '';'\n);",
                    MAPPING " OPTIONS (\n    \"user\" 'bob'\n);", true);
    assert_password(MAPPING " OPTIONS (\n    \"a \"\" Password\" 'x'\n);", MAPPING ";", true);
    assert_password(MAPPING " OPTIONS (\n    password_required 'false',\n    \"user\" 'my password'\n);",
                    MAPPING " OPTIONS (\n    password_required 'false',\n    \"user\" 'my password'\n);", false);
    assert_password("CREATE USER MAPPING FOR \" OPTIONS (password 'x')\" SERVER s;",
                    "CREATE USER MAPPING FOR \" OPTIONS (password 'x')\" SERVER s;", false);
    assert_password(MAPPING ";", MAPPING ";", false);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/adapt/a tablespace is read and replaced whatever its name",
                    test_a_tablespace_is_read_and_replaced_whatever_its_name);
    g_test_add_func("/adapt/passwords are taken out and nothing else", test_passwords_are_taken_out_and_nothing_else);
    return g_test_run();
}

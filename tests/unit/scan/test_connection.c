#include <string.h>

#include "scan/connection.h"

typedef struct Case {
    const char *text;
    ConnectionForm form;
    const char *host, *port, *database;
    bool password;
} Case;

static void test_connection_strings_of_all_forms_are_read(void)
{
    static const Case CASES[] = {
        {"postgresql://app@localhost:5432/app", CONNECTION_URI, "localhost", "5432", "app", false},
        {"postgres://app:secret@127.0.0.1/app?sslmode=disable", CONNECTION_URI, "127.0.0.1", NULL, "app", true},
        {"postgresql+asyncpg://u:p@[::1]:5433/db", CONNECTION_URI, "[::1]", "5433", "db", true},
        {"postgresql://a,b:5432/app", CONNECTION_URI, "a", NULL, "app", false},
        {"postgresql:///app", CONNECTION_URI, NULL, NULL, "app", false},
        {"postgresql:///app?host=/var/run/postgresql", CONNECTION_URI, "/var/run/postgresql", NULL, "app", false},
        {"jdbc:postgresql://localhost:5432/app", CONNECTION_URI, "localhost", "5432", "app", false},
        {"jdbc:postgresql:app", CONNECTION_URI, "localhost", NULL, "app", false},
        {"ecto://postgres:postgres@localhost/app", CONNECTION_URI, "localhost", NULL, "app", true},
        {"host=localhost dbname=app user=app password=secret", CONNECTION_KEYWORDS, "localhost", NULL, "app", true},
        {"dbname = 'my app' host = localhost", CONNECTION_KEYWORDS, "localhost", NULL, "my app", false},
        {"Host=localhost;Database=app;Username=app;Password=secret", CONNECTION_ADO, "localhost", NULL, "app", true},
        {"pgsql:host=localhost;port=5432;dbname=app", CONNECTION_PDO, "localhost", "5432", "app", false},
        {"mysql://localhost/app", CONNECTION_NONE, NULL, NULL, NULL, false},
        {"redis://localhost:6379", CONNECTION_NONE, NULL, NULL, NULL, false},
        {"see postgresql://localhost/app", CONNECTION_NONE, NULL, NULL, NULL, false},
        {"a = b, c = d", CONNECTION_NONE, NULL, NULL, NULL, false},
        {"postgres", CONNECTION_NONE, NULL, NULL, NULL, false},
        {"", CONNECTION_NONE, NULL, NULL, NULL, false},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_auto(Connection) connection = connection_parse(CASES[i].text, strlen(CASES[i].text));
        g_test_message("%s", CASES[i].text);
        g_assert_cmpint(connection.form, ==, CASES[i].form);
        if (connection.form == CONNECTION_NONE)
            continue;
        g_assert_cmpstr(connection.host, ==, CASES[i].host);
        g_assert_cmpstr(connection.port, ==, CASES[i].port);
        g_assert_cmpstr(connection.database, ==, CASES[i].database);
        g_assert_cmpint(connection.has_password, ==, CASES[i].password);
    }
}

static void test_a_string_is_found_within_a_sentence_with_its_place(void)
{
    const char *text = "see (postgres://a:b@localhost/x), or postgres://h2/y.";
    g_auto(Connection) first = connection_find(text, strlen(text), 0);
    g_assert_cmpint(first.form, ==, CONNECTION_URI);
    g_assert_cmpuint(first.start, ==, 5);
    g_assert_cmpuint(first.password_end - first.password_start, ==, 1);
    g_assert_cmpint(text[first.password_start], ==, 'b');
    g_auto(Connection) second = connection_find(text, strlen(text), first.end);
    g_assert_cmpstr(second.host, ==, "h2");
    g_assert_cmpstr(second.database, ==, "y");
    g_auto(Connection) none = connection_find(text, strlen(text), second.end);
    g_assert_cmpint(none.form, ==, CONNECTION_NONE);
}

static void test_nothing_behind_the_end_is_read(void)
{
    static const char *const TEXTS[] = {
        "postgres:", "postgres://", "postgres://a:b@", "postgres://[", "jdbc:postgresql:",
        "host='",    "host=",       "pgsql:",          "::::",         "a=b;c='"};
    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++)
        for (gsize length = 0; length <= strlen(TEXTS[i]); length++) {
            g_autofree char *text = g_strndup(TEXTS[i], length);
            g_auto(Connection) parsed = connection_parse(text, length);
            g_auto(Connection) found = connection_find(text, length, 0);
            g_assert_cmpuint(parsed.end, <=, length);
            g_assert_cmpuint(found.end, <=, length);
        }
}

static void test_local_is_this_machine_by_whatever_name(void)
{
    static const char *const LOCAL[] = {"localhost",
                                        "LOCALHOST",
                                        "127.0.0.1",
                                        "127.1.2.3",
                                        "::1",
                                        "[::1]",
                                        "0.0.0.0",
                                        "host.docker.internal",
                                        "/var/run/postgresql",
                                        "app.localhost"};
    static const char *const FAR[] = {"db.internal", "127.example.org", "localhost.example.org",
                                      "10.0.0.1",    "/home",           ""};
    for (guint i = 0; i < G_N_ELEMENTS(LOCAL); i++)
        g_assert_true(host_is_local(LOCAL[i]));
    for (guint i = 0; i < G_N_ELEMENTS(FAR); i++)
        g_assert_false(host_is_local(FAR[i]));
    g_assert_false(host_is_local(NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/connection/forms", test_connection_strings_of_all_forms_are_read);
    g_test_add_func("/scan/connection/find", test_a_string_is_found_within_a_sentence_with_its_place);
    g_test_add_func("/scan/connection/end", test_nothing_behind_the_end_is_read);
    g_test_add_func("/scan/connection/local", test_local_is_this_machine_by_whatever_name);
    return g_test_run();
}

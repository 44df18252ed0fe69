/* Real clusters, through the interface that other rooms use. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "pg/conn.h"
#include "testdb/testdb.h"

enum { QUERY_MS = 15000 };

static TestDb *open_ok(const TestDbOptions *options)
{
    g_autoptr(GError) error = NULL;
    TestDb *db = testdb_open(options, &error);
    g_assert_no_error(error);
    g_assert_nonnull(db);
    return db;
}

static char *ask(const char *url, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PgConn) conn = pg_conn_open("test", url, NULL, deadline_in_ms(QUERY_MS), &error);
    g_assert_no_error(error);
    g_autoptr(PgResult) result = pg_query(conn, sql, deadline_in_ms(QUERY_MS), &error);
    g_assert_no_error(error);
    return g_strdup(pg_result_get(result, 0, 0));
}

static void test_life(void)
{
    const char *settings[] = {"effective_cache_size=5MB", "fsync=on", NULL};
    TestDbOptions options = {.database = "a \"strange\"/name?", .settings = settings};
    TestDb *db = open_ok(&options);
    g_autofree char *folder = g_strdup(testdb_folder(db));
    g_autofree char *database = ask(testdb_url(db), "SELECT pg_catalog.current_database()");
    g_assert_cmpstr(database, ==, options.database);
    g_autofree char *work_mem = ask(testdb_url(db), "SELECT pg_catalog.current_setting('effective_cache_size')");
    g_assert_cmpstr(work_mem, ==, "5MB");
    g_autofree char *fsync_setting = ask(testdb_url(db), "SELECT pg_catalog.current_setting('fsync')");
    g_assert_cmpstr(fsync_setting, ==, "on");
    g_autofree char *version = ask(testdb_url(db), "SELECT pg_catalog.current_setting('server_version_num')");
    g_assert_cmpint(atoi(version) / 10000, ==, testdb_version(db));
    g_autofree char *listening = ask(testdb_url(db), "SELECT pg_catalog.current_setting('listen_addresses')");
    g_assert_cmpstr(listening, ==, "");
    g_assert_true(testdb_alive(db, NULL));
    testdb_close(db);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

static void test_identities(void)
{
    TestDbOptions options = {0};
    g_autoptr(TestDb) one = open_ok(&options);
    g_autoptr(TestDb) two = open_ok(&options);
    const char *sql = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";
    g_autofree char *first = ask(testdb_url(one), sql), *second = ask(testdb_url(two), sql);
    g_assert_cmpstr(first, !=, second);
}

static void test_server_ends(void)
{
    TestDbOptions options = {0};
    g_autoptr(GError) error = NULL;
    TestDb *db = open_ok(&options);
    g_autofree char *folder = g_strdup(testdb_folder(db));
    g_autofree char *pid_file = g_build_filename(folder, "data", "postmaster.pid", NULL);
    g_autofree char *pid = NULL;
    g_assert_true(g_file_get_contents(pid_file, &pid, NULL, NULL));
    g_assert_cmpint(kill(atoi(pid), SIGINT), ==, 0);
    gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (testdb_alive(db, &error) && g_get_monotonic_time() < until)
        g_usleep(2000);
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CONNECT);
    g_assert_nonnull(strstr(error->message, "database system is shut down"));
    testdb_close(db);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

static void refused(const TestDbOptions *options, int code, const char *message, const char *hint)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(testdb_open(options, &error));
    g_assert_error(error, PGF_ERROR, code);
    g_assert_nonnull(strstr(error->message, message));
    g_assert_nonnull(strstr(pgf_error_hint(error), hint));
}

static void test_refusals(void)
{
    const char *unknown[] = {"no_such_setting=1", NULL}, *nonsense[] = {"nonsense", NULL};
    refused(&(TestDbOptions){.settings = unknown}, PGF_ERROR_CONNECT, "no_such_setting", "--set");
    refused(&(TestDbOptions){.settings = nonsense}, PGF_ERROR_USAGE, "nonsense", "name=value");
    refused(&(TestDbOptions){.bindir = "/nonexistent"}, PGF_ERROR_USAGE, "/nonexistent", "initdb");
    refused(&(TestDbOptions){.version = 99}, PGF_ERROR_USAGE, "PostgreSQL 99", "postgresql-99");
    refused(&(TestDbOptions){.min_version = 99}, PGF_ERROR_USAGE, "99 or later", "PGFOLD_SERVERS");
    refused(&(TestDbOptions){.dir = "/proc"}, PGF_ERROR_USAGE, "/proc", "folder");
    refused(&(TestDbOptions){.port = 70000}, PGF_ERROR_USAGE, "70000", "65535");
}

static void test_cancel(void)
{
    TestDbOptions options = {0};
    g_autoptr(GError) error = NULL;
    cancel_request();
    g_assert_null(testdb_open(&options, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CANCELLED);
    cancel_reset();
    testdb_close(open_ok(&options));
}

static void test_forgotten_main(void)
{
    TestDbOptions options = {0};
    g_autoptr(GError) error = NULL;
    g_setenv("PGFOLD_KEEPER", "1", TRUE);
    g_assert_null(testdb_open(&options, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_INTERNAL);
    g_unsetenv("PGFOLD_KEEPER");
}

static void test_names(void)
{
    static const char *const bad[] = {"", "a/b", "../x", "a b", "\xc3\xa4"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(TestDbNamed) named = {0};
        g_assert_false(testdb_named_find(bad[i], &named, &error));
        g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    }
}

int main(int argc, char **argv)
{
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
    cancel_init();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/testdb/it answers with the settings and the database asked for, and is gone when closed",
                    test_life);
    g_test_add_func("/testdb/two clusters differ in their system identifier", test_identities);
    g_test_add_func("/testdb/a server that ends by itself is noticed, with its log", test_server_ends);
    g_test_add_func("/testdb/what cannot be had is refused with a hint", test_refusals);
    g_test_add_func("/testdb/a cancelled start leaves nothing", test_cancel);
    g_test_add_func("/testdb/a program that forgets the keeper is told so", test_forgotten_main);
    g_test_add_func("/testdb/names that could be paths are refused", test_names);
    return g_test_run();
}

/* Connections, queries and COPY against a real server. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "pg/batch.h"
#include "pg/copy.h"
#include "pg/probe.h"
#include "pg/snapshot.h"
#include "testdb/testdb.h"

static TestDb *db;

static PgConn *connect_ok(void)
{
    g_autoptr(GError) error = NULL;
    PgConn *conn = pg_conn_open("test", testdb_url(db), NULL, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    return conn;
}

static char *ask(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PgResult) r = pg_query(conn, sql, deadline_in_ms(PG_CATALOG_MS), &error);
    g_assert_no_error(error);
    return g_strdup(pg_result_get(r, 0, 0));
}

static void do_ok(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    pg_exec(conn, sql, deadline_in_ms(PG_CATALOG_MS), &error);
    g_assert_no_error(error);
}

static void test_identity(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    const PgIdentity *id = pg_conn_identity(conn);
    g_autofree char *oid = ask(conn, "SELECT oid::text FROM pg_database WHERE datname = current_database()");
    g_assert_cmpuint(id->database_oid, ==, (guint)g_ascii_strtoull(oid, NULL, 10));
    g_autofree char *system = ask(conn, "SELECT system_identifier::text FROM pg_control_system()");
    g_assert_cmpstr(id->system_identifier, ==, system);
    g_assert_false(id->in_recovery);
    g_assert_true(id->superuser);
    g_assert_cmpstr(id->encoding, ==, "UTF8");
}

static void test_pinned(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    do_ok(conn, "ALTER DATABASE unit SET statement_timeout = '500ms'; ALTER DATABASE unit SET DateStyle = 'German'");
    g_autoptr(PgConn) later = connect_ok();
    g_autofree char *timeout = ask(later, "SHOW statement_timeout");
    g_autofree char *style = ask(later, "SHOW DateStyle");
    g_autofree char *path = ask(later, "SHOW search_path");
    do_ok(conn, "ALTER DATABASE unit RESET ALL");
    g_assert_cmpstr(timeout, ==, "0");
    g_assert_cmpstr(style, ==, "ISO, YMD");
    g_assert_cmpstr(path, ==, "\"\"");
}

static void test_quotes(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    const char *strange[] = {"plain", "with \"quotes\"", "it's", "back\\slash", "Zürich 東京", "a\nline", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(strange); i++) {
        g_autofree char *literal = pg_quote_literal(strange[i]);
        g_autofree char *sql = g_strconcat("SELECT ", literal, NULL);
        g_autofree char *got = ask(conn, sql);
        g_assert_cmpstr(got, ==, strange[i]);
        if (*strange[i] == '\0')
            continue; /* no identifier */
        g_autofree char *ident = pg_quote_ident(strange[i]);
        g_autofree char *as = g_strconcat("SELECT 1 AS ", ident, NULL);
        g_autoptr(PgResult) r = pg_query(conn, as, deadline_in_ms(PG_CATALOG_MS), NULL);
        g_assert_cmpstr(pg_result_name(r, 0), ==, strange[i]);
    }
}

static void test_deadline(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    gint64 began = g_get_monotonic_time();
    g_assert_false(pg_exec(conn, "SELECT pg_sleep(30)", deadline_in_ms(100), &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CONNECT);
    g_assert_cmpint(g_get_monotonic_time() - began, <, 10 * G_USEC_PER_SEC);
    g_autofree char *one = ask(conn, "SELECT 1"); /* the connection is usable again */
    g_assert_cmpstr(one, ==, "1");
    g_autofree char *left = ask(conn, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid "
                                      "<> pg_backend_pid() AND state = 'active'");
    g_assert_cmpstr(left, ==, "0");
}

static void test_cancel(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    cancel_request();
    g_assert_false(pg_exec(conn, "SELECT pg_sleep(30)", DEADLINE_NONE, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CANCELLED);
    cancel_reset();
    g_autofree char *one = ask(conn, "SELECT 1");
    g_assert_cmpstr(one, ==, "1");
}

/* The cancel may reach the server before the statement does, and is then forgotten there. */
static void test_cancel_at_once(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    gint64 began = g_get_monotonic_time();
    for (int i = 0; i < 100; i++) {
        g_autoptr(GError) error = NULL;
        cancel_request();
        g_assert_false(pg_exec(conn, "SELECT pg_sleep(30)", DEADLINE_NONE, &error));
        g_assert_error(error, PGF_ERROR, PGF_ERROR_CANCELLED);
        cancel_reset();
        g_autofree char *one = ask(conn, "SELECT 1");
        g_assert_cmpstr(one, ==, "1");
    }
    g_assert_cmpint(g_get_monotonic_time() - began, <, 60 * G_USEC_PER_SEC);
}

static bool add_up(const PgResult *row, gpointer data, GError **error)
{
    *(gint64 *)data += pg_result_int(row, 0, 0);
    return true;
}

static void test_batch(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    gint64 sum = 0, none = 0;
    const char *values[] = {"seven", NULL};
    const PgStatement statements[] = {
        {.sql = "SELECT $1::text, $2::text IS NULL", .n = 2, .values = values},
        {.sql = "SELECT g FROM generate_series(1, 1000) g", .func = add_up, .data = &sum},
        {.sql = "SELECT 1 WHERE false", .func = add_up, .data = &none},
        {.sql = "SELECT count(*) FROM pg_catalog.pg_class WHERE false"},
    };
    PgResult *results[4] = {NULL};
    g_assert_true(pg_batch(conn, statements, 4, results, NULL, deadline_in_ms(PG_CATALOG_MS), &error));
    g_assert_no_error(error);
    g_assert_cmpstr(pg_result_get(results[0], 0, 0), ==, "seven");
    g_assert_true(pg_result_bool(results[0], 0, 1));
    g_assert_cmpint(sum, ==, 500500);
    g_assert_cmpint(none, ==, 0);
    g_assert_null(results[1]);
    g_assert_cmpint(pg_result_int(results[3], 0, 0), ==, 0);
    pg_result_free(results[0]);
    pg_result_free(results[3]);
    g_autofree char *after = ask(conn, "SELECT 'usable'");
    g_assert_cmpstr(after, ==, "usable");
}

static void test_batch_fails(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    const PgStatement statements[] = {
        {.sql = "CREATE TABLE public.batch_left (a int)"}, {.sql = "SELECT 1 / 0"}, {.sql = "SELECT 1"}};
    PgResult *results[3] = {NULL};
    guint failed = 0;
    do_ok(conn, "BEGIN");
    g_assert_false(pg_batch(conn, statements, 3, results, &failed, deadline_in_ms(PG_CATALOG_MS), &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_MIDWAY);
    g_assert_cmpuint(failed, ==, 1);
    g_assert_cmpstr(pg_conn_sqlstate(conn), ==, "22012");
    g_assert_null(results[0]);
    g_assert_true(pg_conn_in_transaction(conn));
    do_ok(conn, "ROLLBACK");
    g_clear_error(&error);
    g_assert_false(pg_batch(conn, &statements[1], 2, results, &failed, deadline_in_ms(PG_CATALOG_MS), &error));
    g_assert_cmpuint(failed, ==, 0);
    g_autofree char *left = ask(conn, "SELECT (to_regclass('public.batch_left') IS NULL)::text");
    g_assert_cmpstr(left, ==, "true");
}

static bool refuse_row(const PgResult *row, gpointer data, GError **error)
{
    pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "not this row");
    return false;
}

static void test_batch_given_up(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    const PgStatement refused[] = {{.sql = "SELECT generate_series(1, 100000000)", .func = refuse_row},
                                   {.sql = "SELECT pg_sleep(60)", .func = refuse_row}};
    g_assert_false(pg_batch(conn, refused, 2, NULL, NULL, deadline_in_ms(PG_CATALOG_MS), &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_INTERNAL);
    g_clear_error(&error);
    const PgStatement slow[] = {{.sql = "SELECT 1"}, {.sql = "SELECT pg_sleep(60)"}, {.sql = "SELECT 2"}};
    PgResult *results[3] = {NULL};
    guint failed = 0;
    g_assert_false(pg_batch(conn, slow, 3, results, &failed, deadline_in_ms(200), &error));
    g_assert_nonnull(error);
    g_assert_cmpuint(failed, <, 2); /* the server keeps answers back until it has several */
    g_autofree char *after = ask(conn, "SELECT 'usable'");
    g_assert_cmpstr(after, ==, "usable");
}

static void test_errors(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    g_assert_false(pg_exec(conn, "SELECT 1/0", deadline_in_ms(PG_CATALOG_MS), &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_MIDWAY);
    g_assert_cmpstr(pg_conn_sqlstate(conn), ==, "22012");
    g_assert_true(g_str_has_prefix(error->message, "test: "));
    g_clear_error(&error);
    g_assert_null(pg_conn_open("bad", "postgres:secret-word", NULL, deadline_in_ms(1000), &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_null(strstr(error->message, "secret"));
}

static void test_missing_database(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    g_autoptr(PgConn) conn = pg_conn_open_or_maintenance("target", testdb_url(db), "no such one",
                                                         deadline_in_ms(PG_CONNECT_MS), &missing, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(missing, ==, "no such one");
    g_assert_cmpstr(pg_conn_identity(conn)->database, ==, "postgres");
}

/* Not "no such database": whether there is one was not found out. */
static void test_missing_database_cancelled(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    cancel_request();
    PgConn *conn = pg_conn_open_or_maintenance("target", testdb_url(db), "no such one", deadline_in_ms(PG_CONNECT_MS),
                                               &missing, &error);
    cancel_reset();
    g_assert_null(conn);
    g_assert_null(missing);
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CANCELLED);
}

static void test_snapshot(void)
{
    g_autoptr(PgConn) holder = connect_ok();
    g_autoptr(PgConn) reader = connect_ok();
    g_autoptr(PgConn) writer = connect_ok();
    g_autoptr(GError) error = NULL;
    do_ok(writer, "CREATE TABLE public.moment (n int); INSERT INTO public.moment VALUES (1)");
    g_autoptr(PgSnapshot) snapshot = pg_snapshot_export(holder, &error);
    g_assert_no_error(error);
    do_ok(writer, "INSERT INTO public.moment VALUES (2)");
    g_assert_true(pg_snapshot_join(reader, snapshot, &error));
    g_autofree char *then = ask(reader, "SELECT count(*) FROM public.moment");
    g_assert_cmpstr(then, ==, "1");
    g_assert_true(pg_snapshot_leave(reader, &error));
    g_autofree char *now = ask(reader, "SELECT count(*) FROM public.moment");
    g_assert_cmpstr(now, ==, "2");
}

static void test_copy(void)
{
    g_autoptr(PgConn) source = connect_ok();
    g_autoptr(PgConn) target = connect_ok();
    g_autoptr(GError) error = NULL;
    PgCopyProgress progress = {0};
    guint64 rows = 0;
    do_ok(source, "CREATE TABLE public.one AS SELECT i, repeat('x', 1000) AS t FROM generate_series(1, 5000) i; CREATE "
                  "TABLE public.two (i int, t text)");
    g_assert_true(pg_copy(source, "COPY public.one TO STDOUT (FORMAT binary)", target,
                          "COPY public.two FROM STDIN (FORMAT binary)", &progress, &rows, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(rows, ==, 5000);
    g_assert_cmpuint(progress.rows, ==, 5000);
    g_assert_cmpuint(progress.bytes, >, 5000000);
    g_autofree char *missing = ask(source, "SELECT count(*) FROM (TABLE public.one EXCEPT ALL TABLE public.two) s");
    g_assert_cmpstr(missing, ==, "0");
}

/* After each failure both connections are usable, and the target holds nothing of the copy. */
static void copy_fails(const char *out, const char *in, const char *sqlstate)
{
    g_autoptr(PgConn) source = connect_ok();
    g_autoptr(PgConn) target = connect_ok();
    g_autoptr(GError) error = NULL;
    guint64 rows = 0;
    do_ok(source, "DROP TABLE IF EXISTS public.narrow; CREATE TABLE public.narrow (i int CHECK (i < 100000), t text)");
    g_assert_false(pg_copy(source, out, target, in, NULL, &rows, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_MIDWAY);
    g_assert_nonnull(strstr(error->message, sqlstate));
    g_autofree char *one = ask(source, "SELECT 1");
    g_autofree char *none = ask(target, "SELECT count(*) FROM public.narrow");
    g_assert_cmpstr(one, ==, "1");
    g_assert_cmpstr(none, ==, "0");
}

static void test_copy_target_fails(void)
{
    copy_fails("COPY (SELECT i, repeat('x', 500) FROM generate_series(99990, 200000) i) TO STDOUT",
               "COPY public.narrow FROM STDIN", "23514");
}

static void test_copy_source_fails(void)
{
    copy_fails("COPY (SELECT i, (1 / (5000 - i))::text FROM generate_series(1, 10000) i) TO STDOUT",
               "COPY public.narrow FROM STDIN", "22012");
}

static void test_copy_refused(void)
{
    copy_fails("COPY public.no_such_table TO STDOUT", "COPY public.narrow FROM STDIN", "42P01");
}

static void test_batch_each(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    GError *errors[4] = {NULL};
    PgResult *results[4] = {NULL};
    const char *values[] = {"seven"};
    const PgStatement statements[] = {{.sql = "SELECT 1", .ret_error = &errors[0]},
                                      {.sql = "SELECT 1 / 0", .ret_error = &errors[1]},
                                      {.sql = "SELECT $1::text", .n = 1, .values = values, .ret_error = &errors[2]},
                                      {.sql = "nonsense", .ret_error = &errors[3]}};
    g_assert_true(pg_batch(conn, statements, 4, results, NULL, deadline_in_ms(PG_CATALOG_MS), &error));
    g_assert_no_error(error);
    g_assert_cmpstr(pg_result_get(results[0], 0, 0), ==, "1");
    g_assert_null(results[1]);
    g_assert_nonnull(strstr(errors[1]->message, "division by zero"));
    g_assert_cmpstr(pg_result_get(results[2], 0, 0), ==, "seven");
    g_assert_nonnull(errors[3]);
    g_assert_null(errors[0]);
    for (int i = 0; i < 4; i++) {
        pg_result_free(results[i]);
        g_clear_error(&errors[i]);
    }
    g_autofree char *after = ask(conn, "SELECT 2");
    g_assert_cmpstr(after, ==, "2");
}

static void test_batch_lost(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_autoptr(GError) error = NULL;
    GError *errors[3] = {NULL};
    PgResult *results[3] = {NULL};
    const PgStatement statements[] = {{.sql = "SELECT 1", .ret_error = &errors[0]},
                                      {.sql = "SELECT pg_terminate_backend(pg_backend_pid())", .ret_error = &errors[1]},
                                      {.sql = "SELECT 3", .ret_error = &errors[2]}};
    g_assert_false(pg_batch(conn, statements, 3, results, NULL, deadline_in_ms(PG_CATALOG_MS), &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CONNECT);
    for (int i = 0; i < 3; i++)
        g_clear_error(&errors[i]);
}

static void test_urls(void)
{
    g_autofree char *driver = pg_url_without_driver("postgresql+asyncpg://a@h/d?x=y://z");
    g_autofree char *plain = pg_url_without_driver("host=h dbname=d+e");
    g_assert_cmpstr(driver, ==, "postgresql://a@h/d?x=y://z");
    g_assert_cmpstr(plain, ==, "host=h dbname=d+e");
    g_assert_true(pg_url_has_several_hosts("postgresql://a,b/d"));
    g_assert_true(pg_url_has_several_hosts("hostaddr=127.0.0.1,127.0.0.2"));
    g_assert_false(pg_url_has_several_hosts("postgresql://a/d"));
    g_assert_false(pg_url_has_several_hosts("not one"));
}

static void test_local(void)
{
    g_autoptr(PgConn) conn = connect_ok();
    g_assert_true(pg_conn_is_local(conn));
}

/* A queue of connections that is full keeps whoever connects waiting. */
static void test_probe(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    g_autoptr(GError) error = NULL;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), clients[4];
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &length), ==, 0);
    int port = ntohs(address.sin_port);
    g_assert_cmpint(pg_probe_port(port, false, deadline_in_ms(5000), &error), ==, PG_ANSWER_NOBODY);
    g_assert_cmpint(listen(listener, 0), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(clients); i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(clients[i], (struct sockaddr *)&address, sizeof address);
    }
    gint64 began = g_get_monotonic_time();
    g_assert_cmpint(pg_probe_port(port, false, deadline_in_ms(200), &error), ==, PG_ANSWER_FAILED);
    g_assert_nonnull(error);
    g_assert_cmpint(g_get_monotonic_time() - began, <, 5 * G_USEC_PER_SEC);
    for (gsize i = 0; i < G_N_ELEMENTS(clients); i++)
        close(clients[i]);
    close(listener);
    g_autofree char *socket_path = g_strdup_printf("%s/.s.PGSQL.5432", testdb_folder(db));
    g_clear_error(&error);
    g_assert_cmpint(pg_probe_socket(socket_path, deadline_in_ms(5000), &error), ==, PG_ANSWER_SERVER);
}

int main(int argc, char **argv)
{
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
    cancel_init();
    g_test_init(&argc, &argv, NULL);
    TestDbOptions options = {.database = "unit"};
    g_autoptr(GError) error = NULL;
    db = testdb_open(&options, &error);
    g_assert_no_error(error);
    g_test_add_func("/pg/a connection knows who and where it is", test_identity);
    g_test_add_func("/pg/settings of the database do not get through to our sessions", test_pinned);
    g_test_add_func("/pg/quoted names and texts come back as they were", test_quotes);
    g_test_add_func("/pg/a statement that passes its deadline is cancelled on the server", test_deadline);
    g_test_add_func("/pg/a cancelled statement leaves a usable connection", test_cancel);
    g_test_add_func("/pg/a cancel that overtakes its statement is sent again", test_cancel_at_once);
    g_test_add_func("/pg/a batch answers each statement in order", test_batch);
    g_test_add_func("/pg/a batch stops at the statement that fails", test_batch_fails);
    g_test_add_func("/pg/a batch that is given up leaves a usable connection", test_batch_given_up);
    g_test_add_func("/pg/who is asked and does not take the call is given up at the deadline", test_probe);
    g_test_add_func("/pg/errors have a code, a label and no secrets", test_errors);
    g_test_add_func("/pg/a missing database is told from an unreachable server", test_missing_database);
    g_test_add_func("/pg/a cancelled search for a database is a cancel", test_missing_database_cancelled);
    g_test_add_func("/pg/whoever joins a snapshot sees its moment", test_snapshot);
    g_test_add_func("/pg/copy moves every row and counts rows, not messages", test_copy);
    g_test_add_func("/pg/copy stops when the target refuses a row", test_copy_target_fails);
    g_test_add_func("/pg/copy stops when the source fails midway", test_copy_source_fails);
    g_test_add_func("/pg/statements of a batch fail each for itself", test_batch_each);
    g_test_add_func("/pg/a batch whose connection is lost is an error", test_batch_lost);
    g_test_add_func("/pg/a connection string is read without its driver, and its hosts are counted", test_urls);
    g_test_add_func("/pg/a server behind a socket is on this machine", test_local);
    g_test_add_func("/pg/copy that cannot begin leaves the target as it was", test_copy_refused);
    int status = g_test_run();
    testdb_close(db);
    return status;
}

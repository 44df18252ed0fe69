/* What a snapshot shows stays readable once its tables are locked; what was changed before is noticed. */
#include "catalog/lock.h"

#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "pg/snapshot.h"
#include "testdb/testdb.h"

enum { MINUTE = 60000 };

static TestDb *db;
static PgConn *other; /* what others do meanwhile */

static PgConn *open_as(const char *role)
{
    g_autoptr(GError) error = NULL;
    PgConn *conn = pg_conn_open("source test", testdb_url(db), NULL, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    if (role != NULL)
        pg_execf(conn, deadline_in_ms(MINUTE), &error, "SET SESSION AUTHORIZATION %s", role);
    g_assert_no_error(error);
    return conn;
}

static void run(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    pg_exec(conn, sql, deadline_in_ms(MINUTE), &error);
    g_assert_no_error(error);
}

static void make_tables(void)
{
    run(other, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC; "
               "CREATE TABLE public.t (id int PRIMARY KEY, v text); INSERT INTO public.t VALUES (1, 'a'), (2, 'b'); "
               "CREATE TABLE public.u (id int); CREATE MATERIALIZED VIEW public.m AS SELECT * FROM public.t; "
               "CREATE TABLE public.p (id int) PARTITION BY LIST (id); "
               "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN (1)");
}

static gint64 count_rows(PgConn *conn)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PgResult) r = pg_query(conn, "SELECT count(*) FROM ONLY public.t", deadline_in_ms(MINUTE), &error);
    g_assert_no_error(error);
    return pg_result_int(r, 0, 0);
}

/* Others run sql after the snapshot was taken. */
static void refused_after(gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    make_tables();
    g_autoptr(PgConn) holder = open_as(NULL);
    g_autoptr(PgSnapshot) snapshot = pg_snapshot_export(holder, &error);
    g_assert_no_error(error);
    g_autoptr(Catalog) catalog = catalog_read(holder, NULL, &error);
    g_assert_no_error(error);
    run(other, data);
    g_assert_false(catalog_lock(holder, catalog, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
    g_assert_nonnull(strstr(error->message, "changed while pgfold started"));
    g_assert_true(g_str_has_suffix(error->message, ": public.t"));
}

static void test_kept(void)
{
    g_autoptr(GError) error = NULL;
    make_tables();
    g_autoptr(PgConn) holder = open_as(NULL);
    g_autoptr(PgSnapshot) snapshot = pg_snapshot_export(holder, &error);
    g_autoptr(Catalog) catalog = catalog_read(holder, NULL, &error);
    g_assert_no_error(error);
    run(other, "INSERT INTO public.t VALUES (3, 'c'); UPDATE public.t SET v = 'z'; ALTER TABLE public.u ADD v int");
    g_assert_true(catalog_lock(holder, catalog, &error));
    g_assert_no_error(error);
    run(other, "SET lock_timeout = 50");
    g_assert_false(pg_exec(other, "TRUNCATE public.t", deadline_in_ms(MINUTE), NULL));
    g_assert_cmpstr(pg_conn_sqlstate(other), ==, "55P03");
    g_assert_false(pg_exec(other, "ALTER TABLE public.p1 ALTER id TYPE int8", deadline_in_ms(MINUTE), NULL));
    run(other, "SET lock_timeout = 0; DELETE FROM public.t"); /* writers go on */
    g_assert_cmpint(count_rows(holder), ==, 2);
    g_autoptr(PgResult) r = pg_query(holder, "SHOW lock_timeout", deadline_in_ms(MINUTE), &error);
    g_assert_cmpstr(pg_result_get(r, 0, 0), ==, "0");
    g_assert_true(pg_conn_in_transaction(holder));
    g_assert_true(pg_snapshot_leave(holder, &error));
    g_assert_false(pg_conn_in_transaction(holder));
    run(other, "TRUNCATE public.t");
}

static void test_not_allowed(void)
{
    g_autoptr(GError) error = NULL;
    make_tables();
    run(other,
        "CREATE ROLE reader; GRANT SELECT ON public.t TO reader; CREATE SCHEMA closed; CREATE TABLE closed.c ()");
    g_autoptr(PgConn) holder = open_as("reader");
    g_autoptr(PgSnapshot) snapshot = pg_snapshot_export(holder, &error);
    g_autoptr(Catalog) catalog = catalog_read(holder, NULL, &error);
    g_assert_no_error(error);
    run(other, "TRUNCATE public.u"); /* is not read */
    g_assert_true(catalog_lock(holder, catalog, &error));
    g_assert_no_error(error);
    run(other, "SET lock_timeout = 50");
    g_assert_false(pg_exec(other, "TRUNCATE public.t", deadline_in_ms(MINUTE), NULL));
    run(other, "SET lock_timeout = 0; TRUNCATE public.u");
}

static void await_waiting(PgConn *conn)
{
    g_autoptr(GError) error = NULL;
    Deadline deadline = deadline_in_ms(MINUTE);
    gint64 waiting = 0;
    while (waiting == 0) {
        g_autoptr(PgResult) r = pg_query(
            conn, "SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'",
            deadline, &error);
        g_assert_no_error(error);
        waiting = pg_result_int(r, 0, 0);
    }
}

/* An ALTER TABLE that waits for the holder stands before everybody who comes after it. */
static void test_bounded(void)
{
    g_autoptr(GError) error = NULL;
    make_tables();
    g_autoptr(PgConn) holder = open_as(NULL);
    g_autoptr(PgConn) worker = open_as(NULL);
    g_autoptr(PgConn) second = open_as(NULL);
    g_autoptr(PgSnapshot) snapshot = pg_snapshot_export(holder, &error);
    g_assert_true(pg_snapshot_join(worker, snapshot, &error));
    g_autoptr(Catalog) catalog = catalog_read(holder, NULL, &error);
    g_assert_true(catalog_lock(holder, catalog, &error) && catalog_bound_waits(worker, &error));
    g_assert_no_error(error);
    g_assert_true(pg_send(other, "ALTER TABLE public.t ADD w int", &error));
    await_waiting(holder);
    g_assert_true(pg_send(worker, "SELECT count(*) FROM ONLY public.t", &error));
    g_autoptr(PgSnapshot) own = pg_snapshot_export(second, &error);
    g_assert_no_error(error);
    g_assert_false(catalog_lock(second, catalog, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
    g_assert_nonnull(strstr(error->message, "exclusive lock"));
    g_assert_nonnull(strstr(error->message, "public.t"));
    g_clear_error(&error);
    g_autoptr(PgResult) none = pg_receive(worker, deadline_in_ms(MINUTE), &error);
    g_assert_null(none);
    g_assert_cmpstr(pg_conn_sqlstate(worker), ==, "55P03");
    g_assert_nonnull(pgf_error_hint(error));
    g_clear_error(&error);
    g_assert_true(pg_snapshot_leave(second, &error) && pg_snapshot_leave(worker, &error) &&
                  pg_snapshot_leave(holder, &error));
    g_autoptr(PgResult) altered = pg_receive(other, deadline_in_ms(MINUTE), &error);
    g_assert_no_error(error);
}

int main(int argc, char **argv)
{
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    cancel_init();
    g_autoptr(GError) error = NULL;
    TestDbOptions options = {0};
    db = testdb_open(&options, &error);
    g_assert_no_error(error);
    other = open_as(NULL);
    g_test_add_data_func("/lock/refuses a table that was emptied after the snapshot", "TRUNCATE public.t",
                         refused_after);
    g_test_add_data_func("/lock/refuses a table that was rewritten after the snapshot",
                         "ALTER TABLE public.t ADD w float8 DEFAULT random()", refused_after);
    g_test_add_data_func("/lock/refuses a table that was dropped after the snapshot", "DROP TABLE public.t CASCADE",
                         refused_after);
    g_test_add_data_func("/lock/refuses a table that another one replaced after the snapshot",
                         "ALTER TABLE public.t RENAME TO older; CREATE TABLE public.t (id int, v text)", refused_after);
    g_test_add_func("/lock/keeps what the snapshot shows, and lets others write", test_kept);
    g_test_add_func("/lock/leaves out what the role may not read", test_not_allowed);
    g_test_add_func("/lock/never waits without end", test_bounded);
    int status = g_test_run();
    pg_conn_close(other);
    testdb_close(db);
    return status;
}

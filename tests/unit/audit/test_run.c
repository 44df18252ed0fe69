/* An audit reads what its snapshot shows, or says that it cannot. */
#include "audit/audit.h"
#include "base/cancel.h"
#include "base/error.h"
#include "pg/snapshot.h"
#include "testdb/testdb.h"

enum { MINUTE = 60000 };

static TestDb *db;

static PgConn *open_conn(void)
{
    g_autoptr(GError) error = NULL;
    PgConn *conn = pg_conn_open("source test", testdb_url(db), NULL, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    return conn;
}

/* sql runs on a connection of its own between the snapshot and the audit; NULL: nothing does. */
static Audit *audit_after(const char *sql, GError **error)
{
    g_autoptr(PgConn) other = open_conn();
    g_autoptr(PgConn) holder = open_conn();
    g_autoptr(PgConn) worker = open_conn();
    g_autoptr(GPtrArray) workers = g_ptr_array_new();
    g_assert_true(pg_exec(other,
                          "DROP TABLE IF EXISTS public.t; CREATE TABLE public.t (id int PRIMARY KEY); "
                          "INSERT INTO public.t VALUES (1), (2), (3)",
                          deadline_in_ms(MINUTE), NULL));
    g_autoptr(PgSnapshot) snapshot = pg_snapshot_export(holder, NULL);
    g_assert_nonnull(snapshot);
    g_assert_true(pg_snapshot_join(worker, snapshot, NULL));
    g_ptr_array_add(workers, worker);
    if (sql != NULL)
        g_assert_true(pg_exec(other, sql, deadline_in_ms(MINUTE), NULL));
    AuditSpec spec = {.source = holder, .sources = workers};
    Audit *audit = audit_run(&spec, error);
    if (audit != NULL) { /* as long as the snapshot is held, the table cannot be emptied */
        g_assert_false(pg_exec(other, "SET lock_timeout = 50; TRUNCATE public.t", deadline_in_ms(MINUTE), NULL));
        g_assert_cmpstr(pg_conn_sqlstate(other), ==, "55P03");
    }
    return audit;
}

static void test_writes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Audit) audit = audit_after("DELETE FROM public.t", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(audit_rows(audit), ==, 3);
}

/* Without a look at the table's file the audit would find no rows, and every copy of them proven. */
static void test_truncate(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(audit_after("TRUNCATE public.t", &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
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
    g_test_add_func("/audit/reads the rows of its snapshot while others write", test_writes);
    g_test_add_func("/audit/refuses where a table was emptied after the snapshot", test_truncate);
    int status = g_test_run();
    testdb_close(db);
    return status;
}

/* What the catalog of a real database says. */
#include "base/cancel.h"
#include "catalog/catalog.h"
#include "testdb/testdb.h"

enum { MINUTE = 60000 };

static TestDb *db;
static PgConn *conn;

static void run(const char *sql)
{
    g_autoptr(GError) error = NULL;
    pg_exec(conn, sql, deadline_in_ms(MINUTE), &error);
    g_assert_no_error(error);
}

static Catalog *read_after(const char *sql)
{
    g_autoptr(GError) error = NULL;
    run("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    run(sql);
    Catalog *catalog = catalog_read(conn, NULL, &error);
    g_assert_no_error(error);
    return catalog;
}

static const char *count_of(const Catalog *catalog, const char *kind)
{
    for (guint i = 0; i < catalog->counts->len; i++) {
        const CatalogPair *pair = catalog->counts->pdata[i];
        if (g_str_equal(pair->name, kind))
            return pair->value;
    }
    return "0";
}

/* pg_dump leaves out an index that a failed CREATE INDEX CONCURRENTLY left; not one that waits for its partitions'. */
static void test_invalid_indexes(void)
{
    g_autoptr(Catalog) before =
        read_after("CREATE TABLE public.t (id int); CREATE INDEX good ON public.t (id); "
                   "CREATE TABLE public.p (id int) PARTITION BY LIST (id); CREATE INDEX waits ON ONLY public.p (id)");
    g_assert_cmpstr(count_of(before, "index"), ==, "2");
    run("INSERT INTO public.t VALUES (1), (1)");
    g_assert_false(
        pg_exec(conn, "CREATE UNIQUE INDEX CONCURRENTLY broken ON public.t (id)", deadline_in_ms(MINUTE), NULL));
    run("COMMENT ON INDEX public.broken IS 'it is there'");
    g_autoptr(GError) error = NULL;
    g_autoptr(Catalog) after = catalog_read(conn, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(count_of(after, "index"), ==, "2");
}

static void test_sequences_by_name(void)
{
    g_autoptr(Catalog) catalog =
        read_after("CREATE SEQUENCE public.b START 7; CREATE SEQUENCE public.\"B b\"; CREATE SEQUENCE public.a");
    g_assert_cmpuint(g_hash_table_size(catalog->sequences_by_name), ==, 3);
    const CatalogSequence *s = g_hash_table_lookup(catalog->sequences_by_name, "\"public\".\"b\"");
    g_assert_nonnull(s);
    g_assert_cmpint(s->last_value, ==, 7);
    g_assert_nonnull(g_hash_table_lookup(catalog->sequences_by_name, "\"public\".\"B b\""));
}

static void test_populated(void)
{
    g_autoptr(Catalog) catalog = read_after("CREATE MATERIALIZED VIEW public.filled AS SELECT 1 AS n; "
                                            "CREATE MATERIALIZED VIEW public.bare AS SELECT 1 AS n WITH NO DATA");
    g_assert_true(catalog_find(catalog, "public", "filled")->populated);
    g_assert_false(catalog_find(catalog, "public", "bare")->populated);
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
    conn = pg_conn_open("test", testdb_url(db), NULL, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    g_test_add_func("/catalog/does not count an index that pg_dump leaves out", test_invalid_indexes);
    g_test_add_func("/catalog/finds a sequence by its name", test_sequences_by_name);
    g_test_add_func("/catalog/knows which materialized views hold rows", test_populated);
    int status = g_test_run();
    pg_conn_close(conn);
    testdb_close(db);
    return status;
}

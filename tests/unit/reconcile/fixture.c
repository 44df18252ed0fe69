#include "fixture.h"

#include <string.h>

#include "base/cancel.h"
#include "testdb/testdb.h"

static TestDb *db;
static PgConn *conn_a, *conn_b;
static Catalog *catalog_a, *catalog_b;
static bool stale = true; /* the catalogs were read before the last change of a table */

static PgConn *connect_to(const char *database)
{
    g_autoptr(GError) error = NULL;
    PgConn *conn = pg_conn_open(database, testdb_url(db), database, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    return conn;
}

static void run(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *with_path = g_strdup_printf("SET search_path = public, ext; %s; SET search_path = ''", sql);
    pg_exec(conn, with_path, deadline_in_ms(60000), &error);
    if (error != NULL)
        g_test_message("%s", sql);
    g_assert_no_error(error);
    stale = stale || strstr(sql, "CREATE") != NULL || strstr(sql, "ALTER") != NULL || strstr(sql, "DROP") != NULL ||
            strstr(sql, "ANALYZE") != NULL;
}

void in_a(const char *sql)
{
    run(conn_a, sql);
}

void in_b(const char *sql)
{
    run(conn_b, sql);
}

void in_both(const char *sql)
{
    in_a(sql);
    in_b(sql);
}

void fixture_clean(void)
{
    in_both("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

static void create_database(const char *name, const char *encoding)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PgConn) conn = connect_to("postgres");
    g_autofree char *drop = g_strdup_printf("DROP DATABASE IF EXISTS %s", name);
    g_autofree char *create =
        g_strdup_printf("CREATE DATABASE %s TEMPLATE template0 ENCODING '%s' LOCALE 'C'", name, encoding);
    pg_exec(conn, drop, deadline_in_ms(60000), &error);
    g_assert_no_error(error);
    pg_exec(conn, create, deadline_in_ms(60000), &error);
    g_assert_no_error(error);
    g_autoptr(PgConn) fresh = connect_to(name);
    pg_exec(fresh, "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext",
            deadline_in_ms(60000), &error);
    g_assert_no_error(error);
}

void fixture_reconnect(const char *encoding_b)
{
    g_clear_pointer(&conn_a, pg_conn_close);
    g_clear_pointer(&conn_b, pg_conn_close);
    if (encoding_b != NULL)
        create_database("b", encoding_b);
    conn_a = connect_to("a");
    conn_b = connect_to("b");
    stale = true;
}

static void read_catalogs(void)
{
    g_autoptr(GError) error = NULL;
    if (!stale)
        return;
    g_clear_pointer(&catalog_a, catalog_free);
    g_clear_pointer(&catalog_b, catalog_free);
    catalog_a = catalog_read(conn_a, NULL, &error);
    g_assert_no_error(error);
    catalog_b = catalog_read(conn_b, NULL, &error);
    g_assert_no_error(error);
    stale = false;
}

static DigestText text_mode(void)
{
    return reconcile_text_mode(pg_conn_identity(conn_a), pg_conn_identity(conn_b));
}

static ReconcileSide side_of(PgConn *conn, const Catalog *catalog, const char *table)
{
    ReconcileSide side = {.conn = conn, .relation = catalog_find(catalog, "public", table)};
    g_assert_nonnull(side.relation);
    return side;
}

const CatalogRelation *relation_in_a(const char *table)
{
    read_catalogs();
    return side_of(conn_a, catalog_a, table).relation;
}

const CatalogRelation *relation_in_b(const char *table)
{
    read_catalogs();
    return side_of(conn_b, catalog_b, table).relation;
}

bool same_digest(const char *table)
{
    g_autoptr(GError) error = NULL;
    Digest a, b;
    read_catalogs();
    ReconcileSide source = side_of(conn_a, catalog_a, table), target = side_of(conn_b, catalog_b, table);
    g_auto(GStrv) columns = digest_columns(source.relation);
    reconcile_digests(&source, &target, (const char *const *)columns, text_mode(), &a, &b, &error);
    g_assert_no_error(error);
    return digest_equal(&a, &b);
}

void reconcile_table(const char *table, guint max_details, Reconciled *ret_result)
{
    g_autoptr(GError) error = NULL;
    read_catalogs();
    ReconcileSide source = side_of(conn_a, catalog_a, table), target = side_of(conn_b, catalog_b, table);
    reconcile_rows(&source, &target, text_mode(), max_details, ret_result, &error);
    g_assert_no_error(error);
}

void sides_of(const char *table, ReconcileSide *ret_source, ReconcileSide *ret_target)
{
    in_both("ANALYZE");
    read_catalogs();
    *ret_source = side_of(conn_a, catalog_a, table);
    *ret_target = side_of(conn_b, catalog_b, table);
}

static const char *or_null(const char *value)
{
    return value == NULL ? "NULL" : value;
}

static char *describe_row(const RowDifference *row)
{
    static const char *const VERDICTS[] = {
        [ROW_MISSING] = "missing", [ROW_EXTRA] = "extra", [ROW_DIFFERENT] = "different"};
    GString *text = g_string_new(VERDICTS[row->verdict]);
    g_string_append_printf(text, " %s", row->key);
    if (row->times > 1)
        g_string_append_printf(text, " x%" G_GUINT64_FORMAT, row->times);
    for (guint i = 0; i < row->columns->len; i++) {
        const RowColumn *column = row->columns->pdata[i];
        if (row->verdict == ROW_DIFFERENT)
            g_string_append_printf(text, " %s: %s -> %s", column->name, or_null(column->source),
                                   or_null(column->target));
        else
            g_string_append_printf(text, " %s=%s", column->name,
                                   or_null(row->verdict == ROW_MISSING ? column->source : column->target));
    }
    return g_string_free(text, FALSE);
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

char *describe(const Reconciled *result)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; result->rows != NULL && i < result->rows->len; i++)
        g_ptr_array_add(lines, describe_row(result->rows->pdata[i]));
    g_ptr_array_sort(lines, by_text);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

int fixture_main(int argc, char **argv, void (*add_tests)(void))
{
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    cancel_init();
    g_autoptr(GError) error = NULL;
    TestDbOptions options = {0};
    db = testdb_open(&options, &error);
    g_assert_no_error(error);
    create_database("a", "UTF8");
    fixture_reconnect("UTF8");
    add_tests();
    int status = g_test_run();
    g_clear_pointer(&catalog_a, catalog_free);
    g_clear_pointer(&catalog_b, catalog_free);
    pg_conn_close(conn_a);
    pg_conn_close(conn_b);
    testdb_close(db);
    return status;
}

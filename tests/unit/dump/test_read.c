/* Against a real server: what is read can be run, taken away again, and is complete. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "dump/dump.h"
#include "testdb/testdb.h"

/* One of many kinds, with names and texts made to confuse whoever reads scripts. */
static const char OBJECTS[] =
    "SET check_function_bodies = off; CREATE SCHEMA \"a b; Type: X\"; CREATE TYPE public.mood AS ENUM ('a', 'b');"
    "CREATE TABLE \"a b; Type: X\".\"T; Schema: q\" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " m public.mood DEFAULT 'a', s serial, \"new\nline\" text COLLATE \"C\");"
    "CREATE TABLE public.\"line\nbreak\" (a int);"
    "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ select '\n"
    "--\n-- TOC entry 1 (class 1259 OID 16384)\n-- Dependencies: 3\n"
    "-- Name: evil; Type: TABLE; Schema: public; Owner: postgres\n--\n\nSET default_tablespace = evil;\n"
    "-- Completed on 2026-01-01\n' || 'x'::text $$;"
    "CREATE FUNCTION public.needs_later() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.tt';"
    "CREATE TABLE public.tt (a int CHECK (a <> 7)); CREATE TABLE public.tp (a int, b int) PARTITION BY RANGE (a);"
    "CREATE TABLE public.tp1 PARTITION OF public.tp FOR VALUES FROM (0) TO (10);"
    "CREATE INDEX ON public.tp (b); CREATE VIEW public.v AS SELECT a, E'it\\'s' AS t FROM public.tt;"
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;"
    "CREATE MATERIALIZED VIEW public.mv AS SELECT * FROM public.tt;"
    "CREATE POLICY p ON public.tt USING (a > 0); ALTER TABLE public.tt ENABLE ROW LEVEL SECURITY;"
    "COMMENT ON TABLE public.tt IS E'hi\n--\n-- TOC entry 2 (class 1259 OID 1)\n-- Name: evil';"
    "CREATE PUBLICATION pub FOR TABLE public.tt; CREATE RULE r AS ON INSERT TO public.tt DO ALSO NOTHING;"
    "CREATE STATISTICS public.st ON a, b FROM public.tp; GRANT SELECT ON public.tt TO pg_monitor;"
    "CREATE AGGREGATE public.ag(int) (sfunc = int4pl, stype = int);"
    "CREATE FUNCTION public.et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
    "CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION public.et(); COMMENT ON EVENT TRIGGER et IS 'watch';"
    "ALTER TABLE public.tp ADD FOREIGN KEY (a) REFERENCES \"a b; Type: X\".\"T; Schema: q\"(id);"
    "CREATE TEXT SEARCH CONFIGURATION public.ts (COPY = pg_catalog.simple); CREATE DOMAIN public.d AS int CHECK (VALUE "
    "> 1);"
    "COMMENT ON SCHEMA public IS 'ours'; ALTER SCHEMA public OWNER TO pg_monitor;"
    "CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);";

typedef struct Fixture {
    TestDb *db;
    DumpTools tools;
    char *scratch;
} Fixture;

static Fixture fixture;

static PgConn *connect_to(const char *database)
{
    g_autoptr(GError) error = NULL;
    PgConn *conn = pg_conn_open("test", testdb_url(fixture.db), database, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    return conn;
}

static void run(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    if (!pg_exec(conn, sql, deadline_in_ms(PG_CATALOG_MS), &error))
        g_error("%s\n%s", error->message, sql);
}

static char *ask(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PgResult) r = pg_query(conn, sql, deadline_in_ms(PG_CATALOG_MS), &error);
    g_assert_no_error(error);
    return g_strdup(pg_result_get(r, 0, 0));
}

static PgConn *new_database(const char *name)
{
    g_autoptr(PgConn) admin = connect_to("postgres");
    g_autofree char *sql = g_strdup_printf("CREATE DATABASE %s TEMPLATE template0", name);
    run(admin, sql);
    return connect_to(name);
}

static Dump *read_dump(PgConn *conn)
{
    g_autoptr(GError) error = NULL;
    Dump *dump = dump_read(&fixture.tools, conn, NULL, fixture.scratch, &error);
    g_assert_no_error(error);
    return dump;
}

static const DumpEntry *find(const Dump *dump, const char *type, const char *name)
{
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        if (strcmp(entry->type, type) == 0 && strcmp(entry->name, name) == 0)
            return entry;
    }
    g_error("no %s %s", type, name);
}

static void run_all(PgConn *conn, const Dump *dump)
{
    run(conn, "SET check_function_bodies = off");
    for (guint i = 0; i < dump->entries->len; i++)
        run(conn, ((DumpEntry *)dump->entries->pdata[i])->sql);
}

static char *all_sql(const Dump *dump)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        g_string_append_printf(text, "%s %s.%s (%s)\n%s\n", entry->type, entry->schema, entry->name, entry->owner,
                               entry->sql);
    }
    return g_string_free(text, FALSE);
}

static void test_a_database_can_be_built_again_and_taken_away_from_its_entries(void)
{
    g_autoptr(PgConn) source = new_database("objects"), target = new_database("again");
    run(source, OBJECTS);
    g_autoptr(Dump) dump = read_dump(source);
    run_all(target, dump);
    g_autoptr(Dump) again = read_dump(target);
    g_autofree char *before = all_sql(dump), *after = all_sql(again);
    g_assert_cmpstr(after, ==, before);

    g_autoptr(GError) error = NULL;
    g_autofree char *drops = dump_drop_script(dump, &fixture.tools, NULL, NULL, &error);
    g_assert_no_error(error);
    run(target, drops);
    g_autoptr(Dump) nothing = read_dump(target);
    for (guint i = 0; i < nothing->entries->len; i++) {
        const DumpEntry *entry = nothing->entries->pdata[i];
        /* Settings of the database and of public have no DROP. */
        g_assert_true(strcmp(entry->type, "DEFAULT ACL") == 0 || strstr(entry->name, "public") != NULL);
    }
}

static void test_entries_carry_what_pg_dump_knows(void)
{
    g_autoptr(PgConn) source = new_database("knows");
    run(source, OBJECTS);
    g_autoptr(Dump) dump = read_dump(source);
    const DumpEntry *table = find(dump, "TABLE", "T; Schema: q");
    g_assert_cmpstr(table->schema, ==, "a b; Type: X");
    g_assert_cmpuint(table->class_oid, ==, 1259);
    g_assert_cmpint(table->section, ==, DUMP_PRE_DATA);
    g_autoptr(GError) error = NULL;
    g_autoptr(PgResult) r =
        pg_query(source, "SELECT '\"a b; Type: X\".\"T; Schema: q\"'::pg_catalog.regclass::pg_catalog.oid::bigint",
                 deadline_in_ms(PG_CATALOG_MS), &error);
    g_assert_no_error(error);
    g_assert_cmpint(pg_result_int(r, 0, 0), ==, table->oid);
    const DumpEntry *key = find(dump, "FK CONSTRAINT", "tp tp_a_fkey");
    g_assert_cmpint(key->section, ==, DUMP_POST_DATA);
    const DumpEntry *primary = find(dump, "CONSTRAINT", "T; Schema: q T; Schema: q_pkey");
    bool depends = false;
    for (guint i = 0; i < key->depends->len; i++)
        depends = depends || g_array_index(key->depends, int, i) == primary->id;
    g_assert_true(depends);
    g_assert_cmpstr(find(dump, "PUBLICATION", "pub")->schema, ==, NULL);
    find(dump, "TABLE", "line break"); /* as pg_dump shows it */
    g_assert_cmpstr(find(dump, "FUNCTION", "f()")->owner, ==, "postgres");
}

/* A folder that the server may use, inside its own. */
static char *server_folder(const char *name)
{
    GStatBuf st;
    char *path = g_build_filename(testdb_folder(fixture.db), name, NULL);
    g_assert_cmpint(g_stat(testdb_folder(fixture.db), &st), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    g_assert_cmpint(chown(path, st.st_uid, st.st_gid), ==, 0);
    return path;
}

static void test_each_entry_brings_its_tablespace_along(void)
{
    g_autoptr(PgConn) source = new_database("spaces"), target = new_database("spaces_again");
    g_autofree char *folder = server_folder("fast");
    g_autofree char *sql = g_strdup_printf("CREATE TABLESPACE fast LOCATION '%s'", folder);
    run(source, sql);
    run(source,
        "CREATE TABLE public.a (i int PRIMARY KEY) TABLESPACE fast; CREATE TABLE public.b (i int PRIMARY KEY USING "
        "INDEX TABLESPACE fast); CREATE TABLE public.c (i int); CREATE INDEX k ON public.a (i) TABLESPACE fast;"
        "CREATE INDEX l ON public.a (i); CREATE MATERIALIZED VIEW public.m TABLESPACE fast AS SELECT 1 AS i");
    g_autoptr(Dump) dump = read_dump(source);
    for (guint i = 0; i < dump->entries->len; i++) {
        /* A session each, as the workers of a pool would have. */
        g_autoptr(PgConn) worker = connect_to("spaces_again");
        run(worker, ((DumpEntry *)dump->entries->pdata[i])->sql);
    }
    static const char query[] = "SELECT string_agg(relname || ' ' || (reltablespace <> 0), ',' ORDER BY relname) "
                                "FROM pg_catalog.pg_class WHERE relnamespace = 'public'::pg_catalog.regnamespace";
    g_autofree char *before = ask(source, query), *after = ask(target, query);
    g_assert_cmpstr(before, ==, "a true,a_pkey false,b false,b_pkey true,c false,k true,l false,m true");
    g_assert_cmpstr(after, ==, before);
}

static bool is_key_statistics_or_schema(const DumpEntry *entry, gpointer data)
{
    (void)data;
    return strcmp(entry->type, "FK CONSTRAINT") == 0 || strcmp(entry->type, "STATISTICS") == 0 ||
           strcmp(entry->type, "SCHEMA") == 0;
}

static void test_only_what_belongs_is_dropped_and_never_public(void)
{
    g_autoptr(PgConn) source = new_database("partly");
    run(source, OBJECTS);
    g_autoptr(Dump) dump = read_dump(source);
    g_autoptr(GError) error = NULL;
    g_autofree char *drops = dump_drop_script(dump, &fixture.tools, is_key_statistics_or_schema, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(drops, ==,
                    "ALTER TABLE IF EXISTS public.tp DROP CONSTRAINT IF EXISTS tp_a_fkey;\n"
                    "DROP STATISTICS IF EXISTS public.st;\n"
                    "DROP SCHEMA IF EXISTS \"a b; Type: X\";");
}

static void test_an_empty_database_has_no_entries(void)
{
    g_autoptr(PgConn) source = new_database("nothing");
    g_autoptr(Dump) dump = read_dump(source);
    g_assert_cmpuint(dump->entries->len, ==, 0);
    g_autoptr(GError) error = NULL;
    g_autofree char *drops = dump_drop_script(dump, &fixture.tools, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(drops, ==, "");
}

static void test_a_server_without_conforming_strings_is_read_right(void)
{
    g_autoptr(PgConn) first = new_database("old_strings");
    run(first, "ALTER DATABASE old_strings SET standard_conforming_strings = off");
    g_autoptr(PgConn) source = connect_to("old_strings");
    run(source,
        "CREATE TABLE public.t (a text DEFAULT E'back\\\\slash\\''); COMMENT ON TABLE public.t IS E'a\\\\'';b';");
    g_autoptr(Dump) dump = read_dump(source);
    g_assert_nonnull(strstr(find(dump, "TABLE", "t")->sql, "DEFAULT 'back\\slash'''"));
    g_assert_nonnull(strstr(find(dump, "COMMENT", "TABLE t")->sql, "'a\\'';b'"));
}

static void test_a_missing_privilege_is_an_error_that_says_so(void)
{
    g_autoptr(PgConn) source = new_database("forbidden");
    run(source, "CREATE TABLE public.t (); CREATE ROLE stranger LOGIN; ALTER ROLE stranger SET lc_messages = 'C'");
    g_autofree char *url = g_strconcat(testdb_url(fixture.db), "&user=stranger&dbname=forbidden", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(PgConn) stranger = pg_conn_open("source", url, NULL, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    g_assert_null(dump_read(&fixture.tools, stranger, NULL, fixture.scratch, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
    g_assert_nonnull(strstr(error->message, "permission denied for table t"));
}

static guint files_in(const char *folder)
{
    guint n = 0;
    GDir *dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    while (g_dir_read_name(dir) != NULL)
        n++;
    g_dir_close(dir);
    return n;
}

static void test_nothing_is_left_in_the_scratch_folder(void)
{
    /* After all tests before this one, failed ones included. */
    g_assert_cmpuint(files_in(fixture.scratch), ==, 0);
    g_autoptr(PgConn) source = new_database("leftovers");
    g_autoptr(Dump) dump = read_dump(source);
    g_assert_cmpuint(files_in(fixture.scratch), ==, 1);
    GStatBuf st;
    g_assert_cmpint(g_stat(dump->file, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
}

static void set_up(void)
{
    g_autoptr(GError) error = NULL;
    cancel_init();
    fixture.scratch = g_dir_make_tmp("pgfold-dump-XXXXXX", NULL);
    /* A server whose client programs are here: several versions of the server may be. */
    for (int version = 18; version >= 12 && fixture.db == NULL; version--) {
        TestDbOptions options = {.version = version};
        if (dump_tools_find(version * 10000, &fixture.tools, NULL))
            fixture.db = testdb_open(&options, NULL);
        if (fixture.db == NULL)
            dump_tools_clear(&fixture.tools);
    }
    if (fixture.db == NULL)
        g_error("no server with client programs that fit is installed");
    g_assert_no_error(error);
}

int main(int argc, char **argv)
{
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    set_up();
    g_test_add_func("/read/a database can be built again and taken away from its entries",
                    test_a_database_can_be_built_again_and_taken_away_from_its_entries);
    g_test_add_func("/read/entries carry what pg_dump knows", test_entries_carry_what_pg_dump_knows);
    g_test_add_func("/read/each entry brings its tablespace along", test_each_entry_brings_its_tablespace_along);
    g_test_add_func("/read/only what belongs is dropped, and never public",
                    test_only_what_belongs_is_dropped_and_never_public);
    g_test_add_func("/read/an empty database has no entries", test_an_empty_database_has_no_entries);
    g_test_add_func("/read/a server without conforming strings is read right",
                    test_a_server_without_conforming_strings_is_read_right);
    g_test_add_func("/read/a missing privilege is an error that says so",
                    test_a_missing_privilege_is_an_error_that_says_so);
    g_test_add_func("/read/nothing is left in the scratch folder", test_nothing_is_left_in_the_scratch_folder);
    int status = g_test_run();
    testdb_close(fixture.db);
    dump_tools_clear(&fixture.tools);
    g_assert_cmpint(g_rmdir(fixture.scratch), ==, 0);
    g_free(fixture.scratch);
    return status;
}

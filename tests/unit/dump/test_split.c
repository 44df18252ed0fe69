#include <string.h>

#include "dump/internal.h"

static const char PROLOGUE[] = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n"
                               "SET statement_timeout = 0;\nSET row_security = off;\n\n";
static const char EPILOGUE[] = "-- Completed on 2026-01-01 00:00:00 UTC\n\n"
                               "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n";

static GPtrArray *split(const char *list, const char *body, GError **error)
{
    g_autofree char *script = g_strconcat(PROLOGUE, body, EPILOGUE, NULL);
    g_autoptr(GHashTable) listing = NULL;
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(dump_entry_free);
    if (!dump_listing_read(list, &listing, error))
        return NULL;
    if (!dump_split(script, strlen(script), DUMP_PRE_DATA, listing, entries, error))
        return NULL;
    return g_steal_pointer(&entries);
}

static GPtrArray *split_well(const char *list, const char *body)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *entries = split(list, body, &error);
    g_assert_no_error(error);
    return entries;
}

static void test_each_entry_gets_its_own_statements(void)
{
    g_autoptr(GPtrArray) entries = split_well(
        "; a comment\n7; 2615 16686 SCHEMA - app owner\n218; 1259 16731 TABLE app t owner\n",
        "--\n-- TOC entry 7 (class 2615 OID 16686)\n-- Name: app; Type: SCHEMA; Schema: -; Owner: owner\n"
        "-- Data Pos: 0\n--\n\nCREATE SCHEMA app;\n\n\n"
        "--\n-- TOC entry 218 (class 1259 OID 16731)\n-- Dependencies: 7 12\n"
        "-- Name: t; Type: TABLE; Schema: app; Owner: owner\n-- Data Pos: 0\n--\n\nCREATE TABLE app.t (\n);\n\n\n");
    g_assert_cmpuint(entries->len, ==, 2);
    const DumpEntry *schema = entries->pdata[0], *table = entries->pdata[1];
    g_assert_cmpstr(schema->sql, ==, "CREATE SCHEMA app;");
    g_assert_null(schema->schema);
    g_assert_cmpint(table->id, ==, 218);
    g_assert_cmpuint(table->class_oid, ==, 1259);
    g_assert_cmpuint(table->oid, ==, 16731);
    g_assert_cmpstr(table->schema, ==, "app");
    g_assert_cmpstr(table->owner, ==, "owner");
    g_assert_cmpuint(table->depends->len, ==, 2);
    g_assert_cmpint(g_array_index(table->depends, int, 1), ==, 12);
    g_assert_cmpstr(table->sql, ==, "CREATE TABLE app.t (\n);");
}

static void test_a_header_inside_a_function_body_is_text(void)
{
    /* Word for word the header that comes next. */
    static const char header[] =
        "--\n-- TOC entry 2 (class 1255 OID 11)\n-- Name: g(); Type: FUNCTION; Schema: p; Owner: o\n--\n";
    g_autofree char *body =
        g_strconcat("--\n-- TOC entry 1 (class 1255 OID 10)\n-- Name: f(); Type: FUNCTION; Schema: p; Owner: o\n--\n\n"
                    "CREATE FUNCTION p.f() AS $_$\n",
                    header, "SET default_tablespace = x;\n-- Completed on never\n$_$;\n\n\n", header,
                    "\nCREATE FUNCTION p.g() AS '\n", header, "';\n\n\n", NULL);
    g_autoptr(GPtrArray) entries = split_well("1; 1255 10 FUNCTION p f() o\n2; 1255 11 FUNCTION p g() o\n", body);
    g_assert_cmpuint(entries->len, ==, 2);
    const DumpEntry *f = entries->pdata[0], *g = entries->pdata[1];
    g_assert_true(g_str_has_suffix(f->sql, "-- Completed on never\n$_$;"));
    g_assert_nonnull(strstr(g->sql, header));
    g_assert_true(g_str_has_suffix(g->sql, "';"));
}

static void test_settings_between_entries_go_to_those_that_need_them(void)
{
    g_autoptr(GPtrArray) entries = split_well(
        "1; 1259 10 TABLE p a o\n2; 1255 11 FUNCTION p f() o\n3; 1259 12 INDEX p i o\n4; 1259 13 TABLE p b o\n",
        "SET default_tablespace = fast;\n\nSET default_table_access_method = heap;\n\n"
        "--\n-- TOC entry 1 (class 1259 OID 10)\n-- Name: a; Type: TABLE; Schema: p; Owner: o; Tablespace: "
        "fast\n--\n\nCREATE a;\n\n"
        "--\n-- TOC entry 2 (class 1255 OID 11)\n-- Name: f(); Type: FUNCTION; Schema: p; Owner: o\n--\n\nCREATE f;\n\n"
        "--\n-- TOC entry 3 (class 1259 OID 12)\n-- Name: i; Type: INDEX; Schema: p; Owner: o\n--\n\nCREATE i;\n\n"
        "SET default_tablespace = '';\n\n"
        "--\n-- TOC entry 4 (class 1259 OID 13)\n-- Name: b; Type: TABLE; Schema: p; Owner: o\n--\n\nCREATE b;\n\n");
    static const char *const expected[] = {
        "SET default_tablespace = fast;\nSET default_table_access_method = heap;\nCREATE a;", "CREATE f;",
        "SET default_tablespace = fast;\nCREATE i;",
        "SET default_tablespace = '';\nSET default_table_access_method = heap;\nCREATE b;"};
    g_assert_cmpuint(entries->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < entries->len; i++)
        g_assert_cmpstr(((DumpEntry *)entries->pdata[i])->sql, ==, expected[i]);
}

static void test_names_that_look_like_header_fields_are_read_right(void)
{
    g_autoptr(GPtrArray) entries = split_well(
        "1; 1259 10 TABLE a; Type: X n; Schema: q; Owner: z me; Tablespace: you\n",
        "--\n-- TOC entry 1 (class 1259 OID 10)\n"
        "-- Name: n; Schema: q; Owner: z; Type: TABLE; Schema: a; Type: X; Owner: me; Tablespace: you; Tablespace: t\n"
        "--\n\nCREATE x;\n\n");
    const DumpEntry *entry = entries->pdata[0];
    g_assert_cmpstr(entry->name, ==, "n; Schema: q; Owner: z");
    g_assert_cmpstr(entry->type, ==, "TABLE");
    g_assert_cmpstr(entry->schema, ==, "a; Type: X");
    g_assert_cmpstr(entry->owner, ==, "me; Tablespace: you");
}

static void test_an_entry_of_comments_alone_has_nothing_to_run(void)
{
    g_autoptr(GPtrArray) entries = split_well(
        "1; 2615 2200 SCHEMA - public o\n",
        "--\n-- TOC entry 1 (class 2615 OID 2200)\n-- Name: public; Type: SCHEMA; Schema: -; Owner: o\n--\n\n"
        "-- *not* creating schema, since initdb creates it\n\n\n");
    g_assert_cmpstr(((DumpEntry *)entries->pdata[0])->sql, ==, "");
}

static void assert_refused(const char *list, const char *body)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(split(list, body, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_INTERNAL);
}

static void test_what_is_not_understood_is_an_error(void)
{
    static const char entry[] =
        "--\n-- TOC entry 1 (class 1259 OID 10)\n-- Name: a; Type: TABLE; Schema: p; Owner: o\n--\n\nX;\n";
    assert_refused("", entry);                                /* not in the listing */
    assert_refused("1; 1259 10 TABLE p b o\n", entry);        /* listed under another name */
    assert_refused("1; 1259 TABLE p a o\n", entry);           /* a listing that cannot be read */
    assert_refused("1; 1259 10 TABLE p a o\n", "SELECT 'x;"); /* cut off within a quote */
    g_autoptr(GHashTable) listing = NULL;
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(dump_entry_free);
    g_autoptr(GError) error = NULL;
    g_assert_true(dump_listing_read("1; 1259 10 TABLE p a o\n", &listing, NULL));
    g_assert_false(dump_split(entry, strlen(entry), DUMP_PRE_DATA, listing, entries, &error)); /* no end */
    g_assert_error(error, PGF_ERROR, PGF_ERROR_INTERNAL);
}

static void test_drops_are_what_stands_before_the_first_entry(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *script = g_strconcat(
        PROLOGUE, "ALTER TABLE IF EXISTS p.t DROP CONSTRAINT IF EXISTS \"a--b\";\nDROP TABLE IF EXISTS p.t;\n",
        "-- *not* dropping schema, since initdb creates it\n",
        "--\n-- TOC entry 1 (class 1259 OID 10)\n-- Name: t; Type: TABLE; Schema: p; Owner: o\n--\n\nCREATE;\n",
        EPILOGUE, NULL);
    g_autofree char *drops = dump_split_drops(script, strlen(script), &error);
    g_assert_no_error(error);
    g_assert_cmpstr(drops, ==,
                    "ALTER TABLE IF EXISTS p.t DROP CONSTRAINT IF EXISTS \"a--b\";\nDROP TABLE IF EXISTS p.t;");
}

static void assert_sql(const char *sql, bool without_owner, const char *wanted)
{
    DumpEntry entry = {.sql = (char *)sql};
    g_autofree char *got = dump_entry_sql(&entry, without_owner);
    g_assert_cmpstr(got, ==, wanted);
}

static void test_only_the_last_statement_can_be_the_owners(void)
{
    static const char FUNCTION[] =
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT '\nALTER TABLE t OWNER TO a;\n'$$;";
    g_autofree char *owned = g_strconcat(FUNCTION, "\n\n\nALTER FUNCTION f() OWNER TO a;", NULL);
    assert_sql(owned, true, FUNCTION);
    assert_sql(owned, false, owned);
    assert_sql(FUNCTION, true, FUNCTION);
    assert_sql("ALTER SCHEMA public OWNER TO a;", true, "");
    assert_sql("ALTER TABLE ONLY t REPLICA IDENTITY FULL;", true, "ALTER TABLE ONLY t REPLICA IDENTITY FULL;");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/split/each entry gets its own statements", test_each_entry_gets_its_own_statements);
    g_test_add_func("/split/a header inside a function body is text", test_a_header_inside_a_function_body_is_text);
    g_test_add_func("/split/settings between entries go to those that need them",
                    test_settings_between_entries_go_to_those_that_need_them);
    g_test_add_func("/split/names that look like header fields are read right",
                    test_names_that_look_like_header_fields_are_read_right);
    g_test_add_func("/split/an entry of comments alone has nothing to run",
                    test_an_entry_of_comments_alone_has_nothing_to_run);
    g_test_add_func("/split/what is not understood is an error", test_what_is_not_understood_is_an_error);
    g_test_add_func("/split/drops are what stands before the first entry",
                    test_drops_are_what_stands_before_the_first_entry);
    g_test_add_func("/split/only the last statement can be the owner's",
                    test_only_the_last_statement_can_be_the_owners);
    return g_test_run();
}

/* Reconcile finds exactly the rows that differ, and names them. */
#include "fixture.h"

typedef struct Case {
    const char *name;
    const char *both;     /* makes table t on both sides */
    const char *a, *b;    /* then only on one side; or NULL */
    const char *expected; /* as describe() says */
} Case;

static const Case CASES[] = {
    {"nothing, where nothing differs", "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')",
     NULL, NULL, ""},
    {"a missing, an extra and a different row",
     "CREATE TABLE t (id int PRIMARY KEY, v text, w int); INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, "
     "5000) i",
     NULL,
     "DELETE FROM t WHERE id = 17; INSERT INTO t VALUES (6000, 'new', NULL); UPDATE t SET v = NULL, w = -1 WHERE id = "
     "4999",
     "different id=4999 v: v4999 -> NULL w: 4999 -> -1\nextra id=6000 id=6000 v=new w=NULL\nmissing id=17 id=17 v=v17 "
     "w=17"},
    {"the first and the last row",
     "CREATE TABLE t (id int8 PRIMARY KEY, v int); INSERT INTO t SELECT i, 1 FROM generate_series(1, 1000) i", NULL,
     "UPDATE t SET v = 2 WHERE id IN (1, 1000)", "different id=1 v: 1 -> 2\ndifferent id=1000 v: 1 -> 2"},
    {"rows before and after all others",
     "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)", NULL,
     "INSERT INTO t VALUES (-5), (2000)", "extra id=-5 id=-5\nextra id=2000 id=2000"},
    {"everything, where the target is empty", "CREATE TABLE t (id int PRIMARY KEY, v int)",
     "INSERT INTO t VALUES (1, 1), (2, 2)", NULL, "missing id=1 id=1 v=1\nmissing id=2 id=2 v=2"},
    {"everything, where the source is empty", "CREATE TABLE t (id int PRIMARY KEY, v int)", NULL,
     "INSERT INTO t VALUES (1, 1)", "extra id=1 id=1 v=1"},
    {"rows of a composite key",
     "CREATE TABLE t (a text, b text, v int, PRIMARY KEY (a, b)); INSERT INTO t SELECT i % 7, i, i FROM "
     "generate_series(1, 2000) i",
     NULL, "UPDATE t SET v = 0 WHERE a = '3' AND b = '3'; DELETE FROM t WHERE a = '0' AND b = '7'",
     "different a=3, b=3 v: 3 -> 0\nmissing a=0, b=7 a=0 b=7 v=7"},
    {"keys that would be one without frames", "CREATE TABLE t (a text, b text, v int, PRIMARY KEY (a, b))",
     "INSERT INTO t VALUES ('12', '3', 1)", "INSERT INTO t VALUES ('1', '23', 1)",
     "extra a=1, b=23 a=1 b=23 v=1\nmissing a=12, b=3 a=12 b=3 v=1"},
    {"rows under one and the same first key column",
     "CREATE TABLE t (a int, b int, v int, PRIMARY KEY (a, b)); INSERT INTO t SELECT 1, i, i FROM generate_series(1, "
     "3000) i",
     NULL, "UPDATE t SET v = -1 WHERE b = 1500; DELETE FROM t WHERE b = 3000",
     "different a=1, b=1500 v: 1500 -> -1\nmissing a=1, b=3000 a=1 b=3000 v=3000"},
    {"keys under two collations",
     "CREATE TABLE t (k text PRIMARY KEY, v int); "
     "INSERT INTO t SELECT chr(65 + i % 58) || i || CASE i % 3 WHEN 0 THEN 'ä' ELSE '' END, i FROM generate_series(1, "
     "1500) i",
     "ALTER TABLE t ALTER k TYPE text COLLATE \"und-x-icu\"",
     "DELETE FROM t WHERE v = 700; UPDATE t SET v = 0 WHERE v = 3",
     "different k=D3ä v: 3 -> 0\nmissing k=E700 k=E700 v=700"},
    {"keys that differ in case only, in citext", "CREATE TABLE t (k citext PRIMARY KEY, v int)",
     "INSERT INTO t VALUES ('Abc', 1)", "INSERT INTO t VALUES ('abc', 1)",
     "extra k=abc k=abc v=1\nmissing k=Abc k=Abc v=1"},
    {"rows of a key that is not one in the target",
     "CREATE TABLE t (id int, v text, PRIMARY KEY (id, v)); INSERT INTO t VALUES (2, 'b')",
     "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id); INSERT INTO t VALUES (1, 'a')",
     "INSERT INTO t VALUES (1, 'x'), (1, 'y')",
     "extra (no key) id=1 v=x\nextra (no key) id=1 v=y\nmissing (no key) id=1 v=a"},
    {"rows of a key whose columns stand in another order in the target",
     "CREATE TABLE t (a int, b text, v int, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)", NULL,
     "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (b, a); UPDATE t SET v = 3 WHERE a = 2",
     "different a=2, b=y v: 2 -> 3"},
    {"keys of a float",
     "CREATE TABLE t (k float8 PRIMARY KEY, v int); INSERT INTO t SELECT i / 7.0, i FROM generate_series(1, 500) i",
     NULL, "DELETE FROM t WHERE v = 7", "missing k=1 k=1 v=7"},
    {"keys of a numeric",
     "CREATE TABLE t (k numeric PRIMARY KEY, v int); INSERT INTO t SELECT i * 0.25, i FROM generate_series(1, 500) i",
     NULL, "UPDATE t SET v = 0 WHERE v = 4", "different k=1.00 v: 4 -> 0"},
    {"keys of times",
     "CREATE TABLE t (k timestamptz PRIMARY KEY, v int); "
     "INSERT INTO t SELECT timestamptz '2020-01-01 00:00+00' + i * interval '1 hour', i FROM generate_series(1, 900) i",
     NULL, "UPDATE t SET v = 0 WHERE v = 24", "different k=2020-01-02 00:00:00+00 v: 24 -> 0"},
    {"keys of uuids",
     "CREATE TABLE t (k uuid PRIMARY KEY, v int); INSERT INTO t SELECT md5(i::text)::uuid, i FROM generate_series(1, "
     "900) i",
     NULL, "UPDATE t SET v = 0 WHERE v = 1", "different k=c4ca4238-a0b9-2382-0dcc-509a6f75849b v: 1 -> 0"},
    {"keys of an enum, in another order there",
     "CREATE TYPE e AS ENUM ('a', 'b', 'c'); CREATE TABLE t (k e PRIMARY KEY, v int); INSERT INTO t VALUES ('a', 1), "
     "('b', 2), ('c', 3)",
     NULL, "UPDATE t SET v = 9 WHERE k = 'b'", "different k=b v: 2 -> 9"},
    {"a unique key where there is no primary one",
     "CREATE TABLE t (v int, k int NOT NULL UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2)", NULL,
     "UPDATE t SET v = 3 WHERE k = 2", "different k=2 v: 2 -> 3"},
    {"quoted and foreign names",
     "CREATE TABLE t (\"I \"\"d\" int PRIMARY KEY, \"größe; --\" text, \"select\" int); INSERT INTO t VALUES (1, 'x', "
     "1), (2, 'y', 2)",
     NULL, "UPDATE t SET \"größe; --\" = 'z' WHERE \"I \"\"d\" = 2", "different I \"d=2 größe; --: y -> z"},
    {"values with quotes, braces and backslashes as keys",
     "CREATE TABLE t (k text PRIMARY KEY, v int); INSERT INTO t SELECT E'\\\\\"{},''' || i || E'\\n', i FROM "
     "generate_series(1, 700) i",
     NULL, "UPDATE t SET v = 0 WHERE v = 5", "different k=\\\"{},'5\n v: 5 -> 0"},
    {"rows of a multiset",
     "CREATE TABLE t (a int, b text); INSERT INTO t SELECT i % 10, 'x' FROM generate_series(1, 1000) i", NULL,
     "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = 3 LIMIT 2); INSERT INTO t VALUES (4, 'x'), (77, NULL)",
     "extra (no key) a=4 b=x\nextra (no key) a=77 b=NULL\nmissing (no key) x2 a=3 b=x"},
    {"a changed row of a multiset is missing and extra",
     "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y')", NULL,
     "UPDATE t SET b = 'z' WHERE a = 2", "extra (no key) a=2 b=z\nmissing (no key) a=2 b=y"},
    {"a large multiset", "CREATE TABLE t (a int8); INSERT INTO t SELECT i FROM generate_series(1, 20000) i; ANALYZE t",
     NULL, "DELETE FROM t WHERE a = 12345", "missing (no key) a=12345"},
    {"rows without any column", "CREATE TABLE t ()", "INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
     "INSERT INTO t DEFAULT VALUES", "missing (no key)"},
    {"a key that the target does not have as such",
     "CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 1), (2, 2)", "ALTER TABLE t ADD PRIMARY KEY (id)",
     "UPDATE t SET v = 5 WHERE id = 1", "extra (no key) id=1 v=5\nmissing (no key) id=1 v=1"},
    {"duplicates of a key in the target", "CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 1), (2, 2)",
     "ALTER TABLE t ADD PRIMARY KEY (id)", "INSERT INTO t VALUES (2, 2)", "extra (no key) id=2 v=2"},
    {"a duplicate of a key that hides another value",
     "CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 1), (2, 2)", "ALTER TABLE t ADD PRIMARY KEY (id)",
     "UPDATE t SET v = 3 WHERE id = 2; INSERT INTO t VALUES (2, 4)",
     "extra (no key) id=2 v=3\nextra (no key) id=2 v=4\nmissing (no key) id=2 v=2"},
    {"rows of a partitioned table",
     "CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY HASH (id); "
     "CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
     "CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1); "
     "INSERT INTO t SELECT i, i FROM generate_series(1, 500) i",
     NULL, "DELETE FROM t WHERE id = 250", "missing id=250 id=250 v=250"},
};

static void make_tables(const Case *c)
{
    fixture_clean();
    in_both(c->both);
    if (c->a != NULL)
        in_a(c->a);
    if (c->b != NULL)
        in_b(c->b);
}

static void test_case(gconstpointer data)
{
    const Case *c = data;
    make_tables(c);
    g_auto(Reconciled) result = {0};
    reconcile_table("t", 100, &result);
    g_autofree char *found = describe(&result);
    g_assert_cmpstr(found, ==, c->expected);
    g_assert_cmpint(same_digest("t"), ==, *found == '\0');
}

static void test_limit(void)
{
    fixture_clean();
    in_both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i");
    in_b("UPDATE t SET v = 0 WHERE id % 2 = 0; DELETE FROM t WHERE id = 1");
    g_auto(Reconciled) result = {0};
    reconcile_table("t", 5, &result);
    g_assert_cmpuint(result.different, ==, 1500);
    g_assert_cmpuint(result.missing, ==, 1);
    g_assert_cmpuint(result.rows->len, ==, 5);
    g_auto(Reconciled) counted = {0};
    reconcile_table("t", 0, &counted);
    g_assert_cmpuint(counted.different, ==, 1500);
    g_assert_true(counted.rows == NULL || counted.rows->len == 0);
}

static void test_sums_of_ranges(void)
{
    fixture_clean();
    in_both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i");
    in_b("DELETE FROM t WHERE id = 7");
    g_auto(Reconciled) result = {0};
    reconcile_table("t", 5, &result);
    g_assert_cmpuint(result.source.rows, ==, 3000);
    g_assert_cmpuint(result.target.rows, ==, 2999);
}

static void test_settings_of_the_database(void)
{
    fixture_clean();
    in_both(
        "CREATE TABLE t (id int PRIMARY KEY, a float8, b timestamptz, c interval, d bytea, e money, f date, g hstore); "
        "INSERT INTO t VALUES (1, 0.1::float8 * 3, '2020-01-01 00:00+00', '1 mon 2 days -03:04:05.6', '\\x0102ff', "
        "12.34::numeric::money, '2020-02-01', 'a=>1')");
    in_b("ALTER DATABASE b SET datestyle = 'SQL, DMY'; ALTER DATABASE b SET timezone = 'Asia/Kathmandu'; "
         "ALTER DATABASE b SET intervalstyle = 'sql_standard'; ALTER DATABASE b SET bytea_output = 'escape'; "
         "ALTER DATABASE b SET extra_float_digits = -3; ALTER DATABASE b SET search_path = ext, public; "
         "ALTER DATABASE b SET statement_timeout = '500ms'; ALTER DATABASE b SET array_nulls = off");
    fixture_reconnect(NULL);
    g_assert_true(same_digest("t"));
    g_auto(Reconciled) result = {0};
    reconcile_table("t", 5, &result);
    g_assert_cmpuint(result.missing + result.extra + result.different, ==, 0);
    in_b("ALTER DATABASE b RESET ALL");
    fixture_reconnect(NULL);
}

static void test_encodings(void)
{
    fixture_clean();
    fixture_reconnect("LATIN1");
    in_both("CREATE TABLE t (k text PRIMARY KEY, n name, c char(6), v varchar(10), j json, l text[], m citext); "
            "CREATE TABLE u (a text, b text)");
    in_both("INSERT INTO t SELECT 'schlüssel' || i, 'größe', 'ä', 'ö', '{\"ü\":1}', '{é}', 'À' FROM generate_series(1, "
            "600) i; "
            "INSERT INTO u VALUES ('ä', 'b'), ('c', 'é')");
    g_assert_true(same_digest("t"));
    g_assert_true(same_digest("u"));
    in_b("UPDATE t SET v = 'ø' WHERE k = 'schlüssel7'; UPDATE u SET b = 'è' WHERE a = 'c'");
    g_assert_false(same_digest("t"));
    g_auto(Reconciled) result = {0};
    g_auto(Reconciled) multiset = {0};
    reconcile_table("t", 5, &result);
    g_autofree char *found = describe(&result);
    g_assert_cmpstr(found, ==, "different k=schlüssel7 v: ö -> ø");
    reconcile_table("u", 5, &multiset);
    g_autofree char *rows = describe(&multiset);
    g_assert_cmpstr(rows, ==, "extra (no key) a=c b=è\nmissing (no key) a=c b=é");
    fixture_reconnect("UTF8");
}

static void add_tests(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *name = g_strdup_printf("/reconcile/finds %s", CASES[i].name);
        g_test_add_data_func(name, &CASES[i], test_case);
    }
    g_test_add_func("/reconcile/describes as many rows as asked for and counts all", test_limit);
    g_test_add_func("/reconcile/counts the rows of equal ranges too", test_sums_of_ranges);
    g_test_add_func("/reconcile/does not depend on settings of the database", test_settings_of_the_database);
    g_test_add_func("/reconcile/compares databases of two encodings", test_encodings);
}

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, add_tests);
}

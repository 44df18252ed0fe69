/* The digest sees every change of a value of every type, and nothing but changes of values. */
#include "fixture.h"

typedef struct Change {
    const char *type;
    const char *a, *b; /* SQL expressions of two values that must not be taken for one */
} Change;

static const Change CHANGES[] = {
    {"bool", "true", "false"},
    {"int2", "1", "-1"},
    {"int4", "2147483647", "-2147483648"},
    {"int8", "5", "4294967300"}, /* one hash for both in hashint8extended() */
    {"int8", "0", "4294967297"},
    {"int8", "-1", "4294967295"},
    {"oid", "1", "4294967295"},
    {"numeric", "1.0", "1.00"},
    {"numeric", "'NaN'", "'Infinity'"},
    {"numeric(10,2)", "1.10", "1.01"},
    {"float4", "'-0'", "'0'"},
    {"float4", "'0.1'", "'0.10000001'"},
    {"float8", "'-0'", "'0'"},
    {"float8", "'0.1'", "'0.10000000000000002'"},
    {"float8", "'NaN'", "'Infinity'"},
    {"money", "'1.00'", "'1.01'"},
    {"\"char\"", "'a'", "'b'"},
    {"name", "'a'", "'a '"},
    {"text", "''", "NULL"},
    {"text", "'a'", "'A'"},
    {"text", "'a'", "'a '"},
    {"text", "'e' || chr(769)", "chr(233)"}, /* the same letter, composed and not */
    {"varchar(20)", "'a'", "'a '"},
    {"char(5)", "'a'", "'b'"},
    {"bpchar", "'a'", "'a '"},
    {"bytea", "'\\x00'", "'\\x0000'"},
    {"bytea", "''", "NULL"},
    {"date", "'2000-01-01'", "'2000-01-02'"},
    {"date", "'infinity'", "'-infinity'"},
    {"time", "'00:00:00.000005'", "'01:11:34.9673'"},
    {"time", "'00:00'", "'24:00'"},
    {"timetz", "'10:00+00'", "'11:00+01'"},
    {"timestamp", "'2000-01-01 00:00:00.000005'", "'2000-01-01 01:11:34.9673'"}, /* fold to one 32-bit number */
    {"timestamptz", "'2000-01-01 00:00:00.000005+00'", "'2000-01-01 01:11:34.9673+00'"},
    {"timestamptz", "'infinity'", "NULL"},
    {"interval", "'1 mon'", "'30 days'"},
    {"interval", "'1 day'", "'24:00'"},
    {"bit(3)", "B'101'", "B'100'"},
    {"varbit", "B'1'", "B'10'"},
    {"uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"},
    {"inet", "'10.0.0.1'", "'10.0.0.1/24'"},
    {"inet", "'::1'", "'0.0.0.1'"},
    {"cidr", "'10.0.0.0/8'", "'10.0.0.0/16'"},
    {"macaddr", "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"},
    {"macaddr8", "'08:00:2b:01:02:03:04:05'", "'08:00:2b:01:02:03:04:06'"},
    {"json", "'{\"a\":1}'", "'{\"a\": 1}'"},
    {"json", "'{\"a\":1,\"a\":2}'", "'{\"a\":2}'"},
    {"jsonb", "'{\"a\":1.0}'", "'{\"a\":1.00}'"},
    {"jsonb", "'null'", "NULL"},
    {"jsonpath", "'$.a'", "'$.b'"},
    {"xml", "'<a/>'", "'<a></a>'"},
    {"point", "'(0,0)'", "'(-0,0)'"},
    {"lseg", "'((0,0),(1,1))'", "'((1,1),(0,0))'"},
    {"path", "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"},
    {"box", "'((0,0),(1,1))'", "'((0,0),(1,2))'"},
    {"polygon", "'((0,0),(1,1),(1,0))'", "'((1,1),(1,0),(0,0))'"},
    {"line", "'{1,2,3}'", "'{2,4,6}'"},
    {"circle", "'<(0,0),1>'", "'<(0,0),2>'"},
    {"tsvector", "'a:1A'", "'a:1B'"},
    {"tsquery", "'a & b'", "'a | b'"},
    {"int4range", "'[1,5)'", "'[1,6)'"},
    {"int4range", "'empty'", "NULL"},
    {"numrange", "'[1.0,2)'", "'[1.00,2)'"},
    {"int4multirange", "'{[1,3)}'", "'{[1,3),[5,6)}'"},
    {"pg_lsn", "'0/5'", "'1/4'"},
    {"txid_snapshot", "'10:20:'", "'10:20:15'"},
    {"int2vector", "'1 2'", "'1 3'"},
    {"regtype", "'int4'", "'int8'"},
    {"int4[]", "'{1,2}'", "'[2:3]={1,2}'"},
    {"int4[]", "'{1,2}'", "'{{1,2}}'"},
    {"int4[]", "'{}'", "NULL"},
    {"int8[]", "'{5}'", "'{4294967300}'"},
    {"text[]", "'{NULL}'", "'{\"NULL\"}'"},
    {"text[]", "'{a,b}'", "'{\"a,b\"}'"},
    {"numeric[]", "'{1.0}'", "'{1.00}'"},
    {"float8[]", "'{-0}'", "'{0}'"},
    {"jsonb[]", "'{1.0}'", "'{1.00}'"},
    {"\"char\"[]", "'{a}'", "'{b}'"},
    {"mood", "'sad'", "'happy'"},
    {"mood[]", "'{sad}'", "'{happy}'"},
    {"pair", "'(1,)'", "'(1,\"\")'"},
    {"pair[]", "'{\"(1,x)\"}'", "'{\"(1,y)\"}'"},
    {"floats", "'[1,2)'", "'[1,3)'"},
    {"big", "5", "4294967300"},
    {"dates", "'2000-01-01'", "'2000-01-02'"},
    {"list", "'{1,2}'", "'[2:3]={1,2}'"},
    {"feeling", "'sad'", "'happy'"},
    {"citext", "'A'", "'a'"},
    {"hstore", "'a=>1'", "'a=>NULL'"},
};

static const char TYPES[] = "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (x int, y text); "
                            "CREATE TYPE floats AS RANGE (subtype = float8); CREATE DOMAIN big AS int8; "
                            "CREATE DOMAIN dates AS date; CREATE DOMAIN list AS int[]; CREATE DOMAIN feeling AS mood";

static void prepare_types(void)
{
    fixture_clean();
    in_b("CREATE TYPE other AS (x int)"); /* from here on, nothing has the same oid on both sides */
    in_both(TYPES);
}

static void test_change(gconstpointer data)
{
    const Change *change = data;
    g_autofree char *create = g_strdup_printf("CREATE TABLE t (id int PRIMARY KEY, v %s); INSERT INTO t VALUES (1, %s)",
                                              change->type, change->a);
    g_autofree char *update = g_strdup_printf("UPDATE t SET v = %s", change->b);
    prepare_types();
    in_both(create);
    g_assert_true(same_digest("t"));
    in_b(update);
    g_assert_false(same_digest("t"));
    in_a(update);
    g_assert_true(same_digest("t"));
}

/* The rows themselves are found too: the way down uses text, and must not lose what the digest saw. */
static void test_change_is_found(gconstpointer data)
{
    const Change *change = data;
    g_autofree char *create =
        g_strdup_printf("CREATE TABLE t (id int PRIMARY KEY, v %s); INSERT INTO t VALUES (1, %s), (2, %s)",
                        change->type, change->a, change->a);
    g_autofree char *update = g_strdup_printf("UPDATE t SET v = %s WHERE id = 2", change->b);
    prepare_types();
    in_both(create);
    in_b(update);
    g_auto(Reconciled) result = {0};
    reconcile_table("t", 10, &result);
    g_assert_cmpuint(result.different, ==, 1);
    g_assert_cmpuint(result.missing + result.extra, ==, 0);
    g_assert_cmpuint(result.rows->len, ==, 1);
    const RowDifference *row = result.rows->pdata[0];
    g_assert_cmpstr(row->key, ==, "id=2");
    g_assert_cmpuint(row->columns->len, ==, 1);
}

typedef struct Pair {
    const char *name;
    const char *a, *b; /* statements that make the same table t in two ways, or two tables that differ */
} Pair;

static const Pair SAME[] = {
    {"rows in another order", "CREATE TABLE t AS SELECT i, i::text s FROM generate_series(1, 500) i",
     "CREATE TABLE t AS SELECT i, i::text s FROM generate_series(500, 1, -1) i"},
    {"columns in another order", "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x')",
     "CREATE TABLE t (b text, a int); INSERT INTO t VALUES ('x', 1)"},
    {"a dropped column", "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x')",
     "CREATE TABLE t (a int, z int, b text); ALTER TABLE t DROP z; INSERT INTO t VALUES (1, 'x')"},
    {"a column added with a default", "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 7)",
     "CREATE TABLE t (a int); INSERT INTO t VALUES (1); ALTER TABLE t ADD b int DEFAULT 7"},
    {"a column that is not null on one side only", "CREATE TABLE t (a int NOT NULL); INSERT INTO t VALUES (1)",
     "CREATE TABLE t (a int); INSERT INTO t VALUES (1)"},
    {"enums with other oids and sort numbers",
     "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (v e); INSERT INTO t VALUES ('b')",
     "CREATE TYPE junk AS (x int); CREATE TYPE e AS ENUM ('b'); ALTER TYPE e ADD VALUE 'a' BEFORE 'b'; CREATE TABLE t "
     "(v e); "
     "INSERT INTO t VALUES ('b')"},
    {"a stored generated column",
     "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO t VALUES (2)",
     "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (2, 4)"},
    {"an array that once held a NULL", "CREATE TABLE t (a int[]); INSERT INTO t VALUES ('{1,2,3}')",
     "CREATE TABLE t (a int[]); INSERT INTO t VALUES ('{1,NULL,3}'); UPDATE t SET a[2] = 2"},
    {"compressed and outside of the row", "CREATE TABLE t (a text); INSERT INTO t VALUES (repeat('x', 100000))",
     "CREATE TABLE t (a text); ALTER TABLE t ALTER a SET STORAGE EXTERNAL; INSERT INTO t VALUES (repeat('x', 100000))"},
    {"blanks at the end of char(n)", "CREATE TABLE t (a char(5)); INSERT INTO t VALUES ('a')",
     "CREATE TABLE t (a char(5)); INSERT INTO t VALUES ('a    ')"},
    {"no rows", "CREATE TABLE t (a int, b text)", "CREATE TABLE t (a int, b text)"},
    {"partitions on one side", "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100)",
     "CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (50); "
     "CREATE TABLE t2 PARTITION OF t DEFAULT; INSERT INTO t SELECT generate_series(1, 100)"},
};

static void test_same(gconstpointer data)
{
    const Pair *pair = data;
    fixture_clean();
    in_a(pair->a);
    in_b(pair->b);
    g_assert_true(same_digest("t"));
}

static const Pair DIFFERENT[] = {
    {"a letter that moves to the next column", "CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('12', '3')",
     "CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('1', '23')"},
    {"values that two columns exchange", "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2)",
     "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (2, 1)"},
    {"values that two rows exchange", "CREATE TABLE t (id int, a int); INSERT INTO t VALUES (1, 10), (2, 20)",
     "CREATE TABLE t (id int, a int); INSERT INTO t VALUES (1, 20), (2, 10)"},
    {"a NULL that moves to the next column", "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, NULL)",
     "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (NULL, 1)"},
    {"equal values in two columns", "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1)",
     "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (2, 2)"},
    {"a pair of duplicates that is gone", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2), (2)",
     "CREATE TABLE t (a int); INSERT INTO t VALUES (1)"},
    {"other duplicates", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1), (2)",
     "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2), (2)"},
    {"rows of NULLs", "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL), (NULL)",
     "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL)"},
    {"rows without columns", "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
     "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES"},
    {"rows of a child table do not count", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)",
     "CREATE TABLE t (a int); CREATE TABLE c () INHERITS (t); INSERT INTO t VALUES (1); INSERT INTO c VALUES (2)"},
};

static void test_different(gconstpointer data)
{
    const Pair *pair = data;
    fixture_clean();
    in_a(pair->a);
    in_b(pair->b);
    g_assert_false(same_digest("t"));
}

static void add_tests(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CHANGES); i++) {
        const Change *c = &CHANGES[i];
        g_autofree char *seen = g_strdup_printf("/digest/sees/%s: %s is not %s", c->type, c->a, c->b);
        g_autofree char *found = g_strdup_printf("/reconcile/finds/%s: %s is not %s", c->type, c->a, c->b);
        g_test_add_data_func(g_strdelimit(seen, "\\", '_'), c, test_change);
        g_test_add_data_func(g_strdelimit(found, "\\", '_'), c, test_change_is_found);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(SAME); i++) {
        g_autofree char *name = g_strdup_printf("/digest/is the same with %s", SAME[i].name);
        g_test_add_data_func(name, &SAME[i], test_same);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(DIFFERENT); i++) {
        g_autofree char *name = g_strdup_printf("/digest/differs with %s", DIFFERENT[i].name);
        g_test_add_data_func(name, &DIFFERENT[i], test_different);
    }
}

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, add_tests);
}

/* Differences between two definitions of one table are found, and told in sentences. */
#include "audit/drift.h"
#include "fixture.h"

typedef struct Case {
    const char *name;
    const char *both, *b;
    const char *expected; /* sentences, joined by newlines */
} Case;

static const char TABLE[] =
    "CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'x', n int NOT NULL); CREATE INDEX t_v ON t (v)";

static const Case CASES[] = {
    {"nothing between equal tables", TABLE, "SELECT 1", ""},
    {"a missing column", TABLE, "ALTER TABLE t DROP n", "column n integer is only in the source"},
    {"an added column", TABLE, "ALTER TABLE t ADD z date", "column z date is only in the target"},
    {"another type", TABLE, "ALTER TABLE t ALTER n TYPE int8",
     "column n is integer in the source, bigint in the target"},
    {"another length", "CREATE TABLE t (v varchar(10))", "ALTER TABLE t ALTER v TYPE varchar(20)",
     "column v is character varying(10) in the source, character varying(20) in the target"},
    {"nullability", TABLE, "ALTER TABLE t ALTER n DROP NOT NULL",
     "column n is NOT NULL in the source, nullable in the target"},
    {"another default", TABLE, "ALTER TABLE t ALTER v SET DEFAULT 'y'",
     "column v has default 'x'::text in the source, 'y'::text in the target"},
    {"a default less", TABLE, "ALTER TABLE t ALTER v DROP DEFAULT",
     "column v has default 'x'::text in the source, none in the target"},
    {"an identity", "CREATE TABLE t (id int NOT NULL)", "ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY",
     "column id is an identity column on one side only, or of another kind"},
    {"a collation", "CREATE TABLE t (v text)", "ALTER TABLE t ALTER v TYPE text COLLATE \"C\"",
     "column v has collation none in the source, pg_catalog.\"C\" in the target"},
    {"a generated column", "CREATE TABLE t (a int, b int)",
     "ALTER TABLE t DROP b; ALTER TABLE t ADD b int GENERATED ALWAYS AS (a + 1) STORED",
     "column b has default none in the source, generated: (a + 1) in the target"},
    {"an index less", TABLE, "DROP INDEX t_v",
     "index t_v is only in the source: CREATE INDEX t_v ON public.t USING btree (v)"},
    {"an index more", TABLE, "CREATE INDEX t_n ON t (n)",
     "index t_n is only in the target: CREATE INDEX t_n ON public.t USING btree (n)"},
    {"another index", TABLE, "DROP INDEX t_v; CREATE INDEX t_v ON t (n)",
     "index t_v is \"CREATE INDEX t_v ON public.t USING btree (v)\" in the source, \"CREATE INDEX t_v ON public.t "
     "USING btree (n)\" in "
     "the target"},
    {"a check", TABLE, "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)",
     "constraint c is only in the target: CHECK ((n > 0))"},
    {"a key less", TABLE, "ALTER TABLE t DROP CONSTRAINT t_pkey",
     "constraint t_pkey is only in the source: PRIMARY KEY (id)"},
    {"a constraint that was not validated", "CREATE TABLE t (n int); ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)",
     "ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
     "constraint c is \"CHECK ((n > 0))\" in the source, \"CHECK ((n > 0)) NOT VALID\" in the target"},
    {"another kind of relation", "SELECT 1", "SELECT 1", NULL},
};

static void test_case(gconstpointer data)
{
    const Case *c = data;
    fixture_clean();
    in_both(c->both);
    in_b(c->b);
    if (c->expected == NULL) {
        in_a("CREATE TABLE t (id int)");
        in_b("CREATE TABLE t (id int) PARTITION BY LIST (id)");
    }
    const CatalogRelation *b = relation_in_b("t");
    g_autoptr(GPtrArray) drift = drift_find(relation_in_a("t"), b);
    g_ptr_array_add(drift, NULL);
    g_autofree char *sentences = g_strjoinv("\n", (char **)drift->pdata);
    g_assert_cmpstr(sentences, ==, c->expected == NULL ? "it is of another kind in the target" : c->expected);
}

static void add_tests(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *name = g_strdup_printf("/drift/finds %s", CASES[i].name);
        g_test_add_data_func(name, &CASES[i], test_case);
    }
}

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, add_tests);
}

/* What merges have settled: states, which word on a key counts, and between which databases. */
#include "fixture.h"
#include "ledger/memory.h"

#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        g_autoptr(GError) e = NULL;                                                                                    \
        bool ok = call;                                                                                                \
        g_assert_no_error(e);                                                                                          \
        g_assert_true(ok);                                                                                             \
    } while (0)

#define SOURCE "7391234567890123456"
#define TARGET "7399999999999999999"

/* A fold that has merged, or is about to. */
static gint64 merge(Ledger *ledger, LedgerMergeState state)
{
    gint64 run = 0;
    PgIdentity source = fixture_identity(SOURCE, "app"), target = fixture_identity(TARGET, "app");
    CHECK(ledger_run_begin(ledger, "fold", "laptop", &run, &e));
    CHECK(ledger_run_identify(ledger, run, &source, &target, NULL, &e));
    CHECK(ledger_merge_begin(ledger, run, "pgfold_undo_x", NULL, "/archive", &e));
    if (state != LEDGER_MERGE_PENDING)
        CHECK(ledger_merge_set_state(ledger, run, state, &e));
    return run;
}

static void add_key(Ledger *ledger, gint64 run, const char *table, const char *old_key, const char *new_key)
{
    CHECK(ledger_merge_add_key(ledger, run, "public", table, old_key, new_key, &e));
}

static LedgerMemory *load(Ledger *ledger, const char *source_system, const char *target_system)
{
    g_autoptr(GError) error = NULL;
    PgIdentity source = fixture_identity(source_system, "app"), target = fixture_identity(target_system, "app");
    LedgerMemory *memory = ledger_memory_load(ledger, &source, &target, &error);
    g_assert_no_error(error);
    return memory;
}

static bool on_key(const char *old_key, const char *new_key, gpointer text, GError **error)
{
    g_string_append_printf(text, "%s>%s ", old_key, new_key);
    return true;
}

static bool on_lost(const char *key, gint64 hash, gpointer text, GError **error)
{
    g_string_append_printf(text, "%s:%" G_GINT64_FORMAT " ", key, hash);
    return true;
}

/* "[3]>[5] ", of one table between the usual two. */
static char *keys_of(Ledger *ledger, const char *table)
{
    g_autoptr(LedgerMemory) memory = load(ledger, SOURCE, TARGET);
    GString *text = g_string_new(NULL);
    CHECK(ledger_memory_each_key(memory, "public", table, on_key, text, &e));
    return g_string_free(text, FALSE);
}

static char *lost_of(Ledger *ledger, const char *table)
{
    g_autoptr(LedgerMemory) memory = load(ledger, SOURCE, TARGET);
    GString *text = g_string_new(NULL);
    CHECK(ledger_memory_each_lost(memory, "public", table, on_lost, text, &e));
    return g_string_free(text, FALSE);
}

static void test_states(Fixture *fixture, gconstpointer data)
{
    static const struct {
        LedgerMergeState state;
        const char *keys;
    } cases[] = {{LEDGER_MERGE_PENDING, ""},
                 {LEDGER_MERGE_COMMITTED, "[3]>[5] "},
                 {LEDGER_MERGE_UNDONE, ""},
                 {LEDGER_MERGE_FORGOTTEN, "[3]>[5] "},
                 {LEDGER_MERGE_ABANDONED, ""}};
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 run = merge(ledger, LEDGER_MERGE_PENDING);
    add_key(ledger, run, "people", "[3]", "[5]");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        CHECK(ledger_merge_set_state(ledger, run, cases[i].state, &e));
        g_autofree char *keys = keys_of(ledger, "people");
        g_assert_cmpstr(keys, ==, cases[i].keys);
    }
}

static void test_newest(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 first = merge(ledger, LEDGER_MERGE_COMMITTED), second = merge(ledger, LEDGER_MERGE_COMMITTED);
    add_key(ledger, second, "people", "[3]", "[6]");
    add_key(ledger, first, "people", "[3]", "[5]");
    add_key(ledger, first, "people", "[4]", "[7]");
    g_autofree char *both = keys_of(ledger, "people");
    g_assert_cmpstr(both, ==, "[3]>[6] [4]>[7] ");
    CHECK(ledger_merge_set_state(ledger, second, LEDGER_MERGE_UNDONE, &e));
    g_autofree char *after_undo = keys_of(ledger, "people");
    g_assert_cmpstr(after_undo, ==, "[3]>[5] [4]>[7] ");
}

static void test_once(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 run = merge(ledger, LEDGER_MERGE_COMMITTED);
    add_key(ledger, run, "people", "[3]", "[5]");
    add_key(ledger, run, "people", "[3]", "[6]");
    g_autofree char *keys = keys_of(ledger, "people");
    g_assert_cmpstr(keys, ==, "[3]>[6] ");
    CHECK(ledger_merge_add_lost(ledger, run, "public", "people", "[1]", -7, &e));
    CHECK(ledger_merge_add_lost(ledger, run, "public", "people", "[1]", -7, &e));
    CHECK(ledger_merge_add_lost(ledger, run, "public", "people", "[1]", G_MAXINT64, &e));
    g_autofree char *lost = lost_of(ledger, "people");
    g_assert_cmpstr(lost, ==, "[1]:-7 [1]:9223372036854775807 ");
}

static void test_tables(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 run = merge(ledger, LEDGER_MERGE_COMMITTED);
    g_autoptr(LedgerMemory) empty = load(ledger, SOURCE, TARGET);
    g_assert_true(ledger_memory_is_empty(empty));
    add_key(ledger, run, "people", "[3]", "[5]");
    CHECK(ledger_merge_add_lost(ledger, run, "public", "notes", "[1]", 7, &e));
    g_autoptr(LedgerMemory) memory = load(ledger, SOURCE, TARGET);
    g_assert_false(ledger_memory_is_empty(memory));
    g_assert_true(ledger_memory_has_keys(memory, "public", "people"));
    g_assert_false(ledger_memory_has_lost(memory, "public", "people"));
    g_assert_true(ledger_memory_has_lost(memory, "public", "notes"));
    g_assert_false(ledger_memory_has_keys(memory, "other", "people"));
    g_autofree char *notes = keys_of(ledger, "notes");
    g_assert_cmpstr(notes, ==, "");
}

static void test_other_databases(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    add_key(ledger, merge(ledger, LEDGER_MERGE_COMMITTED), "people", "[3]", "[5]");
    g_autoptr(LedgerMemory) other_source = load(ledger, "1", TARGET);
    g_autoptr(LedgerMemory) other_target = load(ledger, SOURCE, "1");
    g_assert_true(ledger_memory_is_empty(other_source));
    g_assert_true(ledger_memory_is_empty(other_target));
    PgIdentity source = fixture_identity(SOURCE, "app"), target = fixture_identity(TARGET, "app");
    source.database_oid++;
    g_autoptr(GError) error = NULL;
    g_autoptr(LedgerMemory) other_database = ledger_memory_load(ledger, &source, &target, &error);
    g_assert_true(ledger_memory_is_empty(other_database));
}

static void test_list(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    gint64 first = merge(ledger, LEDGER_MERGE_PENDING), second = merge(ledger, LEDGER_MERGE_COMMITTED);
    g_autoptr(GPtrArray) merges = ledger_merges(ledger, &error);
    g_assert_cmpuint(merges->len, ==, 2);
    g_assert_cmpint(((const LedgerMerge *)merges->pdata[0])->run, ==, second);
    g_autoptr(LedgerMerge) one = ledger_merge_of(ledger, first, &error);
    g_assert_cmpint(one->state, ==, LEDGER_MERGE_PENDING);
    g_assert_cmpstr(one->source_name, ==, "laptop");
    g_assert_cmpstr(one->target.database, ==, "app");
    g_assert_cmpstr(one->undo_schema, ==, "pgfold_undo_x");
    g_assert_cmpstr(one->archive, ==, "/archive");
    g_assert_null(one->drop_sql);
    g_assert_null(ledger_merge_of(ledger, second + 1, &error));
    g_assert_no_error(error);
    g_assert_false(ledger_merge_set_state(ledger, second + 1, LEDGER_MERGE_UNDONE, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/memory/only what was committed counts, not what was undone", test_states);
    fixture_test("/memory/the newest word on a key holds, until it is undone", test_newest);
    fixture_test("/memory/what is recorded twice is there once", test_once);
    fixture_test("/memory/tables are kept apart", test_tables);
    fixture_test("/memory/other databases have no part in it", test_other_databases);
    fixture_test("/memory/merges are listed, the newest first", test_list);
    return g_test_run();
}

#include "ledger/memory.h"

#include "base/error.h"
#include "ledger/internal.h"

static const char *const STATES[] = {"pending",    "committed", "undoing",  "undone",
                                     "forgetting", "forgotten", "abandoned"};

struct LedgerMemory {
    Ledger *ledger; /* not owned */
    char *source_system, *target_system;
    gint64 source_oid, target_oid;
    GHashTable *keys, *lost;  /* sets of "schema\ntable" */
    GHashTable *undo_schemas; /* of these merges */
};

void ledger_merge_free(LedgerMerge *merge)
{
    if (merge == NULL)
        return;
    run_clear_end(&merge->target);
    g_free(merge->source_name);
    g_free(merge->undo_schema);
    g_free(merge->drop_sql);
    g_free(merge->archive);
    g_free(merge);
}

bool ledger_merge_begin(Ledger *ledger, gint64 run, const char *undo_schema, const char *drop_sql, const char *archive,
                        GError **error)
{
    return db_run(
        ledger->db, error,
        "INSERT INTO merge (run_id, state, undo_schema, drop_sql, archive, at) VALUES (?, 'pending', ?, ?, ?, ?)",
        "ittti", run, undo_schema, drop_sql, archive, g_get_real_time());
}

bool ledger_merge_set_state(Ledger *ledger, gint64 run, LedgerMergeState state, GError **error)
{
    return db_run_one(ledger->db, error, "the merge of the run", "UPDATE merge SET state = ? WHERE run_id = ?", "ti",
                      STATES[state], run);
}

static LedgerMergeState state_of(const char *text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(STATES); i++)
        if (g_strcmp0(STATES[i], text) == 0)
            return (LedgerMergeState)i;
    return LEDGER_MERGE_ABANDONED;
}

static const char MERGES[] = "SELECT m.run_id, r.source_name, m.state, m.undo_schema, m.drop_sql, m.archive, m.at, "
                             "r.target_system, r.target_database, r.target_oid, r.target_version, r.target_role, "
                             "r.target_address FROM merge m JOIN run r ON r.id = m.run_id ";

static LedgerMerge *read_merge(sqlite3_stmt *stmt)
{
    LedgerMerge *merge = g_new0(LedgerMerge, 1);
    merge->run = sqlite3_column_int64(stmt, 0);
    merge->source_name = db_text(stmt, 1);
    g_autofree char *state = db_text(stmt, 2);
    merge->state = state_of(state);
    merge->undo_schema = db_text(stmt, 3);
    merge->drop_sql = db_text(stmt, 4);
    merge->archive = db_text(stmt, 5);
    merge->at = sqlite3_column_int64(stmt, 6);
    run_read_end(stmt, 7, &merge->target);
    return merge;
}

static void merge_unref(gpointer merge)
{
    ledger_merge_free(merge);
}

GPtrArray *ledger_merges(Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) merges = g_ptr_array_new_with_free_func(merge_unref);
    g_autofree char *sql = g_strconcat(MERGES, "ORDER BY m.run_id DESC", NULL);
    g_autoptr(sqlite3_stmt) stmt = db_query(ledger->db, error, sql, "");
    bool row = false;
    if (stmt == NULL)
        return NULL;
    for (;;) {
        if (!db_next(stmt, &row, error))
            return NULL;
        if (!row)
            return g_steal_pointer(&merges);
        g_ptr_array_add(merges, read_merge(stmt));
    }
}

LedgerMerge *ledger_merge_of(Ledger *ledger, gint64 run, GError **error)
{
    g_autofree char *sql = g_strconcat(MERGES, "WHERE m.run_id = ?", NULL);
    g_autoptr(sqlite3_stmt) stmt = db_query(ledger->db, error, sql, "i", run);
    bool row = false;
    if (stmt == NULL || !db_next(stmt, &row, error) || !row)
        return NULL;
    return read_merge(stmt);
}

/* Prepared once; the next use starts it anew. Values are bound by the caller. */
static bool step(Ledger *ledger, sqlite3_stmt *stmt, GError **error)
{
    bool row;
    bool ok = db_next(stmt, &row, error);
    sqlite3_reset(stmt);
    return ok;
}

static bool prepare(Ledger *ledger, sqlite3_stmt **stmt, const char *sql, GError **error)
{
    return *stmt != NULL || (*stmt = db_query(ledger->db, error, sql, "")) != NULL;
}

static void bind_relation(sqlite3_stmt *stmt, gint64 run, const char *schema, const char *table, const char *key)
{
    sqlite3_bind_int64(stmt, 1, run);
    sqlite3_bind_text(stmt, 2, schema, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, table, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 4, key, -1, SQLITE_STATIC);
}

bool ledger_merge_add_key(Ledger *ledger, gint64 run, const char *schema, const char *table, const char *old_key,
                          const char *new_key, GError **error)
{
    if (!prepare(ledger, &ledger->add_key,
                 "INSERT INTO merge_key (run_id, relation, old_key, new_key) VALUES (?, ? || char(10) || ?, ?, ?) "
                 "ON CONFLICT DO UPDATE SET new_key = excluded.new_key",
                 error))
        return false;
    bind_relation(ledger->add_key, run, schema, table, old_key);
    sqlite3_bind_text(ledger->add_key, 5, new_key, -1, SQLITE_STATIC);
    return step(ledger, ledger->add_key, error);
}

bool ledger_merge_add_lost(Ledger *ledger, gint64 run, const char *schema, const char *table, const char *key,
                           gint64 hash, GError **error)
{
    if (!prepare(ledger, &ledger->add_lost,
                 "INSERT OR IGNORE INTO merge_lost (run_id, relation, key, hash) VALUES (?, ? || char(10) || ?, ?, ?)",
                 error))
        return false;
    bind_relation(ledger->add_lost, run, schema, table, key);
    sqlite3_bind_int64(ledger->add_lost, 5, hash);
    return step(ledger, ledger->add_lost, error);
}

/* --- what counts between two databases ---------------------------------------------------------------------------- */

#define BETWEEN                                                                                                        \
    "JOIN merge m ON m.run_id = x.run_id JOIN run r ON r.id = x.run_id "                                               \
    "WHERE m.state IN ('committed', 'undoing', 'forgetting', 'forgotten') AND r.source_system = ? AND r.source_oid = " \
    "? AND r.target_system = ? "                                                                                       \
    "AND r.target_oid = ? "

static bool read_texts(const LedgerMemory *memory, const char *sql, GHashTable *to, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt = db_query(memory->ledger->db, error, sql, "titi", memory->source_system,
                                            memory->source_oid, memory->target_system, memory->target_oid);
    bool row = false;
    if (stmt == NULL)
        return false;
    for (;;) {
        if (!db_next(stmt, &row, error))
            return false;
        if (!row)
            return true;
        g_hash_table_add(to, db_text(stmt, 0));
    }
}

LedgerMemory *ledger_memory_load(Ledger *ledger, const PgIdentity *source, const PgIdentity *target, GError **error)
{
    g_autoptr(LedgerMemory) memory = g_new0(LedgerMemory, 1);
    memory->ledger = ledger;
    memory->source_system = g_strdup(source->system_identifier);
    memory->target_system = g_strdup(target->system_identifier);
    memory->source_oid = source->database_oid;
    memory->target_oid = target->database_oid;
    memory->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    memory->lost = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    memory->undo_schemas = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!read_texts(memory, "SELECT DISTINCT x.relation FROM merge_key x " BETWEEN, memory->keys, error) ||
        !read_texts(memory, "SELECT DISTINCT x.relation FROM merge_lost x " BETWEEN, memory->lost, error) ||
        !read_texts(memory, "SELECT DISTINCT x.undo_schema FROM merge x " BETWEEN, memory->undo_schemas, error))
        return NULL;
    return g_steal_pointer(&memory);
}

void ledger_memory_free(LedgerMemory *memory)
{
    if (memory == NULL)
        return;
    g_free(memory->source_system);
    g_free(memory->target_system);
    g_hash_table_unref(memory->keys);
    g_hash_table_unref(memory->lost);
    g_hash_table_unref(memory->undo_schemas);
    g_free(memory);
}

bool ledger_memory_is_empty(const LedgerMemory *memory)
{
    return g_hash_table_size(memory->keys) == 0 && g_hash_table_size(memory->lost) == 0;
}

bool ledger_memory_knows(const LedgerMemory *memory, const char *undo_schema)
{
    return g_hash_table_contains(memory->undo_schemas, undo_schema);
}

static bool contains(GHashTable *set, const char *schema, const char *table)
{
    g_autofree char *relation = g_strconcat(schema, "\n", table, NULL);
    return g_hash_table_contains(set, relation);
}

bool ledger_memory_has_keys(const LedgerMemory *memory, const char *schema, const char *table)
{
    return contains(memory->keys, schema, table);
}

bool ledger_memory_has_lost(const LedgerMemory *memory, const char *schema, const char *table)
{
    return contains(memory->lost, schema, table);
}

static sqlite3_stmt *query_relation(const LedgerMemory *memory, const char *sql, const char *schema, const char *table,
                                    GError **error)
{
    g_autofree char *relation = g_strconcat(schema, "\n", table, NULL);
    return db_query(memory->ledger->db, error, sql, "titit", memory->source_system, memory->source_oid,
                    memory->target_system, memory->target_oid, relation);
}

bool ledger_memory_each_key(const LedgerMemory *memory, const char *schema, const char *table, LedgerKeyFunc func,
                            gpointer data, GError **error)
{
    /* SQLite takes the other columns from the row that has the maximum. */
    g_autoptr(sqlite3_stmt) stmt = query_relation(memory,
                                                  "SELECT x.old_key, x.new_key, max(x.run_id) FROM merge_key x " BETWEEN
                                                  "AND x.relation = ? GROUP BY x.old_key",
                                                  schema, table, error);
    bool row = false;
    if (stmt == NULL)
        return false;
    for (;;) {
        if (!db_next(stmt, &row, error))
            return false;
        if (!row)
            return true;
        if (!func((const char *)sqlite3_column_text(stmt, 0), (const char *)sqlite3_column_text(stmt, 1), data, error))
            return false;
    }
}

bool ledger_memory_each_lost(const LedgerMemory *memory, const char *schema, const char *table, LedgerLostFunc func,
                             gpointer data, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt = query_relation(
        memory, "SELECT DISTINCT x.key, x.hash FROM merge_lost x " BETWEEN "AND x.relation = ?", schema, table, error);
    bool row = false;
    if (stmt == NULL)
        return false;
    for (;;) {
        if (!db_next(stmt, &row, error))
            return false;
        if (!row)
            return true;
        if (!func((const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int64(stmt, 1), data, error))
            return false;
    }
}

/* What the ledger remembers of one table, as temporary tables beside the stage. */
#include "base/error.h"
#include "merge/internal.h"

enum { ROWS_PER_INSERT = 5000 };

/* Two columns of texts on their way into a table. */
typedef struct Pairs {
    Merge *merge;
    char *table;
    const char *types[2];
    GPtrArray *columns[2];
} Pairs;

static bool flush(Pairs *pairs, GError **error)
{
    if (pairs->columns[0]->len == 0)
        return true;
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_append_printf(sql, "INSERT INTO pg_temp.%s SELECT ", pairs->table);
    for (int i = 0; i < 2; i++) {
        g_autofree char *array = pg_array_literal(pairs->columns[i]);
        g_autofree char *literal = pg_quote_literal(array);
        g_string_append_printf(sql, "%spg_catalog.unnest(%s::%s[])", i > 0 ? ", " : "", literal, pairs->types[i]);
        g_ptr_array_set_size(pairs->columns[i], 0);
    }
    return sql_run(pairs->merge, NULL, error, "%s", sql->str);
}

static bool add(Pairs *pairs, char *first, char *second, GError **error)
{
    g_ptr_array_add(pairs->columns[0], first);
    g_ptr_array_add(pairs->columns[1], second);
    return pairs->columns[0]->len < ROWS_PER_INSERT || flush(pairs, error);
}

static bool on_key(const char *old_key, const char *new_key, gpointer pairs, GError **error)
{
    return add(pairs, g_strdup(old_key), g_strdup(new_key), error);
}

static bool on_lost(const char *key, gint64 hash, gpointer pairs, GError **error)
{
    return add(pairs, g_strdup(key), g_strdup_printf("%" G_GINT64_FORMAT, hash), error);
}

static void pairs_init(Pairs *pairs, Merge *merge, const char *prefix, guint index, const char *second_type)
{
    *pairs = (Pairs){.merge = merge, .table = g_strdup_printf("%s%u", prefix, index), .types = {"text", second_type}};
    for (int i = 0; i < 2; i++)
        pairs->columns[i] = g_ptr_array_new_with_free_func(g_free);
}

static bool begin(Pairs *pairs, const char *columns, GError **error)
{
    return sql_run(pairs->merge, NULL, error, "CREATE TEMP TABLE IF NOT EXISTS %s (%s); TRUNCATE pg_temp.%s",
                   pairs->table, columns, pairs->table);
}

/* ok: what was added so far went well. */
static bool end(Pairs *pairs, bool ok, GError **error)
{
    ok = ok && flush(pairs, error) && sql_run(pairs->merge, NULL, error, "ANALYZE pg_temp.%s", pairs->table);
    for (int i = 0; i < 2; i++)
        g_ptr_array_unref(pairs->columns[i]);
    g_free(pairs->table);
    return ok;
}

bool recall_keys(Merge *merge, MergeRelation *r, GError **error)
{
    Pairs pairs;
    pairs_init(&pairs, merge, "pgfold_m", r->table->index, "text");
    bool ok = begin(&pairs, "old text, new text", error) &&
              ledger_memory_each_key(merge->spec.memory, r->source->schema, r->source->name, on_key, &pairs, error);
    return end(&pairs, ok, error);
}

bool recall_lost(Merge *merge, MergeRelation *r, GError **error)
{
    Pairs pairs;
    pairs_init(&pairs, merge, "pgfold_z", r->table->index, "int8");
    bool ok = begin(&pairs, "key text, hash int8", error) &&
              ledger_memory_each_lost(merge->spec.memory, r->source->schema, r->source->name, on_lost, &pairs, error);
    return end(&pairs, ok, error);
}

/* What the target says about a merge whose end nobody has recorded. Nothing that was abandoned is given up for good: a
 * session whose pgfold is dead may commit after others have looked. */
static LedgerMergeState state_by_target(LedgerMergeState state, bool is_there)
{
    switch (state) {
    case LEDGER_MERGE_PENDING:
    case LEDGER_MERGE_ABANDONED:
        return is_there ? LEDGER_MERGE_COMMITTED : LEDGER_MERGE_ABANDONED;
    case LEDGER_MERGE_UNDOING:
        return is_there ? LEDGER_MERGE_UNDOING : LEDGER_MERGE_UNDONE;
    case LEDGER_MERGE_FORGETTING:
        return is_there ? LEDGER_MERGE_FORGETTING : LEDGER_MERGE_FORGOTTEN;
    case LEDGER_MERGE_COMMITTED:
    case LEDGER_MERGE_UNDONE:
    case LEDGER_MERGE_FORGOTTEN:
        break;
    }
    return state;
}

static GHashTable *read_undo_schemas(PgConn *target, GError **error)
{
    g_autoptr(PgResult) found =
        pg_query(target, "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname ~ '^pgfold_undo_'",
                 deadline_in_ms(PG_CATALOG_MS), error);
    if (found == NULL)
        return NULL;
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int row = 0; row < pg_result_rows(found); row++)
        g_hash_table_add(names, g_strdup(pg_result_get(found, row, 0)));
    return names;
}

bool merge_settle(Ledger *ledger, PgConn *target, GError **error)
{
    const PgIdentity *identity = pg_conn_identity(target);
    g_autoptr(GPtrArray) merges = ledger_merges(ledger, error);
    g_autoptr(GHashTable) names = merges == NULL ? NULL : read_undo_schemas(target, error);
    for (guint i = 0; names != NULL && i < merges->len; i++) {
        const LedgerMerge *merge = merges->pdata[i];
        if (*merge->undo_schema == '\0' || merge->target.database_oid != identity->database_oid ||
            g_strcmp0(merge->target.system_identifier, identity->system_identifier) != 0)
            continue;
        LedgerMergeState state = state_by_target(merge->state, g_hash_table_contains(names, merge->undo_schema));
        if (state != merge->state && !ledger_merge_set_state(ledger, merge->run, state, error))
            return false;
    }
    return names != NULL;
}

LedgerMemory *merge_recall(Ledger *ledger, PgConn *source, PgConn *target, GError **error)
{
    return merge_settle(ledger, target, error)
               ? ledger_memory_load(ledger, pg_conn_identity(source), pg_conn_identity(target), error)
               : NULL;
}

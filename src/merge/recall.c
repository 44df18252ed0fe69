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

static void pairs_init(Pairs *pairs, Merge *merge, char *table, const char *second_type)
{
    *pairs = (Pairs){.merge = merge, .table = table, .types = {"text", second_type}};
    for (int i = 0; i < 2; i++)
        pairs->columns[i] = g_ptr_array_new_with_free_func(g_free);
}

static bool begin(Pairs *pairs, const char *columns, GError **error)
{
    return sql_run(pairs->merge, NULL, error, "CREATE TEMP TABLE IF NOT EXISTS %s (%s); TRUNCATE pg_temp.%s", pairs->table,
                   columns, pairs->table);
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
    pairs_init(&pairs, merge, g_strdup_printf("pgfold_m%u", r->table->index), "text");
    bool ok = begin(&pairs, "old text, new text", error) &&
              ledger_memory_each_key(merge->spec.memory, r->source->schema, r->source->name, on_key, &pairs, error);
    return end(&pairs, ok, error);
}

bool recall_lost(Merge *merge, MergeRelation *r, GError **error)
{
    Pairs pairs;
    pairs_init(&pairs, merge, g_strdup_printf("pgfold_z%u", r->table->index), "int8");
    bool ok = begin(&pairs, "key text, hash int8", error) &&
              ledger_memory_each_lost(merge->spec.memory, r->source->schema, r->source->name, on_lost, &pairs, error);
    return end(&pairs, ok, error);
}

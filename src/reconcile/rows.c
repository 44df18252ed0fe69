#include "reconcile/rows.h"

#include <string.h>

#include "base/error.h"

/* What is known of one key: how often it is on each side, and whether a row of the target has the source's hash. A key
 * is unique on both sides (key.c); where there is none, the row's own hash stands for it. */
typedef struct Pair {
    guint64 source_times, target_times;
    gint64 source_hash;
    bool matched;
} Pair;

typedef struct Collect {
    GHashTable *pairs; /* key text -> Pair* */
    bool is_target;
} Collect;

static bool on_pair(const PgResult *row, gpointer data, GError **error)
{
    Collect *collect = data;
    const char *key = pg_result_get(row, 0, 0);
    Pair *pair = g_hash_table_lookup(collect->pairs, key);
    if (pair == NULL) {
        pair = g_new0(Pair, 1);
        g_hash_table_insert(collect->pairs, g_strdup(key), pair);
    }
    gint64 hash = pg_result_int(row, 0, 1);
    if (collect->is_target) {
        pair->target_times++;
        pair->matched = pair->matched || (pair->source_times > 0 && hash == pair->source_hash);
    } else {
        pair->source_times++;
        pair->source_hash = hash;
    }
    return true;
}

static const char *only(const CatalogRelation *relation)
{
    return relation->kind == 'r' ? "ONLY " : "";
}

static bool collect_pairs(const ReconcileSide *side, const KeyPlan *plan, const char *where, Collect *collect,
                          GError **error)
{
    g_autofree char *sql = g_strdup_printf("SELECT %s, %s FROM %s%s WHERE %s", plan->key_sql, plan->row_sql,
                                           only(side->relation), side->relation->quoted, where);
    return pg_query_each(side->conn, sql, 0, NULL, on_pair, collect, DEADLINE_NONE, error);
}

static void row_column_free(gpointer data)
{
    RowColumn *column = data;
    g_free(column->name);
    g_free(column->source);
    g_free(column->target);
    g_free(column);
}

static void row_difference_free(gpointer data)
{
    RowDifference *row = data;
    g_free(row->key);
    g_ptr_array_unref(row->columns);
    g_free(row);
}

void reconciled_clear(Reconciled *result)
{
    g_clear_pointer(&result->rows, g_ptr_array_unref);
}

/* The values of one row as text; NULL (and no error) when the side has none with that key. */
static PgResult *fetch_row(const RowsJob *job, const ReconcileSide *side, const char *where, const char *key,
                           GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT ");
    for (guint i = 0; job->columns[i] != NULL; i++) {
        g_autofree char *quoted = pg_quote_ident(job->columns[i]);
        g_string_append_printf(sql, "%sCASE WHEN %s IS NOT NULL THEN pg_catalog.concat(%s) END", i > 0 ? ", " : "",
                               quoted, quoted);
    }
    g_string_append_printf(sql, "%s FROM %s%s WHERE %s AND %s = $1 LIMIT 1", job->columns[0] == NULL ? "1" : "",
                           only(side->relation), side->relation->quoted, where, job->plan->key_sql);
    return pg_query_params(side->conn, sql->str, 1, &key, DEADLINE_NONE, error);
}

static const char *value_of(const PgResult *row, int column)
{
    return row == NULL || pg_result_rows(row) == 0 ? NULL : pg_result_get(row, 0, column);
}

/* "id=5": from the side that has the row. */
static char *key_for_people(const RowsJob *job, const PgResult *row)
{
    if (!job->plan->keyed)
        return g_strdup("(no key)");
    g_autoptr(GString) text = g_string_new(NULL);
    for (char **key = job->source->relation->key; *key != NULL; key++)
        for (int i = 0; job->columns[i] != NULL; i++)
            if (g_str_equal(job->columns[i], *key))
                g_string_append_printf(text, "%s%s=%s", text->len > 0 ? ", " : "", *key, value_of(row, i));
    return g_strdup(text->str);
}

static void add_columns(const RowsJob *job, RowDifference *difference, const PgResult *source, const PgResult *target)
{
    for (int i = 0; job->columns[i] != NULL; i++) {
        const char *a = value_of(source, i);
        const char *b = value_of(target, i);
        if (difference->verdict == ROW_DIFFERENT && g_strcmp0(a, b) == 0)
            continue;
        RowColumn *column = g_new0(RowColumn, 1);
        column->name = g_strdup(job->columns[i]);
        column->source = g_strdup(a);
        column->target = g_strdup(b);
        g_ptr_array_add(difference->columns, column);
    }
}

static bool add_details(const RowsJob *job, const char *where, const char *key, RowVerdict verdict, guint64 times,
                        GError **error)
{
    g_autoptr(PgResult) source = NULL;
    g_autoptr(PgResult) target = NULL;
    if (verdict != ROW_EXTRA && (source = fetch_row(job, job->source, where, key, error)) == NULL)
        return false;
    if (verdict != ROW_MISSING && (target = fetch_row(job, job->target, where, key, error)) == NULL)
        return false;
    RowDifference *difference = g_new0(RowDifference, 1);
    difference->verdict = verdict;
    difference->times = times;
    difference->columns = g_ptr_array_new_with_free_func(row_column_free);
    difference->key = key_for_people(job, source != NULL ? source : target);
    add_columns(job, difference, source, target);
    if (job->result->rows == NULL)
        job->result->rows = g_ptr_array_new_with_free_func(row_difference_free);
    g_ptr_array_add(job->result->rows, difference);
    return true;
}

static bool found(const RowsJob *job, const char *where, const char *key, RowVerdict verdict, guint64 times,
                  GError **error)
{
    Reconciled *result = job->result;
    *(verdict == ROW_MISSING ? &result->missing : verdict == ROW_EXTRA ? &result->extra : &result->different) += times;
    guint known = result->rows == NULL ? 0 : result->rows->len;
    return known >= job->max_details || add_details(job, where, key, verdict, times, error);
}

static bool judge(const RowsJob *job, const char *where, const char *key, const Pair *pair, GError **error)
{
    guint64 s = pair->source_times, t = pair->target_times;
    /* A key that is not unique in the source would be corruption: never taken for the same. */
    bool differs = s > 0 && t > 0 && (!pair->matched || (job->plan->keyed && s > 1));
    if (differs && !found(job, where, key, ROW_DIFFERENT, 1, error))
        return false;
    if (s > t)
        return found(job, where, key, ROW_MISSING, s - t, error);
    return s == t || found(job, where, key, ROW_EXTRA, t - s, error);
}

bool rows_compare(const RowsJob *job, const char *where, GError **error)
{
    g_autoptr(GHashTable) pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    Collect collect = {.pairs = pairs};
    if (!collect_pairs(job->source, job->plan, where, &collect, error))
        return false;
    collect.is_target = true;
    if (!collect_pairs(job->target, job->plan, where, &collect, error))
        return false;
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(pairs), (GCompareFunc)strcmp);
    for (GList *k = keys; k != NULL; k = k->next)
        if (!judge(job, where, k->data, g_hash_table_lookup(pairs, k->data), error))
            return false;
    return true;
}

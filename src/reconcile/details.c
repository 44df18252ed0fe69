#include "reconcile/details.h"

#include "base/error.h"

enum { SHOWN_BYTES = 4096 };

/* What one side holds of the wanted rows. */
typedef struct Fetched {
    PgResult *result; /* number of the wanted row, then of each column text and hash; NULL: nothing was asked */
    GArray *at;       /* of int: the row of the result for each of the wanted, or -1 */
} Fetched;

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

RowDifference *reconciled_add(Reconciled *result, RowVerdict verdict, char *key)
{
    RowDifference *difference = g_new0(RowDifference, 1);
    difference->verdict = verdict;
    difference->key = key;
    difference->times = 1;
    difference->columns = g_ptr_array_new_with_free_func(row_column_free);
    if (result->rows == NULL)
        result->rows = g_ptr_array_new_with_free_func(row_difference_free);
    g_ptr_array_add(result->rows, difference);
    return difference;
}

void row_difference_add(RowDifference *difference, const char *name, const char *source, const char *target)
{
    RowColumn *column = g_new0(RowColumn, 1);
    column->name = g_strdup(name);
    column->source = g_strdup(source);
    column->target = g_strdup(target);
    g_ptr_array_add(difference->columns, column);
}

static void fetched_clear(Fetched *fetched)
{
    g_clear_pointer(&fetched->result, pg_result_free);
    g_clear_pointer(&fetched->at, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fetched, fetched_clear)

/* What is shown of a value, as text: all of it or, where it is long, how it begins and how many bytes it has. A long
 * value never travels, and is never turned into its text whole: that of a bytea is twice as long, and 1 GB is too long
 * for the server. $c stands for the column. */
static const char BYTEA_SQL[] = "CASE WHEN pg_catalog.octet_length($c) <= $n THEN pg_catalog.concat($c) "
                                "ELSE pg_catalog.concat(pg_catalog.substring($c, 1, $n), ' ... (', "
                                "pg_catalog.octet_length($c), ' bytes)') END";
static const char STRING_SQL[] = "CASE WHEN pg_catalog.octet_length($c) <= $n THEN pg_catalog.concat($c) "
                                 "ELSE pg_catalog.concat(pg_catalog.substring($c, 1, $n), ' ... (', "
                                 "pg_catalog.octet_length($c), ' bytes)') END";
static const char BYTEA_ARRAY_SQL[] =
    "CASE WHEN pg_catalog.octet_length(pg_catalog.array_send($c)) <= $n THEN pg_catalog.concat($c) "
    "ELSE pg_catalog.concat('... (', pg_catalog.cardinality($c), ' values)') END";
static const char OTHER_SQL[] = "(SELECT CASE WHEN pg_catalog.octet_length(pgfold_v.v) <= $n THEN pgfold_v.v "
                                "ELSE pg_catalog.concat(pg_catalog.left(pgfold_v.v, $n), ' ... (', "
                                "pg_catalog.octet_length(pgfold_v.v), ' bytes)') END "
                                "FROM (SELECT pg_catalog.concat($c) AS v) pgfold_v)";

static const char *shown_sql(const CatalogColumn *column)
{
    bool builtin = g_str_equal(column->base_schema, "pg_catalog") && column->from_initdb;
    if (builtin && column->is_array && g_strcmp0(column->elem_name, "bytea") == 0)
        return BYTEA_ARRAY_SQL;
    if (builtin && g_str_equal(column->base_name, "bytea"))
        return BYTEA_SQL;
    if (builtin && (g_str_equal(column->base_name, "text") || g_str_equal(column->base_name, "varchar")))
        return STRING_SQL;
    return OTHER_SQL;
}

/* For each column what is shown, and a hash of all of it: that tells which columns differ. */
static void append_values(GString *sql, char **columns, const CatalogRelation *relation)
{
    for (guint i = 0; columns[i] != NULL; i++) {
        g_autofree char *quoted = pg_quote_ident(columns[i]);
        g_autofree char *column = g_strconcat("pgfold_t.", quoted, NULL);
        g_autofree char *most = g_strdup_printf("%d", SHOWN_BYTES);
        g_autoptr(GString) shown = g_string_new(shown_sql(catalog_column(relation, columns[i])));
        g_string_replace(shown, "$n", most, 0);
        g_string_replace(shown, "$c", column, 0);
        g_string_append_printf(sql, ", CASE WHEN %s IS NOT NULL THEN %s END, pgfold_t.pgfold_c%u::pg_catalog.text",
                               column, shown->str, i);
    }
}

/* The table with the hash of each column, and without a key those of the whole row. */
static char *table_sql(const ReconcileScan *scan, const CatalogRelation *relation)
{
    GString *sql = g_string_new("(SELECT *");
    for (guint i = 0; scan->columns[i] != NULL; i++) {
        const char *const alone[] = {scan->columns[i], NULL};
        g_autofree char *hash = digest_row_sql(relation, alone, scan->text, 0);
        g_string_append_printf(sql, ", %s AS pgfold_c%u", hash, i);
    }
    if (scan->key.key == NULL)
        g_string_append_printf(sql, ", %s AS pgfold_h, %s AS pgfold_h2", scan->key.row_sql, scan->key.second_sql);
    g_string_append_printf(sql, " FROM %s%s) pgfold_t", reconcile_only(relation), relation->read_from);
    return g_string_free(sql, FALSE);
}

/* The operator = of a type outside of pg_catalog is not on the (empty) search path. */
static bool has_plain_equality(const CatalogColumn *column)
{
    return g_str_equal(column->base_schema, "pg_catalog") && column->from_initdb;
}

/* Joins by the text of the key, which tells apart what = would not; and by = where an index may serve it. */
static void append_key_join(GString *sql, const CatalogRelation *relation, const char *const *key)
{
    for (guint i = 0; key[i] != NULL; i++) {
        const CatalogColumn *column = catalog_column(relation, key[i]);
        g_autofree char *quoted = pg_quote_ident(key[i]);
        g_string_append_printf(sql, "%s(pg_catalog.concat(pgfold_t.%s) COLLATE \"C\") = pgfold_l.k%u",
                               i > 0 ? " AND " : "", quoted, i);
        g_autofree char *type = pg_quote_qualified(column->base_schema, column->base_name);
        if (has_plain_equality(column))
            g_string_append_printf(sql, " AND pgfold_t.%s = pgfold_l.k%u::%s", quoted, i, type);
    }
}

static void append_list(GString *sql, const GPtrArray *texts, const char *type)
{
    g_autofree char *array = grid_array(texts);
    g_string_append_printf(sql, ", %s::pg_catalog.%s[]", array, type);
}

/* unnest(numbers, first key column, ...) (of several arrays: it has no qualified name) or unnest(numbers, hashes,
 * second hashes), of the rows that this side has. */
static void append_list_of_wanted(GString *sql, const KeyPlan *key, const GPtrArray *wanted, RowVerdict absent)
{
    guint columns = key->key == NULL ? 2 : g_strv_length((char **)key->key);
    g_autoptr(GPtrArray) numbers = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint c = 0; c < columns; c++)
        g_ptr_array_add(lists, g_ptr_array_new_with_free_func(g_free));
    for (guint i = 0; i < wanted->len; i++) {
        const Wanted *row = wanted->pdata[i];
        if (row->verdict == absent)
            continue;
        g_ptr_array_add(numbers, g_strdup_printf("%u", i));
        for (guint c = 0; c < columns; c++)
            g_ptr_array_add(lists->pdata[c], key->key != NULL ? g_strdup(row->key[c])
                                                              : g_strdup_printf("%" G_GINT64_FORMAT,
                                                                                c == 0 ? row->hash : row->second_hash));
    }
    g_autofree char *array = grid_array(numbers);
    g_string_append_printf(sql, "unnest(%s::pg_catalog.int4[]", array);
    for (guint c = 0; c < columns; c++)
        append_list(sql, lists->pdata[c], key->key != NULL ? "text" : "int8");
    g_string_append(sql, ") AS pgfold_l(i");
    for (guint c = 0; c < columns; c++)
        g_string_append_printf(sql, ", k%u", c);
    g_string_append(sql, ")");
}

static char *fetch_sql(const ReconcileScan *scan, const CatalogRelation *relation, const GPtrArray *wanted,
                       RowVerdict absent)
{
    const KeyPlan *key = &scan->key;
    GString *sql = g_string_new("SELECT DISTINCT ON (pgfold_l.i) pgfold_l.i::pg_catalog.text");
    g_autofree char *table = table_sql(scan, relation);
    append_values(sql, scan->columns, relation);
    g_string_append(sql, " FROM ");
    append_list_of_wanted(sql, key, wanted, absent);
    if (key->key != NULL) {
        g_string_append_printf(sql, " JOIN %s ON ", table);
        append_key_join(sql, relation, key->key);
    } else {
        g_string_append_printf(sql, " JOIN %s ON pgfold_t.pgfold_h = pgfold_l.k0 AND pgfold_t.pgfold_h2 = pgfold_l.k1",
                               table);
    }
    return g_string_free(sql, FALSE);
}

static bool any_on_side(const GPtrArray *wanted, RowVerdict absent)
{
    for (guint i = 0; i < wanted->len; i++)
        if (((const Wanted *)wanted->pdata[i])->verdict != absent)
            return true;
    return false;
}

static bool fetch(const ReconcileScan *scan, const ReconcileSide *side, const GPtrArray *wanted, RowVerdict absent,
                  Fetched *ret_fetched, GError **error)
{
    ret_fetched->at = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = 0; i < wanted->len; i++) {
        int none = -1;
        g_array_append_val(ret_fetched->at, none);
    }
    if (!any_on_side(wanted, absent))
        return true;
    g_autofree char *sql = fetch_sql(scan, side->relation, wanted, absent);
    ret_fetched->result = pg_query(side->conn, sql, DEADLINE_NONE, error);
    if (ret_fetched->result == NULL)
        return false;
    for (int row = 0; row < pg_result_rows(ret_fetched->result); row++)
        g_array_index(ret_fetched->at, int, pg_result_int(ret_fetched->result, row, 0)) = row;
    return true;
}

static bool has_row(const Fetched *fetched, guint i)
{
    return g_array_index(fetched->at, int, i) >= 0;
}

static const char *value_of(const Fetched *fetched, guint i, int column)
{
    return has_row(fetched, i) ? pg_result_get(fetched->result, g_array_index(fetched->at, int, i), 2 * column + 1)
                               : NULL;
}

static const char *hash_of(const Fetched *fetched, guint i, int column)
{
    return has_row(fetched, i) ? pg_result_get(fetched->result, g_array_index(fetched->at, int, i), 2 * column + 2)
                               : NULL;
}

static char *key_for_people(const KeyPlan *key, const Wanted *row)
{
    if (key->key == NULL)
        return g_strdup("(no key)");
    GString *text = g_string_new(NULL);
    for (guint i = 0; key->key[i] != NULL; i++)
        g_string_append_printf(text, "%s%s=%s", i > 0 ? ", " : "", key->key[i], row->key[i]);
    return g_string_free(text, FALSE);
}

static void add_columns(RowDifference *difference, char **columns, const Fetched *source, const Fetched *target,
                        guint i)
{
    for (int c = 0; columns[c] != NULL; c++) {
        const char *a = value_of(source, i, c), *b = value_of(target, i, c);
        if (difference->verdict == ROW_DIFFERENT && g_strcmp0(hash_of(source, i, c), hash_of(target, i, c)) == 0)
            continue;
        row_difference_add(difference, columns[c], a, b);
    }
}

bool details_fetch(const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                   const GPtrArray *wanted, Reconciled *result, GError **error)
{
    g_auto(Fetched) s = {0}, t = {0};
    if (!fetch(scan, source, wanted, ROW_EXTRA, &s, error) || !fetch(scan, target, wanted, ROW_MISSING, &t, error))
        return false;
    for (guint i = 0; i < wanted->len; i++) {
        const Wanted *row = wanted->pdata[i];
        RowDifference *difference = reconciled_add(result, row->verdict, key_for_people(&scan->key, row));
        difference->times = row->times;
        add_columns(difference, scan->columns, &s, &t, i);
    }
    return true;
}

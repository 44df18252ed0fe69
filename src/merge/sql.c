/* Pieces of SQL that several files of this room put together. */
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"

char *sql_quote_alias(const char *alias, const char *column)
{
    g_autofree char *quoted = pg_quote_ident(column);
    return alias == NULL ? g_strdup(quoted) : g_strconcat(alias, ".", quoted, NULL);
}

char *sql_equal(const char *a, const char *const *a_columns, const char *b, const char *const *b_columns)
{
    GString *sql = g_string_new(NULL);
    for (guint i = 0; a_columns[i] != NULL; i++) {
        g_autofree char *left = sql_quote_alias(a, a_columns[i]);
        g_autofree char *right = sql_quote_alias(b, b_columns[i]);
        g_string_append_printf(sql, "%s%s = %s", i > 0 ? " AND " : "", left, right);
    }
    return g_string_free(sql, FALSE);
}

char *sql_not_null(const char *alias, const char *const *columns)
{
    GString *sql = g_string_new(NULL);
    for (guint i = 0; columns[i] != NULL; i++) {
        g_autofree char *column = sql_quote_alias(alias, columns[i]);
        g_string_append_printf(sql, "%s%s IS NOT NULL", i > 0 ? " AND " : "", column);
    }
    return g_string_free(sql, FALSE);
}

char *sql_list(const char *alias, const char *const *columns)
{
    GString *sql = g_string_new(NULL);
    for (guint i = 0; columns[i] != NULL; i++) {
        g_autofree char *column = sql_quote_alias(alias, columns[i]);
        g_string_append_printf(sql, "%s%s", i > 0 ? ", " : "", column);
    }
    return g_string_free(sql, FALSE);
}

char *sql_old(const MergeTable *table, const char *column)
{
    for (guint i = 0; i < table->kept->len; i++)
        if (g_str_equal(table->kept->pdata[i], column))
            return g_strdup_printf("pgfold_old_%u", i);
    return pg_quote_ident(column);
}

char *sql_old_equal(const char *a, const MergeTable *a_table, const char *const *a_columns, const char *b,
                    const MergeTable *b_table, const char *const *b_columns)
{
    GString *sql = g_string_new(NULL);
    for (guint i = 0; a_columns[i] != NULL; i++) {
        g_autofree char *left = sql_old(a_table, a_columns[i]);
        g_autofree char *right = sql_old(b_table, b_columns[i]);
        g_string_append_printf(sql, "%s%s.%s = %s.%s", i > 0 ? " AND " : "", a, left, b, right);
    }
    return g_string_free(sql, FALSE);
}

bool sql_is_exact(const CatalogColumn *column)
{
    static const char *const EXACT[] = {"bool",      "int2",        "int4", "int8",    "oid",  "uuid",  "date",
                                        "timestamp", "timestamptz", "text", "varchar", "name", "bytea", NULL};
    return column->from_initdb && !column->is_array && column->collation == NULL &&
           g_strv_contains(EXACT, column->base_name);
}

/* Within, the columns go by their names alone, whatever else the statement reads. */
char *sql_hash(const Merge *merge, const MergeRelation *r, const char *alias)
{
    const char *const *columns = (const char *const *)r->table->compared;
    g_autofree char *hash = digest_row_sql(r->source, columns, merge->spec.verification->audit->text, 0);
    g_autofree char *list = sql_list(alias, columns);
    return g_strdup_printf("(SELECT %s FROM (SELECT %s) y)", hash, list);
}

/* ROW("a"::int4, "b"::text)::record, in the types under their domains; names: those that are only exact, or all. */
static char *row_sql(const MergeRelation *r, const char *alias, bool exact_only, guint *ret_columns)
{
    GString *sql = g_string_new("ROW(");
    *ret_columns = 0;
    for (char **name = r->table->compared; *name != NULL; name++) {
        const CatalogColumn *column = catalog_column(r->source, *name);
        if (exact_only && !sql_is_exact(column))
            continue;
        g_autofree char *value = sql_quote_alias(alias, *name);
        g_autofree char *type = pg_quote_qualified(column->base_schema, column->base_name);
        g_string_append_printf(sql, "%s%s::%s", (*ret_columns)++ > 0 ? ", " : "", value, type);
    }
    g_string_append(sql, ")::pg_catalog.record");
    return g_string_free(sql, FALSE);
}

/* Rows whose bytes are equal are the same. Of some types, only those are: where they differ, no hash need be made. */
char *sql_same(const Merge *merge, const MergeRelation *r, const char *a, const char *b)
{
    guint all = 0, exact = 0;
    g_autofree char *all_a = row_sql(r, a, false, &all), *all_b = row_sql(r, b, false, &all);
    g_autofree char *exact_a = row_sql(r, a, true, &exact), *exact_b = row_sql(r, b, true, &exact);
    if (exact == all)
        return g_strdup_printf("%s OPERATOR(pg_catalog.*=) %s", all_a, all_b);
    g_autofree char *hash_a = sql_hash(merge, r, a), *hash_b = sql_hash(merge, r, b);
    return g_strdup_printf("(%s OPERATOR(pg_catalog.*=) %s OR (%s OPERATOR(pg_catalog.*=) %s AND %s = %s))", all_a,
                           all_b, exact_a, exact_b, hash_a, hash_b);
}

/* Texts in which JSON has nothing to escape: they need no function that looks for it, row by row. */
static bool is_plain(const CatalogColumn *column)
{
    static const char *const PLAIN[] = {"int2", "int4", "int8", "oid", "uuid", NULL};
    return column->from_initdb && !column->is_array && g_strv_contains(PLAIN, column->base_name);
}

/* JSON, for no text can be taken for another one: not even where a key holds commas. values: SQL, one for each column
 * of the key. */
static char *key_array(const MergeRelation *r, GPtrArray *values)
{
    bool plain = true;
    for (guint i = 0; r->table->key[i] != NULL; i++)
        plain = plain && is_plain(catalog_column(r->source, r->table->key[i]));
    GString *sql = g_string_new(plain ? "pg_catalog.concat('[\"', " : "pg_catalog.jsonb_build_array(");
    for (guint i = 0; i < values->len; i++) {
        const char *value = values->pdata[i];
        g_string_append(sql, i == 0 ? "" : plain ? ", '\", \"', " : ", ");
        g_string_append_printf(sql, plain ? "%s" : "pg_catalog.concat(%s)", value);
    }
    g_string_append(sql, plain ? ", '\"]')" : ")::text");
    return g_string_free(sql, FALSE);
}

char *sql_key_array(const MergeRelation *r, const char *alias)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; r->table->key[i] != NULL; i++)
        g_ptr_array_add(values, sql_quote_alias(alias, r->table->key[i]));
    return key_array(r, values);
}

char *sql_memory_key(const MergeRelation *r, const char *alias)
{
    if (r->table->key == NULL)
        return g_strdup("'[]'::text");
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; r->table->key[i] != NULL; i++) {
        g_autofree char *old = sql_old(r->table, r->table->key[i]);
        g_ptr_array_add(values, g_strconcat(alias, ".", old, NULL));
    }
    return key_array(r, values);
}

char *sql_key_for_people(const char *alias, const char *const *key)
{
    if (key == NULL)
        return g_strdup("'(no key)'::text");
    GString *sql = g_string_new("pg_catalog.concat(");
    for (guint i = 0; key[i] != NULL; i++) {
        g_autofree char *column = sql_quote_alias(alias, key[i]);
        g_autofree char *label = g_strdup_printf("%s%s=", i > 0 ? ", " : "", key[i]);
        g_autofree char *literal = pg_quote_literal(label);
        g_string_append_printf(sql, "%s%s, %s", i > 0 ? ", " : "", literal, column);
    }
    g_string_append_c(sql, ')');
    return g_string_free(sql, FALSE);
}

char *sql_sharing(const MergeRelation *r, const CatalogUnique *unique)
{
    g_autoptr(GString) values = g_string_new(NULL);
    g_autoptr(GString) on = g_string_new(NULL);
    for (guint i = 0; unique->expressions[i] != NULL; i++) {
        g_string_append_printf(values, ", %s AS pgfold_u%u", unique->expressions[i], i);
        g_string_append_printf(on, "%ssu.pgfold_u%u = tu.pgfold_u%u", i > 0 ? " AND " : "", i, i);
    }
    const char *condition = unique->condition == NULL ? "true" : unique->condition;
    return g_strdup_printf("(SELECT *%s FROM %s WHERE %s) su JOIN (SELECT *%s FROM ONLY %s WHERE %s) tu ON %s",
                           values->str, r->table->judged, condition, values->str, r->table->there, condition, on->str);
}

bool sql_covers(const MergeRelation *r, const CatalogUnique *unique)
{
    bool plain = unique->columns != NULL && unique->condition == NULL;
    for (guint i = 0; plain && unique->columns[i] != NULL; i++)
        if (catalog_column(r->source, unique->columns[i]) == NULL)
            return false;
    for (guint i = 0; !plain && i < r->target->columns->len; i++)
        if (catalog_column(r->source, ((const CatalogColumn *)r->target->columns->pdata[i])->name) == NULL)
            return false;
    return true;
}

/* Equality of citext, hstore and the like is found by name: their schemas come behind pg_catalog, whose operators
 * nobody can put anything in front of. */
char *sql_path(const Merge *merge)
{
    g_autoptr(GHashTable) schemas = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GString *path = g_string_new("pg_catalog");
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeRelation *r = merge->relations->pdata[i];
        for (guint k = 0; k < r->source->columns->len; k++) {
            const CatalogColumn *column = r->source->columns->pdata[k];
            if (column->base_kind == 'b' && !g_str_equal(column->base_schema, "pg_catalog") &&
                g_hash_table_add(schemas, pg_quote_ident(column->base_schema)))
                continue;
        }
    }
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(schemas), (GCompareFunc)strcmp);
    for (GList *name = names; name != NULL; name = name->next)
        g_string_append_printf(path, ", %s", (const char *)name->data);
    return g_string_free(path, FALSE);
}

bool sql_enter(Merge *merge, GError **error)
{
    return merge->depth++ > 0 || sql_run(merge, NULL, error, "SET search_path = %s", merge->path);
}

bool sql_leave(Merge *merge, bool ok, GError **error)
{
    merge->depth--;
    return ok && (merge->depth > 0 || sql_run(merge, NULL, error, "SET search_path = ''"));
}

bool sql_run(Merge *merge, guint64 *ret_rows, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *sql = g_strdup_vprintf(format, args);
    va_end(args);
    g_autoptr(PgResult) r = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (r != NULL && ret_rows != NULL)
        *ret_rows = pg_result_affected(r);
    return r != NULL;
}

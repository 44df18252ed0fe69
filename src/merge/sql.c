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

/* JSON, for no text can be taken for another one: not even where a key holds commas. */
static void append_array_element(GString *sql, const char *alias, const char *column, bool first)
{
    g_string_append_printf(sql, "%spg_catalog.concat(%s%s%s)", first ? "" : ", ", alias == NULL ? "" : alias,
                           alias == NULL ? "" : ".", column);
}

char *sql_key_array(const char *alias, const char *const *key)
{
    GString *sql = g_string_new("pg_catalog.jsonb_build_array(");
    for (guint i = 0; key[i] != NULL; i++) {
        g_autofree char *quoted = pg_quote_ident(key[i]);
        append_array_element(sql, alias, quoted, i == 0);
    }
    g_string_append(sql, ")::text");
    return g_string_free(sql, FALSE);
}

char *sql_memory_key(const MergeRelation *relation, const char *alias)
{
    const MergeTable *table = relation->table;
    if (table->key == NULL)
        return g_strdup("'[]'::text");
    GString *sql = g_string_new("pg_catalog.jsonb_build_array(");
    for (guint i = 0; table->key[i] != NULL; i++) {
        g_autofree char *old = sql_old(table, table->key[i]);
        append_array_element(sql, alias, old, i == 0);
    }
    g_string_append(sql, ")::text");
    return g_string_free(sql, FALSE);
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
                           values->str, r->table->stage, condition, values->str, r->table->there, condition, on->str);
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

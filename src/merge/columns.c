/* Columns that the target's table lacks, and the statements that mend it. */
#include <string.h>

#include "merge/internal.h"

static char *table_for_people(const CatalogRelation *relation)
{
    g_autofree char *schema = pg_display_ident(relation->schema);
    g_autofree char *name = pg_display_ident(relation->name);
    return g_strconcat(schema, ".", name, NULL);
}

/* A default that draws from a sequence stays behind: the target has none of that name, or one of its own. NOT NULL goes
 * along only where the rows that are there get a value. */
static char *add_column(const CatalogRelation *source, const CatalogColumn *column)
{
    static const char GENERATED[] = "generated: ";
    g_autofree char *table = table_for_people(source);
    g_autofree char *name = pg_display_ident(column->name);
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql, "ALTER TABLE %s ADD COLUMN %s %s", table, name, column->type);
    if (column->collation != NULL)
        g_string_append_printf(sql, " COLLATE %s", column->collation);
    if (column->default_sql == NULL || strstr(column->default_sql, "nextval(") != NULL)
        return g_string_free(sql, FALSE);
    if (g_str_has_prefix(column->default_sql, GENERATED))
        g_string_append_printf(sql, " GENERATED ALWAYS AS (%s) STORED", column->default_sql + strlen(GENERATED));
    else
        g_string_append_printf(sql, " DEFAULT %s%s", column->default_sql, column->not_null ? " NOT NULL" : "");
    return g_string_free(sql, FALSE);
}

GPtrArray *merge_missing_columns(const CatalogRelation *source, const CatalogRelation *target)
{
    GPtrArray *statements = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < source->columns->len; i++) {
        const CatalogColumn *column = source->columns->pdata[i];
        if (!column->is_virtual && catalog_column(target, column->name) == NULL)
            g_ptr_array_add(statements, add_column(source, column));
    }
    return statements;
}

static bool append_type_changes(GString *text, const CatalogRelation *source, const CatalogRelation *target)
{
    g_autofree char *table = table_for_people(source);
    for (guint i = 0; i < source->columns->len; i++) {
        const CatalogColumn *column = source->columns->pdata[i];
        const CatalogColumn *there = catalog_column(target, column->name);
        if (there == NULL || column->is_virtual || g_str_equal(column->type, there->type))
            continue;
        g_autofree char *name = pg_display_ident(column->name);
        g_string_append_printf(text, "%sALTER TABLE %s ALTER COLUMN %s TYPE %s", text->len > 0 ? "; " : "", table, name,
                               column->type);
    }
    return text->len > 0;
}

char *merge_column_remedy(const CatalogRelation *source, const CatalogRelation *target)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GPtrArray) missing = merge_missing_columns(source, target);
    bool types = append_type_changes(text, source, target);
    for (guint i = 0; i < missing->len; i++)
        g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", (const char *)missing->pdata[i]);
    if (text->len == 0)
        return NULL;
    if (!types)
        g_string_append(text, " (or `pgfold fold --add-columns`)");
    return g_strdup(text->str);
}

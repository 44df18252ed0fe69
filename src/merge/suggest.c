/* References that no foreign key declares, and that look like one: named for the user, never acted upon. */
#include <string.h>

#include "merge/internal.h"

/* customers(id): customer_id, customers_id; customers(customer_id): customer_id. A key that is called id alone says
 * nothing. */
static bool is_named_after(const char *column, const CatalogRelation *parent, const char *key)
{
    if (g_str_equal(column, key))
        return g_ascii_strcasecmp(key, "id") != 0;
    g_autofree char *plural = g_strconcat(parent->name, "_", key, NULL);
    gsize n = strlen(parent->name);
    g_autofree char *stem = g_strndup(parent->name, n > 1 && parent->name[n - 1] == 's' ? n - 1 : n);
    g_autofree char *singular = g_strconcat(stem, "_", key, NULL);
    return g_ascii_strcasecmp(column, plural) == 0 || g_ascii_strcasecmp(column, singular) == 0;
}

static bool is_declared(const Merge *merge, const CatalogRelation *child, const char *column)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *r = merge->graph->references->pdata[i];
        if (g_str_equal(r->child_name, child->quoted) && g_strv_contains((const char *const *)r->columns, column))
            return true;
    }
    return false;
}

/* Every value that is there is a key of the parent, and there is one. */
static bool is_contained(Merge *merge, const CatalogRelation *child, const char *column, const MergeRelation *parent,
                         bool *ret_contained, GError **error)
{
    g_autofree char *c = pg_quote_ident(column), *k = pg_quote_ident(parent->table->key[0]);
    g_autofree char *sql = g_strdup_printf("SELECT EXISTS (SELECT FROM ONLY %s WHERE %s IS NOT NULL) AND NOT EXISTS "
                                           "(SELECT FROM ONLY %s c WHERE c.%s IS NOT NULL "
                                           "AND NOT EXISTS (SELECT FROM ONLY %s p WHERE p.%s = c.%s))",
                                           child->read_from, c, child->read_from, c, parent->source->read_from, k, c);
    g_autoptr(PgResult) result = pg_query(merge->spec.source, sql, DEADLINE_NONE, error);
    *ret_contained = result != NULL && pg_result_bool(result, 0, 0);
    return result != NULL;
}

static bool suggest_column(Merge *merge, const CatalogRelation *child, const CatalogColumn *column,
                           const MergeRelation *parent, GError **error)
{
    const char *key = parent->table->key[0];
    bool contained = false;
    if (!is_named_after(column->name, parent->source, key) || is_declared(merge, child, column->name) ||
        !g_str_equal(column->type, catalog_column(parent->source, key)->type))
        return true;
    if (!is_contained(merge, child, column->name, parent, &contained, error))
        return false;
    if (contained)
        merge_notice(merge,
                     "%s.%s looks like a reference to %s(%s), whose keys may change, and no foreign key says so: if it "
                     "is one, give "
                     "it in pgfold.yaml (fold.tables.%s.references)",
                     child->label, column->name, parent->source->label, key, child->label);
    return true;
}

bool suggest_references(Merge *merge, GError **error)
{
    const GPtrArray *relations = merge->spec.verification->audit->source->relations;
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeRelation *parent = merge->relations->pdata[i];
        bool rekeyed = parent->whole && parent->rule.on_conflict->conflict == CONFIG_CONFLICT_REKEY;
        if (!rekeyed || parent->table->key == NULL || parent->table->key[1] != NULL)
            continue;
        for (guint k = 0; k < relations->len; k++) {
            const CatalogRelation *child = relations->pdata[k];
            for (guint c = 0; child != parent->source && catalog_has_rows(child) && c < child->columns->len; c++)
                if (!suggest_column(merge, child, child->columns->pdata[c], parent, error))
                    return false;
        }
    }
    return true;
}

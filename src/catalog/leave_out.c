#include "catalog/internal.h"

static void mark_relations(Catalog *catalog, const Filter *filter)
{
    for (guint i = 0; i < catalog->relations->len; i++) {
        CatalogRelation *r = catalog->relations->pdata[i];
        r->left_out = filter_leaves_out(filter, FILTER_RELATION, r->oid);
    }
}

static void drop_sequences(Catalog *catalog, const Filter *filter)
{
    for (guint i = catalog->sequences->len; i-- > 0;) {
        const CatalogSequence *s = catalog->sequences->pdata[i];
        if (!filter_leaves_out_relation(filter, s->schema, s->name))
            continue;
        g_hash_table_remove(catalog->sequences_by_name, s->quoted);
        g_ptr_array_remove_index(catalog->sequences, i);
    }
}

/* A foreign key is also one of the definitions that two sides are compared by. */
static void drop_definition(const Catalog *catalog, const CatalogForeignKey *key)
{
    const CatalogRelation *child = g_hash_table_lookup(catalog->by_name, key->child);
    for (guint i = 0; child != NULL && i < child->definitions->len; i++) {
        const CatalogDefinition *d = child->definitions->pdata[i];
        if (g_str_equal(d->kind, "constraint") && g_str_equal(d->name, key->name)) {
            g_ptr_array_remove_index(child->definitions, i);
            return;
        }
    }
}

static void drop_foreign_keys(Catalog *catalog, const Filter *filter)
{
    for (guint i = catalog->foreign_keys->len; i-- > 0;) {
        const CatalogForeignKey *key = catalog->foreign_keys->pdata[i];
        if (!filter_leaves_out(filter, FILTER_CONSTRAINT, key->oid))
            continue;
        drop_definition(catalog, key);
        g_ptr_array_remove_index(catalog->foreign_keys, i);
    }
}

static void drop_extensions(Catalog *catalog, const Filter *filter)
{
    for (guint i = catalog->extensions->len; i-- > 0;) {
        const CatalogPair *pair = catalog->extensions->pdata[i];
        if (filter_leaves_out_extension(filter, pair->name))
            g_ptr_array_remove_index(catalog->extensions, i);
    }
}

void catalog_leave_out(Catalog *catalog, const Filter *filter)
{
    mark_relations(catalog, filter);
    drop_sequences(catalog, filter);
    drop_foreign_keys(catalog, filter);
    drop_extensions(catalog, filter);
    if (filter->named_only)
        catalog->large_objects = 0;
}

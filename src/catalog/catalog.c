#include "catalog/catalog.h"

#include "catalog/internal.h"

static void column_free(gpointer data)
{
    CatalogColumn *c = data;
    g_free(c->name);
    g_free(c->type);
    g_free(c->base_schema);
    g_free(c->base_name);
    g_free(c->elem_name);
    g_free(c->default_sql);
    g_free(c->collation);
    g_free(c);
}

static void definition_free(gpointer data)
{
    CatalogDefinition *d = data;
    g_free(d->kind);
    g_free(d->name);
    g_free(d->sql);
    g_free(d);
}

static void unique_free(gpointer data)
{
    CatalogUnique *u = data;
    g_free(u->name);
    g_strfreev(u->columns);
    g_strfreev(u->expressions);
    g_free(u->condition);
    g_free(u);
}

static void relation_free(gpointer data)
{
    CatalogRelation *r = data;
    g_free(r->schema);
    g_free(r->name);
    g_free(r->label);
    g_free(r->quoted);
    g_free(r->read_from);
    g_free(r->owner);
    g_free(r->key_name);
    g_strfreev(r->key);
    g_ptr_array_unref(r->columns);
    g_ptr_array_unref(r->definitions);
    g_ptr_array_unref(r->uniques);
    g_free(r);
}

static void sequence_free(gpointer data)
{
    CatalogSequence *s = data;
    g_free(s->schema);
    g_free(s->name);
    g_free(s->label);
    g_free(s->quoted);
    g_free(s->read_from);
    g_free(s);
}

static void foreign_key_free(gpointer data)
{
    CatalogForeignKey *k = data;
    g_free(k->name);
    g_free(k->child);
    g_free(k->parent);
    g_free(k->child_label);
    g_free(k->orphans_sql);
    g_strfreev(k->columns);
    g_strfreev(k->parent_columns);
    g_free(k);
}

static void pair_free(gpointer data)
{
    CatalogPair *p = data;
    g_free(p->name);
    g_free(p->value);
    g_free(p);
}

CatalogRelation *catalog_relation_new(void)
{
    CatalogRelation *r = g_new0(CatalogRelation, 1);
    r->columns = g_ptr_array_new_with_free_func(column_free);
    r->definitions = g_ptr_array_new_with_free_func(definition_free);
    r->uniques = g_ptr_array_new_with_free_func(unique_free);
    return r;
}

Catalog *catalog_new(void)
{
    Catalog *catalog = g_new0(Catalog, 1);
    catalog->relations = g_ptr_array_new_with_free_func(relation_free);
    catalog->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    catalog->sequences = g_ptr_array_new_with_free_func(sequence_free);
    catalog->sequences_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    catalog->foreign_keys = g_ptr_array_new_with_free_func(foreign_key_free);
    catalog->extensions = g_ptr_array_new_with_free_func(pair_free);
    catalog->counts = g_ptr_array_new_with_free_func(pair_free);
    catalog->properties = g_ptr_array_new_with_free_func(pair_free);
    return catalog;
}

void catalog_free(Catalog *catalog)
{
    if (catalog == NULL)
        return;
    g_hash_table_unref(catalog->by_name);
    g_hash_table_unref(catalog->sequences_by_name);
    g_ptr_array_unref(catalog->relations);
    g_ptr_array_unref(catalog->sequences);
    g_ptr_array_unref(catalog->foreign_keys);
    g_ptr_array_unref(catalog->extensions);
    g_ptr_array_unref(catalog->counts);
    g_ptr_array_unref(catalog->properties);
    g_free(catalog);
}

CatalogRelation *catalog_find(const Catalog *catalog, const char *schema, const char *name)
{
    g_autofree char *quoted = pg_quote_qualified(schema, name);
    return g_hash_table_lookup(catalog->by_name, quoted);
}

CatalogColumn *catalog_column(const CatalogRelation *relation, const char *name)
{
    for (guint i = 0; i < relation->columns->len; i++) {
        CatalogColumn *column = relation->columns->pdata[i];
        if (g_str_equal(column->name, name))
            return column;
    }
    return NULL;
}

static bool is_key(const CatalogRelation *relation, const char *const *key)
{
    if (relation->key == NULL || g_strv_length(relation->key) != g_strv_length((char **)key))
        return false;
    for (; *key != NULL; key++)
        if (!g_strv_contains((const char *const *)relation->key, *key))
            return false;
    return true;
}

bool catalog_give_key(CatalogRelation *relation, const char *const *key, const char **ret_unknown)
{
    for (guint i = 0; key[i] != NULL; i++)
        if (catalog_column(relation, key[i]) == NULL) {
            *ret_unknown = key[i];
            return false;
        }
    if (relation->key_is_primary || is_key(relation, key))
        return true;
    g_strfreev(relation->key);
    g_clear_pointer(&relation->key_name, g_free);
    relation->key = g_strdupv((char **)key);
    relation->key_given = true;
    return true;
}

const char *catalog_property(const Catalog *catalog, const char *name)
{
    for (guint i = 0; i < catalog->properties->len; i++) {
        const CatalogPair *pair = catalog->properties->pdata[i];
        if (g_str_equal(pair->name, name))
            return pair->value;
    }
    return NULL;
}

bool catalog_has_rows(const CatalogRelation *relation)
{
    return relation->kind == 'r' && !relation->extension_member;
}

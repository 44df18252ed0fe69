#include "catalog/hidden.h"

#include <string.h>

/* No name of pg_dump's holds a line break (dump/dump.h). */
enum { LINES = 3 /* of a name */ };

static char *key_of(const char *type, const char *schema, const char *name)
{
    return g_strdup_printf("%s\n%s\n%s", type, schema == NULL ? "" : schema, name);
}

Hidden *hidden_new(const char *owner)
{
    Hidden *hidden = g_new0(Hidden, 1);
    hidden->owner = g_strdup(owner);
    hidden->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return hidden;
}

void hidden_free(Hidden *hidden)
{
    if (hidden == NULL)
        return;
    g_free(hidden->owner);
    g_hash_table_unref(hidden->names);
    g_free(hidden);
}

bool hidden_add(Hidden *hidden, const char *type, const char *schema, const char *name)
{
    return g_hash_table_add(hidden->names, key_of(type, schema, name));
}

bool hidden_has(const Hidden *hidden, const char *type, const char *schema, const char *name)
{
    if (hidden == NULL)
        return false;
    g_autofree char *key = key_of(type, schema, name);
    return g_hash_table_contains(hidden->names, key);
}

static bool has_any(const Hidden *hidden, const char *const *types, const char *schema, const char *name)
{
    for (gsize i = 0; types[i] != NULL; i++)
        if (hidden_has(hidden, types[i], schema, name))
            return true;
    return false;
}

bool hidden_has_relation(const Hidden *hidden, const char *schema, const char *name)
{
    static const char *const TYPES[] = {"TABLE", "MATERIALIZED VIEW", "FOREIGN TABLE", "VIEW", "SEQUENCE", NULL};
    return has_any(hidden, TYPES, schema, name);
}

bool hidden_has_type(const Hidden *hidden, const char *schema, const char *name)
{
    static const char *const TYPES[] = {"TYPE", "DOMAIN", "SHELL TYPE", NULL};
    return has_any(hidden, TYPES, schema, name) || hidden_has_relation(hidden, schema, name);
}

char *hidden_to_text(const Hidden *hidden)
{
    GString *text = g_string_new(hidden->owner);
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, hidden->names);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_string_append_printf(text, "\n%s", (const char *)key);
    return g_string_free(text, FALSE);
}

Hidden *hidden_from_text(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = g_strv_length(lines);
    if (n == 0 || *lines[0] == '\0' || (n - 1) % LINES != 0)
        return NULL;
    Hidden *hidden = hidden_new(lines[0]);
    for (guint i = 1; i < n; i += LINES)
        (void)hidden_add(hidden, lines[i], lines[i + 1], lines[i + 2]);
    return hidden;
}

static bool hides(const Catalog *catalog, const Hidden *hidden, const char *quoted)
{
    const CatalogRelation *r = g_hash_table_lookup(catalog->by_name, quoted);
    return r != NULL && hidden_has_relation(hidden, r->schema, r->name);
}

static void hide_foreign_keys(Catalog *catalog, const Hidden *hidden)
{
    for (guint i = catalog->foreign_keys->len; i-- > 0;) {
        const CatalogForeignKey *key = catalog->foreign_keys->pdata[i];
        if (hides(catalog, hidden, key->child) || hides(catalog, hidden, key->parent))
            g_ptr_array_remove_index(catalog->foreign_keys, i);
    }
}

static void hide_relations(Catalog *catalog, const Hidden *hidden)
{
    for (guint i = catalog->relations->len; i-- > 0;) {
        const CatalogRelation *r = catalog->relations->pdata[i];
        if (!hidden_has_relation(hidden, r->schema, r->name))
            continue;
        g_hash_table_remove(catalog->by_name, r->quoted);
        g_ptr_array_remove_index(catalog->relations, i);
    }
}

static void hide_sequences(Catalog *catalog, const Hidden *hidden)
{
    for (guint i = catalog->sequences->len; i-- > 0;) {
        const CatalogSequence *s = catalog->sequences->pdata[i];
        if (!hidden_has(hidden, "SEQUENCE", s->schema, s->name))
            continue;
        g_hash_table_remove(catalog->sequences_by_name, s->quoted);
        g_ptr_array_remove_index(catalog->sequences, i);
    }
}

static void hide_extensions(Catalog *catalog, const Hidden *hidden)
{
    for (guint i = catalog->extensions->len; i-- > 0;) {
        const CatalogPair *pair = catalog->extensions->pdata[i];
        if (hidden_has(hidden, "EXTENSION", NULL, pair->name))
            g_ptr_array_remove_index(catalog->extensions, i);
    }
}

void catalog_hide(Catalog *catalog, const Hidden *hidden)
{
    hide_foreign_keys(catalog, hidden); /* first: the others tell whose they are */
    hide_relations(catalog, hidden);
    hide_sequences(catalog, hidden);
    hide_extensions(catalog, hidden);
    g_ptr_array_set_size(catalog->counts, 0);
}

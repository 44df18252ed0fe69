/* A source's catalog under the names of the target. */
#include <string.h>

#include "base/error.h"
#include "catalog/internal.h"

typedef struct Names {
    const char *from, *to;
} Names;

static bool is_moved(const Names *names, const char *schema)
{
    return g_str_equal(schema, names->from);
}

static void replace(char **text, char *with)
{
    g_free(*text);
    *text = with;
}

/* The names of a relation or a sequence. */
static void set_names(const Names *names, char **schema, const char *name, char **label, char **quoted)
{
    replace(schema, g_strdup(names->to));
    replace(label, g_strconcat(names->to, ".", name, NULL));
    replace(quoted, pg_quote_qualified(names->to, name));
}

static bool is_missing(const char *label, GError **error)
{
    pgf_error_set(error, PGF_ERROR_INTERNAL, "Please report this.",
                  "%s is not in the database in which its schema was renamed", label);
    return false;
}

static void share(GPtrArray **list, GPtrArray *with)
{
    g_ptr_array_ref(with);
    g_ptr_array_unref(*list);
    *list = with;
}

static bool rename_relation(CatalogRelation *r, const Catalog *renamed, const Names *names, GError **error)
{
    const char *schema = is_moved(names, r->schema) && !r->extension_member ? names->to : r->schema;
    const CatalogRelation *there = catalog_find(renamed, schema, r->name);
    if (there == NULL && r->extension_member) /* its extension could not stay in the old schema, which is refused */
        there = catalog_find(renamed, names->to, r->name);
    if (there == NULL || there->columns->len != r->columns->len)
        return is_missing(r->label, error);
    if (schema == names->to)
        set_names(names, &r->schema, r->name, &r->label, &r->quoted);
    r->oid = there->oid;
    share(&r->columns, there->columns);
    share(&r->definitions, there->definitions);
    share(&r->uniques, there->uniques);
    return true;
}

static bool rename_sequence(CatalogSequence *s, const Catalog *renamed, const Names *names, GError **error)
{
    if (is_moved(names, s->schema))
        set_names(names, &s->schema, s->name, &s->label, &s->quoted);
    return g_hash_table_contains(renamed->sequences_by_name, s->quoted) || is_missing(s->label, error);
}

/* "from"."name" -> "to"."name" */
static void rename_quoted(char **quoted, const Names *names)
{
    g_autofree char *from = pg_quote_ident(names->from);
    g_autofree char *prefix = g_strconcat(from, ".", NULL);
    if (!g_str_has_prefix(*quoted, prefix))
        return;
    g_autofree char *to = pg_quote_ident(names->to);
    replace(quoted, g_strconcat(to, ".", *quoted + strlen(prefix), NULL));
}

static void rename_foreign_key(CatalogForeignKey *key, const Catalog *renamed, const Names *names)
{
    g_autofree char *prefix = g_strconcat(names->from, ".", NULL);
    if (g_str_has_prefix(key->child_label, prefix))
        replace(&key->child_label, g_strconcat(names->to, ".", key->child_label + strlen(prefix), NULL));
    rename_quoted(&key->child, names);
    rename_quoted(&key->parent, names);
    key->oid = 0;
    for (guint i = 0; i < renamed->foreign_keys->len; i++) {
        const CatalogForeignKey *there = renamed->foreign_keys->pdata[i];
        if (g_str_equal(there->name, key->name) && g_str_equal(there->child, key->child))
            key->oid = there->oid;
    }
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const CatalogRelation *x = *(CatalogRelation *const *)a, *y = *(CatalogRelation *const *)b;
    int schemas = strcmp(x->schema, y->schema);
    return schemas != 0 ? schemas : strcmp(x->name, y->name);
}

static gint sequences_by_name(gconstpointer a, gconstpointer b)
{
    const CatalogSequence *x = *(CatalogSequence *const *)a, *y = *(CatalogSequence *const *)b;
    int schemas = strcmp(x->schema, y->schema);
    return schemas != 0 ? schemas : strcmp(x->name, y->name);
}

bool catalog_rename(Catalog *catalog, const Catalog *renamed, const char *from, const char *to, GError **error)
{
    const Names names = {.from = from, .to = to};
    g_hash_table_remove_all(catalog->by_name);
    for (guint i = 0; i < catalog->relations->len; i++) {
        CatalogRelation *r = catalog->relations->pdata[i];
        if (!rename_relation(r, renamed, &names, error))
            return false;
        g_hash_table_insert(catalog->by_name, r->quoted, r);
    }
    g_ptr_array_sort(catalog->relations, by_name);
    g_hash_table_remove_all(catalog->sequences_by_name);
    for (guint i = 0; i < catalog->sequences->len; i++) {
        CatalogSequence *s = catalog->sequences->pdata[i];
        if (!rename_sequence(s, renamed, &names, error))
            return false;
        g_hash_table_insert(catalog->sequences_by_name, s->quoted, s);
    }
    g_ptr_array_sort(catalog->sequences, sequences_by_name);
    for (guint i = 0; i < catalog->foreign_keys->len; i++)
        rename_foreign_key(catalog->foreign_keys->pdata[i], renamed, &names);
    return true;
}

CatalogRelation catalog_in_target(const CatalogRelation *relation)
{
    CatalogRelation there = *relation;
    there.read_from = there.quoted;
    return there;
}

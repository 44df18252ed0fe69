#include <string.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/catalog_sql.h"
#include "catalog/internal.h"
#include "pg/batch.h"

enum { SEQUENCES_PER_QUERY = 100 };

/* While rows of columns and the like come ordered by relation oid: the relations by oid, and the last one used. */
typedef struct Reader {
    Catalog *catalog;
    GHashTable *by_oid;
    GHashTable *keys_by_oid; /* of foreign keys */
} Reader;

static CatalogRelation *relation_of(const Reader *reader, const PgResult *row)
{
    guint32 oid = (guint32)g_ascii_strtoull(pg_result_get(row, 0, 0), NULL, 10);
    return g_hash_table_lookup(reader->by_oid, GUINT_TO_POINTER(oid));
}

static char first_char(const PgResult *row, int column)
{
    const char *text = pg_result_get(row, 0, column);
    return text == NULL ? '\0' : *text;
}

static char *label_of(const char *schema, const char *name)
{
    return g_strconcat(schema, ".", name, NULL);
}

static bool on_relation(const PgResult *row, gpointer data, GError **error)
{
    Reader *reader = data;
    CatalogRelation *r = catalog_relation_new();
    r->oid = (guint32)g_ascii_strtoull(pg_result_get(row, 0, 0), NULL, 10);
    r->schema = g_strdup(pg_result_get(row, 0, 1));
    r->name = g_strdup(pg_result_get(row, 0, 2));
    r->label = label_of(r->schema, r->name);
    r->quoted = pg_quote_qualified(r->schema, r->name);
    r->read_from = g_strdup(r->quoted);
    r->kind = first_char(row, 3);
    r->persistence = first_char(row, 4);
    r->bytes = (guint64)pg_result_int(row, 0, 5);
    r->pages = (guint64)pg_result_int(row, 0, 6);
    r->estimate = g_ascii_strtod(pg_result_get(row, 0, 7), NULL);
    r->owner = g_strdup(pg_result_get(row, 0, 8));
    r->is_partition = pg_result_bool(row, 0, 9);
    r->row_security = pg_result_bool(row, 0, 10);
    r->extension_member = pg_result_bool(row, 0, 11);
    r->populated = pg_result_bool(row, 0, 12);
    r->table_bytes = (guint64)pg_result_int(row, 0, 13);
    g_ptr_array_add(reader->catalog->relations, r);
    g_hash_table_insert(reader->by_oid, GUINT_TO_POINTER(r->oid), r);
    g_hash_table_insert(reader->catalog->by_name, r->quoted, r);
    return true;
}

static bool on_column(const PgResult *row, gpointer data, GError **error)
{
    CatalogRelation *relation = relation_of(data, row);
    if (relation == NULL)
        return true; /* of a member of an extension */
    CatalogColumn *c = g_new0(CatalogColumn, 1);
    c->name = g_strdup(pg_result_get(row, 0, 1));
    c->type = g_strdup(pg_result_get(row, 0, 2));
    c->base_schema = g_strdup(pg_result_get(row, 0, 3));
    c->base_name = g_strdup(pg_result_get(row, 0, 4));
    c->base_kind = first_char(row, 5);
    c->elem_name = g_strdup(pg_result_get(row, 0, 6));
    c->is_array = pg_result_bool(row, 0, 7);
    c->typmod = (int)pg_result_int(row, 0, 8);
    c->not_null = pg_result_bool(row, 0, 9);
    c->generated = pg_result_bool(row, 0, 10);
    c->is_virtual = pg_result_bool(row, 0, 11);
    c->identity = first_char(row, 12);
    c->default_sql = g_strdup(pg_result_get(row, 0, 13));
    c->collation = g_strdup(pg_result_get(row, 0, 14));
    c->from_initdb = pg_result_bool(row, 0, 15);
    g_ptr_array_add(relation->columns, c);
    return true;
}

static void append_name(char ***list, const char *name)
{
    guint n = *list == NULL ? 0 : g_strv_length(*list);
    *list = g_renew(char *, *list, n + 2);
    (*list)[n] = g_strdup(name);
    (*list)[n + 1] = NULL;
}

static bool on_key(const PgResult *row, gpointer data, GError **error)
{
    CatalogRelation *relation = relation_of(data, row);
    if (relation == NULL)
        return true;
    append_name(&relation->key, pg_result_get(row, 0, 2));
    if (relation->key_name == NULL)
        relation->key_name = g_strdup(pg_result_get(row, 0, 1));
    relation->key_is_primary = pg_result_bool(row, 0, 3);
    return true;
}

static bool on_unique(const PgResult *row, gpointer data, GError **error)
{
    CatalogRelation *relation = relation_of(data, row);
    if (relation == NULL)
        return true;
    const char *name = pg_result_get(row, 0, 1);
    CatalogUnique *u = relation->uniques->len == 0 ? NULL : relation->uniques->pdata[relation->uniques->len - 1];
    if (u == NULL || !g_str_equal(u->name, name)) {
        u = g_new0(CatalogUnique, 1);
        u->name = g_strdup(name);
        u->condition = g_strdup(pg_result_get(row, 0, 2));
        g_ptr_array_add(relation->uniques, u);
    }
    const char *column = pg_result_get(row, 0, 4);
    bool plain = column != NULL && (u->expressions == NULL || u->columns != NULL);
    append_name(&u->expressions, pg_result_get(row, 0, 3));
    if (plain)
        append_name(&u->columns, column);
    else
        g_clear_pointer(&u->columns, g_strfreev);
    return true;
}

static bool on_definition(const PgResult *row, gpointer data, GError **error)
{
    CatalogRelation *relation = relation_of(data, row);
    if (relation == NULL)
        return true;
    CatalogDefinition *d = g_new0(CatalogDefinition, 1);
    d->kind = g_strdup(pg_result_get(row, 0, 1));
    d->name = g_strdup(pg_result_get(row, 0, 2));
    d->sql = g_strdup(pg_result_get(row, 0, 3));
    g_ptr_array_add(relation->definitions, d);
    return true;
}

static bool on_sequence(const PgResult *row, gpointer data, GError **error)
{
    Reader *reader = data;
    CatalogSequence *s = g_new0(CatalogSequence, 1);
    s->schema = g_strdup(pg_result_get(row, 0, 0));
    s->name = g_strdup(pg_result_get(row, 0, 1));
    s->label = label_of(s->schema, s->name);
    s->quoted = pg_quote_qualified(s->schema, s->name);
    s->read_from = g_strdup(s->quoted);
    s->increment = pg_result_int(row, 0, 2);
    g_ptr_array_add(reader->catalog->sequences, s);
    g_hash_table_insert(reader->catalog->sequences_by_name, s->quoted, s);
    return true;
}

static bool on_foreign_key(const PgResult *row, gpointer data, GError **error)
{
    Reader *reader = data;
    CatalogForeignKey *k = g_new0(CatalogForeignKey, 1);
    k->oid = (guint32)g_ascii_strtoull(pg_result_get(row, 0, 0), NULL, 10);
    k->name = g_strdup(pg_result_get(row, 0, 1));
    k->child = pg_quote_qualified(pg_result_get(row, 0, 2), pg_result_get(row, 0, 3));
    k->child_label = label_of(pg_result_get(row, 0, 2), pg_result_get(row, 0, 3));
    k->parent = pg_quote_qualified(pg_result_get(row, 0, 4), pg_result_get(row, 0, 5));
    k->validated = pg_result_bool(row, 0, 6);
    k->partitioned = pg_result_bool(row, 0, 7);
    k->inherited = pg_result_bool(row, 0, 8);
    k->orphans_sql = g_strdup(pg_result_get(row, 0, 9));
    g_ptr_array_add(reader->catalog->foreign_keys, k);
    g_hash_table_insert(reader->keys_by_oid, GUINT_TO_POINTER(k->oid), k);
    return true;
}

static bool on_foreign_key_column(const PgResult *row, gpointer data, GError **error)
{
    const Reader *reader = data;
    guint32 oid = (guint32)g_ascii_strtoull(pg_result_get(row, 0, 0), NULL, 10);
    CatalogForeignKey *k = g_hash_table_lookup(reader->keys_by_oid, GUINT_TO_POINTER(oid));
    if (k == NULL)
        return true;
    k->deferrable = pg_result_bool(row, 0, 1);
    append_name(&k->columns, pg_result_get(row, 0, 2));
    append_name(&k->parent_columns, pg_result_get(row, 0, 3));
    return true;
}

static bool on_pair(const PgResult *row, gpointer data, GError **error)
{
    CatalogPair *pair = g_new0(CatalogPair, 1);
    pair->name = g_strdup(pg_result_get(row, 0, 0));
    pair->value = g_strdup(pg_result_get(row, 0, 1));
    g_ptr_array_add(data, pair);
    return true;
}

static bool on_sequence_value(const PgResult *row, gpointer data, GError **error)
{
    const GPtrArray *sequences = data;
    CatalogSequence *s = sequences->pdata[pg_result_int(row, 0, 0)];
    s->last_value = pg_result_int(row, 0, 1);
    s->is_called = pg_result_bool(row, 0, 2);
    return true;
}

static char *sequence_values_sql(const GPtrArray *sequences, guint from, guint to)
{
    GString *sql = g_string_new(NULL);
    for (guint i = from; i < to; i++) {
        const CatalogSequence *s = sequences->pdata[i];
        g_string_append_printf(sql, "%sSELECT %u AS i, last_value, is_called FROM %s", i > from ? " UNION ALL " : "", i,
                               s->quoted);
    }
    return g_string_free(sql, FALSE);
}

/* A sequence's value is a row of the sequence itself: many of them in one query, but not so many that the server's
 * table of locks is full. */
bool catalog_read_sequences(PgConn *conn, GPtrArray *sequences, GError **error)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) statements = g_array_new(FALSE, FALSE, sizeof(PgStatement));
    for (guint from = 0; from < sequences->len; from += SEQUENCES_PER_QUERY) {
        char *sql = sequence_values_sql(sequences, from, MIN(from + SEQUENCES_PER_QUERY, sequences->len));
        PgStatement statement = {.sql = sql, .func = on_sequence_value, .data = sequences};
        g_ptr_array_add(texts, sql);
        g_array_append_val(statements, statement);
    }
    if (pg_batch(conn, (const PgStatement *)(const void *)statements->data, statements->len, NULL, NULL,
                 deadline_in_ms(PG_CATALOG_MS), error))
        return true;
    g_prefix_error(error, "reading the sequences: ");
    return false;
}

Catalog *catalog_read_definitions(PgConn *conn, const Filter *filter, GError **error)
{
    const char *const listed[] = {filter == NULL       ? NULL
                                  : filter->named_only ? "true"
                                                       : "false",
                                  filter == NULL ? NULL : filter->classes, filter == NULL ? NULL : filter->oids};
    g_autoptr(Catalog) catalog = catalog_new();
    g_autoptr(GHashTable) by_oid = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) keys_by_oid = g_hash_table_new(g_direct_hash, g_direct_equal);
    Reader reader = {.catalog = catalog, .by_oid = by_oid, .keys_by_oid = keys_by_oid};
    const PgStatement queries[] = {
        {.sql = CATALOG_RELATIONS_SQL, .func = on_relation, .data = &reader},
        {.sql = CATALOG_COLUMNS_SQL, .func = on_column, .data = &reader},
        {.sql = CATALOG_KEYS_SQL, .func = on_key, .data = &reader},
        {.sql = CATALOG_UNIQUES_SQL, .func = on_unique, .data = &reader},
        {.sql = CATALOG_DEFINITIONS_SQL, .func = on_definition, .data = &reader},
        {.sql = CATALOG_SEQUENCES_SQL, .func = on_sequence, .data = &reader},
        {.sql = CATALOG_FOREIGN_KEYS_SQL, .func = on_foreign_key, .data = &reader},
        {.sql = CATALOG_FOREIGN_KEY_COLUMNS_SQL, .func = on_foreign_key_column, .data = &reader},
        {.sql = CATALOG_EXTENSIONS_SQL, .func = on_pair, .data = catalog->extensions},
        {.sql = CATALOG_COUNTS_SQL,
         .n = G_N_ELEMENTS(listed),
         .values = listed,
         .func = on_pair,
         .data = catalog->counts},
        {.sql = CATALOG_DATABASE_SQL, .func = on_pair, .data = catalog->properties},
    };
    if (!pg_batch(conn, queries, G_N_ELEMENTS(queries), NULL, NULL,
                  deadline_in_ms(PG_CATALOG_MS * G_N_ELEMENTS(queries)), error)) {
        g_prefix_error(error, "reading the catalogs: ");
        return NULL;
    }
    const char *bytes = catalog_property(catalog, "bytes");
    const char *large_objects = catalog_property(catalog, "large objects");
    catalog->database_bytes = bytes == NULL ? 0 : g_ascii_strtoull(bytes, NULL, 10);
    catalog->large_objects = large_objects == NULL ? 0 : g_ascii_strtoull(large_objects, NULL, 10);
    if (filter != NULL)
        catalog_leave_out(catalog, filter);
    return g_steal_pointer(&catalog);
}

Catalog *catalog_read(PgConn *conn, const Filter *filter, GError **error)
{
    g_autoptr(Catalog) catalog = catalog_read_definitions(conn, filter, error);
    return catalog != NULL && catalog_read_sequences(conn, catalog->sequences, error) ? g_steal_pointer(&catalog)
                                                                                      : NULL;
}

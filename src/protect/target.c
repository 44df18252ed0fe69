/* Schemas and tables of the target database: the catalog rows that belong to them, and their rows. */
#include <string.h>

#include "protect/internal.h"
#include "protect/protect_sql.h"

typedef struct Watched {
    ProtectItem *item;
    GChecksum *sum; /* of its definitions */
} Watched;

typedef struct Reading {
    GPtrArray *items;             /* found ones are appended */
    GHashTable *schemas, *tables; /* oid, name or label, as text -> Watched* */
} Reading;

static void watched_free(gpointer data)
{
    Watched *watched = data;
    g_checksum_free(watched->sum);
    g_free(watched);
}

static GHashTable *watch_list(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, watched_free);
}

static void watch(Reading *reading, GHashTable *list, const char *kind, const char *name, const char *oid, bool rows)
{
    Watched *watched = g_new0(Watched, 1);
    watched->sum = g_checksum_new(G_CHECKSUM_SHA256);
    watched->item = items_add(
        reading->items, item_new(kind, name, "target", rows ? PROTECT_DEFINITIONS_AND_ROWS : PROTECT_DEFINITIONS));
    watched->item->counts = rows ? "table" : NULL;
    g_hash_table_insert(list, g_strdup(oid), watched);
}

static bool find_schemas(Reading *reading, const Config *config, PgConn *conn, bool rows, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, PROTECT_SCHEMAS_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        const char *name = pg_result_get(r, i, 1);
        if (config_protected(config, CONFIG_PROTECT_SCHEMAS, name) != NULL)
            watch(reading, reading->schemas, "schema", name, pg_result_get(r, i, 0), rows);
    }
    return r != NULL;
}

static bool find_tables(Reading *reading, const Config *config, PgConn *conn, bool rows, GError **error)
{
    g_autoptr(Catalog) catalog = catalog_read_definitions(conn, NULL, error);
    for (guint i = 0; catalog != NULL && i < catalog->relations->len; i++) {
        const CatalogRelation *relation = catalog->relations->pdata[i];
        g_autofree char *oid = g_strdup_printf("%u", relation->oid);
        if (config_protected(config, CONFIG_PROTECT_TABLES, relation->label) != NULL)
            watch(reading, reading->tables, "table", relation->label, oid, rows);
    }
    return catalog != NULL;
}

static void add_to(GHashTable *list, const PgResult *row, int column)
{
    const Watched *watched = g_hash_table_lookup(list, pg_result_get(row, 0, column));
    for (int i = 0; watched != NULL && i < pg_result_columns(row); i++) {
        const char *value = pg_result_get(row, 0, i);
        g_checksum_update(watched->sum, (const guchar *)value, (gssize)strlen(value) + 1);
    }
}

static bool on_object(const PgResult *row, gpointer data, GError **error)
{
    const Reading *reading = data;
    add_to(reading->schemas, row, 0);
    add_to(reading->tables, row, 1);
    return true;
}

static void add_definitions(GHashTable *list)
{
    GHashTableIter each;
    gpointer value;
    g_hash_table_iter_init(&each, list);
    while (g_hash_table_iter_next(&each, NULL, &value)) {
        const Watched *watched = value;
        item_part(watched->item, "its definitions", g_checksum_get_string(watched->sum));
    }
}

static void pick(const char *schema, const char *name, GPtrArray *ret_items, gpointer data)
{
    const Reading *reading = data;
    g_autofree char *label = g_strconcat(schema, ".", name, NULL);
    for (guint i = 0; i < reading->items->len; i++) {
        ProtectItem *item = reading->items->pdata[i];
        bool is_schema = strcmp(item->kind, "schema") == 0 && strcmp(item->name, schema) == 0;
        bool is_table = strcmp(item->kind, "table") == 0 && strcmp(item->name, label) == 0;
        if (is_schema || is_table)
            g_ptr_array_add(ret_items, item);
    }
}

static bool read_target(GPtrArray *items, const Ends *ends, bool rows, GError **error)
{
    g_autoptr(GHashTable) schemas = watch_list(), tables = watch_list();
    Reading reading = {.items = items, .schemas = schemas, .tables = tables};
    g_autoptr(PgConn) conn =
        pg_conn_open("target", ends->config->target.url, ends->target_database, deadline_in_ms(PG_CONNECT_MS), error);
    if (conn == NULL || !protect_begin(conn, error) || !find_schemas(&reading, ends->config, conn, rows, error) ||
        !find_tables(&reading, ends->config, conn, rows, error) ||
        !pg_query_each(conn, PROTECT_OBJECTS_SQL, 0, NULL, on_object, &reading, deadline_in_ms(PG_CATALOG_MS), error))
        return false;
    add_definitions(schemas);
    add_definitions(tables);
    return !rows || items->len == 0 || protect_rows(conn, pick, &reading, error);
}

bool protect_target(GPtrArray *items, const Ends *ends, bool rows, GError **error)
{
    const char *method = rows ? PROTECT_DEFINITIONS_AND_ROWS : PROTECT_DEFINITIONS;
    bool wanted = ends->config->protect[CONFIG_PROTECT_SCHEMAS][0] != NULL ||
                  ends->config->protect[CONFIG_PROTECT_TABLES][0] != NULL;
    g_autoptr(GPtrArray) found = items_new();
    if (wanted && ends->target != NULL && ends->target_missing == NULL && !read_target(found, ends, rows, error))
        return false;
    while (found->len > 0)
        items_add(items, g_ptr_array_steal_index(found, 0));
    items_add_absent(items, ends->config, CONFIG_PROTECT_SCHEMAS, "schema", method);
    items_add_absent(items, ends->config, CONFIG_PROTECT_TABLES, "table", method);
    return true;
}

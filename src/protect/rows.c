#include "audit/audit.h"
#include "base/cancel.h"
#include "base/error.h"
#include "protect/internal.h"
#include "protect/protect_sql.h"
#include "reconcile/digest.h"

typedef struct Reading {
    PgConn *conn;
    ProtectPick pick;
    gpointer data;
    GHashTable *unreadable; /* quoted name -> what is missing */
} Reading;

static GHashTable *read_unreadable(PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, PROTECT_UNREADABLE_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return NULL;
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (int i = 0; i < pg_result_rows(r); i++)
        g_hash_table_insert(names, pg_quote_qualified(pg_result_get(r, i, 0), pg_result_get(r, i, 1)),
                            g_strdup(pg_result_get(r, i, 2)));
    return names;
}

static GPtrArray *pick(const Reading *reading, const char *schema, const char *name)
{
    GPtrArray *items = g_ptr_array_new();
    reading->pick(schema, name, items, reading->data);
    return items;
}

static void add_unreadable(const GPtrArray *items, const char *label, const char *problem)
{
    for (guint i = 0; i < items->len; i++)
        item_unreadable(items->pdata[i], label, problem);
}

static void add_rows(const GPtrArray *items, const char *label, const Digest *digest)
{
    g_autofree char *text = digest_text(digest);
    for (guint i = 0; i < items->len; i++)
        item_rows(items->pdata[i], label, (gint64)digest->rows, text);
}

/* A failure of the server is about this one, and the transaction goes on; others end it all. */
static bool recover(PgConn *conn, const GPtrArray *items, const char *label, GError *failure, GError **error)
{
    if (cancel_requested() || failure->code == PGF_ERROR_CONNECT || failure->code == PGF_ERROR_CANCELLED) {
        g_propagate_error(error, failure);
        return false;
    }
    add_unreadable(items, label, failure->message);
    g_error_free(failure);
    return pg_exec(conn, "ROLLBACK TO SAVEPOINT pgfold_protect", deadline_in_ms(PG_CATALOG_MS), error);
}

static bool read_relation(const Reading *reading, const CatalogRelation *relation, GError **error)
{
    g_autoptr(GPtrArray) items = pick(reading, relation->schema, relation->name);
    const char *problem = g_hash_table_lookup(reading->unreadable, relation->quoted);
    if (items->len == 0 || relation->kind == 'p' || relation->kind == 'f' || !relation->populated)
        return true;
    if (problem != NULL) {
        add_unreadable(items, relation->label, problem);
        return true;
    }
    Digest digest = {0};
    GError *failure = NULL;
    g_autofree char *sql = digest_relation_sql(relation, NULL, DIGEST_TEXT_NATIVE);
    g_autofree char *guarded = g_strconcat("RELEASE SAVEPOINT pgfold_protect; SAVEPOINT pgfold_protect; ", sql, NULL);
    g_autoptr(PgResult) result = pg_query(reading->conn, guarded, DEADLINE_NONE, &failure);
    if (result == NULL || !digest_from_row(result, 0, 0, &digest, &failure))
        return recover(reading->conn, items, relation->label, failure, error);
    add_rows(items, relation->label, &digest);
    return true;
}

static bool read_sequences(const Reading *reading, const Catalog *catalog, GError **error)
{
    g_autoptr(GPtrArray) readable = g_ptr_array_new();
    for (guint i = 0; i < catalog->sequences->len; i++) {
        const CatalogSequence *s = catalog->sequences->pdata[i];
        g_autoptr(GPtrArray) items = pick(reading, s->schema, s->name);
        const char *problem = g_hash_table_lookup(reading->unreadable, s->quoted);
        g_autofree char *name = g_strconcat("sequence ", s->label, NULL);
        if (problem != NULL)
            add_unreadable(items, name, problem);
        else if (items->len > 0)
            g_ptr_array_add(readable, catalog->sequences->pdata[i]);
    }
    if (!catalog_read_sequences(reading->conn, readable, error))
        return false;
    for (guint i = 0; i < readable->len; i++) {
        const CatalogSequence *s = readable->pdata[i];
        g_autoptr(GPtrArray) items = pick(reading, s->schema, s->name);
        g_autofree char *name = g_strconcat("sequence ", s->label, NULL);
        g_autofree char *value = g_strdup_printf("%" G_GINT64_FORMAT " %d", s->last_value, s->is_called ? 1 : 0);
        for (guint k = 0; k < items->len; k++)
            item_part(items->pdata[k], name, value);
    }
    return true;
}

/* They lie in no schema: only whoever asks for all of a database is given them. */
static bool read_large_objects(const Reading *reading, const Catalog *catalog, GError **error)
{
    g_autoptr(GPtrArray) items = pick(reading, "", "");
    Digest digest = {0};
    GError *failure = NULL;
    if (items->len == 0 || catalog->large_objects == 0)
        return true;
    if (!pg_exec(reading->conn, "RELEASE SAVEPOINT pgfold_protect; SAVEPOINT pgfold_protect",
                 deadline_in_ms(PG_CATALOG_MS), error))
        return false;
    if (!audit_large_objects(reading->conn, &digest, &failure))
        return recover(reading->conn, items, "large objects", failure, error);
    g_autofree char *text = digest_text(&digest);
    for (guint i = 0; i < items->len; i++)
        item_part(items->pdata[i], "large objects", text);
    return true;
}

bool protect_rows(PgConn *conn, ProtectPick pick_items, gpointer data, GError **error)
{
    g_autoptr(Catalog) catalog = catalog_read_definitions(conn, NULL, error);
    g_autoptr(GHashTable) unreadable = catalog == NULL ? NULL : read_unreadable(conn, error);
    if (unreadable == NULL || !pg_exec(conn, "SAVEPOINT pgfold_protect", deadline_in_ms(PG_CATALOG_MS), error))
        return false;
    Reading reading = {.conn = conn, .pick = pick_items, .data = data, .unreadable = unreadable};
    for (guint i = 0; i < catalog->relations->len; i++) {
        if (!read_relation(&reading, catalog->relations->pdata[i], error))
            return false;
    }
    return read_sequences(&reading, catalog, error) && read_large_objects(&reading, catalog, error);
}

#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "protect/internal.h"
#include "protect/protect_sql.h"

bool protect_begin(PgConn *conn, GError **error)
{
    return pg_exec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '10s'",
                   deadline_in_ms(PG_CATALOG_MS), error);
}

static void pick_whole(const char *schema, const char *name, GPtrArray *ret_items, gpointer data)
{
    g_ptr_array_add(ret_items, data);
}

static bool add_to_sum(const PgResult *row, gpointer data, GError **error)
{
    GChecksum *sum = data;
    for (int i = 0; i < pg_result_columns(row); i++) {
        const char *value = pg_result_get(row, 0, i);
        g_checksum_update(sum, (const guchar *)value, (gssize)strlen(value) + 1);
    }
    return true;
}

static bool read_definitions(ProtectItem *item, PgConn *conn, GError **error)
{
    const PgIdentity *identity = pg_conn_identity(conn);
    g_autofree char *oids = g_strdup_printf("%s %u", identity->system_identifier, identity->database_oid);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    item_part(item, "its identity", oids);
    if (!pg_query_each(conn, PROTECT_OBJECTS_SQL, 0, NULL, add_to_sum, sum, deadline_in_ms(PG_CATALOG_MS), error))
        return false;
    item_part(item, "its definitions", g_checksum_get_string(sum));
    return true;
}

static bool read_whole(ProtectItem *item, const char *url, bool rows, GError **error)
{
    g_autoptr(PgConn) conn = pg_conn_open(item->server, url, item->name, deadline_in_ms(PG_CONNECT_MS), error);
    return conn != NULL && protect_begin(conn, error) && read_definitions(item, conn, error) &&
           (!rows || protect_rows(conn, pick_whole, item, error));
}

bool protect_database(ProtectItem *item, const char *url, bool rows, GError **error)
{
    GError *failure = NULL;
    item->counts = rows ? "table" : NULL;
    if (read_whole(item, url, rows, &failure))
        return true;
    if (cancel_requested() || failure->code == PGF_ERROR_CANCELLED) {
        g_propagate_error(error, failure);
        return false;
    }
    item_blind(item, "the database", failure->message);
    g_error_free(failure);
    return true;
}

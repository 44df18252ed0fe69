#include "catalog/lock.h"

#include "base/error.h"
#include "catalog/catalog_sql.h"

enum {
    TABLES_PER_LOCK = 500,
    TABLES_NAMED = 5 /* in a message */
};

/* What one reading of lock_state.sql says. */
typedef struct LockState {
    GHashTable *open;    /* oids that may be locked */
    GHashTable *changed; /* oids */
} LockState;

static bool on_state(const PgResult *row, gpointer data, GError **error)
{
    LockState *state = data;
    guint32 oid = (guint32)g_ascii_strtoull(pg_result_get(row, 0, 0), NULL, 10);
    if (pg_result_bool(row, 0, 1))
        g_hash_table_add(state->open, GUINT_TO_POINTER(oid));
    if (pg_result_bool(row, 0, 2))
        g_hash_table_add(state->changed, GUINT_TO_POINTER(oid));
    return true;
}

static char *names_of(const GPtrArray *tables, guint from, guint to)
{
    GString *names = g_string_new(NULL);
    for (guint i = from; i < to && i < from + TABLES_NAMED; i++)
        g_string_append_printf(names, "%s%s", i > from ? ", " : "", ((const CatalogRelation *)tables->pdata[i])->label);
    if (to - from > TABLES_NAMED)
        g_string_append_printf(names, " and %u more", to - from - TABLES_NAMED);
    return g_string_free(names, FALSE);
}

static void refuse_changed(PgConn *conn, const GPtrArray *tables, guint from, guint to, GError **error)
{
    g_autofree char *names = names_of(tables, from, to);
    pgf_error_set(error, PGF_ERROR_REFUSED, "Run the command again.",
                  "%s: changed while pgfold started (rewritten, replaced or dropped): %s", pg_conn_label(conn), names);
}

/* The tables that are to be locked, none of which was changed; NULL with an error where one was. */
static GPtrArray *read_unchanged(PgConn *conn, const Catalog *catalog, GError **error)
{
    g_autoptr(GHashTable) open = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) changed = g_hash_table_new(g_direct_hash, g_direct_equal);
    LockState state = {.open = open, .changed = changed};
    if (!pg_query_each(conn, CATALOG_LOCK_STATE_SQL, 0, NULL, on_state, &state, deadline_in_ms(PG_CATALOG_MS), error))
        return NULL;
    g_autoptr(GPtrArray) tables = g_ptr_array_new();
    g_autoptr(GPtrArray) bad = g_ptr_array_new();
    for (guint i = 0; i < catalog->relations->len; i++) {
        CatalogRelation *r = catalog->relations->pdata[i];
        if (!catalog_has_rows(r) || !g_hash_table_contains(open, GUINT_TO_POINTER(r->oid)))
            continue;
        g_ptr_array_add(g_hash_table_contains(changed, GUINT_TO_POINTER(r->oid)) ? bad : tables, r);
    }
    if (bad->len > 0) {
        refuse_changed(conn, bad, 0, bad->len, error);
        return NULL;
    }
    return g_steal_pointer(&tables);
}

/* Tells the failures that have a reason outside from the others. */
static void explain(PgConn *conn, const GPtrArray *tables, guint from, guint to, GError **error)
{
    const char *state = pg_conn_sqlstate(conn);
    g_autofree char *names = names_of(tables, from, to);
    if (g_str_equal(state, "55P03")) { /* lock_not_available */
        g_clear_error(error);
        pgf_error_set(error, PGF_ERROR_REFUSED,
                      "Wait until that session is done, or end it (pg_locks, pg_stat_activity), and run the command "
                      "again.",
                      "%s: somebody holds, or waits for, an exclusive lock: a table could not be locked for reading "
                      "within %d s: one of %s",
                      pg_conn_label(conn), CATALOG_LOCK_MS / 1000, names);
    } else if (g_str_equal(state, "42P01") || g_str_equal(state, "3F000") || g_str_equal(state, "42809")) {
        g_clear_error(error);
        refuse_changed(conn, tables, from, to, error);
    } else if (g_str_equal(state, "53200")) { /* out_of_memory: the table of locks is full */
        g_clear_error(error);
        pgf_error_set(error, PGF_ERROR_REFUSED, "Raise max_locks_per_transaction of the server, and restart it.",
                      "%s: the server has no room for a lock on each of %u tables", pg_conn_label(conn), tables->len);
    } else {
        g_prefix_error(error, "locking %s for reading: ", names);
    }
}

static bool lock_batch(PgConn *conn, const GPtrArray *tables, guint from, guint to, GError **error)
{
    g_autoptr(GString) sql = g_string_new("LOCK TABLE ");
    for (guint i = from; i < to; i++)
        g_string_append_printf(sql, "%sONLY %s", i > from ? ", " : "",
                               ((const CatalogRelation *)tables->pdata[i])->read_from);
    g_string_append(sql, " IN ACCESS SHARE MODE");
    if (pg_exec(conn, sql->str, deadline_in_ms(PG_CATALOG_MS), error))
        return true;
    explain(conn, tables, from, to, error);
    return false;
}

bool catalog_bound_waits(PgConn *conn, GError **error)
{
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "SET LOCAL lock_timeout = %d", CATALOG_LOCK_MS);
}

bool catalog_lock(PgConn *conn, const Catalog *catalog, GError **error)
{
    g_autoptr(GPtrArray) tables = read_unchanged(conn, catalog, error);
    if (tables == NULL || !catalog_bound_waits(conn, error))
        return false;
    for (guint from = 0; from < tables->len; from += TABLES_PER_LOCK)
        if (!lock_batch(conn, tables, from, MIN(from + TABLES_PER_LOCK, tables->len), error))
            return false;
    g_autoptr(GPtrArray) still = read_unchanged(conn, catalog, error);
    return still != NULL && pg_exec(conn, "SET LOCAL lock_timeout = 0", deadline_in_ms(PG_CATALOG_MS), error);
}

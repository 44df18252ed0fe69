#include "catalog/lock.h"

#include "base/error.h"
#include "catalog/catalog_sql.h"
#include "pg/batch.h"

enum {
    TABLES_PER_LOCK = 500,
    TABLES_NAMED = 5 /* in a message */
};

#define BOUND_WAITS_SQL "SET LOCAL lock_timeout = %d"

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

static void state_clear(LockState *state)
{
    g_hash_table_unref(state->open);
    g_hash_table_unref(state->changed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LockState, state_clear)

static LockState state_new(void)
{
    return (LockState){.open = g_hash_table_new(g_direct_hash, g_direct_equal),
                       .changed = g_hash_table_new(g_direct_hash, g_direct_equal)};
}

/* The tables that are to be locked, none of which was changed; NULL with an error where one was. */
static GPtrArray *unchanged(PgConn *conn, const Catalog *catalog, const LockState *state, GError **error)
{
    g_autoptr(GPtrArray) tables = g_ptr_array_new();
    g_autoptr(GPtrArray) bad = g_ptr_array_new();
    for (guint i = 0; i < catalog->relations->len; i++) {
        CatalogRelation *r = catalog->relations->pdata[i];
        if (!catalog_has_rows(r) || r->left_out || !g_hash_table_contains(state->open, GUINT_TO_POINTER(r->oid)))
            continue;
        g_ptr_array_add(g_hash_table_contains(state->changed, GUINT_TO_POINTER(r->oid)) ? bad : tables, r);
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

static char *lock_sql(const GPtrArray *tables, guint from, guint to)
{
    GString *sql = g_string_new("LOCK TABLE ");
    for (guint i = from; i < to; i++)
        g_string_append_printf(sql, "%sONLY %s", i > from ? ", " : "",
                               ((const CatalogRelation *)tables->pdata[i])->read_from);
    g_string_append(sql, " IN ACCESS SHARE MODE");
    return g_string_free(sql, FALSE);
}

/* Locks all, and reads how they stand then: one round trip. */
static bool lock_all(PgConn *conn, const GPtrArray *tables, LockState *state, GError **error)
{
    enum { BEFORE = 1, AFTER = 2 };
    guint locks = (tables->len + TABLES_PER_LOCK - 1) / TABLES_PER_LOCK, failed = 0;
    guint n = BEFORE + locks + AFTER;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree PgStatement *statements = g_new0(PgStatement, n);
    g_autofree PgResult **results = g_new0(PgResult *, n);
    g_autofree char *bound = g_strdup_printf(BOUND_WAITS_SQL, CATALOG_LOCK_MS);
    statements[0].sql = bound;
    for (guint i = 0; i < locks; i++) {
        guint from = i * TABLES_PER_LOCK;
        g_ptr_array_add(texts, lock_sql(tables, from, MIN(from + TABLES_PER_LOCK, tables->len)));
        statements[BEFORE + i].sql = texts->pdata[i];
    }
    statements[n - 2] = (PgStatement){.sql = CATALOG_LOCK_STATE_SQL, .func = on_state, .data = state};
    statements[n - 1].sql = "SET LOCAL lock_timeout = 0";
    bool good = pg_batch(conn, statements, n, results, &failed, deadline_in_ms(PG_CATALOG_MS), error);
    for (guint i = 0; i < n; i++)
        pg_result_free(results[i]);
    if (!good && failed >= BEFORE && failed < BEFORE + locks) {
        guint from = (failed - BEFORE) * TABLES_PER_LOCK;
        explain(conn, tables, from, MIN(from + TABLES_PER_LOCK, tables->len), error);
    }
    return good;
}

bool catalog_bound_waits(PgConn *conn, GError **error)
{
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, BOUND_WAITS_SQL, CATALOG_LOCK_MS);
}

bool catalog_lock(PgConn *conn, const Catalog *catalog, GError **error)
{
    g_auto(LockState) before = state_new();
    g_auto(LockState) after = state_new();
    if (!pg_query_each(conn, CATALOG_LOCK_STATE_SQL, 0, NULL, on_state, &before, deadline_in_ms(PG_CATALOG_MS), error))
        return false;
    g_autoptr(GPtrArray) tables = unchanged(conn, catalog, &before, error);
    if (tables == NULL || !lock_all(conn, tables, &after, error))
        return false;
    g_autoptr(GPtrArray) still = unchanged(conn, catalog, &after, error);
    return still != NULL;
}

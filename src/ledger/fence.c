#include <stdlib.h>

#include "ledger/internal.h"

bool ledger_fence_begin(Ledger *ledger, gint64 run, const char *source_name, const PgIdentity *source,
                        const char *transaction, json_t *before, gint64 *ret_fence, GError **error)
{
    char *text = json_dumps(before, JSON_COMPACT);
    json_decref(before);
    bool ok = db_run(ledger->db, error,
                     "INSERT INTO fence (run_id, source_name, system, database, oid, state, since, xid, before) "
                     "VALUES (?, ?, ?, ?, ?, 'started', ?, ?, ?)",
                     "itttiitt", run, source_name, source->system_identifier, source->database,
                     (gint64)source->database_oid, g_get_real_time(), transaction, text);
    free(text);
    if (ok)
        *ret_fence = sqlite3_last_insert_rowid(ledger->db);
    return ok;
}

bool ledger_fence_stands(Ledger *ledger, gint64 fence, gint64 server_time, GError **error)
{
    return db_run_one(ledger->db, error, "fence", "UPDATE fence SET state = 'standing', server_time = ? WHERE id = ?",
                      "ii", server_time, fence);
}

static bool end(Ledger *ledger, gint64 fence, const char *state, GError **error)
{
    return db_run_one(ledger->db, error, "fence", "UPDATE fence SET state = ?, ended = ? WHERE id = ?", "tii", state,
                      g_get_real_time(), fence);
}

bool ledger_fence_void(Ledger *ledger, gint64 fence, GError **error)
{
    return end(ledger, fence, "void", error);
}

bool ledger_fence_lifted(Ledger *ledger, gint64 fence, GError **error)
{
    return end(ledger, fence, "lifted", error);
}

void ledger_fence_free(LedgerFence *fence)
{
    if (fence == NULL)
        return;
    g_free(fence->source_name);
    g_free(fence->system_identifier);
    g_free(fence->database);
    g_free(fence->transaction);
    json_decref(fence->before);
    g_free(fence);
}

static LedgerFence *read_fence(sqlite3_stmt *stmt)
{
    LedgerFence *fence = g_new0(LedgerFence, 1);
    g_autofree char *before = db_text(stmt, 10);
    fence->id = sqlite3_column_int64(stmt, 0);
    fence->run = sqlite3_column_int64(stmt, 1);
    fence->source_name = db_text(stmt, 2);
    fence->system_identifier = db_text(stmt, 3);
    fence->database = db_text(stmt, 4);
    fence->database_oid = (guint32)sqlite3_column_int64(stmt, 5);
    fence->since = sqlite3_column_int64(stmt, 6);
    fence->standing = sqlite3_column_int(stmt, 7) != 0;
    fence->transaction = db_text(stmt, 8);
    fence->server_time = sqlite3_column_int64(stmt, 9);
    fence->before = json_loads(before, 0, NULL);
    return fence;
}

GPtrArray *ledger_fences(Ledger *ledger, const PgIdentity *identity, GError **error)
{
    g_autoptr(GPtrArray) fences = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_fence_free);
    g_autoptr(sqlite3_stmt) stmt =
        db_query(ledger->db, error,
                 "SELECT id, run_id, source_name, system, database, oid, since, state = 'standing', xid, server_time, "
                 "before FROM fence WHERE state IN ('started', 'standing') AND (?1 IS NULL OR (system = ?1 AND oid = "
                 "?2)) ORDER BY id DESC",
                 "ti", identity == NULL ? NULL : identity->system_identifier,
                 identity == NULL ? 0 : (gint64)identity->database_oid);
    bool row = false;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return g_steal_pointer(&fences);
        g_ptr_array_add(fences, read_fence(stmt));
    }
    return NULL;
}

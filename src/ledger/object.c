#include "ledger/internal.h"

bool ledger_object_own(Ledger *ledger, gint64 run, const char *kind, const char *name, const char *database,
                       const char *cleanup_sql, gint64 *ret_object, GError **error)
{
    if (!db_run_one(
            ledger->db, error, "running run with a known target",
            "INSERT INTO object (run_id, kind, name, database, cleanup_sql, state) SELECT id, ?, ?, ?, ?, 'owned' "
            "FROM run WHERE id = ? AND state = 'running' AND target_system IS NOT NULL",
            "tttti", kind, name, database, cleanup_sql, run))
        return false;
    *ret_object = sqlite3_last_insert_rowid(ledger->db);
    return true;
}

bool ledger_object_set_cleanup(Ledger *ledger, gint64 object, const char *cleanup_sql, GError **error)
{
    return db_run_one(ledger->db, error, "object", "UPDATE object SET cleanup_sql = ? WHERE id = ? AND state = 'owned'",
                      "ti", cleanup_sql, object);
}

bool ledger_object_released(Ledger *ledger, gint64 object, GError **error)
{
    return db_run_one(ledger->db, error, "object", "UPDATE object SET state = 'released' WHERE id = ?", "i", object);
}

bool ledger_objects_release(Ledger *ledger, gint64 run, GError **error)
{
    return db_run(ledger->db, error, "UPDATE object SET state = 'released' WHERE run_id = ? AND state = 'owned'", "i",
                  run);
}

bool ledger_object_becomes(Ledger *ledger, gint64 object, const char *name, GError **error)
{
    return db_run_one(ledger->db, error, "object", "UPDATE object SET becomes = ? WHERE id = ? AND state = 'owned'",
                      "ti", name, object);
}

bool ledger_object_made(Ledger *ledger, gint64 object, const char *made, GError **error)
{
    return db_run_one(ledger->db, error, "object", "UPDATE object SET made = ? WHERE id = ? AND state = 'owned'", "ti",
                      made, object);
}

bool ledger_objects_take_over(Ledger *ledger, gint64 from, gint64 to, GError **error)
{
    return db_run(ledger->db, error, "UPDATE object SET run_id = ? WHERE run_id = ? AND state = 'owned'", "ii", to,
                  from);
}

bool ledger_object_removed(Ledger *ledger, gint64 object, GError **error)
{
    return db_run_one(ledger->db, error, "object", "UPDATE object SET state = 'removed' WHERE id = ?", "i", object);
}

static void object_free(gpointer data)
{
    LedgerObject *object = data;
    g_free(object->kind);
    g_free(object->name);
    g_free(object->system_identifier);
    g_free(object->database);
    g_free(object->cleanup_sql);
    g_free(object->becomes);
    g_free(object->made);
    g_free(object);
}

static LedgerObject *read_object(sqlite3_stmt *stmt)
{
    LedgerObject *object = g_new0(LedgerObject, 1);
    object->id = sqlite3_column_int64(stmt, 0);
    object->run = sqlite3_column_int64(stmt, 1);
    object->kind = db_text(stmt, 2);
    object->name = db_text(stmt, 3);
    object->system_identifier = db_text(stmt, 4);
    object->database = db_text(stmt, 5);
    object->cleanup_sql = db_text(stmt, 6);
    object->becomes = db_text(stmt, 7);
    object->made = db_text(stmt, 8);
    return object;
}

GPtrArray *ledger_owned_objects(Ledger *ledger, gint64 run, const char *system_identifier, GError **error)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func(object_free);
    g_autoptr(sqlite3_stmt) stmt =
        db_query(ledger->db, error,
                 "SELECT o.id, o.run_id, o.kind, o.name, r.target_system, o.database, o.cleanup_sql, o.becomes, o.made "
                 "FROM object o JOIN run r ON r.id = o.run_id "
                 "WHERE o.state = 'owned' AND (?1 = r.id OR (?1 = 0 AND r.state IN ('failed', 'interrupted'))) "
                 "AND (?2 IS NULL OR r.target_system = ?2) ORDER BY o.kind = 'role', o.id DESC",
                 "it", run, system_identifier);
    bool row = false;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return g_steal_pointer(&objects);
        g_ptr_array_add(objects, read_object(stmt));
    }
    return NULL;
}

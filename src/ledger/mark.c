#include "ledger/internal.h"

bool ledger_mark(Ledger *ledger, gint64 run, const char *source_name, LedgerStage stage, bool good, const char *outcome,
                 const char *file, GError **error)
{
    return db_run(ledger->db, error,
                  "INSERT INTO mark (source_name, stage, run_id, at, good, outcome, file) VALUES (?, ?, ?, ?, ?, ?, ?) "
                  "ON CONFLICT (source_name, stage) DO UPDATE SET run_id = excluded.run_id, at = excluded.at, "
                  "good = excluded.good, outcome = excluded.outcome, file = excluded.file",
                  "tiiiitt", source_name, (gint64)stage, run, g_get_real_time(), (gint64)good, outcome, file);
}

void ledger_mark_free(LedgerMark *mark)
{
    if (mark == NULL)
        return;
    run_clear_end(&mark->target);
    g_free(mark->source_name);
    g_free(mark->outcome);
    g_free(mark->file);
    g_free(mark);
}

static LedgerMark *read_mark(sqlite3_stmt *stmt)
{
    LedgerMark *mark = g_new0(LedgerMark, 1);
    mark->source_name = db_text(stmt, 0);
    mark->stage = (LedgerStage)sqlite3_column_int(stmt, 1);
    mark->at = sqlite3_column_int64(stmt, 2);
    mark->good = sqlite3_column_int(stmt, 3) != 0;
    mark->outcome = db_text(stmt, 4);
    mark->file = db_text(stmt, 5);
    mark->run = sqlite3_column_int64(stmt, 6);
    run_read_end(stmt, 7, &mark->target);
    return mark;
}

GPtrArray *ledger_marks(Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) marks = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_mark_free);
    g_autoptr(sqlite3_stmt) stmt =
        db_query(ledger->db, error,
                 "SELECT m.source_name, m.stage, m.at, m.good, m.outcome, m.file, m.run_id, r.target_system, "
                 "r.target_database, r.target_oid, r.target_version, r.target_role, r.target_address "
                 "FROM mark m JOIN run r ON r.id = m.run_id WHERE m.stage < ? ORDER BY "
                 "m.source_name, m.stage",
                 "i", (gint64)LEDGER_STAGES);
    bool row = false;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return g_steal_pointer(&marks);
        g_ptr_array_add(marks, read_mark(stmt));
    }
    return NULL;
}

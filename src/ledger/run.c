#include <unistd.h>

#include "base/error.h"
#include "ledger/internal.h"

static const char *const state_texts[] = {"running", "done", "failed", "interrupted"};

#define RUN_COLUMNS                                                                                                    \
    "id, command, source_name, state, started, finished, pid, host, snapshot, error, "                                 \
    "source_system, source_database, source_oid, source_version, source_role, source_address, "                        \
    "target_system, target_database, target_oid, target_version, target_role, target_address"

void run_clear_end(LedgerEnd *end)
{
    g_free(end->system_identifier);
    g_free(end->database);
    g_free(end->role);
    g_free(end->address);
}

void run_read_end(sqlite3_stmt *stmt, int first_column, LedgerEnd *end)
{
    end->system_identifier = db_text(stmt, first_column);
    end->database = db_text(stmt, first_column + 1);
    end->database_oid = (guint32)sqlite3_column_int64(stmt, first_column + 2);
    end->version = sqlite3_column_int(stmt, first_column + 3);
    end->role = db_text(stmt, first_column + 4);
    end->address = db_text(stmt, first_column + 5);
}

void ledger_run_free(LedgerRun *run)
{
    if (run == NULL)
        return;
    run_clear_end(&run->source);
    run_clear_end(&run->target);
    g_free(run->command);
    g_free(run->source_name);
    g_free(run->snapshot);
    g_free(run->host);
    g_free(run->error);
    g_free(run);
}

static bool insert_run(Ledger *ledger, const char *command, const char *source_name, gint64 *ret_run, GError **error)
{
    if (!db_run(ledger->db, error,
                "INSERT INTO run (command, source_name, state, started, pid, host) VALUES (?, ?, 'running', ?, ?, ?)",
                "ttiit", command, source_name, g_get_real_time(), (gint64)getpid(), g_get_host_name()))
        return false;
    *ret_run = sqlite3_last_insert_rowid(ledger->db);
    /* Before the commit: nobody may ever see the run without its lock, or it would be taken for dead. */
    return lock_run(ledger, *ret_run, error);
}

bool ledger_run_begin(Ledger *ledger, const char *command, const char *source_name, gint64 *ret_run, GError **error)
{
    bool own;
    gint64 run = 0;
    if (!db_begin(ledger, &own, error))
        return false;
    if (!db_end(ledger, own, insert_run(ledger, command, source_name, &run, error), error)) {
        if (run != 0)
            lock_release_run(ledger, run);
        return false;
    }
    *ret_run = run;
    return true;
}

static bool identify(Ledger *ledger, gint64 run, const char *sql, const PgIdentity *identity, GError **error)
{
    if (identity == NULL)
        return true;
    return db_run_one(ledger->db, error, "run", sql, "ttiitti", identity->system_identifier, identity->database,
                      (gint64)identity->database_oid, (gint64)identity->version, identity->role, identity->address,
                      run);
}

bool ledger_run_identify(Ledger *ledger, gint64 run, const PgIdentity *source, const PgIdentity *target,
                         const char *snapshot, GError **error)
{
    bool own;
    if (!db_begin(ledger, &own, error))
        return false;
    bool ok = identify(ledger, run,
                       "UPDATE run SET source_system = ?, source_database = ?, source_oid = ?, source_version = ?, "
                       "source_role = ?, source_address = ? WHERE id = ?",
                       source, error) &&
              identify(ledger, run,
                       "UPDATE run SET target_system = ?, target_database = ?, target_oid = ?, target_version = ?, "
                       "target_role = ?, target_address = ? WHERE id = ?",
                       target, error) &&
              (snapshot == NULL ||
               db_run_one(ledger->db, error, "run", "UPDATE run SET snapshot = ? WHERE id = ?", "ti", snapshot, run));
    return db_end(ledger, own, ok, error);
}

bool ledger_run_finish(Ledger *ledger, gint64 run, LedgerRunState state, const char *message, GError **error)
{
    bool own;
    if (ledger->in_batch || state == LEDGER_RUNNING) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "a run cannot be finished inside a batch, or as running");
        return false;
    }
    if (!db_begin(ledger, &own, error))
        return false;
    bool ok = db_run_one(ledger->db, error, "running run",
                         "UPDATE run SET state = ?, finished = ?, error = ? WHERE id = ? AND state = 'running'", "titi",
                         state_texts[state], g_get_real_time(), message, run);
    if (ok && state == LEDGER_DONE)
        ok = db_run(ledger->db, error, "UPDATE object SET state = 'released' WHERE run_id = ? AND state = 'owned'", "i",
                    run);
    if (!db_end(ledger, own, ok, error))
        return false;
    lock_release_run(ledger, run);
    return true;
}

/* Ids of runs that are recorded as running and hold no lock. */
static bool find_dead(Ledger *ledger, GArray *ids, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt = db_query(ledger->db, error, "SELECT id FROM run WHERE state = 'running'", "");
    bool row = false;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return true;
        gint64 id = sqlite3_column_int64(stmt, 0);
        if (!lock_run_is_held(ledger, id))
            g_array_append_val(ids, id);
    }
    return false;
}

bool run_reap(Ledger *ledger, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (!find_dead(ledger, ids, error))
        return false;
    for (guint i = 0; i < ids->len; i++) {
        /* Still running in the table: it may have finished between our question and now. The last thing that it
         * recorded is the best that is known about when it ended. */
        if (!db_run(ledger->db, error,
                    "UPDATE run SET state = 'interrupted', finished = max(started, coalesce((SELECT "
                    "max(max(s.started, s.finished)) FROM step s WHERE s.run_id = run.id), 0)), error = "
                    "'the process ended without finishing' WHERE id = ? AND state = 'running'",
                    "i", g_array_index(ids, gint64, i)))
            return false;
    }
    return true;
}

static LedgerRunState parse_state(const char *text)
{
    for (guint i = 0; i < G_N_ELEMENTS(state_texts); i++) {
        if (g_strcmp0(text, state_texts[i]) == 0)
            return (LedgerRunState)i;
    }
    g_assert_not_reached(); /* the table has a CHECK */
}

static LedgerRun *read_run(sqlite3_stmt *stmt)
{
    LedgerRun *run = g_new0(LedgerRun, 1);
    run->id = sqlite3_column_int64(stmt, 0);
    run->command = db_text(stmt, 1);
    run->source_name = db_text(stmt, 2);
    run->state = parse_state((const char *)sqlite3_column_text(stmt, 3));
    run->started = sqlite3_column_int64(stmt, 4);
    run->finished = sqlite3_column_int64(stmt, 5);
    run->pid = sqlite3_column_int64(stmt, 6);
    run->host = db_text(stmt, 7);
    run->snapshot = db_text(stmt, 8);
    run->error = db_text(stmt, 9);
    run_read_end(stmt, 10, &run->source);
    run_read_end(stmt, 16, &run->target);
    return run;
}

static GPtrArray *read_runs(Ledger *ledger, const char *sql, gint64 limit, GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_run_free);
    g_autoptr(sqlite3_stmt) stmt = db_query(ledger->db, error, sql, "i", limit);
    bool row = false;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return g_steal_pointer(&runs);
        g_ptr_array_add(runs, read_run(stmt));
    }
    return NULL;
}

GPtrArray *ledger_runs(Ledger *ledger, guint limit, GError **error)
{
    return read_runs(ledger, "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT ?",
                     limit == 0 ? -1 : (gint64)limit, error);
}

GPtrArray *ledger_unfinished_runs(Ledger *ledger, GError **error)
{
    return read_runs(ledger,
                     "SELECT " RUN_COLUMNS " FROM run WHERE state IN ('failed', 'interrupted') AND EXISTS (SELECT 1 "
                     "FROM object o WHERE o.run_id = run.id AND o.state = 'owned') ORDER BY id DESC LIMIT ?",
                     -1, error);
}

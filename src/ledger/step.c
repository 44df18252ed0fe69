#include "ledger/internal.h"

static const char *const state_texts[] = {"started", "done", "failed"};

bool ledger_step_begin(Ledger *ledger, gint64 run, const char *name, const char *item, gint64 *ret_step, GError **error)
{
    if (!db_run(ledger->db, error,
                "INSERT INTO step (run_id, name, item, state, started) VALUES (?, ?, ?, 'started', ?)", "itti", run,
                name, item, g_get_real_time()))
        return false;
    *ret_step = sqlite3_last_insert_rowid(ledger->db);
    return true;
}

static bool end_step(Ledger *ledger, gint64 step, LedgerStepState state, const char *detail, const char *message,
                     GError **error)
{
    return db_run_one(ledger->db, error, "step",
                      "UPDATE step SET state = ?, finished = ?, detail = ?, error = ? WHERE id = ?", "titti",
                      state_texts[state], g_get_real_time(), detail, message, step);
}

bool ledger_step_done(Ledger *ledger, gint64 step, json_t *detail, GError **error)
{
    char *text = detail == NULL ? NULL : json_dumps(detail, JSON_COMPACT);
    bool ok = end_step(ledger, step, LEDGER_STEP_DONE, text, NULL, error);
    free(text);
    json_decref(detail);
    return ok;
}

bool ledger_step_failed(Ledger *ledger, gint64 step, const char *message, GError **error)
{
    return end_step(ledger, step, LEDGER_STEP_FAILED, NULL, message, error);
}

static void step_free(gpointer data)
{
    LedgerStep *step = data;
    g_free(step->name);
    g_free(step->item);
    g_free(step->error);
    json_decref(step->detail);
    g_free(step);
}

static LedgerStep *read_step(sqlite3_stmt *stmt)
{
    LedgerStep *step = g_new0(LedgerStep, 1);
    step->id = sqlite3_column_int64(stmt, 0);
    step->name = db_text(stmt, 1);
    step->item = db_text(stmt, 2);
    const char *state = (const char *)sqlite3_column_text(stmt, 3);
    while (step->state < LEDGER_STEP_FAILED && g_strcmp0(state, state_texts[step->state]) != 0)
        step->state++;
    step->started = sqlite3_column_int64(stmt, 4);
    step->finished = sqlite3_column_int64(stmt, 5);
    const char *detail = (const char *)sqlite3_column_text(stmt, 6);
    step->detail = detail == NULL ? NULL : json_loads(detail, JSON_DECODE_ANY, NULL);
    step->error = db_text(stmt, 7);
    return step;
}

GPtrArray *ledger_steps(Ledger *ledger, gint64 run, GError **error)
{
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(step_free);
    g_autoptr(sqlite3_stmt) stmt = db_query(
        ledger->db, error,
        "SELECT id, name, item, state, started, finished, detail, error FROM step WHERE run_id = ? ORDER BY id", "i",
        run);
    bool row = false;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return g_steal_pointer(&steps);
        g_ptr_array_add(steps, read_step(stmt));
    }
    return NULL;
}

#include "retire/record.h"

#include <string.h>

static void run_free(gpointer data)
{
    RetireRun *run = data;
    json_decref(run->plan);
    g_ptr_array_unref(run->steps);
    g_hash_table_unref(run->undone);
    g_free(run);
}

bool retire_record_plan(Ledger *ledger, gint64 run, json_t *plan, GError **error)
{
    gint64 step = 0;
    if (ledger_step_begin(ledger, run, "plan", NULL, &step, error))
        return ledger_step_done(ledger, step, plan, error);
    json_decref(plan);
    return false;
}

bool retire_record_undone(Ledger *ledger, gint64 run, gint64 of, const char *source, GError **error)
{
    gint64 step = 0;
    json_t *detail = json_pack("{s:I, s:s?}", "run", (json_int_t)of, "source", source);
    if (ledger_step_begin(ledger, run, "undone", source, &step, error))
        return ledger_step_done(ledger, step, detail, error);
    json_decref(detail);
    return false;
}

static RetireRun *find(const GPtrArray *runs, gint64 id)
{
    for (guint i = 0; i < runs->len; i++)
        if (((RetireRun *)runs->pdata[i])->id == id)
            return runs->pdata[i];
    return NULL;
}

static bool add_run(GPtrArray *runs, Ledger *ledger, const LedgerRun *one, GError **error)
{
    g_autoptr(GPtrArray) steps = ledger_steps(ledger, one->id, error);
    if (steps == NULL)
        return false;
    for (guint i = 0; i < steps->len; i++) {
        const LedgerStep *step = steps->pdata[i];
        if (strcmp(step->name, "plan") != 0 || step->detail == NULL)
            continue;
        RetireRun *run = g_new0(RetireRun, 1);
        run->id = one->id;
        run->at = one->started;
        run->running = one->state == LEDGER_RUNNING;
        run->plan = json_incref(step->detail);
        run->steps = g_ptr_array_ref(steps);
        run->undone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_ptr_array_add(runs, run);
        break;
    }
    return true;
}

static bool add_undone(const GPtrArray *runs, Ledger *ledger, const LedgerRun *undo, GError **error)
{
    g_autoptr(GPtrArray) steps = ledger_steps(ledger, undo->id, error);
    for (guint i = 0; steps != NULL && i < steps->len; i++) {
        const LedgerStep *step = steps->pdata[i];
        if (strcmp(step->name, "undone") != 0 || step->state != LEDGER_STEP_DONE)
            continue;
        RetireRun *run = find(runs, json_integer_value(json_object_get(step->detail, "run")));
        const char *source = json_string_value(json_object_get(step->detail, "source"));
        if (run != NULL && source != NULL)
            g_hash_table_add(run->undone, g_strdup(source));
        else if (run != NULL)
            run->code_undone = true;
    }
    return steps != NULL;
}

static bool has_anything(const RetireRun *run)
{
    size_t i;
    json_t *source;
    if (retire_run_code(run) != NULL)
        return true;
    json_array_foreach(json_object_get(run->plan, "sources"), i, source)
    {
        if (!g_hash_table_contains(run->undone, json_string_value(json_object_get(source, "name"))))
            return true;
    }
    return false;
}

GPtrArray *retire_runs(Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) all = ledger_runs(ledger, 0, error);
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func(run_free);
    if (all == NULL)
        return NULL;
    for (guint i = 0; i < all->len; i++) {
        const LedgerRun *one = all->pdata[i];
        if (strcmp(one->command, RETIRE_COMMAND) == 0 && !add_run(runs, ledger, one, error))
            return NULL;
    }
    for (guint i = 0; i < all->len; i++) {
        const LedgerRun *one = all->pdata[i];
        if (strcmp(one->command, RETIRE_UNDO_COMMAND) == 0 && !add_undone(runs, ledger, one, error))
            return NULL;
    }
    for (guint i = runs->len; i > 0; i--)
        if (!has_anything(runs->pdata[i - 1]))
            g_ptr_array_remove_index(runs, i - 1);
    return g_steal_pointer(&runs);
}

static const LedgerStep *find_step(const RetireRun *run, const char *name, const char *item)
{
    for (guint i = run->steps->len; i > 0; i--) {
        const LedgerStep *step = run->steps->pdata[i - 1];
        if (strcmp(step->name, name) == 0 && (item == NULL || g_strcmp0(step->item, item) == 0))
            return step;
    }
    return NULL;
}

bool retire_run_began(const RetireRun *run, const char *step, const char *item)
{
    return find_step(run, step, item) != NULL;
}

bool retire_run_did(const RetireRun *run, const char *step, const char *item)
{
    const LedgerStep *found = find_step(run, step, item);
    return found != NULL && found->state == LEDGER_STEP_DONE;
}

const json_t *retire_run_source(const RetireRun *run, const char *name)
{
    size_t i;
    json_t *source;
    json_array_foreach(json_object_get(run->plan, "sources"), i, source)
    {
        if (g_strcmp0(json_string_value(json_object_get(source, "name")), name) == 0)
            return g_hash_table_contains(run->undone, name) ? NULL : source;
    }
    return NULL;
}

const json_t *retire_run_code(const RetireRun *run)
{
    const json_t *code = json_object_get(run->plan, "code");
    return json_is_object(code) && !run->code_undone ? code : NULL;
}

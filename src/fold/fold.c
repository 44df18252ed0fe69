#include "fold/fold.h"

#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "fold/internal.h"
#include "pg/copy.h"

enum { LEDGER_COMMIT_MS = 500 };

/* --- the ledger beside the work --------------------------------------------------------------------------------- */

static void note(Fold *fold, bool ok, GError **error)
{
    if (!ok && fold->ledger_error == NULL)
        fold->ledger_error = g_steal_pointer(error);
    g_clear_error(error);
}

static void commit_batch(Fold *fold)
{
    g_autoptr(GError) error = NULL;
    if (fold->batch)
        note(fold, ledger_batch_commit(fold->spec->ledger, &error), &error);
    fold->batch = false;
}

/* Thousands of small jobs share a flush to the disk. What may be lost by a power cut is only how far the run was: what
 * it owns in the target was recorded before the first job. */
static void open_batch(Fold *fold)
{
    g_autoptr(GError) error = NULL;
    if (fold->batch)
        return;
    fold->batch = ledger_batch_begin(fold->spec->ledger, &error);
    note(fold, fold->batch, &error);
    fold->last_commit = g_get_monotonic_time();
}

/* On every tick, so that no other pgfold waits for the ledger while a long job runs. */
static void commit_old_batch(Fold *fold)
{
    if (fold->batch && g_get_monotonic_time() - fold->last_commit > LEDGER_COMMIT_MS * 1000)
        commit_batch(fold);
}

static void record_start(Fold *fold, const PoolJob *job)
{
    g_autoptr(GError) error = NULL;
    gint64 *step = g_new0(gint64, 1);
    open_batch(fold);
    note(fold, ledger_step_begin(fold->spec->ledger, fold->spec->run, job->kind, job->label, step, &error), &error);
    g_hash_table_replace(fold->steps, (gpointer)job, step);
}

static void record_end(Fold *fold, const PoolJob *job, const GError *failure)
{
    g_autoptr(GError) error = NULL;
    const gint64 *step = g_hash_table_lookup(fold->steps, job);
    open_batch(fold);
    if (failure != NULL) {
        note(fold, ledger_step_failed(fold->spec->ledger, *step, failure->message, &error), &error);
        return;
    }
    json_t *detail = NULL;
    if (job->progress != NULL)
        detail =
            json_pack("{s:I, s:I}", "rows", (json_int_t)job->progress->rows, "bytes", (json_int_t)job->progress->bytes);
    note(fold, ledger_step_done(fold->spec->ledger, *step, detail, &error), &error);
}

/* The last row is in: from here on the source may vacuum again. */
static void copy_ended(Fold *fold, const PoolJob *job)
{
    g_autoptr(GError) error = NULL;
    if (job->progress != NULL) {
        fold->result->rows += job->progress->rows;
        fold->result->bytes += job->progress->bytes;
    }
    if (--fold->copies_left == 0 && !fold_merges(fold))
        note(fold, ends_release_snapshot(fold->spec->ends, &error), &error);
}

static void observe(PoolEvent event, const PoolJob *job, const GError *error, gpointer data)
{
    Fold *fold = data;
    if (event == POOL_JOB_STARTED)
        record_start(fold, job);
    else if (event != POOL_TICK)
        record_end(fold, job, error);
    commit_old_batch(fold);
    if (event == POOL_JOB_DONE && (g_str_equal(job->kind, "copy") || g_str_equal(job->kind, "large objects")))
        copy_ended(fold, job);
    if (fold->spec->watch.pool != NULL)
        fold->spec->watch.pool(event, job, error, fold->spec->watch.data);
}

static bool ledger_is_good(Fold *fold, GError **error)
{
    if (fold->ledger_error == NULL)
        return true;
    g_propagate_prefixed_error(error, g_steal_pointer(&fold->ledger_error), "recording the run: ");
    return false;
}

bool fold_pool_run(Fold *fold, Pool *pool, GError **error)
{
    bool ok = pool_run(pool, observe, fold, error);
    commit_batch(fold);
    return ok && ledger_is_good(fold, error);
}

void fold_phase(Fold *fold, const char *name)
{
    if (fold->spec->watch.phase != NULL)
        fold->spec->watch.phase(name, fold->spec->watch.data);
}

bool fold_step(Fold *fold, const char *name, FoldStep step, GError **error)
{
    gint64 id = 0;
    Ledger *ledger = fold->spec->ledger;
    if (!cancel_check(error) || !ledger_step_begin(ledger, fold->spec->run, name, NULL, &id, error))
        return false;
    g_autoptr(GError) cause = NULL;
    if (step(fold, &cause))
        return ledger_step_done(ledger, id, NULL, error);
    (void)ledger_step_failed(ledger, id, cause->message, NULL);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

/* main: NULL: one of our own is opened. */
static bool open_sessions(Fold *fold, PgConn *main, GError **error)
{
    const FoldSpec *spec = fold->spec;
    fold->main = main;
    if (main == NULL)
        fold->main = fold->own_main =
            pg_conn_open("target", spec->ends->config->target.url, fold->stage, deadline_in_ms(PG_CONNECT_MS), error);
    if (fold->main == NULL || !fold_choose_memory(fold, spec->sources->len, error) ||
        !fold_prepare_session(fold, fold->main, error))
        return false;
    fold->targets = ends_target_connections(spec->ends, fold->stage, spec->sources->len, error);
    for (guint i = 0; fold->targets != NULL && i < fold->targets->len; i++)
        if (!fold_prepare_session(fold, fold->targets->pdata[i], error))
            return false;
    return fold->targets != NULL;
}

static bool open_stage(Fold *fold, GError **error)
{
    return open_sessions(fold, fold_merges(fold) ? fold->spec->stage : NULL, error);
}

static void table_jobs_free(gpointer jobs)
{
    g_ptr_array_unref(jobs);
}

static bool move_rows(Fold *fold, GError **error)
{
    g_autoptr(Pool) pool = pool_new(fold->targets->len, (PgConn *const *)fold->spec->sources->pdata,
                                    (PgConn *const *)fold->targets->pdata);
    g_autoptr(GHashTable) table_jobs = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, table_jobs_free);
    fold_add_copies(fold, pool, table_jobs);
    fold_add_indexes(fold, pool, table_jobs);
    if (fold->copies_left == 0 && !fold_merges(fold) && !ends_release_snapshot(fold->spec->ends, error))
        return false;
    return fold_pool_run(fold, pool, error);
}

static bool add_constraints(Fold *fold, GError **error)
{
    g_autoptr(Pool) pool = pool_new(fold->targets->len, NULL, (PgConn *const *)fold->targets->pdata);
    if (!fold_foreign_keys(fold, pool, error))
        return false;
    fold_add_analyze(fold, pool);
    return fold_pool_run(fold, pool, error);
}

void fold_close_stage(Fold *fold)
{
    g_clear_pointer(&fold->targets, g_ptr_array_unref);
    g_clear_pointer(&fold->own_main, pg_conn_close);
    fold->main = NULL;
}

/* What an earlier run left is of no use. Its name stays: the roles that are there bear it. */
static bool drop_stage(Fold *fold, GError **error)
{
    fold_close_stage(fold);
    return fold_remove_object(fold->spec->ledger, fold->spec->run, fold->taken_over,
                              fold->spec->ends->config->target.url, error);
}

static bool go_on(Fold *fold, GError **error)
{
    if (!fold_step(fold, "take over", fold_take_over, error))
        return false;
    if (!fold->stage_exists)
        return fold->taken_over == 0 || fold_step(fold, "drop", drop_stage, error);
    if (!open_sessions(fold, NULL, error) || !fold_step(fold, "adopt", fold_adopt, error))
        return false;
    if (fold->there == NULL)
        return fold_step(fold, "drop", drop_stage, error);
    /* A merge has a session of its own, which must not be ended with what was left. */
    if (!fold->own_database)
        fold_close_stage(fold);
    return true;
}

static bool run_all(Fold *fold, GError **error)
{
    if (fold->spec->resume != 0) {
        fold_phase(fold, "what was left");
        if (!go_on(fold, error))
            return false;
    }
    fold_phase(fold, "schema");
    if (!fold_step(fold, "roles", fold_create_roles, error))
        return false;
    if (fold->own_database && fold->there == NULL &&
        (!fold_step(fold, "database", fold_create_database, error) || !open_stage(fold, error)))
        return false;
    if ((!fold->own_database && !open_stage(fold, error)) || !fold_step(fold, "pre-data", fold_create_pre_data, error))
        return false;
    fold_phase(fold, "rows and indexes");
    if (!move_rows(fold, error))
        return false;
    fold_phase(fold, "foreign keys and statistics");
    if (!add_constraints(fold, error))
        return false;
    /* Before row security is on: it might hide rows from the role that looks. */
    fold_phase(fold, "proof");
    if (!fold_step(fold, "proof", fold_prove_rows, error))
        return false;
    fold_phase(fold, "triggers, views, privileges");
    if (!fold_step(fold, "post-data", fold_rest, error) || !fold_step(fold, "sequences", fold_sequences, error))
        return false;
    if (fold_merges(fold)) {
        fold_phase(fold, "merge");
        if (!fold_step(fold, "stage", fold_prepare_merge, error))
            return false;
    }
    return fold_step(fold, "commit", fold_commit, error) &&
           (!fold->refresh_late || fold_step(fold, "materialized views", fold_refresh, error));
}

/* What comes after the commit takes nothing away from it. */
static void say_that_it_is_complete(GError *failure)
{
    if (pgf_error_state(failure) == NULL)
        pgf_error_set_state(failure,
                            "the fold itself is complete in the target; only its proof afterwards and the receipt "
                            "are missing");
    pgf_error_set_hint(failure, "Fold again: nothing is brought twice, and the receipt is written.");
    pgf_error_set_code(failure, PGF_ERROR_MIDWAY);
}

/* Ctrl-C must not stop the cleaning up that it asked for; a second one does. */
/* in_doubt: nobody has heard whether the last step was committed; the server may have done it. */
static void clean_up_after(const FoldSpec *spec, bool in_doubt, GError *failure)
{
    g_autoptr(GError) error = NULL;
    if (cancel_requested())
        cancel_reset();
    bool clean = fold_clean_up(spec->ledger, spec->run, spec->ends->config->target.url,
                               pg_conn_identity(spec->ends->target)->system_identifier, NULL, 0, NULL, &error);
    if (clean && in_doubt)
        pgf_error_set_state(
            failure,
            "it ended at the last step, and the server did not say how: the fold is either complete in the "
            "target, without a receipt, or was taken away again. Fold again: that finds out, and writes the receipt");
    else if (clean)
        pgf_error_set_state(failure,
                            "what this run had made in the target was taken away again; the source was only read");
    else
        pgf_error_set_state(
            failure,
            "the target still holds what this run had made (%s); the source was only read. The next `pgfold fold` "
            "goes on from there, or takes it away first",
            error->message);
    if (pgf_error_hint(failure) == NULL)
        pgf_error_set_hint(failure,
                           "Run the same command again when the cause is mended; `pgfold status` shows what is left.");
    /* Conflicts and locks that came up at the last moment: nothing was done, and the status says why. */
    bool stopped = failure->code == PGF_ERROR_DIFFERS || failure->code == PGF_ERROR_REFUSED;
    if (!clean || !stopped)
        pgf_error_set_code(failure, PGF_ERROR_MIDWAY);
}

/* After the commit nothing is taken away. */
static void explain_late_failure(GError *failure)
{
    pgf_error_set_state(failure, "all rows are in the target, under its name; materialized views there are not filled, "
                                 "and there is no receipt");
    pgf_error_set_hint(failure, "Fold again: that fills them, and writes the receipt.");
    pgf_error_set_code(failure, PGF_ERROR_MIDWAY);
}

bool fold_run(const FoldSpec *spec, FoldResult *ret_result, GError **error)
{
    *ret_result = (FoldResult){0};
    Fold fold = {.spec = spec,
                 .result = ret_result,
                 .own_database = spec->ends->target_missing != NULL,
                 .tasks = g_ptr_array_new_with_free_func(g_free),
                 .late = g_hash_table_new(g_direct_hash, g_direct_equal),
                 .steps = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free)};
    /* Not only the run's number: another machine has a ledger of its own, and counts from one as well. */
    fold.marker = g_strdup_printf("pgfold_%" G_GINT64_FORMAT "_%08x", spec->run, g_random_int());
    fold.undo = g_strdup_printf("pgfold_undo_%" G_GINT64_FORMAT "_%08x", spec->run, g_random_int());
    fold.stage = g_strdup(fold.own_database ? fold.marker : spec->ends->target_database);
    g_autoptr(GError) failure = NULL;
    bool ok = run_all(&fold, &failure);
    commit_batch(&fold);
    /* It is committed: what is found now changes verdicts, and nothing else. */
    if (ok && fold_merges(&fold)) {
        fold_phase(&fold, "verification");
        ok = fold_check_merge(&fold, &failure);
    }
    if (fold.committed && !fold_merges(&fold))
        fold_note_for_undo(&fold);
    fold_close_stage(&fold);
    if (!ok && fold.committed) {
        if (fold.own_database && fold.refresh_late)
            explain_late_failure(failure);
        else
            say_that_it_is_complete(failure);
        (void)ledger_objects_release(spec->ledger, spec->run, NULL);
    } else if (!ok) {
        if (fold_merges(&fold))
            fold_abandon_merge(&fold);
        clean_up_after(spec, fold.in_doubt, failure);
    }
    if (!ok) {
        fold_result_clear(ret_result);
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    g_clear_error(&fold.ledger_error);
    g_ptr_array_unref(fold.tasks);
    g_hash_table_unref(fold.steps);
    g_hash_table_unref(fold.late);
    g_clear_pointer(&fold.there, g_hash_table_unref);
    g_clear_pointer(&fold.rows_there, g_hash_table_unref);
    g_free(fold.drop_sql);
    g_free(fold.undo);
    g_free(fold.marker);
    g_free(fold.stage);
    return ok;
}

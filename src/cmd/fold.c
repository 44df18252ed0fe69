/* pgfold fold: the main job. Analyse, gate, back up, create, copy, prove, and write the receipt. */
#include "base/cancel.h"
#include "base/error.h"
#include "cmd/databases.h"
#include "cmd/fold_backup.h"
#include "cmd/fold_columns.h"
#include "cmd/fold_job.h"
#include "cmd/fold_watch.h"
#include "config/protect.h"
#include "testdb/tree.h"

static const CommandOption options[] = {
    SHARED_OPTIONS,
    FILTER_OPTIONS,
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"dry-run", 'n', OPTION_FLAG, NULL, "analyse and check everything, then stop before the first change"},
    {"no-backup", 0, OPTION_FLAG, NULL, "make no backup of the source first; asks, and stands in the receipt"},
    {"backup-dir", 0, OPTION_STRING, "DIR", "where to keep the backup (default: backups in the state folder)"},
    {"add-columns", 0, OPTION_FLAG, NULL, "give tables of the target the columns that only the source's have"},
    {"schema-only", 0, OPTION_FLAG, NULL,
     "make all objects, and bring no rows; nothing is proven, and no receipt written"},
    {"data-only", 0, OPTION_FLAG, NULL, "bring rows alone, into tables that are there; make no object"},
    {"no-owner", 0, OPTION_FLAG, NULL, "everything belongs to the role that connects to the target"},
    {"no-privileges", 0, OPTION_FLAG, NULL, "leave GRANT and REVOKE out"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold fold", "Fold every source of pgfold.yaml into the target, one after the other"},
    {"pgfold fold laptop --yes", "One source, without being asked"},
    {"pgfold fold laptop -N audit -T '*.log'", "Without the schema audit, and without any table called log"},
    {"pgfold fold --dry-run", "Everything but the changes"},
    {"pgfold fold --source service=laptop --target \"$DATABASE_URL\"", "Without a pgfold.yaml"},
    {NULL},
};

enum { CONFLICTS_SHOWN = 10 /* per table */ };

static void job_clear(Job *job)
{
    analysis_free(job->analysis);
    comparison_free(job->comparison);
    fold_unfinished_clear(&job->unfinished);
    receipt_free(job->receipt);
    g_clear_pointer(&job->protected, g_ptr_array_unref);
    g_free(job->columns_marker);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

static bool has_work(const Plan *plan)
{
    if (plan->create_database_sql != NULL)
        return true;
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        if (p->action == PLAN_NEW)
            return true;
    }
    return plan_count(plan, PLAN_MERGE) > 0;
}

static bool confirm_without_backup(const Job *job, ReceiptBackup *backup, GError **error)
{
    if (!out_confirm(job->out, args_flag(job->args, "yes"),
                     "Fold %s without a backup of it? This will stand in the receipt.", job->source->name)) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Leave --no-backup away, or answer y (or give --yes).",
                      "going without a backup was not confirmed: nothing was changed");
        return false;
    }
    receipt_text(&backup->reason,
                 args_flag(job->args, "no-backup") ? "--no-backup" : "fold.backup is off in pgfold.yaml");
    receipt_text(&backup->by, g_get_user_name());
    backup->at = g_get_real_time();
    return cancel_check(error);
}

static bool back_up(Job *job, GError **error)
{
    ReceiptBackup *backup = &job->receipt->backup;
    gint64 step = 0;
    if (args_flag(job->args, "schema-only"))
        return true; /* no rows, and no receipt that could name a backup */
    if (!has_work(job->analysis->plan)) {
        receipt_text(&backup->reason, "nothing was changed: all of the source was in the target already");
        backup->at = g_get_real_time();
        return true;
    }
    if (args_flag(job->args, "no-backup") || !job->choice->config->fold.backup)
        return confirm_without_backup(job, backup, error);
    if (!ledger_step_begin(job->ledger, job->run, "backup", job->source->name, &step, error))
        return false;
    g_autoptr(GError) cause = NULL;
    if (fold_backup(job->comparison->ends, &job->analysis->tools, job->analysis->verification->audit,
                    args_string(job->args, "backup-dir"), job->out, backup, &cause))
        return ledger_step_done(job->ledger, step, NULL, error) &&
               ledger_mark(job->ledger, job->run, job->source->name, LEDGER_BACKED_UP, true, "proven", backup->path,
                           error);
    (void)ledger_step_failed(job->ledger, step, cause->message, NULL);
    pgf_error_set_state(cause, "nothing was changed in the target");
    /* Without a proven backup nothing is begun: that is a gate, whatever the reason. */
    if (cause->code == PGF_ERROR_DIFFERS || cause->code == PGF_ERROR_MIDWAY)
        pgf_error_set_code(cause, PGF_ERROR_REFUSED);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* The workers' connections leave the snapshot (each copy joins it again); the target's end their reading. */
static bool leave_snapshots(Job *job, GError **error)
{
    for (guint i = 0; i < job->comparison->sources->len; i++)
        if (!pg_snapshot_leave(job->comparison->sources->pdata[i], error))
            return false;
    g_clear_pointer(&job->comparison->targets, g_ptr_array_unref);
    return job->comparison->target_snapshot == NULL || pg_snapshot_leave(job->comparison->ends->target, error);
}

/* Beside the backup, not in it: a backup's files are listed in its manifest. */
static char *archive_folder(const Job *job)
{
    const char *backup = job->receipt->backup.path;
    if (backup != NULL)
        return g_strconcat(backup, ".merge", NULL);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    for (guint attempt = 1;; attempt++) {
        g_autofree char *number = attempt == 1 ? g_strdup("") : g_strdup_printf("-%u", attempt);
        g_autofree char *source = config_file_name(job->source->name);
        g_autofree char *name = g_strdup_printf("%s-%s%s.merge", source, stamp, number);
        g_autofree char *path = g_build_filename(job->choice->config->state, "backups", name, NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS)) /* that of an earlier run, in the same second, is that run's */
            return g_steal_pointer(&path);
    }
}

static bool execute(Job *job, GError **error)
{
    const Choice *choice = job->choice;
    g_autofree char *archive = archive_folder(job);
    g_autoptr(FoldProgress) progress = fold_progress_new(job->out, job->analysis->plan->bytes_to_copy);
    FoldSpec spec = {.ends = job->comparison->ends,
                     .sources = job->comparison->sources,
                     .plan = job->analysis->plan,
                     .merge = job->analysis->merge,
                     .stage = job->analysis->stage == NULL ? NULL : job->analysis->stage->pdata[0],
                     .archive = archive,
                     .columns_marker = job->columns_marker,
                     .tools = &job->analysis->tools,
                     .rename = job->comparison->renamed == NULL ? NULL : comparison_rename,
                     .rename_data = job->comparison,
                     .ledger = job->ledger,
                     .run = job->run,
                     .resume = job->unfinished.run,
                     .hidden = job->unfinished.hidden,
                     .scratch = job->analysis->scratch,
                     .split_above = choice->config->fold.split_above,
                     .no_owner = args_flag(job->args, "no-owner"),
                     .no_privileges = args_flag(job->args, "no-privileges"),
                     .watch = {.phase = fold_progress_phase, .pool = fold_progress_observe, .data = progress}};
    g_auto(FoldResult) result = {0};
    receipt_text(&job->receipt->snapshot, job->comparison->ends->snapshot->id);
    receipt_text(&job->receipt->lsn, job->comparison->ends->snapshot->lsn);
    if (!leave_snapshots(job, error) || !fold_run(&spec, &result, error))
        return false;
    g_clear_pointer(&progress, fold_progress_free);
    if (args_flag(job->args, "schema-only"))
        return fold_tell_definitions(job);
    return fold_write_receipt(job, &spec, &result, error);
}

static bool skip_empty(Job *job, GError **error)
{
    if (!out_confirm(job->out, args_flag(job->args, "yes"), "Source %s does not hold a single row. Skip it?",
                     job->source->name)) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Answer y, or give --yes.",
                      "source %s does not hold a single row: nothing was changed", job->source->name);
        return false;
    }
    out_line(job->out, "%s does not hold a single row: there is nothing to fold.", job->source->name);
    json_object_set_new(job->json, "outcome", json_string("empty"));
    return ledger_mark(job->ledger, job->run, job->source->name, LEDGER_FOLDED, true, "empty: not a single row", NULL,
                       error);
}

/* A run that was killed left its temporary files; we hold the lock, so nobody uses them. */
static void remove_old_scratch(const char *state)
{
    g_autoptr(GDir) folder = g_dir_open(state, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(state, name, NULL);
        if (g_str_has_prefix(name, ANALYSIS_SCRATCH))
            (void)tree_remove(path, NULL);
    }
}

static bool look(Job *job, const AnalysisOptions *how, GError **error)
{
    AnalysisOptions seen = *how;
    seen.hidden = job->unfinished.hidden;
    job->analysis = analysis_make(job->comparison, &seen, job->out, error);
    return job->analysis != NULL;
}

/* Whether what an earlier run has left in a database that exists is better taken away. It may itself be what stands
 * against the fold, or there is nothing to go on with. */
static bool stands_in_the_way(const Job *job, const GError *failure)
{
    if (job->unfinished.hidden == NULL)
        return false;
    if (job->analysis == NULL)
        return g_error_matches(failure, PGF_ERROR, PGF_ERROR_REFUSED);
    g_autoptr(GPtrArray) blocks = analysis_blocks(job->analysis);
    return blocks->len > 0 || job->analysis->verification->audit->empty_source;
}

static bool analyse_once(Job *job, const AnalysisOptions *how, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (!fold_open(job, error))
        return false;
    bool ok = look(job, how, &failure);
    if (stands_in_the_way(job, failure)) {
        g_clear_pointer(&job->analysis, analysis_free);
        g_clear_pointer(&job->comparison, comparison_free);
        job->take_away = true;
        return fold_open(job, error) && look(job, how, error);
    }
    if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return ok;
}

/* New columns change what is compared: then both sides are looked at once more. */
static bool analyse(Job *job, const AnalysisOptions *how, GError **error)
{
    if (!analyse_once(job, how, error))
        return false;
    if (!args_flag(job->args, "add-columns") || args_flag(job->args, "dry-run"))
        return true;
    if (!fold_protect_before(job, error) ||
        !fold_add_columns(job->analysis, job->ledger, job->run, job->out, &job->columns_marker, error))
        return false;
    if (job->columns_marker == NULL)
        return true;
    g_clear_pointer(&job->analysis, analysis_free);
    g_clear_pointer(&job->comparison, comparison_free);
    return analyse_once(job, how, error);
}

/* What was added for a fold that then was refused, or not confirmed. */
static void take_columns_away(Job *job)
{
    if (!args_flag(job->args, "add-columns") || job->comparison == NULL)
        return;
    g_autofree char *cluster = g_strdup(pg_conn_identity(job->comparison->ends->target)->system_identifier);
    /* Our own reading must not stand in the way. */
    g_clear_pointer(&job->analysis, analysis_free);
    g_clear_pointer(&job->comparison, comparison_free);
    /* What cannot be taken away now stays in the ledger as the run's own. */
    (void)fold_clean_up(job->ledger, job->run, job->choice->config->target.url, cluster, NULL, 0, NULL, NULL);
}

/* Whoever reads that it failed midway asks how far it got. */
static void say_untouched(const Job *job, GError **error)
{
    if (error != NULL && g_error_matches(*error, PGF_ERROR, PGF_ERROR_MIDWAY) && pgf_error_state(*error) == NULL &&
        job->columns_marker == NULL)
        pgf_error_set_state(*error, "nothing was changed");
}

static bool fold_steps(Job *job, GError **error)
{
    job->receipt = receipt_new();
    job->receipt->run = job->run;
    job->receipt->started = g_get_real_time();
    AnalysisOptions analysis = {.no_owner = args_flag(job->args, "no-owner"),
                                .no_privileges = args_flag(job->args, "no-privileges"),
                                .ledger = job->ledger,
                                .conflicts = CONFLICTS_SHOWN,
                                .folder = ledger_state_dir(job->ledger)};
    if (!analysis_take_only(job->args, &analysis, error) || !analyse(job, &analysis, error)) {
        say_untouched(job, error);
        return false;
    }
    /* A part that was asked for is folded also where it holds no rows. */
    bool whole = job->comparison->ends->filter == NULL && !args_flag(job->args, "schema-only");
    if (whole && job->analysis->verification->audit->empty_source)
        return skip_empty(job, error);
    fold_show_notices(job);
    if (!fold_gate(job, error))
        return false;
    g_autofree char *tools = g_strdup_printf("pg_dump (PostgreSQL) %d", job->analysis->tools.version);
    receipt_text(&job->receipt->client_tools, tools);
    if (args_flag(job->args, "dry-run")) {
        out_line(job->out, "%s: everything is ready, and nothing was changed (--dry-run).", job->source->name);
        json_object_set_new(job->json, "outcome", json_string("ready"));
        return true;
    }
    return fold_confirm(job, error) && fold_protect_before(job, error) && back_up(job, error) && execute(job, error);
}

/* *ret_touched: it is folded, and something protected changed meanwhile. */
static bool fold_source(const CommandArgs *args, Out *out, const Choice *choice, const ConfigSource *source,
                        Ledger *ledger, json_t *json, bool *ret_touched, GError **error)
{
    g_auto(Job) job = {.args = args, .out = out, .choice = choice, .source = source, .ledger = ledger, .json = json};
    out_notice(out, "Folding %s", source->name);
    if (!ledger_run_begin(ledger, "fold", source->name, &job.run, error))
        return false;
    g_autoptr(GError) failure = NULL;
    bool folded = fold_steps(&job, &failure);
    *ret_touched = job.touched;
    if (folded)
        return ledger_run_finish(ledger, job.run, LEDGER_DONE, NULL, error);
    take_columns_away(&job);
    g_autofree char *message = config_redact(choice->config, failure->message);
    bool interrupted = cancel_signal() != 0;
    if (cancel_requested() && interrupted)
        cancel_reset();
    (void)ledger_run_finish(ledger, job.run, interrupted ? LEDGER_INTERRUPTED : LEDGER_FAILED, message, NULL);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_auto(Choice) choice = {0};
    if (!shared_choose(args, out, &choice, error) || !shared_narrow(args, &choice, error))
        return 0;
    if (choice.config->target.url == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Give --target as well.", "there is no target to fold into");
        return 0;
    }
    const char *backups = args_string(args, "backup-dir");
    if (backups != NULL && !config_check_protected_path(choice.config, "the backup folder", backups, error))
        return 0;
    g_autoptr(Ledger) ledger = ledger_open(choice.config->state, error);
    if (ledger == NULL || !ledger_lock(ledger, "fold", error))
        return 0;
    remove_old_scratch(choice.config->state);
    databases_tell_shared(out, &choice);
    json_t *document = out_json_new("fold");
    json_t *sources = json_array();
    json_object_set_new(document, "sources", sources);
    json_object_set_new(document, "failed", json_null());
    bool touched = false;
    g_auto(DatabaseFailures) failures;
    database_failures_init(&failures);
    guint begun = 0;
    for (guint i = 0; i < choice.sources->len && !touched; i++) {
        begun = i + 1;
        const ConfigSource *source = choice.sources->pdata[i];
        json_t *json = json_pack("{s:s, s:n, s:n, s:n}", "name", source->name, "outcome", "receipt", "contents");
        json_array_append_new(sources, json);
        g_autoptr(GError) failure = NULL;
        bool ok = fold_source(args, out, &choice, source, ledger, json, &touched, &failure);
        if (ok)
            continue;
        bool refused = g_error_matches(failure, PGF_ERROR, PGF_ERROR_REFUSED);
        if (json_is_null(json_object_get(json, "outcome")))
            json_object_set_new(json, "outcome", json_string(refused ? "refused" : "failed"));
        if (databases_go_on(out, &choice, i, &failures, failure)) {
            (void)g_steal_pointer(&failure);
            continue;
        }
        databases_show_folds(out, &choice, sources);
        shared_add_finished(&choice, i, &failures, failure);
        shared_print_failed(out, document, &choice, i, failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return 0;
    }
    databases_show_folds(out, &choice, sources);
    if (!databases_settle(&choice, begun, &failures, error))
        shared_put_failed(document, &choice, failures.index, failures.worst);
    if (out->json)
        out_json(out, document);
    else
        json_decref(document);
    return touched ? PGF_ERROR_DIFFERS : 0;
}

const Command command_fold = {
    .name = "fold",
    .summary = "bring every row of the sources into the target, and prove it",
    .synopsis = "[SOURCE...]",
    .description =
        "Reads each source in one snapshot, compares it with the target, backs it up and proves the backup "
        "by restoring it, "
        "then creates what the target lacks, copies the rows, builds indexes and constraints, and compares "
        "the digest of every "
        "table with that of the source. At the end a receipt is written.\n\n"
        "Tables that both sides have are merged, in one transaction: rows that the target lacks are "
        "inserted; of rows that "
        "are in conflict, on_conflict in pgfold.yaml says what becomes (docs/merge.md). Where no rule does, "
        "nothing is changed "
        "(exit status 1), and `pgfold plan` shows both sides. Rows that only the target has stay.\n\n"
        "A target database that does not exist is made under another name and gets its own only when all is "
        "proven. What a run "
        "that fails has made in the target is taken away again. One that was killed leaves it, and the next fold goes "
        "on from it, or takes it away first. `pgfold undo` takes a fold "
        "back that succeeded.\n\n"
        "include and exclude in pgfold.yaml, or the options that pg_dump has for it, fold a part of a source: what is "
        "left "
        "out is neither made nor missed, and stands in the receipt (docs/filters.md). With databases: all, every "
        "database of a server is folded, as a source called NAME/DATABASE; one that fails does not stop the others, "
        "and the exit status is the worst (docs/databases.md).\n\n"
        "What stands under protect in pgfold.yaml is refused wherever a fold would touch it. Its fingerprints are "
        "taken before and compared afterwards, and stand in the receipt (docs/protect.md). Where something "
        "protected changed meanwhile, the fold stands, no further source is begun, and the exit status is 1.",
    .options = options,
    .examples = examples,
    .exit_codes =
        "1 means that rows are in conflict, and no rule settles them: nothing was changed. Also that others have "
        "changed rows in the target between the commit of a merge and its verification, or that something protected "
        "changed meanwhile: the message says so. 4 means "
        "that nothing was changed: the message lists every reason. 5 means that it failed midway: the message says "
        "what state the target is in.",
    .run = run,
};

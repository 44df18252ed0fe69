/* pgfold retire: what leads back to a folded source is taken out of the code, and its infrastructure away. */
#include "cmd/retire_job.h"

#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/databases.h"
#include "cmd/show.h"
#include "config/protect.h"
#include "out/diff.h"
#include "testdb/tree.h"

static const CommandOption options[] = {
    {"undo", 0, OPTION_FLAG, NULL, "put the branch, the containers and the fences back"},
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"dry-run", 'n', OPTION_FLAG, NULL,
     "show the whole plan, and the changes as a patch for git apply; change nothing"},
    {"branch", 0, OPTION_STRING, "NAME", "the branch for the commits (pgfold/retire-SOURCE unless given)"},
    {"volumes", 0, OPTION_FLAG, NULL, "remove the containers and their volumes too; asks for the source's name"},
    {"confirm", 0, OPTION_LIST, "SOURCE", "with --volumes: the source's name, instead of typing it"},
    {"markdown", 0, OPTION_STRING, "FILE", "write the checklist there too, for a pull request"},
    {"moved-on", 0, OPTION_FLAG, NULL,
     "the application has changed rows in the target since: an unchanged source is enough"},
    {"protected-changed", 0, OPTION_FLAG, NULL,
     "what is protected was changed by others since the fold: that is known"},
    CONTAINERS_OPTION,
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold retire laptop --dry-run", "What would be done, and the patch"},
    {"pgfold retire laptop", "Fixes, removals and documents on a branch, its containers stopped, a checklist"},
    {"pgfold retire laptop --yes --markdown checklist.md", "Without being asked, with a text for the pull request"},
    {"pgfold retire laptop --volumes", "Remove the rows of the source as well, once its name was typed"},
    {"pgfold retire --undo laptop", "Everything back"},
    {NULL},
};

/* --- one run ------------------------------------------------------------------------------------------------------ */

static void job_free(gpointer data)
{
    RetireJob *job = data;
    receipt_free(job->receipt);
    g_free(job->receipt_file);
    container_free(job->container);
    g_clear_pointer(&job->protected, g_ptr_array_unref);
    g_free(job);
}

static void clear_arrays(Retirement *r)
{
    g_clear_pointer(&r->jobs, g_ptr_array_unref);
    g_clear_pointer(&r->earlier, g_ptr_array_unref);
    g_clear_pointer(&r->lines, g_ptr_array_unref);
    g_clear_pointer(&r->sources, g_ptr_array_unref);
}

static void retirement_clear(Retirement *r)
{
    g_clear_pointer(&r->containers, containers_end);
    clear_arrays(r);
    git_draft_free(r->draft);
    retire_code_free(r->code);
    git_free(r->git);
    g_clear_pointer(&r->ledger, ledger_close);
    config_free(r->config);
    g_free(r->branch);
    g_free(r->abandoned);
    g_free(r->markdown);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Retirement, retirement_clear)

/* Before anything is done: what is written at the end can be. */
static bool check_markdown(const Retirement *r, const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    if (!config_check_protected_path(r->config, "the checklist", path, error))
        return false;
    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "Make it, or choose another place.", "--markdown %s: there is no folder %s",
                  path, folder);
    return false;
}

/* Which databases there are now is asked of the server, so its container has to run for a moment. One of several is not
 * retired alone: what would be taken away is the server of all. */
static bool find_databases(const Retirement *r, GError **error)
{
    g_autoptr(GPtrArray) several = g_ptr_array_new();
    for (guint i = 0; i < r->sources->len; i++) {
        const ConfigSource *source = r->sources->pdata[i];
        if (source->base != NULL)
            return retire_refuse(error, g_strdup_printf("pgfold retire %s", source->base->name),
                                 "%s is one of several databases of a server, which are retired together",
                                 source->name);
        if (source->databases != NULL)
            g_ptr_array_add(several, (gpointer)(guintptr)source);
    }
    Containers *containers = NULL;
    bool ok = several->len == 0 ||
              (containers_begin(r->out, r->config, several, args_flag(r->args, "start"), &containers, error) &&
               databases_find(r->out, r->config, r->sources, error));
    g_clear_pointer(&containers, containers_end);
    return ok;
}

static bool open_retirement(Retirement *r, GError **error)
{
    if (args_words(r->args)[0] == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold status` lists the sources.",
                      "retire wants the name of a source");
        return false;
    }
    r->config = config_open(args_config(r->args), CONFIG_CONNECTS, error);
    if (r->config == NULL)
        return false;
    for (guint i = 0; i < r->config->warnings->len; i++)
        out_warning(r->out, "%s", (const char *)r->config->warnings->pdata[i]);
    const char *markdown = args_string(r->args, "markdown");
    if (markdown != NULL && !check_markdown(r, markdown, error))
        return false;
    r->sources = config_choose_sources(r->config, args_words(r->args), error);
    r->ledger = r->sources == NULL ? NULL : ledger_open(r->config->state, error);
    if (r->ledger == NULL || !ledger_lock(r->ledger, RETIRE_COMMAND, error))
        return false;
    if (!find_databases(r, error))
        return false;
    r->earlier = retire_runs(r->ledger, error);
    for (guint i = 0; i < r->sources->len; i++) {
        RetireJob *job = g_new0(RetireJob, 1);
        job->source = r->sources->pdata[i];
        g_ptr_array_add(r->jobs, job);
    }
    return r->earlier != NULL;
}

/* --- the gates ---------------------------------------------------------------------------------------------------- */

/* The containers of those that are to be looked at: an earlier run may have stopped some. */
static bool begin_containers(Retirement *r, GError **error)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    for (guint i = 0; i < r->jobs->len; i++) {
        RetireJob *job = r->jobs->pdata[i];
        if (!retire_gate_container(r, job, error))
            return false;
        if (job->closed == 0)
            g_ptr_array_add(open, (gpointer)job->source);
    }
    return containers_begin(r->out, r->config, open, args_flag(r->args, "start"), &r->containers, error);
}

typedef bool (*Gate)(Retirement *r, RetireJob *job, GError **error);

static bool each(Retirement *r, Gate gate, GError **error)
{
    for (guint i = 0; i < r->jobs->len; i++)
        if (!gate(r, r->jobs->pdata[i], error))
            return false;
    return true;
}

/* The cheap ones first. */
static bool pass_gates(Retirement *r, GError **error)
{
    if (!each(r, retire_gate_receipt, error) || !each(r, retire_gate_backup, error) || !retire_gate_git(r, error))
        return false;
    r->code = retire_code(r->config, r->git, r->ledger, r->sources, error);
    return r->code != NULL && begin_containers(r, error) && each(r, retire_gate_proof, error);
}

static bool confirm(Retirement *r, GError **error)
{
    g_autofree char *names = retire_names(r);
    if (out_confirm(r->out, args_flag(r->args, "yes"), "Retire %s?", names))
        return true;
    if (cancel_check(error))
        (void)retire_refuse(error, g_strdup("Answer y, or give --yes where nobody can be asked."), "not confirmed");
    return false;
}

/* --- the branch --------------------------------------------------------------------------------------------------- */

static bool make_draft(Retirement *r, bool rehearse, GError **error)
{
    g_autofree char *evidence = retire_evidence(r);
    r->draft = git_draft_new(r->git, r->config->state, rehearse, error);
    return r->draft != NULL && retire_commit(r->code, r->draft, evidence, error);
}

static bool record_plan(Retirement *r, GError **error)
{
    json_t *sources = json_array();
    for (guint i = 0; i < r->jobs->len; i++)
        json_array_append_new(sources, retire_source_plan(r, r->jobs->pdata[i]));
    json_t *code = r->draft->commits == 0
                       ? json_null()
                       : json_pack("{s:s, s:s?, s:s, s:s, s:b}", "branch", r->branch, "from", r->git->branch, "base",
                                   r->draft->base, "tip", r->draft->tip, "new", (int)!r->on_branch);
    return retire_record_plan(r->ledger, r->run, json_pack("{s:o, s:o}", "code", code, "sources", sources), error);
}

static bool step(Retirement *r, const char *name, bool done, gint64 *id, const GError *cause, GError **error)
{
    if (*id == 0)
        return ledger_step_begin(r->ledger, r->run, name, r->branch, id, error);
    return done ? ledger_step_done(r->ledger, *id, NULL, error)
                : ledger_step_failed(r->ledger, *id, cause->message, NULL);
}

static bool name_commits(Retirement *r, GError **error)
{
    gint64 id = 0;
    g_autoptr(GError) cause = NULL;
    if (r->on_branch)
        return true;
    if (!step(r, "branch", false, &id, NULL, error))
        return false;
    if (git_branch_set(r->git, r->branch, r->draft->tip, r->abandoned, &cause))
        return step(r, "branch", true, &id, NULL, error);
    (void)step(r, "branch", false, &id, cause, NULL);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* HEAD and the files are as they were when this began. */
static bool is_untouched(const Retirement *r)
{
    g_autoptr(Git) now = git_open(r->config->folder, command_caller.umask, NULL);
    g_autoptr(GPtrArray) changed = now == NULL ? NULL : git_changed(now, NULL);
    return changed != NULL && changed->len == 0 && g_strcmp0(now->head, r->git->head) == 0 &&
           g_strcmp0(now->branch, r->git->branch) == 0;
}

/* Also when Ctrl-C was what stopped us. */
static bool take_branch_back(const Retirement *r)
{
    bool cancelled = cancel_requested();
    cancel_reset();
    bool gone = git_branch_set(r->git, r->branch, NULL, r->draft->tip, NULL);
    if (cancelled)
        cancel_request();
    return gone;
}

/* Where it fails, the branch that nobody went to goes again. */
static bool go_there(Retirement *r, GError **error)
{
    gint64 id = 0;
    g_autoptr(GError) cause = NULL;
    if (!step(r, "switch", false, &id, NULL, error))
        return false;
    if (r->on_branch ? git_forward(r->git, r->draft->tip, &cause) : git_switch(r->git, r->branch, false, &cause)) {
        r->changed = true;
        return step(r, "switch", true, &id, NULL, error);
    }
    (void)step(r, "switch", false, &id, cause, NULL);
    if (is_untouched(r)) {
        bool gone = r->on_branch || take_branch_back(r);
        pgf_error_set_code(cause, PGF_ERROR_REFUSED);
        pgf_error_set_state(
            cause, gone ? "nothing was changed" : "nothing was changed, but that there is a branch %s now", r->branch);
    } else {
        pgf_error_set_code(cause, PGF_ERROR_MIDWAY);
        if (pgf_error_state(cause) == NULL)
            pgf_error_set_state(cause, "the work tree may be half way to branch %s (git status)", r->branch);
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static bool commit(Retirement *r, GError **error)
{
    if (!make_draft(r, false, error) || !record_plan(r, error))
        return false;
    if (r->draft->commits == 0)
        return true;
    return name_commits(r, error) && go_there(r, error);
}

/* --- the order of things ------------------------------------------------------------------------------------------ */

static bool work(Retirement *r, GError **error)
{
    if (!commit(r, error) || !each(r, retire_close, error) || !each(r, retire_check_protected, error))
        return false;
    g_clear_pointer(&r->containers, containers_end); /* those that --start began */
    return each(r, retire_stop, error) && each(r, retire_remove, error) && retire_check_code(r, error) &&
           each(r, retire_check_closed, error) && retire_write_markdown(r, error);
}

/* Checked again, it stays retired since it was first. */
static bool is_marked(const GPtrArray *marks, const RetireJob *job)
{
    for (guint i = 0; i < marks->len; i++) {
        const LedgerMark *one = marks->pdata[i];
        if (one->stage == LEDGER_RETIRED && strcmp(one->source_name, job->source->name) == 0)
            return one->good && one->at >= job->receipt->finished;
    }
    return false;
}

static bool mark(Retirement *r, GError **error)
{
    guint open = checklist_count(r->lines, RETIRE_NO);
    g_autofree char *outcome =
        open == 0 ? g_strdup("retired") : g_strdup_printf("%u of its checks %s open", open, open == 1 ? "is" : "are");
    g_autoptr(GPtrArray) marks = ledger_marks(r->ledger, error);
    for (guint i = 0; marks != NULL && i < r->jobs->len; i++) {
        const RetireJob *job = r->jobs->pdata[i];
        if (!(open == 0 && is_marked(marks, job)) &&
            !ledger_mark(r->ledger, r->run, job->source->name, LEDGER_RETIRED, open == 0, outcome, r->markdown, error))
            return false;
    }
    return marks != NULL;
}

static void show_done(Retirement *r)
{
    guint open = checklist_count(r->lines, RETIRE_NO);
    g_autofree char *names = retire_names(r);
    Out *out = r->out;
    retire_show_checklist(r);
    if (open == 0)
        out_line(out, "\n%s: retired.", names);
    else
        out_line(out, "\n%s: %u of the checks %s open. Mend that, commit it on %s, and run this again.", names, open,
                 open == 1 ? "is" : "are", r->branch);
    out_line(out, "Checklist for the pull request: %s", r->markdown);
    out_line(out, "To take it back: pgfold retire --undo %s", ((const RetireJob *)r->jobs->pdata[0])->source->name);
}

static bool rehearse(Retirement *r, GError **error)
{
    if (!make_draft(r, true, error))
        return false;
    g_autofree char *patch = git_draft_patch(r->draft, error);
    if (patch == NULL)
        return false;
    if (r->out->json) {
        out_json(r->out, retire_json(r, "ready", patch));
        return true;
    }
    g_autofree char *names = retire_names(r);
    retire_show_checklist(r);
    out_line(r->out, "%s: everything is ready, and nothing was changed (--dry-run).%s", names,
             *patch == '\0' ? "" : " The patch:\n");
    out_patch(r->out, patch);
    return true;
}

/* A question may stand for hours: the tree must be what the plan was made for. */
static bool look_again(Retirement *r, GError **error)
{
    g_autoptr(Git) now = git_open(r->config->folder, command_caller.umask, error);
    if (now == NULL || !git_gate(now, error))
        return false;
    if (g_strcmp0(now->head, r->git->head) == 0 && g_strcmp0(now->branch, r->git->branch) == 0)
        return true;
    return retire_refuse(error, g_strdup("Run the same command again: it plans anew."),
                         "the git tree has moved on since this was planned");
}

/* *ret_open: not every check is good. */
static bool steps(Retirement *r, bool *ret_open, GError **error)
{
    if (!pass_gates(r, error))
        return false;
    retire_show_plan(r);
    if (args_flag(r->args, "dry-run"))
        return rehearse(r, error);
    if (!confirm(r, error) || !retire_gate_volumes(r, error) || !look_again(r, error) || !work(r, error) ||
        !mark(r, error))
        return false;
    *ret_open = checklist_count(r->lines, RETIRE_NO) > 0;
    if (r->out->json)
        out_json(r->out, retire_json(r, *ret_open ? "open" : "retired", NULL));
    else
        show_done(r);
    return true;
}

/* Something was done: then it is no refusal any more, whatever stopped it. */
static void say_how_far(const Retirement *r, GError *failure)
{
    g_autofree char *names = g_strjoinv(" ", (char **)args_words(r->args));
    if (!r->changed)
        return;
    pgf_error_set_code(failure, PGF_ERROR_MIDWAY);
    pgf_error_set_state(failure, "the commits are on branch %s; what stood outside of git may be half done", r->branch);
    g_autofree char *hint = g_strdup_printf("%s%s`pgfold retire %s` goes on, `pgfold retire --undo %s` goes back.",
                                            pgf_error_hint(failure) == NULL ? "" : pgf_error_hint(failure),
                                            pgf_error_hint(failure) == NULL ? "" : "\n", names, names);
    pgf_error_set_hint(failure, hint);
}

/* A run that was killed left its temporary files; we hold the lock, so nobody uses them. */
static void remove_old_drafts(const char *state)
{
    g_autoptr(GDir) folder = g_dir_open(state, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(state, name, NULL);
        if (g_str_has_prefix(name, ".draft-"))
            (void)tree_remove(path, NULL);
    }
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    if (args_flag(args, "undo"))
        return retire_undo(args, out, error);
    g_auto(Retirement)
        r = {.args = args, .out = out, .lines = checklist_new(), .jobs = g_ptr_array_new_with_free_func(job_free)};
    bool open = false;
    if (!open_retirement(&r, error))
        return 0;
    remove_old_drafts(r.config->state);
    const char *name = r.jobs->len == 1 ? ((const RetireJob *)r.jobs->pdata[0])->source->name : NULL;
    if (!ledger_run_begin(r.ledger, RETIRE_COMMAND, name, &r.run, error))
        return 0;
    g_autoptr(GError) failure = NULL;
    if (steps(&r, &open, &failure)) {
        (void)ledger_run_finish(r.ledger, r.run, LEDGER_DONE, NULL, error);
        return open ? PGF_ERROR_DIFFERS : 0;
    }
    say_how_far(&r, failure);
    g_autofree char *message = config_redact(r.config, failure->message);
    bool interrupted = cancel_signal() != 0;
    (void)ledger_run_finish(r.ledger, r.run, interrupted ? LEDGER_INTERRUPTED : LEDGER_FAILED, message, NULL);
    g_propagate_error(error, g_steal_pointer(&failure));
    return 0;
}

const Command command_retire = {
    .name = "retire",
    .summary = "take away what leads back to a folded source",
    .synopsis = "SOURCE...",
    .description =
        "Begins only where a receipt proves that the source is in the target: valid, with a proven backup that is "
        "still "
        "there, and still true (a fence stood since before the fold, or every row is looked at again). What is "
        "protected "
        "must be as it was, and the git tree clean.\n\n"
        "Then, on a new branch, one commit each, citing the receipt: fallbacks to a local database mended (see scan), "
        "the files of code.remove removed, what refers to them mended where that is certain and listed where not. "
        "Outside of git: the source's container stopped; with --volumes and its name typed, its volumes removed. A "
        "plain cluster is fenced, never deleted.\n\n"
        "At the end everything is looked at again: a checklist with the evidence for each line, in the terminal, with "
        "--json, and as Markdown in .pgfold/retire.\n\n"
        "Killed at any moment, the same command goes on, and --undo goes back (docs/retire.md).",
    .options = options,
    .examples = examples,
    .exit_codes = "1 when it is done and a check is not good: the list says which. 4 means that nothing was changed. 5 "
                  "means that it stopped on its way: the message says how to go on.",
    .run = run,
};

/* pgfold retire --undo: containers, fences and the branch, back to what they were. */
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/retire_job.h"
#include "fence/fence.h"

typedef struct Undo {
    const CommandArgs *args;
    Out *out;
    Config *config;
    Ledger *ledger;
    gint64 run;
    GPtrArray *runs;  /* of RetireRun*, the newest first */
    GPtrArray *names; /* of const char*: sources that are put back */
    Git *git;
    json_t *done; /* of strings */
} Undo;

static void undo_clear(Undo *undo)
{
    g_clear_pointer(&undo->git, git_free);
    g_clear_pointer(&undo->runs, g_ptr_array_unref);
    g_clear_pointer(&undo->names, g_ptr_array_unref);
    g_clear_pointer(&undo->ledger, ledger_close);
    g_clear_pointer(&undo->config, config_free);
    g_clear_pointer(&undo->done, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Undo, undo_clear)

static void say(Undo *undo, char *text_taken)
{
    g_autofree char *text = text_taken;
    out_line(undo->out, "%s", text);
    json_array_append_new(undo->done, out_json_string(text));
}

static const char *get(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* A word also means all databases of the source that it names. */
static bool is_meant(const char *const *words, const char *name)
{
    for (guint i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], name) == 0 || config_is_database_of(name, words[i]))
            return true;
    return words[0] == NULL;
}

static bool is_named(const Undo *undo, const char *name)
{
    for (guint i = 0; i < undo->names->len; i++)
        if (strcmp(undo->names->pdata[i], name) == 0 || config_is_database_of(undo->names->pdata[i], name))
            return true;
    return false;
}

/* Without a name: all that were retired. */
static bool choose_names(Undo *undo, GError **error)
{
    const char *const *words = args_words(undo->args);
    for (guint i = 0; i < undo->runs->len; i++) {
        const RetireRun *run = undo->runs->pdata[i];
        size_t k;
        json_t *source;
        json_array_foreach(json_object_get(run->plan, "sources"), k, source)
        {
            const char *name = get(source, "name");
            if (is_meant(words, name) && !is_named(undo, name))
                g_ptr_array_add(undo->names, (gpointer)name);
        }
    }
    for (guint i = 0; words[i] != NULL; i++) {
        if (is_named(undo, words[i]))
            continue;
        pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold status` says which sources are retired.",
                      "source \"%s\" was not retired, or was put back already", words[i]);
        return false;
    }
    return true;
}

/* --- code --------------------------------------------------------------------------------------------------------- */

/* A branch goes with the last of the sources that it was made for. */
static bool goes(const Undo *undo, const RetireRun *run)
{
    size_t i;
    json_t *source;
    json_array_foreach(json_object_get(run->plan, "sources"), i, source)
    {
        const char *name = get(source, "name");
        if (!is_named(undo, name) && !g_hash_table_contains(run->undone, name))
            return false;
    }
    return true;
}

static bool refuse(GError **error, char *hint, const char *message)
{
    return retire_refuse(error, hint, "%s", message);
}

/* at: where the branch is after what newer runs have put back. */
static bool check_branch(const Undo *undo, const json_t *code, const char *at, GError **error)
{
    const char *branch = get(code, "branch"), *tip = get(code, "tip");
    if (at == NULL || strcmp(at, tip) == 0)
        return true;
    if (strcmp(at, get(code, "base")) == 0)
        return true; /* it never went on */
    g_autofree char *message = g_strdup_printf("branch %s has commits that pgfold did not make", branch);
    return refuse(error,
                  g_strdup_printf("Keep them under another name (git branch NAME %s), put the branch back (git reset "
                                  "--hard %.12s), and run this again.",
                                  undo->git->branch != NULL && strcmp(undo->git->branch, branch) == 0 ? "HEAD" : branch,
                                  tip),
                  message);
}

/* All of it before anything is changed. */
static bool check_code(Undo *undo, GError **error)
{
    g_autoptr(GHashTable) heads = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < undo->runs->len; i++) {
        const RetireRun *run = undo->runs->pdata[i];
        const json_t *code = retire_run_code(run);
        if (code == NULL || !goes(undo, run))
            continue;
        if (undo->git == NULL && (undo->git = git_open(undo->config->folder, command_caller.umask, error)) == NULL)
            return false;
        const char *branch = get(code, "branch");
        char *at = NULL;
        if (g_hash_table_contains(heads, branch))
            at = g_strdup(g_hash_table_lookup(heads, branch));
        else if (!git_branch_commit(undo->git, branch, &at, error))
            return false;
        bool ok = check_branch(undo, code, at, error);
        g_free(at);
        if (!ok)
            return false;
        g_hash_table_replace(heads, g_strdup(branch),
                             g_strdup(json_is_true(json_object_get(code, "new")) ? NULL : get(code, "base")));
    }
    return undo->git == NULL || git_gate(undo->git, error);
}

static bool leave_branch(Undo *undo, const json_t *code, GError **error)
{
    const char *from = get(code, "from");
    g_autofree char *there = NULL;
    if (g_strcmp0(undo->git->branch, get(code, "branch")) != 0)
        return true;
    if (from != NULL && !git_branch_commit(undo->git, from, &there, error))
        return false;
    bool back = there != NULL ? git_switch(undo->git, from, false, error)
                              : git_switch(undo->git, get(code, "base"), true, error);
    if (back)
        say(undo, there != NULL ? g_strdup_printf("HEAD is at %s again.", from)
                                : g_strdup_printf("HEAD is at %.12s again.", get(code, "base")));
    return back;
}

static bool say_merged(Undo *undo, const json_t *code, GError **error)
{
    g_autoptr(GPtrArray) with = git_branches_with(undo->git, get(code, "tip"), get(code, "branch"), error);
    if (with != NULL && with->len > 0)
        out_warning(undo->out, "the commits are in %s as well, and stay there: git revert takes them out",
                    (const char *)with->pdata[0]);
    return with != NULL;
}

static bool undo_code(Undo *undo, const RetireRun *run, GError **error)
{
    const json_t *code = retire_run_code(run);
    const char *branch = get(code, "branch"), *tip = get(code, "tip"), *base = get(code, "base");
    g_autofree char *at = NULL;
    if (!git_branch_commit(undo->git, branch, &at, error))
        return false;
    if (!retire_run_began(run, "switch", branch) && !retire_run_began(run, "branch", branch)) {
        /* It was killed before it made one. */
    } else if (at == NULL) {
        say(undo, g_strdup_printf("Branch %s is gone already.", branch));
    } else if (strcmp(at, tip) != 0 && strcmp(at, base) != 0) {
        return retire_refuse(error, g_strdup("Run the same command again: it looks at it anew."),
                             "branch %s has moved on meanwhile", branch);
    } else if (!json_is_true(json_object_get(code, "new"))) {
        bool is_here = g_strcmp0(undo->git->branch, branch) == 0;
        if (strcmp(at, tip) == 0 &&
            !(is_here ? git_back(undo->git, base, error) : git_branch_set(undo->git, branch, base, tip, error)))
            return false;
        say(undo, g_strdup_printf("Branch %s is at %.12s again.", branch, base));
    } else if (!say_merged(undo, code, error) || !leave_branch(undo, code, error) ||
               !git_branch_set(undo->git, branch, NULL, at, error)) {
        return false;
    } else {
        say(undo, g_strdup_printf("Branch %s is deleted; its last commit was %s.", branch, at));
    }
    return retire_record_undone(undo->ledger, undo->run, run->id, NULL, error);
}

/* --- outside ------------------------------------------------------------------------------------------------------ */

/* What is there is started, whatever the steps of the run say; what is not there does not stand in the way of the rest.
 */
static bool start_again(Undo *undo, const RetireRun *run, const char *source, const json_t *container, GError **error)
{
    const char *id = get(container, "id"), *engine = get(container, "engine"), *name = get(container, "name");
    EngineRef ref = {.engine = engine, .container = id};
    g_autoptr(Container) found = NULL;
    bool known = false;
    if (!json_is_true(json_object_get(container, "running")) || !retire_run_began(run, "stop", source))
        return true;
    if (!engine_find(&ref, &found, &known, error))
        return false;
    if (found == NULL && !known) {
        pgf_error_set(error, PGF_ERROR_CONNECT, "Start it, and run the same command again.",
                      "source %s: %s does not answer, so nobody can tell whether its container %s is there", source,
                      engine, name);
        return false;
    }
    if (found == NULL) {
        out_warning(undo->out, "container %s of %s is gone%s, and cannot come back; its backup has the rows", name,
                    source, retire_run_began(run, "remove", source) ? " (--volumes)" : "");
        return true;
    }
    if (!found->running && !engine_start(&ref, found, deadline_in_ms(ENGINE_START_MS), error))
        return false;
    say(undo, g_strdup_printf("%s: container %s runs again.", source, found->name));
    return true;
}

/* The fence is of a run of retire, and not one that somebody raised by himself. */
static bool is_of_retire(const Undo *undo, const FenceSurvey *survey)
{
    for (guint i = 0; i < survey->rows->len; i++) {
        const LedgerFence *row = survey->rows->pdata[i];
        bool ours = false;
        for (guint k = 0; k < undo->runs->len; k++)
            ours |= ((const RetireRun *)undo->runs->pdata[k])->id == row->run;
        if (!ours)
            return false;
    }
    return true;
}

static bool lift(Undo *undo, const ConfigSource *source, GError **error)
{
    g_autoptr(Ends) ends = ends_open(undo->config, source, false, error);
    g_autoptr(FenceSurvey) survey = ends == NULL ? NULL : fence_survey(ends->source, undo->ledger, error);
    g_autoptr(GPtrArray) statements = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    if (survey == NULL)
        return false;
    if (!is_of_retire(undo, survey)) {
        out_warning(undo->out, "%s: its fence was raised by itself and stays; `pgfold fence %s --lift` lifts it",
                    source->name, source->name);
        return true;
    }
    if (survey->rows->len > 0 && (!fence_gate_lift(survey, ends->source, error) ||
                                  !fence_lift(ends->source, undo->ledger, survey, false, statements, notes, error)))
        return false;
    for (guint i = 0; i < notes->len; i++)
        out_warning(undo->out, "%s", (const char *)notes->pdata[i]);
    say(undo, g_strdup_printf("%s: its fence is lifted.", source->name));
    return true;
}

static bool undo_source(Undo *undo, const RetireRun *run, const char *name, GError **error)
{
    const json_t *plan = retire_run_source(run, name);
    const json_t *container = json_object_get(plan, "container");
    const ConfigSource *source = config_named_source(undo->config, name, NULL);
    if (plan == NULL)
        return true;
    if (json_is_object(container) && !start_again(undo, run, name, container, error))
        return false;
    if (retire_run_began(run, "fence", name)) {
        if (source == NULL)
            out_warning(undo->out, "source %s is not in pgfold.yaml any more: its fence stays", name);
        else if (!lift(undo, source, error))
            return false;
    }
    return ledger_mark(undo->ledger, undo->run, name, LEDGER_RETIRED, false, LEDGER_PUT_BACK, NULL, error) &&
           retire_record_undone(undo->ledger, undo->run, run->id, name, error);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static bool undo_all(Undo *undo, GError **error)
{
    for (guint i = 0; i < undo->runs->len; i++) {
        const RetireRun *run = undo->runs->pdata[i];
        for (guint k = 0; k < undo->names->len; k++)
            if (!undo_source(undo, run, undo->names->pdata[k], error))
                return false;
        const json_t *code = retire_run_code(run);
        if (code == NULL)
            continue;
        if (!goes(undo, run))
            out_notice(undo->out, "Branch %s stays: it was made for other sources too.", get(code, "branch"));
        else if (!undo_code(undo, run, error))
            return false;
    }
    return true;
}

static void show_plan(Undo *undo)
{
    for (guint i = 0; i < undo->runs->len; i++) {
        const RetireRun *run = undo->runs->pdata[i];
        const json_t *code = retire_run_code(run);
        for (guint k = 0; k < undo->names->len; k++) {
            const char *name = undo->names->pdata[k];
            const json_t *source = retire_run_source(run, name);
            if (source != NULL && retire_run_began(run, "stop", name) && !retire_run_began(run, "remove", name))
                out_line(undo->out, "%s: container %s is started.", name,
                         get(json_object_get(source, "container"), "name"));
            if (source != NULL && retire_run_began(run, "fence", name))
                out_line(undo->out, "%s: its fence is lifted.", name);
        }
        if (code != NULL && goes(undo, run))
            out_line(undo->out,
                     json_is_true(json_object_get(code, "new")) ? "Branch %s is deleted." : "Branch %s goes back.",
                     get(code, "branch"));
    }
}

static void show_json(Undo *undo, const char *outcome)
{
    json_t *document = out_json_new("retire-undo");
    json_t *names = json_array();
    for (guint i = 0; i < undo->names->len; i++)
        json_array_append_new(names, out_json_string(undo->names->pdata[i]));
    json_object_set_new(document, "dry_run", json_boolean(args_flag(undo->args, "dry-run")));
    json_object_set_new(document, "outcome", json_string(outcome));
    json_object_set_new(document, "sources", names);
    json_object_set(document, "done", undo->done);
    out_json(undo->out, document);
}

static bool confirm(const Undo *undo, GError **error)
{
    if (out_confirm(undo->out, args_flag(undo->args, "yes"), "Put this back?"))
        return true;
    return cancel_check(error) &&
           retire_refuse(error, g_strdup("Answer y, or give --yes where nobody can be asked."), "not confirmed");
}

static bool act(Undo *undo, GError **error)
{
    const char *name = undo->names->len == 1 ? undo->names->pdata[0] : NULL;
    if (!ledger_run_begin(undo->ledger, RETIRE_UNDO_COMMAND, name, &undo->run, error))
        return false;
    g_autoptr(GError) failure = NULL;
    if (undo_all(undo, &failure))
        return ledger_run_finish(undo->ledger, undo->run, LEDGER_DONE, NULL, error);
    g_autofree char *message = config_redact(undo->config, failure->message);
    (void)ledger_run_finish(undo->ledger, undo->run, LEDGER_FAILED, message, NULL);
    if (json_array_size(undo->done) > 0) {
        pgf_error_set_code(failure, PGF_ERROR_MIDWAY);
        pgf_error_set_state(failure, "a part was put back; the same command goes on");
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

int retire_undo(const CommandArgs *args, Out *out, GError **error)
{
    g_auto(Undo) undo = {.args = args, .out = out, .names = g_ptr_array_new(), .done = json_array()};
    undo.config = config_open(args_config(args), CONFIG_CONNECTS, error);
    undo.ledger = undo.config == NULL ? NULL : ledger_open(undo.config->state, error);
    if (undo.ledger == NULL || !ledger_lock(undo.ledger, RETIRE_UNDO_COMMAND, error) ||
        (undo.runs = retire_runs(undo.ledger, error)) == NULL || !choose_names(&undo, error))
        return 0;
    const char *outcome = "nothing";
    if (undo.names->len == 0) {
        out_line(out, "Nothing was retired, or all of it was put back already.");
    } else {
        if (!check_code(&undo, error))
            return 0;
        show_plan(&undo);
        outcome = "ready";
        if (!args_flag(args, "dry-run")) {
            /* The question may have stood for hours: the tree is looked at again. */
            if (!confirm(&undo, error))
                return 0;
            g_clear_pointer(&undo.git, git_free);
            if (!check_code(&undo, error) || !act(&undo, error))
                return 0;
            outcome = "undone";
        }
    }
    if (out->json)
        show_json(&undo, outcome);
    return 0;
}

/* pgfold fence: nothing is written to a source behind the proof; and everything back with --lift. */
#include "fence/fence.h"
#include "base/cancel.h"
#include "base/error.h"
#include "cmd/databases.h"
#include "cmd/fence_view.h"
#include "cmd/shared.h"
#include "config/protect.h"
#include "dump/dump.h"

static const CommandOption options[] = {
    {"source", 0, OPTION_STRING, "URL", "fence this database, without a pgfold.yaml"},
    {"lift", 0, OPTION_FLAG, NULL, "open it again, exactly as it was before"},
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask, neither before closing it nor before ending sessions"},
    {"dry-run", 'n', OPTION_FLAG, NULL, "show statements and sessions, and change nothing"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold fence laptop", "Make it read-only, close it, end the sessions that are left"},
    {"pgfold fence laptop --dry-run", "What that would do, and to whom"},
    {"pgfold fence laptop --yes && pgfold fold laptop --yes && pgfold verify laptop", "The last fold of a source"},
    {"pgfold fence laptop --lift", "Open it again"},
    {NULL},
};

/* One source on its way. */
typedef struct Job {
    const CommandArgs *args;
    Out *out;
    const ConfigSource *source;
    Ledger *ledger;
    gint64 run;
    Ends *ends;
    FenceSurvey *survey;
    GPtrArray *notes;  /* of char* */
    GPtrArray *ended;  /* of FenceSession* */
    GPtrArray *lifted; /* of char*: statements */
    json_t *sources;   /* the result is appended */
} Job;

static void job_clear(Job *job)
{
    g_clear_pointer(&job->notes, g_ptr_array_unref);
    g_clear_pointer(&job->ended, g_ptr_array_unref);
    g_clear_pointer(&job->lifted, g_ptr_array_unref);
    fence_survey_free(job->survey);
    ends_free(job->ends);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

static FenceView view_of(const Job *job)
{
    bool lift = args_flag(job->args, "lift");
    return (FenceView){.out = job->out,
                       .name = job->source->name,
                       .conn = job->ends->source,
                       .survey = job->survey,
                       .lift = lift,
                       .dry_run = args_flag(job->args, "dry-run"),
                       .statements = lift ? job->lifted : job->survey->statements,
                       .ended = job->ended,
                       .notes = job->notes};
}

static bool finish(const Job *job, const char *outcome)
{
    FenceView view = view_of(job);
    view.outcome = outcome;
    fence_show_outcome(&view);
    json_array_append_new(job->sources, fence_json(&view));
    return true;
}

/* Both ends, where a target is known: fencing the target by mistake is what this keeps off. A lift only gives back. */
static bool open_source(Job *job, const Config *config, GError **error)
{
    bool with_target = config->target.url != NULL && !args_flag(job->args, "lift");
    job->ends = ends_open(config, job->source, with_target, error);
    if (job->ends == NULL)
        return false;
    const PgIdentity *identity = pg_conn_identity(job->ends->source);
    if (!config_check_protected_role(config, pg_conn_label(job->ends->source), identity->role, error))
        return false;
    g_clear_pointer(&job->ends->target, pg_conn_close);
    if (!identity->in_recovery)
        return ledger_run_identify(job->ledger, job->run, identity, NULL, NULL, error);
    pgf_error_set(error, PGF_ERROR_REFUSED, "Give the URL of its primary server: a standby follows that.",
                  "%s: the server at %s is a standby: fence the primary", pg_conn_label(job->ends->source),
                  identity->address);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    return false;
}

static bool not_confirmed(GError **error)
{
    if (!cancel_check(error))
        return false;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Answer y, or give --yes where nobody can be asked.",
                  "not confirmed: nothing was changed");
    return false;
}

/* --- lift --------------------------------------------------------------------------------------------------------- */

static bool lift(Job *job, GError **error)
{
    bool dry_run = args_flag(job->args, "dry-run");
    PgConn *conn = job->ends->source;
    job->lifted = g_ptr_array_new_with_free_func(g_free);
    if (job->survey->rows->len == 0) {
        if (job->survey->statements->len == 0)
            out_notice(
                job->out,
                "It is read-only and closed all the same, but not by a fence that this ledger knows: by hand, or "
                "from another machine. Lift it where it was made.");
        return finish(job, "open");
    }
    if (!fence_gate_lift(job->survey, conn, error))
        return false;
    if (dry_run && !fence_lift(conn, job->ledger, job->survey, true, job->lifted, job->notes, error))
        return false;
    FenceView view = view_of(job);
    fence_show_survey(&view);
    if (dry_run)
        return finish(job, "ready");
    if (!out_confirm(job->out, args_flag(job->args, "yes"), "Open %s (%s) to everybody who could write before?",
                     job->source->name, pg_conn_display(conn)))
        return not_confirmed(error);
    return fence_lift(conn, job->ledger, job->survey, false, job->lifted, job->notes, error) && finish(job, "lifted");
}

/* --- fence -------------------------------------------------------------------------------------------------------- */

/* The transaction of the fence was committed: whatever fails now leaves it standing. */
static void say_that_it_stands(const Job *job, GError *failure)
{
    pgf_error_set_code(failure, PGF_ERROR_MIDWAY);
    pgf_error_set_state(failure,
                        "the fence stands for new sessions, but it is not proven: sessions that began before it may "
                        "still write");
    g_autofree char *hint =
        g_strdup_printf("%s%s`pgfold fence %s` goes on, `pgfold fence %s --lift` goes back.",
                        pgf_error_hint(failure) == NULL ? "" : pgf_error_hint(failure),
                        pgf_error_hint(failure) == NULL ? "" : " ", job->source->name, job->source->name);
    pgf_error_set_hint(failure, hint);
}

static bool end_sessions(Job *job, gint64 since, GError **error)
{
    PgConn *conn = job->ends->source;
    job->ended = fence_sessions(conn, since, error);
    if (job->ended == NULL)
        return false;
    if (job->ended->len == 0)
        return true;
    fence_show_sessions(job->out, job->ended);
    if (out_confirm(job->out, args_flag(job->args, "yes"), "End %s?",
                    job->ended->len == 1 ? "this session" : "these sessions"))
        return fence_end_sessions(conn, since, error);
    if (cancel_check(error))
        pgf_error_set(error, PGF_ERROR_MIDWAY, "Answer y, or give --yes where nobody can be asked.",
                      "ending the sessions was not confirmed");
    return false;
}

static bool close_and_prove(Job *job, GError **error)
{
    PgConn *conn = job->ends->source;
    gint64 since = job->survey->since;
    if (!fence_raise(conn, job->ledger, job->run, job->source->name, &since, error))
        return false;
    g_autoptr(GError) failure = NULL;
    if (end_sessions(job, since, &failure) && fence_prove(conn, job->source->url, since, &failure))
        return finish(job, "fenced");
    say_that_it_stands(job, failure);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Roles whose privileges or settings in this database a fence would change. */
static bool check_roles(const Job *job, GError **error)
{
    const Config *config = job->ends->config;
    PgConn *conn = job->ends->source;
    if (config->protect[CONFIG_PROTECT_ROLES][0] == NULL)
        return true;
    g_autoptr(PgResult) roles =
        pg_query(conn, "SELECT rolname FROM pg_catalog.pg_roles", deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; roles != NULL && i < pg_result_rows(roles); i++) {
        const char *name = pg_result_get(roles, i, 0);
        for (guint k = 0; k < job->survey->statements->len; k++) {
            if (dump_names_role(job->survey->statements->pdata[k], name) &&
                !config_check_protected_role(config, pg_conn_label(conn), name, error))
                return false;
        }
    }
    return roles != NULL;
}

static bool fence(Job *job, GError **error)
{
    if (!check_roles(job, error) || !fence_gate(job->survey, job->ends->source, error))
        return false;
    FenceView view = view_of(job);
    fence_show_survey(&view);
    if (args_flag(job->args, "dry-run")) {
        job->ended = g_ptr_array_ref(job->survey->sessions);
        return finish(job, "ready");
    }
    if (job->survey->statements->len > 0 &&
        !out_confirm(job->out, args_flag(job->args, "yes"), "Close %s (%s) to everybody but %s?", job->source->name,
                     pg_conn_display(job->ends->source), pg_conn_identity(job->ends->source)->role))
        return not_confirmed(error);
    return cancel_check(error) && close_and_prove(job, error);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static bool do_source(Job *job, const Config *config, GError **error)
{
    job->notes = g_ptr_array_new_with_free_func(g_free);
    if (!open_source(job, config, error) || (job->survey = fence_survey(job->ends->source, job->ledger, error)) == NULL)
        return false;
    if (!args_flag(job->args, "lift"))
        return fence(job, error);
    job->ended = g_ptr_array_new();
    return lift(job, error);
}

static bool record_source(Job *job, const Config *config, GError **error)
{
    if (!ledger_run_begin(job->ledger, args_flag(job->args, "lift") ? "fence --lift" : "fence", job->source->name,
                          &job->run, error))
        return false;
    g_autoptr(GError) failure = NULL;
    if (do_source(job, config, &failure))
        return ledger_run_finish(job->ledger, job->run, LEDGER_DONE, NULL, error);
    g_autofree char *message = config_redact(config, failure->message);
    bool interrupted = cancel_signal() != 0;
    (void)ledger_run_finish(job->ledger, job->run, interrupted ? LEDGER_INTERRUPTED : LEDGER_FAILED, message, NULL);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --source stands for a whole pgfold.yaml. Without any name nothing is fenced: it is not a thing to do by accident. */
static bool choose(const CommandArgs *args, Out *out, Choice *ret_choice, GError **error)
{
    const char *url = args_string(args, "source");
    bool named = args_words(args)[0] != NULL;
    if (url != NULL && (args_config(args) != NULL || named)) {
        pgf_error_set(
            error, PGF_ERROR_USAGE, "Leave out one of the two.",
            "--source stands for a whole pgfold.yaml: it goes with neither --config nor the name of a source");
        return false;
    }
    if (url == NULL && !named) {
        pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold status` lists the sources.", "fence wants the name of a source");
        return false;
    }
    ret_choice->config =
        url != NULL ? config_new_adhoc(url, NULL) : config_open(args_config(args), CONFIG_CONNECTS, error);
    if (ret_choice->config == NULL)
        return false;
    for (guint i = 0; i < ret_choice->config->warnings->len; i++)
        out_warning(out, "%s", (const char *)ret_choice->config->warnings->pdata[i]);
    ret_choice->sources = config_choose_sources(ret_choice->config, args_words(args), error);
    return ret_choice->sources != NULL && databases_find(out, ret_choice->config, ret_choice->sources, error);
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_auto(Choice) choice = {0};
    if (!choose(args, out, &choice, error))
        return 0;
    g_autoptr(Ledger) ledger = ledger_open(choice.config->state, error);
    if (ledger == NULL || !ledger_lock(ledger, args_flag(args, "lift") ? "fence --lift" : "fence", error))
        return 0;
    json_t *document = out_json_new("fence");
    json_t *sources = json_array();
    json_object_set_new(document, "action", json_string(args_flag(args, "lift") ? "lift" : "fence"));
    json_object_set_new(document, "dry_run", json_boolean(args_flag(args, "dry-run")));
    json_object_set_new(document, "sources", sources);
    bool ok = true;
    for (guint i = 0; ok && i < choice.sources->len; i++) {
        g_auto(Job)
            job = {.args = args, .out = out, .source = choice.sources->pdata[i], .ledger = ledger, .sources = sources};
        ok = record_source(&job, choice.config, error);
    }
    if (ok && out->json)
        out_json(out, document);
    else
        json_decref(document);
    return 0;
}

const Command command_fence = {
    .name = "fence",
    .summary = "close a source for writing, and open it again",
    .synopsis = "SOURCE...",
    .description =
        "Makes the database of a source read-only for every new session (default_transaction_read_only), takes CONNECT "
        "on it from everybody but the role of the source's URL, and ends the sessions that began before. Then a new "
        "session tries to write, and must be refused: nothing is written behind the proof of a fold.\n\n"
        "What stood before is recorded first, and --lift puts exactly that back: settings, privileges, grant options. "
        "Both may be run again after any interruption, also kill -9.\n\n"
        "It needs the owner of the database or a superuser, and for sessions of other roles membership in "
        "pg_signal_backend. Prepared transactions and enabled subscriptions must be ended before: both write later "
        "than any fence.\n\n"
        "A protected database is not fenced, nor anything taken from a protected role (docs/protect.md).\n\n"
        "Superusers still come in, and a session that is let in can switch read-only off for itself. docs/fence.md "
        "says what that means.",
    .options = options,
    .examples = examples,
    .exit_codes = "4 means that nothing was changed: the message has every reason, with the statement that helps. 5 "
                  "means that the fence stands, but is not proven.",
    .run = run,
};

#include "cmd/shared.h"

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/databases.h"
#include "config/secret.h"
#include "ends/databases.h"
#include "pool/at_once.h"

static const char ADHOC_NO_TARGET[] = "give --source as well, or write both into pgfold.yaml";

/* Other users of the machine see what stands on a command line. */
static void warn_of_password(Out *out, const char *option, const char *url)
{
    char **secrets = config_secrets(url);
    if (secrets[0] != NULL)
        out_warning(
            out,
            "everybody on this machine can read the password in %s while this runs; give it through PGPASSWORD, "
            "~/.pgpass or a service file instead",
            option);
    config_secrets_free(secrets);
}

/* True with *ret_config NULL where the command line names no database. */
static bool config_from_command_line(const CommandArgs *args, Out *out, Config **ret_config, GError **error)
{
    const char *source = args_string(args, "source");
    const char *target = args_string(args, "target");
    *ret_config = NULL;
    if (source == NULL && target == NULL)
        return true;
    if (source == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, ADHOC_NO_TARGET, "--target is given without --source");
        return false;
    }
    if (args_config(args) != NULL || args_words(args)[0] != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL,
                      "--source stands for a whole pgfold.yaml: it goes with neither --config "
                      "nor the name of a source");
        return false;
    }
    warn_of_password(out, "--source", source);
    if (target != NULL)
        warn_of_password(out, "--target", target);
    *ret_config = config_new_adhoc(source, target);
    return true;
}

static bool choose_jobs(const CommandArgs *args, Config *config, GError **error)
{
    int jobs = config->fold.jobs;
    if (args_int(args, "jobs", &jobs) && (jobs < 1 || jobs > CONFIG_JOBS_MAX)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--jobs is from 1 to %d, not %d", CONFIG_JOBS_MAX, jobs);
        return false;
    }
    config->fold.jobs = jobs;
    return true;
}

bool shared_choose(const CommandArgs *args, Out *out, Choice *ret_choice, GError **error)
{
    Config *config = NULL;
    *ret_choice = (Choice){0};
    if (!config_from_command_line(args, out, &config, error))
        return false;
    if (config == NULL && (config = config_open(args_config(args), CONFIG_CONNECTS, error)) == NULL)
        return false;
    for (guint i = 0; i < config->warnings->len; i++)
        out_warning(out, "%s", (const char *)config->warnings->pdata[i]);
    ret_choice->sources = config_choose_sources(config, args_words(args), error);
    if (ret_choice->sources == NULL || !choose_jobs(args, config, error)) {
        config_free(config);
        g_clear_pointer(&ret_choice->sources, g_ptr_array_unref);
        return false;
    }
    ret_choice->config = config;
    ret_choice->jobs = (guint)config->fold.jobs;
    return containers_begin(out, config, ret_choice->sources, args_flag(args, "start"), &ret_choice->containers,
                            error) &&
           ends_check_named_databases(config, ret_choice->sources, error) &&
           databases_find(out, config, ret_choice->sources, error);
}

static void narrow_source(const CommandArgs *args, ConfigSource *source)
{
    config_set_patterns(&source->include.schemas, args_list(args, "schema"));
    config_set_patterns(&source->include.tables, args_list(args, "table"));
    config_set_patterns(&source->include.extensions, args_list(args, "extension"));
    config_add_patterns(&source->exclude.schemas, args_list(args, "exclude-schema"));
    config_add_patterns(&source->exclude.tables, args_list(args, "exclude-table"));
}

bool shared_narrow(const CommandArgs *args, const Choice *choice, GError **error)
{
    for (guint i = 0; i < choice->sources->len; i++) {
        ConfigSource *source = choice->sources->pdata[i]; /* of choice->config */
        narrow_source(args, source);
        if (source->into_schema == NULL || !config_is_filtered(source))
            continue;
        pgf_error_set(error, PGF_ERROR_USAGE, "Name the sources that are to be folded in part.",
                      "source %s goes into another schema, which cannot be done in part", source->name);
        return false;
    }
    return true;
}

void choice_clear(Choice *choice)
{
    g_clear_pointer(&choice->containers, containers_end);
    g_clear_pointer(&choice->sources, g_ptr_array_unref);
    g_clear_pointer(&choice->config, config_free);
}

static bool export_end(guint i, gpointer data, GError **error)
{
    Comparison *comparison = data;
    if (i == 0)
        return ends_snapshot(comparison->ends, error);
    comparison->target_snapshot = pg_snapshot_export(comparison_target(comparison), error);
    return comparison->target_snapshot != NULL;
}

Comparison *comparison_connect(const Config *config, const ConfigSource *source, GError **error)
{
    g_autoptr(Comparison) comparison = g_new0(Comparison, 1);
    comparison->jobs = (guint)config->fold.jobs;
    comparison->ends = ends_open(config, source, config->target.url != NULL, error);
    return comparison->ends == NULL ? NULL : g_steal_pointer(&comparison);
}

bool comparison_snapshot(Comparison *comparison, GError **error)
{
    return pool_at_once(comparison_target(comparison) == NULL ? 1 : 2, export_end, comparison, error) &&
           ends_find_filter(comparison->ends, error);
}

Comparison *comparison_open(const Config *config, const ConfigSource *source, GError **error)
{
    g_autoptr(Comparison) comparison = comparison_connect(config, source, error);
    return comparison == NULL || !comparison_snapshot(comparison, error) ? NULL : g_steal_pointer(&comparison);
}

void comparison_free(Comparison *comparison)
{
    if (comparison == NULL)
        return;
    g_clear_pointer(&comparison->sources, g_ptr_array_unref);
    g_clear_pointer(&comparison->targets, g_ptr_array_unref);
    comparison_forget_names(comparison);
    pg_snapshot_free(comparison->target_snapshot);
    ends_free(comparison->ends);
    g_free(comparison);
}

PgConn *comparison_target(const Comparison *comparison)
{
    return comparison->ends->target_missing != NULL ? NULL : comparison->ends->target;
}

GPtrArray *comparison_check(const Comparison *comparison, GError **error)
{
    ChecksSpec spec = {.source = comparison->ends->source,
                       .target = comparison->ends->target,
                       .target_missing = comparison->ends->target_missing != NULL,
                       .from = comparison->ends->source_config->from_schema,
                       .to = comparison->ends->source_config->into_schema,
                       .jobs = comparison->jobs,
                       .skip = ends_skips,
                       .skip_data = comparison->ends,
                       .filter = comparison->ends->filter};
    g_autoptr(GPtrArray) findings = checks_run(&spec, error);
    if (findings == NULL || !checks_allow_reading(findings, error))
        return NULL;
    return g_steal_pointer(&findings);
}

static bool join_target(guint i, gpointer data, GError **error)
{
    const Comparison *comparison = data;
    return pg_snapshot_join(comparison->targets->pdata[i], comparison->target_snapshot, error);
}

static bool staff_end(guint i, gpointer data, GError **error)
{
    Comparison *comparison = data;
    if (i == 0) {
        comparison->sources = ends_source_connections(comparison->ends, comparison->jobs, error);
        return comparison->sources != NULL;
    }
    comparison->targets = ends_target_connections(comparison->ends, NULL, comparison->jobs, error);
    return comparison->targets != NULL && pool_at_once(comparison->targets->len, join_target, comparison, error);
}

bool comparison_staff(Comparison *comparison, GError **error)
{
    return ends_reach(comparison->ends, error) &&
           pool_at_once(comparison_target(comparison) == NULL ? 1 : 2, staff_end, comparison, error);
}

AuditSpec comparison_spec(Comparison *comparison, Watch *watch)
{
    return (AuditSpec){.source = comparison->ends->source,
                       .target = comparison_target(comparison),
                       .sources = comparison->sources,
                       .targets = comparison->targets,
                       .skip = ends_skips,
                       .skip_data = comparison->ends,
                       .filter = comparison->ends->filter,
                       .definitions_only = comparison->ends->definitions_only,
                       .key = ends_key,
                       .key_data = comparison->ends,
                       .rename = comparison->ends->source_config->into_schema == NULL ? NULL : comparison_rename,
                       .rename_data = comparison,
                       .observer = watch_observe,
                       .observer_data = watch};
}

static const char *source_name(const Choice *choice, guint index)
{
    return ((const ConfigSource *)choice->sources->pdata[index])->name;
}

void shared_print_failed(Out *out, json_t *document, const Choice *choice, guint index, const GError *error)
{
    if (!out->json || index == 0) {
        json_decref(document);
        return;
    }
    shared_put_failed(document, choice, index, error);
    out_json(out, document);
}

void shared_put_failed(json_t *document, const Choice *choice, guint index, const GError *error)
{
    g_autofree char *message = config_redact(choice->config, error->message);
    bool refused = g_error_matches(error, PGF_ERROR, PGF_ERROR_REFUSED);
    json_t *failed = json_object();
    json_object_set_new(failed, "name", out_json_string(source_name(choice, index)));
    json_object_set_new(failed, "outcome", json_string(refused ? "refused" : "failed"));
    json_object_set_new(failed, "exit_status", json_integer(pgf_error_exit_status(error)));
    json_object_set_new(failed, "message", out_json_string(message));
    json_object_set_new(document, "failed", failed);
}

static void append_names(GString *text, const char *const *names, const char *what)
{
    for (guint i = 0; names[i] != NULL; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", names[i]);
    g_string_append_printf(text, "%s", names[0] != NULL ? what : "");
}

void shared_add_finished(const Choice *choice, guint index, const DatabaseFailures *failures, GError *error)
{
    if (choice->sources->len < 2)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GPtrArray) complete = g_ptr_array_new(), failed = g_ptr_array_new(), left = g_ptr_array_new();
    const char *state = pgf_error_state(error);
    for (guint i = 0; i < choice->sources->len; i++) {
        const char *name = source_name(choice, i);
        if (i != index)
            g_ptr_array_add(i > index                          ? left
                            : databases_failed(failures, name) ? failed
                                                               : complete,
                            (gpointer)(guintptr)name);
    }
    g_ptr_array_add(complete, NULL);
    g_ptr_array_add(failed, NULL);
    g_ptr_array_add(left, NULL);
    append_names(text, (const char *const *)complete->pdata, ": complete; ");
    append_names(text, (const char *const *)failed->pdata, ": failed; ");
    g_string_append_printf(text, "%s: %s", source_name(choice, index),
                           state != NULL ? state : "nothing was changed in the target");
    if (index + 1 < choice->sources->len)
        g_string_append(text, "; ");
    append_names(text, (const char *const *)left->pdata, ": not begun");
    g_autofree char *whole = g_strdup(text->str);
    pgf_error_set_state(error, "%s", whole);
}

/* What was not recorded is no reason to withhold a result; it is said once, and then nothing more is recorded. */
static void give_up(Record *record, const GError *error)
{
    out_warning(record->out, "the ledger does not know of this run: %s", error->message);
    g_clear_pointer(&record->ledger, ledger_close);
}

void record_begin(Record *record, Out *out, const Config *config, const char *command, const char *source_name)
{
    g_autoptr(GError) error = NULL;
    *record = (Record){.out = out, .source_name = source_name};
    if (config->path == NULL)
        return;
    record->ledger = ledger_open(config->state, &error);
    if (record->ledger == NULL || !ledger_run_begin(record->ledger, command, source_name, &record->run, &error))
        give_up(record, error);
}

void record_identify(Record *record, const Comparison *comparison)
{
    g_autoptr(GError) error = NULL;
    const Ends *ends = comparison->ends;
    const PgIdentity *target = ends->target == NULL ? NULL : pg_conn_identity(ends->target);
    if (record->ledger != NULL && !ledger_run_identify(record->ledger, record->run, pg_conn_identity(ends->source),
                                                       target, ends->snapshot->id, &error))
        give_up(record, error);
}

static void finish(Record *record, LedgerRunState state, const char *message)
{
    g_autoptr(GError) error = NULL;
    if (record->ledger != NULL && !ledger_run_finish(record->ledger, record->run, state, message, &error))
        give_up(record, error);
    g_clear_pointer(&record->ledger, ledger_close);
}

void record_done(Record *record, LedgerStage stage, bool good, const char *outcome)
{
    g_autoptr(GError) error = NULL;
    if (record->ledger != NULL &&
        !ledger_mark(record->ledger, record->run, record->source_name, stage, good, outcome, NULL, &error))
        give_up(record, error);
    finish(record, LEDGER_DONE, NULL);
}

void record_done_quietly(Record *record)
{
    finish(record, LEDGER_DONE, NULL);
}

void record_failed(Record *record, const Config *config, const GError *error)
{
    g_autofree char *message = config_redact(config, error->message);
    finish(record, cancel_requested() ? LEDGER_INTERRUPTED : LEDGER_FAILED, message);
}

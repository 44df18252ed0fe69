/* Git, the branch, and the container of a source. */
#include <string.h>

#include "base/error.h"
#include "cmd/retire_job.h"
#include "config/protect.h"

/* --- the branch --------------------------------------------------------------------------------------------------- */

static char *default_branch(const Retirement *r)
{
    g_autoptr(GString) name = g_string_new("pgfold/retire");
    const ConfigSource *last = NULL;
    for (guint i = 0; i < r->jobs->len; i++) {
        const ConfigSource *source = config_base(((const RetireJob *)r->jobs->pdata[i])->source);
        if (source != last)
            g_string_append_printf(name, "-%s", source->name);
        last = source; /* the databases of a server come one after the other */
    }
    return g_string_free(g_steal_pointer(&name), FALSE);
}

/* A run that was killed made the branch, and did not go there: then it is made anew. */
static bool is_abandoned(const Retirement *r, const char *commit)
{
    for (guint i = 0; i < r->earlier->len; i++) {
        const RetireRun *run = r->earlier->pdata[i];
        const json_t *code = retire_run_code(run);
        if (code != NULL && g_strcmp0(json_string_value(json_object_get(code, "branch")), r->branch) == 0 &&
            g_strcmp0(json_string_value(json_object_get(code, "tip")), commit) == 0 &&
            !retire_run_did(run, "switch", r->branch))
            return true;
    }
    return false;
}

static bool choose_branch(Retirement *r, GError **error)
{
    g_autofree char *commit = NULL;
    const char *given = args_string(r->args, "branch");
    r->branch = given == NULL ? default_branch(r) : g_strdup(given);
    if (!git_check_branch_name(r->git, r->branch, error) || !git_branch_commit(r->git, r->branch, &commit, error))
        return false;
    r->on_branch = g_strcmp0(r->git->branch, r->branch) == 0;
    if (commit == NULL || r->on_branch)
        return true;
    if (!is_abandoned(r, commit))
        return retire_refuse(
            error, g_strdup_printf("git checkout %s goes on there; --branch NAME makes another one.", r->branch),
            "there is a branch %s already", r->branch);
    r->abandoned = g_steal_pointer(&commit);
    return true;
}

bool retire_gate_git(Retirement *r, GError **error)
{
    r->git = git_open(r->config->folder, command_caller.umask, error);
    bool ok = r->git != NULL && git_gate(r->git, error) && choose_branch(r, error);
    if (!ok && error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    return ok;
}

/* --- the container ------------------------------------------------------------------------------------------------ */

/* By each name that it goes by. */
static bool check_unprotected(const Retirement *r, const RetireJob *job, GError **error)
{
    const ConfigSource *source = job->source;
    const char *mark = source->compose == NULL ? NULL : strrchr(source->compose, '#');
    const char *const names[] = {job->container->name, source->container, mark == NULL ? NULL : mark + 1};
    g_autofree char *label = g_strconcat("source ", source->name, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i] != NULL && !config_check_protected_container(r->config, label, names[i], error))
            return false;
    return true;
}

/* The run that stopped it, after all of this was proven then: 0 where it was started since, or is not there. */
static gint64 find_closed(const Retirement *r, const RetireJob *job)
{
    for (guint i = 0; job->container != NULL && i < r->earlier->len; i++) {
        const RetireRun *run = r->earlier->pdata[i];
        const json_t *source = retire_run_source(run, job->source->name);
        const json_t *container = json_object_get(source, "container");
        const char *id = json_string_value(json_object_get(container, "id"));
        const char *started = json_string_value(json_object_get(container, "started"));
        if (source != NULL && retire_run_began(run, "stop", job->source->name) && !job->container->running &&
            g_strcmp0(json_string_value(json_object_get(source, "sha256")), job->receipt->sha256) == 0 &&
            g_strcmp0(id, job->container->id) == 0 && g_strcmp0(started, job->container->started) == 0)
            return run->id;
    }
    return 0;
}

/* An earlier run proved it, and began to remove its container and volumes: that is brought to an end. */
static void find_halfway(const Retirement *r, RetireJob *job)
{
    for (guint i = 0; job->container == NULL && job->closed == 0 && i < r->earlier->len; i++) {
        const RetireRun *run = r->earlier->pdata[i];
        const json_t *source = retire_run_source(run, job->source->name);
        if (source == NULL || !retire_run_began(run, "remove", job->source->name) ||
            g_strcmp0(json_string_value(json_object_get(source, "sha256")), job->receipt->sha256) != 0)
            continue;
        job->closed = run->id;
        job->halfway = source;
    }
}

bool retire_gate_container(Retirement *r, RetireJob *job, GError **error)
{
    const ConfigSource *source = job->source;
    EngineRef ref = containers_ref(r->config, source);
    bool known = false;
    if (source->compose == NULL && source->container == NULL)
        return true;
    if (!engine_find(&ref, &job->container, &known, error))
        return false;
    if (!known && job->container == NULL)
        return retire_refuse(error, g_strdup("Start docker or podman, or take compose:/container: out of pgfold.yaml."),
                             "source %s: no container engine answers, so nobody can tell whether its container runs",
                             source->name);
    job->was_running = job->container != NULL && job->container->running;
    /* What is removed for good must be proven now, and asked what else it holds. */
    job->closed = args_flag(r->args, "volumes") ? 0 : find_closed(r, job);
    find_halfway(r, job);
    return job->container == NULL || check_unprotected(r, job, error);
}

/* --- volumes ------------------------------------------------------------------------------------------------------ */

static bool is_confirmed(const Retirement *r, const char *name)
{
    if (g_strv_contains(args_list(r->args, "confirm"), name))
        return true;
    if (!out_can_ask(r->out))
        return false;
    g_autofree char *typed = out_ask(r->out, "The volumes of %s are removed for good. Type its name to say so: ", name);
    return typed != NULL && strcmp(g_strstrip(typed), name) == 0;
}

bool retire_gate_volumes(Retirement *r, GError **error)
{
    if (!args_flag(r->args, "volumes"))
        return true;
    const char *last = NULL;
    for (guint i = 0; i < r->jobs->len; i++) {
        const RetireJob *job = r->jobs->pdata[i];
        const char *name = config_base(job->source)->name; /* once for all databases of a server */
        if (name == last)
            continue;
        last = name;
        bool some = job->container != NULL ? job->container->volumes->len > 0 : job->halfway != NULL;
        if (!some || is_confirmed(r, name))
            continue;
        return retire_refuse(error, g_strdup_printf("Give --confirm %s, or leave --volumes out.", name),
                             "removing the volumes of %s was not confirmed by its name", name);
    }
    return true;
}

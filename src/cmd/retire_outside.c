/* What is outside of git: the containers of the sources and their volumes. */
#include <string.h>

#include "base/error.h"
#include "cmd/retire_job.h"

json_t *retire_source_plan(const Retirement *r, const RetireJob *job)
{
    json_t *container = json_null(), *volumes = json_array();
    const Container *found = job->container;
    if (found != NULL)
        container = json_pack("{s:s, s:s, s:s, s:b, s:s?}", "engine", found->engine, "id", found->id, "name",
                              found->name, "running", (int)job->was_running, "started", found->started);
    for (guint i = 0; found != NULL && args_flag(r->args, "volumes") && i < found->volumes->len; i++)
        json_array_append_new(volumes, out_json_string(found->volumes->pdata[i]));
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", job->source->name, "receipt", job->receipt_file,
                     "sha256", job->receipt->sha256, "fence", (int)job->fence, "container", container, "volumes",
                     volumes);
}

typedef bool (*Act)(const char *engine, const char *what, Deadline deadline, GError **error);

/* In the ledger before and after. */
static bool act(Retirement *r, const char *step_name, const char *item, Act what, const char *engine, const char *name,
                GError **error)
{
    gint64 step = 0;
    if (!ledger_step_begin(r->ledger, r->run, step_name, item, &step, error))
        return false;
    r->changed = true;
    g_autoptr(GError) cause = NULL;
    if (what(engine, name, deadline_in_ms(ENGINE_STOP_MS), &cause))
        return ledger_step_done(r->ledger, step, NULL, error);
    (void)ledger_step_failed(r->ledger, step, cause->message, NULL);
    pgf_error_set_code(cause, PGF_ERROR_MIDWAY);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static bool remove_volumes(Retirement *r, const RetireJob *job, GError **error)
{
    const Container *container = job->container;
    const char *name = job->source->name;
    if (!retire_is_stopped(r, job, error))
        return false;
    out_notice(r->out, "Removing %s and its volumes.", container->name);
    if (!act(r, "remove", name, engine_remove, container->engine, container->id, error))
        return false;
    for (guint i = 0; i < container->volumes->len; i++)
        if (!act(r, "volume", container->volumes->pdata[i], engine_remove_volume, container->engine,
                 container->volumes->pdata[i], error))
            return false;
    return true;
}

/* Those volumes of an earlier run's plan that are left; the container is gone. */
static bool finish_removal(Retirement *r, const RetireJob *job, GError **error)
{
    const char *engine = json_string_value(json_object_get(json_object_get(job->halfway, "container"), "engine"));
    size_t i;
    json_t *volume;
    json_array_foreach(json_object_get(job->halfway, "volumes"), i, volume)
    {
        const char *name = json_string_value(volume);
        if (!act(r, "volume", name, engine_remove_volume, engine, name, error))
            return false;
    }
    RetireLine *line = checklist_add(r->lines, "volumes", RETIRE_YES, job->source->name, "its volumes are removed",
                                     g_strdup_printf("what run %" G_GINT64_FORMAT " had begun", job->closed));
    json_array_foreach(json_object_get(job->halfway, "volumes"), i, volume)
        g_ptr_array_add(line->items, g_strdup(json_string_value(volume)));
    return true;
}

/* Another source of this run, before this one, that runs in the same container. */
static bool shares_container(const Retirement *r, const RetireJob *job)
{
    for (guint i = 0; r->jobs->pdata[i] != job; i++) {
        const RetireJob *other = r->jobs->pdata[i];
        if (other->container != NULL && strcmp(other->container->id, job->container->id) == 0)
            return true;
    }
    return false;
}

bool retire_stop(Retirement *r, RetireJob *job, GError **error)
{
    const Container *container = job->container;
    if (container == NULL || !job->was_running)
        return true;
    if (!shares_container(r, job))
        out_notice(r->out, "Stopping %s.", container->name);
    /* Each source has its step: an engine stops what is stopped already. */
    return act(r, "stop", job->source->name, engine_stop, container->engine, container->id, error);
}

bool retire_remove(Retirement *r, RetireJob *job, GError **error)
{
    if (!args_flag(r->args, "volumes"))
        return true;
    if (job->container == NULL)
        return job->halfway == NULL || finish_removal(r, job, error);
    return job->container->volumes->len == 0 || shares_container(r, job) || remove_volumes(r, job, error);
}

static void add_volumes_line(Retirement *r, const RetireJob *job, bool gone)
{
    const char *name = job->source->name;
    guint n = job->container->volumes->len;
    if (n == 0)
        return;
    RetireLine *line = args_flag(r->args, "volumes")
                           ? checklist_add(r->lines, "volumes", gone ? RETIRE_YES : RETIRE_NO, name,
                                           "its volumes are removed", g_strdup_printf("%u, as --volumes asks", n))
                           : checklist_add(r->lines, "volumes", RETIRE_NOTE, name, "its volumes are kept",
                                           g_strdup("they hold its rows; `pgfold retire --volumes` removes them"));
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(line->items, g_strdup(job->container->volumes->pdata[i]));
}

bool retire_check_container(Retirement *r, RetireJob *job, GError **error)
{
    const char *name = job->source->name;
    g_autoptr(Container) now = NULL;
    bool known = false;
    if (job->container == NULL)
        return true;
    EngineRef ref = {.engine = job->container->engine, .container = job->container->id};
    if (!engine_find(&ref, &now, &known, error))
        return false;
    bool runs = now != NULL && now->running;
    checklist_add(r->lines, "container", known && !runs ? RETIRE_YES : RETIRE_NO, name, "no container of it runs",
                  !known        ? g_strdup("no container engine answers")
                  : now == NULL ? g_strdup_printf("%s is removed", job->container->name)
                  : runs        ? g_strdup_printf("%s runs", now->name)
                                : g_strdup_printf("%s of %s is stopped", now->name, now->engine));
    if (now != NULL && now->restarts)
        checklist_add(
            r->lines, "restart", RETIRE_NOTE, name, "its container starts again with the next boot",
            g_strdup_printf("its restart policy is \"always\": %s update --restart=no %s", now->engine, now->name));
    add_volumes_line(r, job, known && now == NULL);
    return true;
}

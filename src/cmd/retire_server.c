/* What goes with a container besides the source that was proven: its whole server. */
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/containers.h"
#include "cmd/retire_job.h"
#include "config/protect.h"
#include "ends/databases.h"

static bool is_target_server(const RetireJob *job, const Ends *ends, GError **error)
{
    if (ends->target == NULL || !pg_same_server(pg_conn_identity(ends->source), pg_conn_identity(ends->target)))
        return false;
    (void)retire_refuse(
        error,
        g_strdup("Take compose:/container: of the source out of pgfold.yaml: it is then fenced, and its "
                 "server left alone."),
        "the target runs in the container of source %s (%s), which would be stopped", job->source->name,
        job->container->name);
    return true;
}

static bool is_retired_now(const Retirement *r, const ConfigSource *source)
{
    for (guint i = 0; i < r->sources->len; i++)
        if (config_base(r->sources->pdata[i]) == source)
            return true;
    return false;
}

/* Another source of pgfold.yaml runs in the same container, and is not retired with this one. */
static bool check_other_sources(const Retirement *r, const RetireJob *job, GError **error)
{
    for (guint i = 0; i < r->config->sources->len; i++) {
        const ConfigSource *other = r->config->sources->pdata[i];
        g_autoptr(Container) found = NULL;
        bool known = false;
        if (is_retired_now(r, other) || (other->compose == NULL && other->container == NULL))
            continue;
        EngineRef ref = containers_ref(r->config, other);
        if (!engine_find(&ref, &found, &known, error))
            return false;
        if (found != NULL && strcmp(found->id, job->container->id) == 0)
            return retire_refuse(
                error, g_strdup_printf("Retire them together: pgfold retire %s %s", job->source->name, other->name),
                "source %s runs in the same container as source %s (%s), which would be stopped", other->name,
                job->source->name, job->container->name);
    }
    return true;
}

/* Proven in this run: a database of the same server that another source of it is. */
static bool is_proven_here(const Retirement *r, const char *system_identifier, const char *database)
{
    for (guint i = 0; i < r->jobs->len; i++) {
        const RetireJob *job = r->jobs->pdata[i];
        if (job->receipt != NULL && g_strcmp0(job->receipt->source.system_identifier, system_identifier) == 0 &&
            g_strcmp0(job->receipt->source.database, database) == 0)
            return true;
    }
    return false;
}

static bool check_database(const Retirement *r, const RetireJob *job, const char *system_identifier, const char *name,
                           GError **error)
{
    if (config_protected(r->config, CONFIG_PROTECT_DATABASES, name) != NULL)
        return retire_refuse(error, g_strdup("Move it elsewhere first, or take it out of protect.databases."),
                             "the protected database %s runs in the container of source %s (%s), which would be "
                             "stopped",
                             name, job->source->name, job->container->name);
    bool used = args_flag(r->args, "volumes") && !is_proven_here(r, system_identifier, name);
    /* Every server has this one; it counts where somebody has put something into it. */
    if (used && strcmp(name, "postgres") == 0 && !ends_is_used(job->source->name, job->source->url, name, &used, error))
        return false;
    if (!used)
        return true;
    return retire_refuse(error,
                         g_strdup("Fold it as a source and retire both together, drop it, or leave --volumes out."),
                         "the volumes of source %s hold the database %s too, of which no receipt is proven here",
                         job->source->name, name);
}

static bool check_databases(const Retirement *r, const RetireJob *job, const Ends *ends, GError **error)
{
    g_autoptr(PgResult) rows = pg_query(
        ends->source,
        "SELECT datname FROM pg_catalog.pg_database WHERE datname NOT IN ('template0', 'template1') ORDER BY 1",
        deadline_in_ms(PG_CATALOG_MS), error);
    if (rows == NULL)
        return false;
    const char *system_identifier = pg_conn_identity(ends->source)->system_identifier;
    for (int i = 0; i < pg_result_rows(rows); i++)
        if (!check_database(r, job, system_identifier, pg_result_get(rows, i, 0), error))
            return false;
    return true;
}

/* Rows of tables that the fold left out are in no proof, and perhaps in no backup. */
static bool check_skipped(const Retirement *r, const RetireJob *job, GError **error)
{
    if (args_flag(r->args, "volumes") && job->receipt->filter != NULL)
        return retire_refuse(
            error, g_strdup_printf("Fold all of it (pgfold fold %s), or leave --volumes out.", job->source->name),
            "source %s was folded in part (%s); with its volumes the rest would be gone", job->source->name,
            job->receipt->filter);
    for (guint i = 0; args_flag(r->args, "volumes") && i < job->receipt->relations->len; i++) {
        const ReceiptRelation *one = job->receipt->relations->pdata[i];
        if (one->verdict == RECEIPT_SKIPPED)
            return retire_refuse(error, g_strdup("Fold it too (without skip: true), or leave --volumes out."),
                                 "source %s: the table %s.%s was skipped when it was folded; with its volumes its rows "
                                 "would be gone",
                                 job->source->name, one->schema, one->name);
    }
    return true;
}

bool retire_gate_server(const Retirement *r, const RetireJob *job, const Ends *ends, GError **error)
{
    return job->container == NULL || (!is_target_server(job, ends, error) && check_other_sources(r, job, error) &&
                                      check_databases(r, job, ends, error) && check_skipped(r, job, error));
}

bool retire_is_stopped(Retirement *r, const RetireJob *job, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(Ends) ends = ends_open(r->config, job->source, false, &cause);
    if (ends == NULL)
        return cancel_check(error);
    pgf_error_set(error, PGF_ERROR_MIDWAY,
                  "Mend compose:/container: of the source in pgfold.yaml. `pgfold retire --undo` starts the container "
                  "again.",
                  "source %s still answers though its container %s is stopped: it runs elsewhere, so nothing of that "
                  "container is removed",
                  job->source->name, job->container->name);
    return false;
}

/* Both ends of a fold, with everybody else kept out of the target; what dead runs have left there is dealt with. */
#include "base/error.h"
#include "cmd/fold_job.h"
#include "config/protect.h"

enum { LOCK_WAIT_MS = 3000 };

/* Two people on two machines have two ledgers: what keeps them apart is a lock in the target itself. The session of a
 * pgfold that was killed a moment ago may hold it still, until its server has noticed; so it is waited for. Before the
 * snapshots: what another fold has done until then must be seen. */
static bool lock_target(PgConn *target, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (pg_execf(target, deadline_in_ms(PG_CATALOG_MS), &cause,
                 "SET lock_timeout = %d; SELECT pg_catalog.pg_advisory_lock(123580474354788); SET lock_timeout = 0",
                 LOCK_WAIT_MS))
        return true;
    if (g_str_equal(pg_conn_sqlstate(target), "55P03"))
        pgf_error_set(error, PGF_ERROR_REFUSED, "Wait until it has ended, then run this again.",
                      "another pgfold is folding into this target");
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* What it would do; and it sees the target with what is there. */
static bool only_tell(Job *job, GError **error)
{
    if (!fold_settle_unfinished(&job->unfinished, job->comparison->ends, false, error))
        return false;
    out_notice(job->out, "An earlier run has left something in the target; a fold would %s (`pgfold status`).",
               job->unfinished.run != 0 ? "go on from what it has left" : "take it away first");
    fold_unfinished_clear(&job->unfinished);
    return true;
}

/* What a fold has left that this ledger does not know of. The next fold there takes it away, or empties it: rows that
 * were brought into it meanwhile would go with it, though a receipt says that they are there. */
static bool keep_away_from_others(const Job *job, GError **error)
{
    static const char SQL[] = "SELECT pg_catalog.string_agg(pg_catalog.quote_ident(nspname), ', ' ORDER BY nspname) "
                              "FROM pg_catalog.pg_namespace WHERE nspname ~ '^pgfold_[0-9]+_[0-9a-f]{8}(_columns)?$' "
                              "AND nspname <> ALL (ARRAY[$1, $2])";
    const Ends *ends = job->comparison->ends;
    const char *values[] = {job->unfinished.hidden == NULL ? "" : job->unfinished.hidden->owner,
                            job->columns_marker == NULL ? "" : job->columns_marker};
    if (ends->target_missing != NULL)
        return true;
    g_autoptr(PgResult) r =
        pg_query_params(ends->target, SQL, G_N_ELEMENTS(values), values, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    const char *markers = pg_result_get(r, 0, 0);
    if (markers == NULL)
        return true;
    char *hint =
        g_strdup_printf("Run `pgfold fold` where that one was begun: it goes on from it, or takes it away. Where "
                        "that state folder is gone, DROP SCHEMA %s in the target: then what is there stays, "
                        "and this fold brings what it lacks.",
                        markers);
    pgf_error_take_hint(error, PGF_ERROR_REFUSED, hint,
                        "a fold from another state folder has left something unfinished in the target, marked by %s",
                        markers);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    return false;
}

/* What runs that died have left in this target goes first, while the lock of the target is held. True in *ret_again
 * when both ends must be looked at anew. */
static bool clean_up_old_runs(Job *job, bool *ret_again, GError **error)
{
    Comparison *comparison = job->comparison;
    const char *cluster = pg_conn_identity(comparison->ends->target)->system_identifier;
    g_autoptr(GPtrArray) owned = ledger_owned_objects(job->ledger, 0, cluster, error);
    *ret_again = false;
    if (owned == NULL)
        return false;
    if (!fold_find_unfinished(job->ledger, comparison->ends, &job->unfinished, error))
        return false;
    if (job->take_away)
        fold_unfinished_clear(&job->unfinished);
    if (owned->len > 0 && args_flag(job->args, "dry-run"))
        return only_tell(job, error);
    /* Our own snapshot must not stand in the way of what is to be dropped. */
    if (owned->len > 0 && comparison->target_snapshot != NULL && !pg_snapshot_leave(comparison->ends->target, error))
        return false;
    if (!fold_settle_unfinished(&job->unfinished, comparison->ends, true, error))
        return false;
    g_autoptr(GPtrArray) removed = g_ptr_array_new_with_free_func(g_free);
    if (!fold_clean_up(job->ledger, 0, job->choice->config->target.url, cluster, comparison->ends->target_database,
                       job->unfinished.run, removed, error)) {
        g_prefix_error(error, "an earlier run has left something that could not be taken away: ");
        return false;
    }
    if (job->unfinished.run != 0)
        out_notice(job->out, "Run %" G_GINT64_FORMAT " died on the way: this one goes on from what it has left.",
                   job->unfinished.run);
    for (guint i = 0; i < removed->len; i++)
        out_notice(job->out, "Took away what an earlier run had left: %s", (const char *)removed->pdata[i]);
    if (!keep_away_from_others(job, error))
        return false;
    *ret_again = removed->len > 0 || (owned->len > 0 && comparison->target_snapshot != NULL);
    if (*ret_again)
        g_clear_pointer(&job->comparison, comparison_free);
    return true;
}

static bool connect_and_lock(Job *job, GError **error)
{
    job->comparison = comparison_connect(job->choice->config, job->source, error);
    return job->comparison != NULL &&
           config_check_protected_role(job->choice->config, "target",
                                       pg_conn_identity(job->comparison->ends->target)->role, error) &&
           lock_target(job->comparison->ends->target, error);
}

/* While the lock was waited for, the session of a run that was killed may have given its database the final name. */
static bool open_and_lock(Job *job, GError **error)
{
    bool has_come = false;
    if (!connect_and_lock(job, error) || !ends_target_has_come(job->comparison->ends, &has_come, error))
        return false;
    if (has_come) {
        g_clear_pointer(&job->comparison, comparison_free);
        if (!connect_and_lock(job, error))
            return false;
    }
    return comparison_snapshot(job->comparison, error);
}

bool fold_open(Job *job, GError **error)
{
    bool again = false;
    if (!open_and_lock(job, error) || !clean_up_old_runs(job, &again, error) || (again && !open_and_lock(job, error)))
        return false;
    /* Between two locks somebody else may have made it, or dropped it. */
    if ((job->comparison->ends->target_missing == NULL) != (job->unfinished.hidden != NULL))
        fold_unfinished_clear(&job->unfinished);
    return ledger_run_identify(job->ledger, job->run, pg_conn_identity(job->comparison->ends->source),
                               pg_conn_identity(job->comparison->ends->target), job->comparison->ends->snapshot->id,
                               error);
}

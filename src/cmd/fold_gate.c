#include "base/cancel.h"
#include "base/error.h"
#include "cmd/fold_job.h"

/* Same key with another value, and no rule that says which: the user decides, not pgfold. */
static bool refuse_conflicts(const Job *job, GError **error)
{
    guint64 stopped = job->analysis->plan->rows_stopped;
    if (stopped == 0)
        return true;
    g_autoptr(GPtrArray) conflicts = analysis_conflicts(job->analysis);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < conflicts->len; i++)
        g_string_append_printf(text, "\n- %s", (const char *)conflicts->pdata[i]);
    if (conflicts->len < stopped)
        g_string_append(text, "\n- and more");
    char *hint =
        g_strdup_printf("`pgfold plan %s` shows them all. Mend the rows, or choose a rule in pgfold.yaml: on_conflict: "
                        "keep-target, take-source, newest(column) or rekey (docs/merge.md).",
                        job->source->name);
    pgf_error_take_hint(error, PGF_ERROR_DIFFERS, hint,
                        "source %s is not folded: %" G_GUINT64_FORMAT " of its rows are in conflict with the target:%s",
                        job->source->name, stopped, text->str);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    json_object_set_new(job->json, "outcome", json_string("conflicts"));
    return false;
}

/* Every reason at once: nobody likes to mend one after the other. */
bool fold_gate(const Job *job, GError **error)
{
    g_autoptr(GPtrArray) blocks = analysis_blocks(job->analysis);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < blocks->len; i++)
        g_string_append_printf(text, "\n- %s", (const char *)blocks->pdata[i]);
    if (text->len == 0)
        return refuse_conflicts(job, error);
    char *hint = g_strdup_printf("`pgfold plan %s` shows the whole plan.", job->source->name);
    pgf_error_take_hint(error, PGF_ERROR_REFUSED, hint, "source %s is not folded:%s", job->source->name, text->str);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    return false;
}

void fold_show_notices(const Job *job)
{
    g_autoptr(GPtrArray) warnings = checks_warnings(job->analysis->findings);
    for (guint i = 0; i < warnings->len; i++)
        out_warning(job->out, "%s", (const char *)warnings->pdata[i]);
    for (guint i = 0; i < job->analysis->plan->notices->len; i++)
        out_notice(job->out, "note: %s", (const char *)job->analysis->plan->notices->pdata[i]);
}

bool fold_confirm(const Job *job, GError **error)
{
    const Ends *ends = job->comparison->ends;
    g_autofree char *rows = out_count(job->analysis->plan->rows_to_copy);
    g_autofree char *bytes = out_bytes(job->analysis->plan->bytes_to_copy);
    g_autofree char *merged = out_count(job->analysis->plan->rows_to_merge);
    guint merges = plan_count(job->analysis->plan, PLAN_MERGE);
    g_autofree char *merge = merges == 0 ? g_strdup("") : g_strdup_printf(", %u to merge (%s rows)", merges, merged);
    out_notice(job->out, "%u new%s, %u already contained, %u skipped; %s rows (%s) to copy.",
               plan_count(job->analysis->plan, PLAN_NEW), merge, plan_count(job->analysis->plan, PLAN_SAME),
               plan_count(job->analysis->plan, PLAN_SKIP), rows, bytes);
    if (out_confirm(job->out, args_flag(job->args, "yes"), "Fold %s (%s) into database %s at %s%s?", job->source->name,
                    pg_conn_display(ends->source), ends->target_database, pg_conn_identity(ends->target)->address,
                    ends->target_missing != NULL ? ", which is created" : ""))
        return cancel_check(error);
    pgf_error_set(error, PGF_ERROR_REFUSED, "Answer y, or give --yes where nobody can be asked.",
                  "not confirmed: nothing was changed");
    return false;
}

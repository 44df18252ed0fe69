/* What earlier runs left: read from the ledger, where there is one. */
#include "base/error.h"
#include "doctor/internal.h"
#include "ledger/ledger.h"

static const DoctorEnd *end_of_fence(const Doctor *doctor, const LedgerFence *fence)
{
    for (guint i = 0; i < doctor->ends->len; i++) {
        const DoctorEnd *end = doctor->ends->pdata[i];
        const PgIdentity *id = end->conn == NULL ? NULL : pg_conn_identity(end->conn);
        if (id != NULL && end->missing == NULL && id->database_oid == fence->database_oid &&
            g_str_equal(id->system_identifier, fence->system_identifier))
            return end;
    }
    return NULL;
}

static void judge_fence(Doctor *doctor, DoctorResult *result, const LedgerFence *fence)
{
    const DoctorEnd *end = end_of_fence(doctor, fence);
    g_autofree char *lift = g_strdup_printf("`pgfold fence %s --lift` opens it.", fence->source_name);
    if (!fence->standing)
        doctor_findf(result, DOCTOR_WARNING, lift, "the fence of %s was interrupted (run %" G_GINT64_FORMAT ")",
                     fence->source_name, fence->run);
    else if (end != NULL && end->source == NULL)
        doctor_findf(result, DOCTOR_FAILED, lift, "the target %s is fenced, as source %s (run %" G_GINT64_FORMAT ")",
                     fence->database, fence->source_name, fence->run);
    else
        doctor_findf(result, DOCTOR_NOTE, lift, "%s is fenced (run %" G_GINT64_FORMAT ")", fence->source_name,
                     fence->run);
}

static bool check_fences(Doctor *doctor, Ledger *ledger, GError **error)
{
    DoctorResult *result = doctor_add(doctor, DOCTOR_MACHINE, "fences", "fences stand");
    g_autoptr(GPtrArray) fences = ledger_fences(ledger, NULL, error);
    for (guint i = 0; fences != NULL && i < fences->len; i++)
        judge_fence(doctor, result, fences->pdata[i]);
    return fences != NULL;
}

static bool check_unfinished(Doctor *doctor, Ledger *ledger, GError **error)
{
    DoctorResult *result =
        doctor_add(doctor, DOCTOR_MACHINE, "unfinished-runs", "runs that ended midway left something in a target");
    g_autoptr(GPtrArray) runs = ledger_unfinished_runs(ledger, error);
    for (guint i = 0; runs != NULL && i < runs->len; i++) {
        const LedgerRun *run = runs->pdata[i];
        const char *name = run->source_name == NULL ? "" : run->source_name;
        g_autofree char *remedy =
            g_strdup_printf("`pgfold fold %s` goes on from that, or takes it away and starts again; `pgfold status` "
                            "lists it.",
                            name);
        doctor_findf(result, DOCTOR_WARNING, remedy, "run %" G_GINT64_FORMAT " (%s %s)", run->id, run->command, name);
    }
    return runs != NULL;
}

static void check_busy(Doctor *doctor, Ledger *ledger)
{
    DoctorResult *result = doctor_add(doctor, DOCTOR_MACHINE, "running", "another pgfold is writing");
    g_auto(LedgerHolder) holder = {0};
    if (ledger_locked_by_other(ledger, &holder))
        doctor_findf(result, DOCTOR_NOTE, "Wait until it has ended.", "`pgfold %s` (process %" G_GINT64_FORMAT ")",
                     holder.command == NULL ? "..." : holder.command, holder.pid);
}

bool doctor_check_ledger(Doctor *doctor, GError **error)
{
    g_autoptr(Ledger) ledger = NULL;
    g_autoptr(GError) cause = NULL;
    if (doctor->config->path == NULL)
        return true;
    if (ledger_open_existing(doctor->config->state, &ledger, &cause) &&
        (ledger == NULL || (check_fences(doctor, ledger, &cause) && check_unfinished(doctor, ledger, &cause)))) {
        if (ledger != NULL)
            check_busy(doctor, ledger);
        return true;
    }
    if (g_error_matches(cause, PGF_ERROR, PGF_ERROR_CANCELLED)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    DoctorResult *result = doctor_add(doctor, DOCTOR_MACHINE, "ledger", "the ledger cannot be read");
    doctor_find(result, DOCTOR_FAILED, cause->message, NULL, pgf_error_hint(cause));
    return true;
}

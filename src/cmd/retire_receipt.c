/* The receipt of a source: there, unbroken, contained, of a fold that was not taken back. */
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "cmd/retire_job.h"
#include "ledger/memory.h"

bool retire_refuse(GError **error, char *hint, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *message = g_strdup_vprintf(format, list);
    va_end(list);
    pgf_error_take_hint(error, PGF_ERROR_REFUSED, hint, "%s", message);
    if (error != NULL)
        pgf_error_set_state(*error, "nothing was changed");
    return false;
}

static bool check_taken_back(const Retirement *r, const RetireJob *job, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(LedgerMerge) merge = ledger_merge_of(r->ledger, job->receipt->run, &cause);
    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    if (merge == NULL || (merge->state != LEDGER_MERGE_UNDONE && merge->state != LEDGER_MERGE_UNDOING))
        return true;
    return retire_refuse(error, g_strdup_printf("pgfold fold %s", job->source->name),
                         "source %s: its fold (run %" G_GINT64_FORMAT ") was taken back by `pgfold undo`",
                         job->source->name, job->receipt->run);
}

bool retire_gate_receipt(Retirement *r, RetireJob *job, GError **error)
{
    const char *name = job->source->name;
    guint chain = 0;
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = receipt_newest(r->ledger, name, &cause);
    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    if (path == NULL)
        return retire_refuse(error, g_strdup_printf("pgfold fold %s", name),
                             "source %s has no receipt: nothing proves that its rows are in the target", name);
    if (!receipt_check(path, &chain, &cause) || (job->receipt = receipt_read(path, &cause)) == NULL)
        return retire_refuse(error,
                             g_strdup("Put the receipts back as they were (.pgfold/receipts), then run this again; "
                                      "`pgfold verify --receipt FILE` checks one."),
                             "source %s: its receipt cannot be relied on: %s", name, cause->message);
    job->receipt_file = g_path_get_basename(path);
    if (!job->receipt->contained)
        return retire_refuse(error, g_strdup_printf("pgfold plan %s, then pgfold fold %s", name, name),
                             "source %s: its newest receipt (%s) does not say that it is contained", name,
                             job->receipt_file);
    if (!check_taken_back(r, job, error))
        return false;
    checklist_add(r->lines, "receipt", RETIRE_YES, name, "a valid receipt says that it is contained",
                  g_strdup_printf("%s, SHA-256 %s, %u in its chain", job->receipt_file, job->receipt->sha256, chain));
    if (job->receipt->filter != NULL)
        checklist_add(r->lines, "receipt", RETIRE_NOTE, name, "only a part of it was folded: the rest is in no proof",
                      g_strdup(job->receipt->filter));
    return true;
}

#include <string.h>

#include "base/error.h"
#include "cmd/fold_job.h"
#include "cmd/protected_view.h"
#include "protect/protect.h"

enum { SHOWN_MAX = 20 /* unchanged ones that have a line of their own */ };

static const char *const FINGERPRINTS[] = {"full", "catalog", "off"};

static void warn_of_unreadable(const Job *job)
{
    g_autoptr(GPtrArray) findings = protect_compare(job->protected, job->protected);
    for (guint i = 0; i < findings->len; i++) {
        const ProtectFinding *finding = findings->pdata[i];
        if (finding->verdict == PROTECT_UNREADABLE)
            out_warning(job->out, "protected %s %s cannot be proven unchanged: %s", finding->kind, finding->name,
                        finding->reason);
    }
}

bool fold_protect_before(Job *job, GError **error)
{
    if (job->protected != NULL)
        return true;
    job->protected = protect_take(job->comparison->ends, error);
    if (job->protected == NULL) {
        if (error != NULL)
            pgf_error_set_state(*error, "nothing was changed in the target");
        return false;
    }
    warn_of_unreadable(job);
    return true;
}

static void enter(Receipt *receipt, const ProtectFinding *finding)
{
    ReceiptProtected *item = receipt_add_protected(receipt, finding->kind, finding->name);
    receipt_text(&item->server, finding->server);
    receipt_text(&item->method, finding->method);
    receipt_text(&item->before, finding->before);
    receipt_text(&item->after, finding->after);
    receipt_text(&item->verdict, protect_verdict_text(finding->verdict));
    receipt_text(&item->reason, finding->reason);
    item->count = finding->count < 0 ? RECEIPT_UNKNOWN : finding->count;
    item->rows = finding->rows < 0 ? RECEIPT_UNKNOWN : finding->rows;
}

void fold_protect_after(Job *job)
{
    const Ends *ends = job->comparison->ends;
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) after = protect_take(ends, &failure);
    /* The fold is committed: a second look that failed is no reason to have no receipt. */
    g_autoptr(GPtrArray) findings =
        after != NULL ? protect_compare(job->protected, after) : protect_unknown(job->protected, failure->message);
    for (guint i = 0; i < findings->len; i++)
        enter(job->receipt, findings->pdata[i]);
    receipt_text(&job->receipt->fingerprint, FINGERPRINTS[ends->config->fingerprint]);
    job->touched = protect_count(findings, PROTECT_CHANGED) > 0;
}

static void warn_of_change(const Job *job)
{
    out_warning(job->out,
                "something protected is not as it was before this fold. The fold itself is committed and proven. "
                "Whether pgfold or somebody else changed it cannot be told: look at it before you go on.");
}

void fold_protect_show(const Job *job)
{
    guint unchanged = 0;
    for (guint i = 0; i < job->receipt->protected->len; i++) {
        const ReceiptProtected *item = job->receipt->protected->pdata[i];
        bool same = strcmp(item->verdict, "same") == 0;
        unchanged += same ? 1 : 0;
        if (same && unchanged > SHOWN_MAX)
            continue;
        g_autofree char *text = protected_text(item);
        OutStyle style = same ? OUT_GOOD : strcmp(item->verdict, "changed") == 0 ? OUT_BAD : OUT_WARN;
        g_autofree char *shown = out_styled(job->out, style, text);
        out_line(job->out, "protected: %s", shown);
    }
    if (unchanged > SHOWN_MAX)
        out_line(job->out, "protected: %u more are unchanged", unchanged - SHOWN_MAX);
    if (job->touched)
        warn_of_change(job);
}

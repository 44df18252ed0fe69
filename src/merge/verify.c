/* Verification of what was merged earlier: through the map, and with the rows that lost. */
#include "base/error.h"
#include "merge/internal.h"

bool merge_relation_contained(const MergeRelation *r)
{
    const MergeCounts *c = &r->counts;
    return c->inserted == 0 && c->stopped == 0 && c->kept == 0 && c->overwritten == 0;
}

static void set_verdict(const MergeRelation *r)
{
    VerifyRelation *verify = (VerifyRelation *)(guintptr)r->verify;
    const MergeCounts *c = &r->counts;
    reconciled_clear(&verify->rows);
    verify->rows.missing = c->inserted + c->unique + c->parent;
    verify->rows.different = c->value;
    verify->settled = c->settled;
    verify->verdict = merge_relation_contained(r) ? VERIFY_CONTAINED : VERIFY_DIFFERENT;
}

bool merge_verify(const MergeSpec *spec, Verification *verification, GError **error)
{
    if (spec->memory == NULL || ledger_memory_is_empty(spec->memory))
        return true;
    MergeSpec only = *spec;
    only.verify_only = true;
    only.max_conflicts = 0;
    g_autoptr(Merge) merge = merge_new(&only, error);
    if (merge == NULL)
        return false;
    if (merge->blocks->len > 0) {
        pgf_error_set(error, PGF_ERROR_REFUSED, NULL, "%s", (const char *)merge->blocks->pdata[0]);
        return false;
    }
    if (!merge_stage(merge, false, error) || !merge_judge(merge, MERGE_VERIFY, error))
        return false;
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeRelation *r = merge->relations->pdata[i];
        if (r->staged)
            set_verdict(r);
    }
    verify_judge(verification);
    return true;
}

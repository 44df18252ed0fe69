/*
 * Verify: is every row of the source in the target? One digest scan a side, both servers at once; where digests differ,
 * down to the rows (reconcile). Nothing is written.
 */
#pragma once

#include "audit/audit.h"
#include "reconcile/reconcile.h"

typedef enum VerifyVerdict {
    VERIFY_SAME,      /* the same rows on both sides */
    VERIFY_CONTAINED, /* the target has every row of the source, and others beside them */
    VERIFY_DIFFERENT, /* rows are missing or have another value */
    VERIFY_MISSING,   /* the target has no such relation */
    VERIFY_INCOMPARABLE,
    VERIFY_SKIPPED,
    VERIFY_REFRESHED /* a materialized view whose query gives other rows in the target: contained all the same */
} VerifyVerdict;

typedef struct VerifyRelation {
    const AuditRelation *audit;
    VerifyVerdict verdict;
    Reconciled rows; /* filled only where digests differed */
    bool told;       /* verdict and rows were found by merge_verify(): nothing is left to look for */
    guint64 settled; /* rows that an earlier merge settled by a rule (merge/merge.h); they count as contained */
} VerifyRelation;

typedef struct Verification {
    Audit *audit;
    GPtrArray *relations; /* of VerifyRelation*: those of the source, in its order */
    GPtrArray
        *shortfalls; /* of char*: what else is less in the target: sequences behind, objects missing, large objects */
    bool contained;
} Verification;

/* By digests: relations that differ are VERIFY_DIFFERENT, also where the target only has more rows. spec as for
 * audit_run(); without a target every relation is missing. */
Verification *verify_digests(const AuditSpec *spec, GError **error);
void verification_free(Verification *verification);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verification, verification_free)

/* Then down to the rows of those relations that are VERIFY_DIFFERENT and not told: missing, other values, or only more
 * in the target. max_details: rows to describe per relation. A merge does this itself (merge/merge.h). */
bool verify_rows(Verification *verification, const AuditSpec *spec, guint max_details, GError **error);
/* Sets contained anew, after verdicts were changed. */
void verify_judge(Verification *verification);

const char *verify_verdict_text(VerifyVerdict verdict);

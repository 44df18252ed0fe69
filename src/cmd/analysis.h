/*
 * All that is found out before a fold: what differs, what the checks found, what pg_dump knows, and the plan made of
 * it. Changes nothing. Main thread only.
 */
#pragma once

#include "cmd/shared.h"
#include "plan/plan.h"

#define ANALYSIS_SCRATCH "pgfold-scratch-" /* the names of its temporary folders begin so */

typedef struct Analysis {
    Comparison *comparison; /* not owned; its workers' connections are open */
    Verification *verification;
    LedgerMemory *memory; /* NULL without a ledger, or where the target database is missing */
    Merge *merge;      /* judged as a preview; its session holds the stage. NULL where the target database is missing */
    GPtrArray *stage;  /* of PgConn*: that session */
    GPtrArray *prober; /* of PgConn*: to the target, in no transaction, while the plan is made; or NULL */
    GPtrArray *findings; /* of AuditFinding* */
    DumpTools tools;
    DumpReading *source_reading, *target_reading; /* while pg_dump works */
    Dump *source_dump;                            /* the comparison's where that has renamed its schema */
    Dump *target_dump;                            /* NULL where the target database is missing */
    Plan *plan;
    char *scratch; /* temporary folder of the dumps; removed with this */
} Analysis;

typedef struct AnalysisOptions {
    bool no_owner, no_privileges;
    bool schema_only, data_only; /* at most one of them */
    Ledger *ledger;       /* what earlier merges settled, and whether the source is fenced; NULL: nothing is known */
    guint conflicts;      /* to describe, per table */
    const Hidden *hidden; /* what of the target is as if it were not there; or NULL */
    const char *folder;   /* for temporary files, which may hold passwords of user mappings; NULL: $TMPDIR or /tmp */
} AnalysisOptions;

/* What --schema-only and --data-only say. */
bool analysis_take_only(const CommandArgs *args, AnalysisOptions *options, GError **error);

/* comparison: freshly opened, with a target. Warnings of pg_dump are shown on out. */
Analysis *analysis_make(Comparison *comparison, const AnalysisOptions *options, Out *out, GError **error);
void analysis_free(Analysis *analysis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Analysis, analysis_free)

/* Every row that no rule settles, as sentences; at most as many as were asked for. Transfer full. */
GPtrArray *analysis_conflicts(const Analysis *analysis);

/* Every reason why a fold refuses, of checks and plan, as sentences. Array of char*, empty: it may go on. Transfer
 * full. */
GPtrArray *analysis_blocks(const Analysis *analysis);

/*
 * Fold: does what a plan says, for relations that are new to the target or contained in it already.
 *
 * A target database that does not exist is made under a name of the run's own and renamed at the very end: until then
 * nobody sees it, and a run that dies leaves only that. In a database that exists, new objects are made in place.
 * Either way everything that the run makes is in the ledger before it is made, with the SQL that takes it away again,
 * and is taken away when the run fails (fold_clean_up).
 *
 * Order: roles, database, pre-data; rows under the snapshot, each table's indexes as soon as its rows are in; the
 * snapshot is let go with the last row; foreign keys NOT VALID, then validated in parallel; the rest of post-data;
 * sequences; digests of the target against those of the source's snapshot; the name.
 *
 * Main thread only; the workers are in the pool.
 */
#pragma once

#include "ends/ends.h"
#include "ledger/ledger.h"
#include "plan/plan.h"

typedef struct FoldWatch {
    /* A new phase begins: "rows and indexes". Main thread. May be NULL. */
    void (*phase)(const char *name, gpointer data);
    PoolObserver
        pool; /* jobs of kinds copy, index, constraint, validate, analyze, digest, large objects; may be NULL */
    gpointer data;
} FoldWatch;

typedef struct FoldSpec {
    Ends *ends;                 /* with a snapshot; it is let go on the way */
    GPtrArray *sources;         /* of PgConn*: a worker's each, outside of any transaction */
    const Plan *plan;           /* without blocks */
    Merge *merge;               /* of the plan, with its session; NULL: nothing is merged */
    PgConn *stage;              /* that session; the fold commits in it */
    const char *archive;        /* folder for rows that lost and keys that changed; made when there are any */
    const char *columns_marker; /* schema that says that new columns are the run's: goes with the commit; or NULL */
    const DumpTools *tools;
    AuditRename rename; /* as of the audit (audit/audit.h), for the look at the rows afterwards; or NULL */
    gpointer rename_data;
    Ledger *ledger; /* locked */
    gint64 run;
    gint64 resume;        /* the run to go on from (fold_find_unfinished()), or 0 */
    const Hidden *hidden; /* what that has made in a database that exists, and the plan does not see; or NULL */
    const char *scratch;  /* temporary folder, for the definitions of what it left */
    guint64 split_above;  /* bytes */
    bool no_owner, no_privileges;
    FoldWatch watch;
} FoldSpec;

/* What a relation of the plan is on the target at the end. */
typedef struct FoldProof {
    const PlanRelation *relation;
    bool digested; /* false: it has no rows of its own, or was skipped, or was contained before (see the plan) */
    Digest target;
    bool good;
} FoldProof;

typedef struct FoldResult {
    GPtrArray *proofs;    /* of FoldProof*, as in plan->relations */
    Catalog *target;      /* of the target database, at the end */
    Digest large_objects; /* of the target */
    bool large_objects_good;
    guint64 rows, bytes; /* copied; inserted by a merge */
    guint64 rows_there;  /* brought there by the run that this one went on from, and proven again */
    guint tables_there;
    char *anew;     /* why what an earlier run had left was of no use; or NULL */
    char *archive;  /* where rows that lost are, or NULL */
    bool merged;    /* a merge was committed, and looked at afterwards: proofs of its tables may be bad */
    char *database; /* where it all is: the target database */
    guint32 database_oid;
} FoldResult;

/* False with PGF_ERROR_MIDWAY (or CANCELLED): then everything that the run had made was taken away, or the error's
 * state says what was left: also that it is all there, for the error came after the commit. */
bool fold_run(const FoldSpec *spec, FoldResult *ret_result, GError **error);
/* What of the source the target does not have, one text each; empty after a fold_run() that was true. Transfer full. */
GPtrArray *fold_shortfalls(const FoldResult *result, const Plan *plan);
void fold_result_clear(FoldResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FoldResult, fold_result_clear)

/* Takes away what a run (0: all runs that are no longer alive) has left in this cluster. database: leaves alone what
 * lies in other databases, so that one that cannot be cleaned does not hold up folds into the others; NULL: everything.
 * except: a run that another one goes on from, all of which stays but large objects; or 0.
 * Labels of what was removed go to removed (of char*; may be NULL). Waits no longer than a minute for others. */
bool fold_clean_up(Ledger *ledger, gint64 run, const char *target_url, const char *system_identifier,
                   const char *database, gint64 except, GPtrArray *removed, GError **error);

/* A run that died, and whose work can be gone on from. */
typedef struct FoldUnfinished {
    gint64 run;     /* 0: there is none */
    Hidden *hidden; /* what it has made in a database that exists; NULL: it was making a new one */
} FoldUnfinished;

/* The run that died while it folded this source into this target. *ret_found: cleared before. */
bool fold_find_unfinished(Ledger *ledger, const Ends *ends, FoldUnfinished *ret_found, GError **error);
/* In a database that exists: it is none any more where nothing is marked as its own. end: what it still has running
 * there is ended before; then the target's connection must be in no transaction. */
bool fold_settle_unfinished(FoldUnfinished *unfinished, const Ends *ends, bool end, GError **error);
void fold_unfinished_clear(FoldUnfinished *unfinished);

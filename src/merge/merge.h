/*
 * Merge: brings rows of a source into tables of the target that hold rows already (docs/merge.md).
 *
 *     Merge *merge = merge_new(&spec, error)    which tables, in which order; what blocks
 *     merge_stage(merge, ...)                   rows that are missing or differ go into temporary tables
 *     merge_judge(merge, MERGE_PREVIEW, ...)    keys mapped, conflicts found, rules applied; counts
 *     merge_commit(merge, ...)                  inside the caller's transaction: locks, judges again, writes, proves
 *
 * The stage is made of temporary tables of one session, spec.target: nothing of it can be left behind, however the run
 * ends. Where rows go is decided by SQL in that session; pgfold itself holds no rows.
 *
 * Two kinds of tables are staged. Of most, only the rows that reconcile found missing or different. Of those whose keys
 * may change (rule rekey), and of those that refer to them, all rows: whether a row is the same can be told only after
 * its references were mapped.
 *
 * Main thread only. spec.source must be in the run's snapshot; spec.reader reads the target as the comparison saw it.
 */
#pragma once

#include "config/config.h"
#include "ledger/memory.h"
#include "verify/verify.h"

typedef enum MergeMode {
    MERGE_PREVIEW, /* changes nothing outside of the stage: new keys are guesses, sequences are not touched */
    MERGE_COMMIT,  /* for good, inside the transaction that applies it */
    MERGE_VERIFY   /* no rule applies: is every row there, through the map, or settled earlier? */
} MergeMode;

/* What became of the staged rows of one table; each row counts once in the first group and once at most in the second.
 */
typedef struct MergeCounts {
    guint64 identical;             /* the target has it */
    guint64 inserted;              /* the target does not have it, and nothing stands against it */
    guint64 value, unique, parent; /* conflicts; of those, by rule: */
    guint64 settled;               /* in an earlier run, and unchanged since */
    guint64 overwritten;           /* the source's row wins */
    guint64 kept;                  /* the target's row wins, or stays alone */
    guint64 stopped;               /* no rule applies: nothing is committed */
    guint64 rekeyed, matched;      /* got a new key; taken for a row of the target by match_on */
} MergeCounts;

typedef struct MergeConflict {
    char *kind;   /* "value", "unique", "parent" */
    char *action; /* "stop", "keep", "overwrite" */
    char *key;    /* "id=5" */
    char *source; /* the row as a JSON object */
    char *target; /* likewise; NULL for a parent that is missing */
    char *detail; /* the columns that differ, the unique index, the reference; or NULL */
} MergeConflict;

typedef struct MergeRelation {
    const VerifyRelation *verify;
    const CatalogRelation *source; /* never NULL */
    const CatalogRelation *target; /* NULL: the fold makes the table, and this merge fills it */
    ConfigTableRule rule;
    bool whole;  /* all rows are staged */
    bool direct; /* the target's table is empty: rows are copied into it within the commit, without a stage */
    bool staged;
    MergeCounts counts;
    GPtrArray *conflicts;     /* of MergeConflict*: at most spec.max_conflicts */
    struct MergeTable *table; /* src/merge only */
} MergeRelation;

typedef struct MergeSpec {
    PgConn *source;                   /* in the snapshot */
    PgConn *reader;                   /* of the target, in the snapshot of the comparison */
    PgConn *target;                   /* session of its own: holds the stage */
    const Verification *verification; /* not owned */
    const Config *config;
    const ConfigSource *source_config;
    const LedgerMemory *memory; /* what earlier runs settled and mapped; or NULL */
    bool verify_only;           /* for MERGE_VERIFY: rules are not looked at */
    guint max_conflicts;
} MergeSpec;

typedef struct Merge {
    MergeSpec spec;
    GPtrArray *relations;     /* of MergeRelation*, parents before children as far as that goes */
    GPtrArray *blocks;        /* of char*: why this cannot be merged, as sentences */
    GPtrArray *notices;       /* of char* */
    struct MergeGraph *graph; /* src/merge only */
    char *path;               /* likewise */
    char *standing;           /* likewise */
    guint depth;
} Merge;

/* Which relations have to be merged. Nothing is read or written but catalogs of the target. */
Merge *merge_new(const MergeSpec *spec, GError **error);
void merge_free(Merge *merge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Merge, merge_free)

/* NULL where that relation is not merged. */
MergeRelation *merge_find(const Merge *merge, const CatalogRelation *source);

/* Fills the stage of every relation that has a table in the target and is not staged yet. tables_made: called again,
 * now that the fold has made the new tables. */
bool merge_stage(Merge *merge, bool tables_made, GError **error);

/* Fills counts and conflicts, and adds to blocks what a preview finds (a natural key that is not unique, a sequence
 * that is exhausted). May be repeated. */
bool merge_judge(Merge *merge, MergeMode mode, GError **error);

/* Whether there is anything to write, or a row that lost to be recorded. */
bool merge_has_work(const Merge *merge);
/* Rows that no rule settles. */
guint64 merge_stopped(const Merge *merge);
/* Whether a MERGE_VERIFY found every row of that relation: in the target, or settled. */
bool merge_relation_contained(const MergeRelation *relation);

typedef struct MergeCommit {
    const char *undo_schema; /* is made, and holds what undo needs */
    int lock_timeout;        /* seconds */
    const char *archive;     /* folder for rows that lost and keys that changed; made when there are any */
    gint64 run;
    Ledger *ledger; /* gets the map and the settled rows, under the run, before the transaction ends */
} MergeCommit;

/* Inside a transaction that the caller has begun on spec.target and will commit: locks the tables against other
 * writers, judges for good (unless nothing has changed since the preview), writes, and compares every written row with
 * what stands there. An error leaves the transaction to be rolled back: PGF_ERROR_DIFFERS when there are conflicts by
 * now that no rule settles, PGF_ERROR_REFUSED when somebody holds a lock, else PGF_ERROR_MIDWAY. */
bool merge_commit(Merge *merge, const MergeCommit *commit, GError **error);

/* Finds out, from the target, what became of merges, and of what took them back, that were interrupted at their end. */
bool merge_settle(Ledger *ledger, PgConn *target, GError **error);
/* What earlier merges between these two databases settled; calls merge_settle() first. */
LedgerMemory *merge_recall(Ledger *ledger, PgConn *source, PgConn *target, GError **error);

/* The statements that give the target's table the columns which only the source's has. Empty: there are none. Array of
 * char*. Transfer full. */
GPtrArray *merge_missing_columns(const CatalogRelation *source, const CatalogRelation *target);
/* What mends columns that stand against comparing the two: statements, or NULL where there are none. Transfer full. */
char *merge_column_remedy(const CatalogRelation *source, const CatalogRelation *target);

/* Takes the rows of a merge out of the target again, inside a transaction that the caller has begun and will commit: in
 * two steps, for between them the caller drops the tables that the fold has made. merge_undo_check() locks the tables
 * and refuses (PGF_ERROR_REFUSED, rows named) where a later change would be lost: a row that was changed since, or that
 * others refer to by now. merge_undo_rows() deletes what was inserted, puts back what was overwritten, and drops the
 * schema. */
bool merge_undo_check(PgConn *target, const char *undo_schema, int lock_timeout, GError **error);
bool merge_undo_rows(PgConn *target, const char *undo_schema, GError **error);
/* Drops what undo needs, in the caller's transaction. */
bool merge_undo_forget(PgConn *target, const char *undo_schema, GError **error);

/* The whole check of a source that was merged earlier: stage and judge under MERGE_VERIFY, and put what was found into
 * the verification's relations (verdict, counts). memory may be NULL: then nothing is done. The sessions are the
 * caller's. */
bool merge_verify(const MergeSpec *spec, Verification *verification, GError **error);

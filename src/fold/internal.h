/* Shared by the files of src/fold only: one fold under way, and its steps in order. */
#pragma once

#include "fold/fold.h"
#include "pool/pool.h"

typedef struct Fold {
    const FoldSpec *spec;
    FoldResult *result;
    char *stage;          /* database in which everything is made: the target's, or one of the run's own */
    bool own_database;    /* it is the run's own, to be renamed */
    char *marker;         /* schema that says, in a database that exists, that the new objects are the run's */
    PgConn *main;         /* to stage: for what is done one after another */
    GPtrArray *targets;   /* of PgConn*, to stage: a worker's each */
    GPtrArray *tasks;     /* what jobs point to; freed with g_free */
    GHashTable *steps;    /* PoolJob* -> ledger step id */
    bool batch;           /* a batch of the ledger is open */
    GError *ledger_error; /* the first record that could not be written, or NULL */
    guint copies_left;    /* rows that are not in yet; at 0 the snapshot is let go */
    gint64 last_commit;   /* of the batch */
} Fold;

/* create.c */
bool fold_create_roles(Fold *fold, GError **error);
bool fold_create_database(Fold *fold, GError **error);
bool fold_create_pre_data(Fold *fold, GError **error);
/* copy.c, large_objects.c: add jobs to pool; table_jobs: source oid of the table -> GPtrArray of PoolJob* */
void fold_add_copies(Fold *fold, Pool *pool, GHashTable *table_jobs);
bool fold_copy_large_objects(PoolWorker *worker, gpointer fold, GError **error);
/* post_data.c */
void fold_add_indexes(Fold *fold, Pool *pool, GHashTable *table_jobs);
bool fold_foreign_keys(Fold *fold, Pool *pool, GError **error);
bool fold_rest(Fold *fold, GError **error);
void fold_add_analyze(Fold *fold, Pool *pool);
/* sequences.c */
bool fold_sequences(Fold *fold, GError **error);
/* prove.c */
bool fold_prove(Fold *fold, Pool *pool, GError **error);

/* fold.c: runs the pool with every job in the ledger. */
bool fold_pool_run(Fold *fold, Pool *pool, GError **error);
void fold_phase(Fold *fold, const char *name);
/* A step that is not a job of the pool, recorded before and after. */
typedef bool (*FoldStep)(Fold *fold, GError **error);
bool fold_step(Fold *fold, const char *name, FoldStep step, GError **error);
/* Whether an entry of the plan is to be made by this run. */
bool fold_makes(const PlanEntry *entry);

/* Shared by the files of src/fold only: one fold under way, and its steps in order. */
#pragma once

#include "fold/fold.h"
#include "pool/pool.h"

typedef struct Fold {
    const FoldSpec *spec;
    FoldResult *result;
    char *stage;          /* database in which everything is made: the target's, or one of the run's own */
    bool own_database;    /* it is the run's own, to be renamed */
    char *drop_sql;       /* takes away what the run makes in a database that exists, or NULL */
    bool in_doubt;        /* the commit was sent, and nobody has heard how it ended */
    bool committed;       /* from here on nothing is taken away */
    char *undo;           /* schema that a merge leaves behind for `pgfold undo` */
    char *marker;         /* schema that says, in a database that exists, that the new objects are the run's */
    PgConn *main;         /* to stage: for what is done one after another; the merge's session where there is one */
    PgConn *own_main;     /* the same, when it is ours to close */
    GPtrArray *targets;   /* of PgConn*, to stage: a worker's each */
    GPtrArray *tasks;     /* what jobs point to; freed with g_free */
    GHashTable *steps;    /* PoolJob* -> ledger step id */
    GHashTable *late;     /* dump ids of indexes on what is itself made late: a materialized view that needs a key */
    bool refresh_late;    /* materialized views are filled after the rename (refresh.c) */
    bool batch;           /* a batch of the ledger is open */
    GError *ledger_error; /* the first record that could not be written, or NULL */
    guint copies_left;    /* rows that are not in yet; at 0 the snapshot is let go */
    gint64 last_commit;   /* of the batch */
    gint64 taken_over;    /* object of the ledger: the database, or the objects, that an earlier run has left; or 0 */
    bool stage_exists;    /* it is there */
    GHashTable *there;    /* DumpEntry* -> PlanPresence in what an earlier run has left; NULL where there is nothing */
    GHashTable *rows_there; /* of PlanRelation*: all of their rows are in it; or NULL */
    guint64 copy_bytes;     /* of all tables that are copied, without their indexes */
    gint64 sort_memory;     /* maintenance_work_mem of each session, in bytes */
} Fold;

/* session.c: how much memory a worker may sort in; what holds for every session of the run in the target. */
bool fold_choose_memory(Fold *fold, guint workers, GError **error);
bool fold_prepare_session(const Fold *fold, PgConn *conn, GError **error);
/* unfinished.c: what the run before (spec->resume) owned is this run's, its name included; says whether its database,
 * or the marker of its objects, is there. adopt.c: then, connected to that, finds what of it can stay.
 * fold->result->anew says why nothing can. */
bool fold_take_over(Fold *fold, GError **error);
bool fold_adopt(Fold *fold, GError **error);
/* post_data.c: the SQL by which a foreign key is made before its rows were looked at, or NULL for other entries. */
char *fold_not_valid_sql(const DumpEntry *entry);
const CatalogForeignKey *fold_foreign_key_of(const Fold *fold, const DumpEntry *entry); /* or NULL */
/* prove.c: of a table as it is in the target. */
bool fold_digest_target(PgConn *target, const CatalogRelation *source, DigestText text, Digest *ret_digest,
                        GError **error);
/* cleanup.c: ends what a dead run still has running in that database. conn: to any database of its server. */
bool fold_end_backends(PgConn *conn, const char *database, GError **error);
/* Takes one object of that run away. */
bool fold_remove_object(Ledger *ledger, gint64 run, gint64 object, const char *target_url, GError **error);
/* fold.c: ends the run's sessions in the database that it makes. */
void fold_close_stage(Fold *fold);
/* own.c */
bool fold_create_roles(Fold *fold, GError **error);
bool fold_create_database(Fold *fold, GError **error);
bool fold_own_objects(Fold *fold, GError **error);
/* sql with {database} replaced. Transfer full. */
char *fold_fill_in(const char *sql, const char *quoted_database);
/* create.c */
bool fold_create_pre_data(Fold *fold, GError **error);
/* large_objects.c: makes them, empty, so that a number that is taken is known before any row is copied. */
bool fold_create_large_objects(Fold *fold, GError **error);
/* commit.c: the last step: what may exist only when all is proven, the last look at the catalogs, the name. */
bool fold_commit(Fold *fold, GError **error);
/* merge.c: the merge's part. Whether there is one; whether the rows of a relation are its business. */
bool fold_merges(const Fold *fold);
bool fold_is_merged(const Fold *fold, const char *quoted);
bool fold_prepare_merge(Fold *fold, GError **error);
bool fold_commit_merge(Fold *fold, GError **error);
bool fold_check_merge(Fold *fold, GError **error);
void fold_abandon_merge(const Fold *fold);
/* What takes back a fold that merged nothing. */
void fold_note_for_undo(const Fold *fold);
/* post_data.c: what hangs on rows that come with the merge. */
bool fold_waits_for_merge(const Fold *fold, const DumpEntry *entry);
bool fold_after_merge(Fold *fold, GError **error);
/* refresh.c: whether materialized views must wait for the name; once the schema is made. */
bool fold_find_refreshes(Fold *fold, GError **error);
/* This entry is one of those that wait. */
bool fold_refreshes_late(const Fold *fold, const PlanEntry *entry);
/* In a transaction of fold->main: fills them, so that one that cannot be filled is known while all can still be taken
 * away; and empties them again. Until fold_refresh() they are not populated, which every look at the target finds. */
bool fold_try_refreshes(Fold *fold, GError **error);
bool fold_undo_refreshes(Fold *fold, GError **error);
bool fold_refresh(Fold *fold, GError **error);
/* copy.c, large_objects.c: add jobs to pool; table_jobs: source oid of the table -> GPtrArray of PoolJob* */
bool fold_copies(const Fold *fold, const PlanRelation *r); /* the rows of this one */
void fold_add_copies(Fold *fold, Pool *pool, GHashTable *table_jobs);
bool fold_remove_large_objects(Fold *fold, GError **error); /* all of the database */
bool fold_copy_large_objects(PoolWorker *worker, gpointer fold, GError **error);
/* post_data.c */
void fold_add_indexes(Fold *fold, Pool *pool, GHashTable *table_jobs);
bool fold_foreign_keys(Fold *fold, Pool *pool, GError **error);
bool fold_rest(Fold *fold, GError **error);
void fold_add_analyze(Fold *fold, Pool *pool);
/* sequences.c */
bool fold_sequences(Fold *fold, GError **error);
/* prove.c */
bool fold_prove_rows(Fold *fold, GError **error);
/* False with PGF_ERROR_MIDWAY that names what the target lacks. result->target: its catalogs now. */
bool fold_check_contained(const Fold *fold, GError **error);

/* fold.c: runs the pool with every job in the ledger. */
bool fold_pool_run(Fold *fold, Pool *pool, GError **error);
void fold_phase(Fold *fold, const char *name);
/* A step that is not a job of the pool, recorded before and after. */
typedef bool (*FoldStep)(Fold *fold, GError **error);
bool fold_step(Fold *fold, const char *name, FoldStep step, GError **error);
/* entry.c: whether an entry of the plan is to be made by this run; */
bool fold_makes(const Fold *fold, const PlanEntry *entry);
/* how the database that an earlier run has left has it; */
PlanPresence fold_presence(const Fold *fold, const DumpEntry *entry);
/* and whether in its last step: it would act on others at once, and hangs on no table of ours. */
bool fold_is_final(const DumpEntry *entry);

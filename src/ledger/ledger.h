/*
 * The ledger: what pgfold did, in a state folder (`.pgfold`, 0700) beside the configuration (docs/ledger.md).
 *
 *   .pgfold/ledger.db     SQLite: runs, steps, what a run has put into a target, receipts (the only room that opens it)
 *   .pgfold/lock          kernel locks: one for the run that may write, one for each run that is alive
 *   .pgfold/receipts/     see ledger/receipt.h
 *
 * Everything is durable (on the disk, not only in a cache) when a call returns, except between ledger_batch_begin()
 * and ledger_batch_commit(). Record first, then act, then record the outcome: what a killed run did is then known.
 *
 * Main thread only. Times are microseconds since 1970 (g_get_real_time()), 0 for "not yet". Texts may hold anything but
 * a password: callers pass displays, never connection strings. What is not UTF-8 is stored with its bad bytes replaced.
 *
 * Errors: PGF_ERROR_USAGE when the folder or the file cannot be opened or was written by a newer pgfold,
 * PGF_ERROR_REFUSED when another run holds the lock, PGF_ERROR_MIDWAY when something cannot be written (disk full).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "pg/conn.h"

typedef struct Ledger Ledger;

/* Opens the ledger in state_dir, making the folder and the tables where they are missing, and registers receipts that
 * a killed run wrote but did not record. */
Ledger *ledger_open(const char *state_dir, GError **error);
/* As ledger_open(), but true with *ret_ledger NULL, and nothing made, where there is neither a ledger nor a receipt. */
bool ledger_open_existing(const char *state_dir, Ledger **ret_ledger, GError **error);
/* Lets go of all locks. Runs that were not finished are then "interrupted". */
void ledger_close(Ledger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ledger, ledger_close)

const char *ledger_state_dir(const Ledger *ledger);    /* absolute */
const char *ledger_receipts_dir(const Ledger *ledger); /* absolute; may not exist */

/* --- who may write ------------------------------------------------------------------------------------------------ */

typedef struct LedgerHolder {
    gint64 pid;
    char *host;
    char *command; /* "fold" */
    gint64 since;
} LedgerHolder;

void ledger_holder_clear(LedgerHolder *holder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LedgerHolder, ledger_holder_clear)

/* Takes the one lock for whatever writes to a target or a state folder, until ledger_close() or the end of the process,
 * however it ends. Never waits: PGF_ERROR_REFUSED names the holder (pid, command, since when). Readers do not take it.
 */
bool ledger_lock(Ledger *ledger, const char *command, GError **error);
/* Whether another process holds that lock, and who (ret_holder may be NULL). */
bool ledger_locked_by_other(Ledger *ledger, LedgerHolder *ret_holder);

/* --- runs --------------------------------------------------------------------------------------------------------- */

typedef enum LedgerRunState {
    LEDGER_RUNNING,
    LEDGER_DONE,       /* to its end, whatever it found */
    LEDGER_FAILED,     /* ended with an error */
    LEDGER_INTERRUPTED /* Ctrl-C, or killed: its process is gone and it had not finished */
} LedgerRunState;

typedef struct LedgerEnd { /* one end of a run, as it was when the run connected; all NULL/0 when it never did */
    char *system_identifier;
    char *database;
    guint32 database_oid;
    int version;
    char *role;
    char *address;
} LedgerEnd;

typedef struct LedgerRun {
    gint64 id;
    char *command;
    char *source_name; /* of the configuration; NULL for a run over several */
    LedgerEnd source, target;
    char *snapshot; /* or NULL */
    gint64 started, finished;
    LedgerRunState state; /* RUNNING only while its process lives */
    gint64 pid;
    char *host;
    char *error; /* of a failed run, or NULL */
} LedgerRun;

void ledger_run_free(LedgerRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerRun, ledger_run_free)

/* Begins a run over one source (or NULL). It is alive until ledger_run_finish(), ledger_close() or our death. Any
 * number of runs may be alive at once; those that write take ledger_lock() first. */
bool ledger_run_begin(Ledger *ledger, const char *command, const char *source_name, gint64 *ret_run, GError **error);
/* Adds what is known once connected. Each of the three may be NULL: then it is left as it was. */
bool ledger_run_identify(Ledger *ledger, gint64 run, const PgIdentity *source, const PgIdentity *target,
                         const char *snapshot, GError **error);
/* Ends it. state: not RUNNING. message: the error, or NULL. With LEDGER_DONE everything that the run owns is released
 * (it belongs to the user now) in the same transaction. */
bool ledger_run_finish(Ledger *ledger, gint64 run, LedgerRunState state, const char *message, GError **error);

/* The newest first, at most limit of them (0: all). Elements LedgerRun*. Transfer full. */
GPtrArray *ledger_runs(Ledger *ledger, guint limit, GError **error);
/* As ledger_runs(), those that failed or were interrupted and still own something in a target. */
GPtrArray *ledger_unfinished_runs(Ledger *ledger, GError **error);

/* --- steps -------------------------------------------------------------------------------------------------------- */

typedef enum LedgerStepState { LEDGER_STEP_STARTED, LEDGER_STEP_DONE, LEDGER_STEP_FAILED } LedgerStepState;

typedef struct LedgerStep {
    gint64 id;
    char *name; /* "rows", "index" */
    char *item; /* "public.orders", or NULL */
    LedgerStepState state;
    gint64 started, finished;
    json_t *detail; /* or NULL */
    char *error;    /* or NULL */
} LedgerStep;

/* Recorded before the work... */
bool ledger_step_begin(Ledger *ledger, gint64 run, const char *name, const char *item, gint64 *ret_step,
                       GError **error);
/* ...and after it. detail: an object of the caller's choice (rows, bytes), or NULL; its reference is taken. */
bool ledger_step_done(Ledger *ledger, gint64 step, json_t *detail, GError **error);
bool ledger_step_failed(Ledger *ledger, gint64 step, const char *message, GError **error);
/* In the order in which they began. Elements LedgerStep*. Transfer full. */
GPtrArray *ledger_steps(Ledger *ledger, gint64 run, GError **error);

/* Thousands of records become durable together, at the commit: one disk flush instead of thousands. Batches do not
 * nest. A batch that is never committed leaves nothing. Keep it short, around records only, never around work: another
 * pgfold that wants to write waits ten seconds for it at most. ledger_run_finish() and receipt_write() refuse to run
 * inside one. */
bool ledger_batch_begin(Ledger *ledger, GError **error);
bool ledger_batch_commit(Ledger *ledger, GError **error);

/* --- what a run has put into a target ----------------------------------------------------------------------------- */

typedef struct LedgerObject {
    gint64 id;
    gint64 run;
    char *kind;              /* "database", "objects", "role" */
    char *name;              /* for people */
    char *system_identifier; /* of the cluster that it is in; NULL when the run never said (ledger_run_identify) */
    char *database;          /* where cleanup_sql is to be run; NULL: any, such as postgres */
    char *cleanup_sql;       /* takes it away again; may be run twice */
    char *becomes;           /* the name that a database is to get when all is proven; else NULL */
    char *made;              /* of "objects": what they are, in a text of the caller's choice; or NULL */
} LedgerObject;

/* Recorded before the object is made, so that a run killed in between is cleaned up too: cleanup_sql must therefore
 * bear that the object does not exist (IF EXISTS). database may be NULL. The run must be identified first. */
bool ledger_object_own(Ledger *ledger, gint64 run, const char *kind, const char *name, const char *database,
                       const char *cleanup_sql, gint64 *ret_object, GError **error);
/* Replaces the script of an object that is still owned, when more of it has come to exist. */
bool ledger_object_set_cleanup(Ledger *ledger, gint64 object, const char *cleanup_sql, GError **error);
/* It belongs to the user now, before the run is finished. */
bool ledger_object_released(Ledger *ledger, gint64 object, GError **error);
/* Likewise all that the run owns. */
bool ledger_objects_release(Ledger *ledger, gint64 run, GError **error);
/* What a database that the run makes is to be called in the end. */
bool ledger_object_becomes(Ledger *ledger, gint64 object, const char *name, GError **error);
/* What the objects are that stand behind one entry; NULL: nobody is to go on from them. */
bool ledger_object_made(Ledger *ledger, gint64 object, const char *made, GError **error);
/* Everything that the run `from`, which is dead, still owns is owned by the run `to` from now on. */
bool ledger_objects_take_over(Ledger *ledger, gint64 from, gint64 to, GError **error);
/* It is gone: cleanup_sql succeeded. */
bool ledger_object_removed(Ledger *ledger, gint64 object, GError **error);
/* What one run still owns, or (run 0) what all runs that are no longer alive still own, in the order in which to take
 * it away: the newest first. system_identifier: only in that cluster; NULL: in all. LedgerObject*. Transfer full. */
GPtrArray *ledger_owned_objects(Ledger *ledger, gint64 run, const char *system_identifier, GError **error);

/* --- containers that pgfold started ------------------------------------------------------------------------------- */

typedef struct LedgerContainer { /* a run of its own, alive as long as whoever started it */
    gint64 run, step;
    char *source_name;
    char *engine; /* "docker", "podman" */
    char *id, *name;
    gint64 at;  /* when it was recorded: before it was started */
    bool alive; /* the pgfold that started it will stop it */
} LedgerContainer;

void ledger_container_free(LedgerContainer *container);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerContainer, ledger_container_free)

/* Record first, then start. id: NULL where compose has yet to make it (then ledger_container_made()). */
bool ledger_container_begin(Ledger *ledger, const char *source_name, const char *engine, const char *id,
                            const char *name, LedgerContainer **ret_container, GError **error);
bool ledger_container_made(Ledger *ledger, LedgerContainer *container, const char *engine, const char *id,
                           const char *name, GError **error);
/* It was stopped, or was found stopped, or was never started. */
bool ledger_container_ended(Ledger *ledger, const LedgerContainer *container, GError **error);
/* Those that did not end, the oldest first. LedgerContainer*. Transfer full. */
GPtrArray *ledger_containers(Ledger *ledger, GError **error);

/* --- where each source stands ------------------------------------------------------------------------------------- */

typedef enum LedgerStage {
    LEDGER_AUDITED,
    LEDGER_BACKED_UP,
    LEDGER_FOLDED,
    LEDGER_VERIFIED,
    LEDGER_RETIRED, /* good: every check was; the outcome LEDGER_PUT_BACK: it was taken back */
    LEDGER_STAGES
} LedgerStage;

#define LEDGER_PUT_BACK "put back"
/* The outcome of a fold that left something out (docs/filters.md). */
#define LEDGER_IN_PART "contained, but folded in part"

typedef struct LedgerMark {
    char *source_name;
    LedgerStage stage;
    gint64 at;
    bool good;     /* nothing differed, proven, contained */
    char *outcome; /* one short phrase for people: "contained", "3 tables differ" */
    char *file;    /* receipt or backup, or NULL */
    gint64 run;
    LedgerEnd target; /* of that run */
} LedgerMark;

void ledger_mark_free(LedgerMark *mark);

/* Notes the latest result of a stage for the source of the run; replaces the one before. file may be NULL. */
bool ledger_mark(Ledger *ledger, gint64 run, const char *source_name, LedgerStage stage, bool good, const char *outcome,
                 const char *file, GError **error);
/* All, ordered by source name and stage. LedgerMark*. Transfer full. */
GPtrArray *ledger_marks(Ledger *ledger, GError **error);

/* --- fences ------------------------------------------------------------------------------------------------------- */

typedef struct LedgerFence { /* one change that closed a source's database, and that was not taken back yet */
    gint64 id, run;
    char *source_name;
    char *system_identifier;
    char *database;
    guint32 database_oid;
    gint64 since;       /* when it was recorded */
    bool standing;      /* false: recorded, and the server knows whether its transaction was committed */
    char *transaction;  /* id of that transaction */
    gint64 server_time; /* of the server, shortly after the commit; 0: not known */
    json_t *before;     /* what the fence took away (fence/fence.h) */
} LedgerFence;

void ledger_fence_free(LedgerFence *fence);

/* Recorded inside the server's transaction that closes the database, before its commit: what a run killed at any moment
 * has done can then be asked of the server. before: its reference is taken. */
bool ledger_fence_begin(Ledger *ledger, gint64 run, const char *source_name, const PgIdentity *source,
                        const char *transaction, json_t *before, gint64 *ret_fence, GError **error);
/* The transaction was committed. server_time: 0 where it is not known. */
bool ledger_fence_stands(Ledger *ledger, gint64 fence, gint64 server_time, GError **error);
/* It was not, or its database was opened again. */
bool ledger_fence_void(Ledger *ledger, gint64 fence, GError **error);
bool ledger_fence_lifted(Ledger *ledger, gint64 fence, GError **error);
/* Those that were neither lifted nor void, the newest first: of one database, or (identity NULL) all.
 * LedgerFence*. Transfer full. */
GPtrArray *ledger_fences(Ledger *ledger, const PgIdentity *identity, GError **error);

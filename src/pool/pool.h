/*
 * A fixed pool of threads over a queue of jobs with dependencies: the only concurrency in pgfold.
 *
 * Each worker owns one connection to the source and one to the target (either may be absent). The thread that calls
 * pool_run() owns everything else: it starts jobs whose dependencies are done, longest first, and hears of each end
 * through the observer, so ledger and terminal need no lock. The first job that fails cancels the others.
 */
#pragma once

#include "pg/conn.h"

typedef struct Pool Pool;
typedef struct PoolJob PoolJob;

typedef struct PoolWorker {
    guint index;
    PgConn *source; /* or NULL */
    PgConn *target; /* or NULL */
} PoolWorker;

typedef enum PoolEvent {
    POOL_JOB_STARTED,
    POOL_JOB_DONE,
    POOL_JOB_FAILED,
    POOL_TICK /* about ten times a second while jobs run: for progress; job is NULL */
} PoolEvent;

/* Runs in a worker's thread. data is the job's own until it has ended. */
typedef bool (*PoolRun)(PoolWorker *worker, gpointer data, GError **error);
/* Runs in the thread of pool_run(). error: only with POOL_JOB_FAILED. */
typedef void (*PoolObserver)(PoolEvent event, const PoolJob *job, const GError *error, gpointer user_data);

struct PoolJob {
    const char *kind; /* "copy", "index", ...: a literal */
    char *label;
    guint64 weight; /* longer jobs first */
    guint32 lock;   /* jobs with the same lock other than 0 shut each other out when one of them is exclusive */
    bool exclusive;
    PoolRun run;
    gpointer data;                         /* not owned */
    const struct PgCopyProgress *progress; /* counters of a copy that the observer may read at any time, or NULL */
    bool crowded; /* set as it starts: there is other work for every worker, so it should be content with one core */
    /* The pool's own: */
    const Pool *pool;
    guint number; /* in the order in which they were added */
    guint waits_for;
    GPtrArray *unblocks;      /* of PoolJob* */
    gint64 started, finished; /* monotonic, microseconds */
};

/* connections: sources[i] and targets[i] go to worker i and stay owned by the caller; either array may be NULL. */
Pool *pool_new(guint workers, PgConn *const *sources, PgConn *const *targets);
void pool_free(Pool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pool, pool_free)

/* Says that all jobs do nothing but read, in the transactions that the workers' connections are in: then locks on what
 * they have read are let go now and then (pg/snapshot.h). Before pool_run(). */
void pool_reads(Pool *pool);

/* The pool owns the job. */
PoolJob *pool_add(Pool *pool, const char *kind, const char *label, guint64 weight, PoolRun run, gpointer data);
void pool_after(PoolJob *later, PoolJob *earlier);

/* All jobs of one kind in one pool, ended ones included: for progress. */
typedef struct PoolTotals {
    guint jobs;
    guint64 weight;
} PoolTotals;

PoolTotals pool_totals(const PoolJob *job); /* of its kind, in its pool */

/* Runs every job added so far. False with the first failure; then jobs that had not started never do. Jobs may be added
 * again afterwards. observer may be NULL. */
bool pool_run(Pool *pool, PoolObserver observer, gpointer user_data, GError **error);

#include "pool/pool.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/cancel.h"
#include "base/error.h"
#include "pg/snapshot.h"

enum { TICK_MS = 100, JOBS_PER_LOCKS = 20 };

/* One message between the main thread and a worker. */
typedef struct Work {
    PoolJob *job;
    GError *error; /* NULL: done */
} Work;

typedef struct Thread {
    Pool *pool;
    pthread_t thread;
    PoolWorker worker;
    guint jobs; /* that it has begun */
} Thread;

struct Pool {
    guint size;
    bool reads;
    Thread *threads;
    GPtrArray *jobs;  /* all, owned */
    GPtrArray *added; /* since the last pool_run(); not owned */
    GSequence *ready; /* wait for nothing but a worker and their lock: the heaviest first; not owned */
    guint waiting;    /* for other jobs */
    GPtrArray *running;
    /* Below: shared with the threads, under mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t to_do_changed, done_changed;
    GQueue to_do; /* of PoolJob* */
    GQueue done;  /* of Work* */
    bool stop;
};

static void job_free(gpointer data)
{
    PoolJob *job = data;
    g_free(job->label);
    g_ptr_array_unref(job->unblocks);
    g_free(job);
}

/* Before the first job, and before each twentieth after it. */
static bool bound_locks(Thread *self, GError **error)
{
    guint nth = self->jobs++;
    if (!self->pool->reads || nth % JOBS_PER_LOCKS != 0)
        return true;
    bool (*act)(PgConn *, GError **) = nth == 0 ? pg_snapshot_mark_locks : pg_snapshot_let_go_of_locks;
    return act(self->worker.source, error) && act(self->worker.target, error);
}

static void *worker_main(void *data)
{
    Thread *self = data;
    Pool *pool = self->pool;
    for (;;) {
        pthread_mutex_lock(&pool->mutex);
        while (!pool->stop && pool->to_do.length == 0)
            pthread_cond_wait(&pool->to_do_changed, &pool->mutex);
        PoolJob *job = pool->stop ? NULL : g_queue_pop_head(&pool->to_do);
        pthread_mutex_unlock(&pool->mutex);
        if (job == NULL)
            return NULL;
        Work *work = g_new0(Work, 1);
        work->job = job;
        if (cancel_check(&work->error) && bound_locks(self, &work->error))
            (void)job->run(&self->worker, job->data, &work->error);
        pthread_mutex_lock(&pool->mutex);
        g_queue_push_tail(&pool->done, work);
        pthread_cond_signal(&pool->done_changed);
        pthread_mutex_unlock(&pool->mutex);
    }
}

Pool *pool_new(guint workers, PgConn *const *sources, PgConn *const *targets)
{
    Pool *pool = g_new0(Pool, 1);
    pthread_condattr_t monotonic;
    (void)PGF_ERROR; /* made before any thread is: ThreadSanitizer does not see the lock that GLib makes it under */
    pool->size = workers;
    pool->jobs = g_ptr_array_new_with_free_func(job_free);
    pool->added = g_ptr_array_new();
    pool->ready = g_sequence_new(NULL);
    pool->running = g_ptr_array_new();
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->to_do_changed, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->done_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    g_queue_init(&pool->to_do);
    g_queue_init(&pool->done);
    pool->threads = g_new0(Thread, workers);
    for (guint i = 0; i < workers; i++) {
        Thread *thread = &pool->threads[i];
        thread->pool = pool;
        thread->worker = (PoolWorker){
            .index = i, .source = sources == NULL ? NULL : sources[i], .target = targets == NULL ? NULL : targets[i]};
        int failed = pthread_create(&thread->thread, NULL, worker_main, thread);
        g_assert(failed == 0);
    }
    return pool;
}

void pool_free(Pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->to_do_changed);
    pthread_mutex_unlock(&pool->mutex);
    for (guint i = 0; i < pool->size; i++)
        pthread_join(pool->threads[i].thread, NULL);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->to_do_changed);
    pthread_cond_destroy(&pool->done_changed);
    g_queue_clear(&pool->to_do);
    g_ptr_array_unref(pool->jobs);
    g_ptr_array_unref(pool->added);
    g_sequence_free(pool->ready);
    g_ptr_array_unref(pool->running);
    g_free(pool->threads);
    g_free(pool);
}

void pool_reads(Pool *pool)
{
    pool->reads = true;
}

PoolJob *pool_add(Pool *pool, const char *kind, const char *label, guint64 weight, PoolRun run, gpointer data)
{
    PoolJob *job = g_new0(PoolJob, 1);
    job->pool = pool;
    job->kind = kind;
    job->label = g_strdup(label);
    job->weight = weight;
    job->run = run;
    job->data = data;
    job->unblocks = g_ptr_array_new();
    job->number = pool->jobs->len;
    g_ptr_array_add(pool->jobs, job);
    g_ptr_array_add(pool->added, job);
    return job;
}

void pool_after(PoolJob *later, PoolJob *earlier)
{
    g_ptr_array_add(earlier->unblocks, later);
    later->waits_for++;
}

PoolTotals pool_totals(const PoolJob *job)
{
    PoolTotals totals = {0};
    for (guint i = 0; i < job->pool->jobs->len; i++) {
        const PoolJob *other = job->pool->jobs->pdata[i];
        if (g_str_equal(other->kind, job->kind)) {
            totals.jobs++;
            totals.weight += other->weight;
        }
    }
    return totals;
}

static bool lock_is_free(const Pool *pool, const PoolJob *job)
{
    for (guint i = 0; job->lock != 0 && i < pool->running->len; i++) {
        const PoolJob *other = pool->running->pdata[i];
        if (other->lock == job->lock && (other->exclusive || job->exclusive))
            return false;
    }
    return true;
}

static int heavier_first(gconstpointer a, gconstpointer b, gpointer unused)
{
    const PoolJob *left = a;
    const PoolJob *right = b;
    (void)unused;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return left->number < right->number ? -1 : 1;
}

static void make_ready(Pool *pool, PoolJob *job)
{
    g_sequence_insert_sorted(pool->ready, job, heavier_first, NULL);
}

/* Their weights and what they wait for are known by now. */
static void take_added(Pool *pool)
{
    for (guint i = 0; i < pool->added->len; i++) {
        PoolJob *job = pool->added->pdata[i];
        if (job->waits_for == 0)
            make_ready(pool, job);
        else
            pool->waiting++;
    }
    g_ptr_array_set_size(pool->added, 0);
}

/* Whether jobs that could run beside the running ones would keep all workers busy. */
static bool is_crowded(const Pool *pool)
{
    guint busy = pool->running->len;
    GSequenceIter *at = g_sequence_get_begin_iter(pool->ready);
    for (; busy < pool->size && !g_sequence_iter_is_end(at); at = g_sequence_iter_next(at))
        busy += lock_is_free(pool, g_sequence_get(at)) ? 1 : 0;
    return busy >= pool->size;
}

/* The heaviest job that may run now, taken out of those that are ready; NULL when none may. */
static PoolJob *next_job(Pool *pool)
{
    for (GSequenceIter *at = g_sequence_get_begin_iter(pool->ready); !g_sequence_iter_is_end(at);
         at = g_sequence_iter_next(at)) {
        PoolJob *job = g_sequence_get(at);
        if (!lock_is_free(pool, job))
            continue;
        g_sequence_remove(at);
        return job;
    }
    return NULL;
}

static void start_jobs(Pool *pool, PoolObserver observer, gpointer user_data)
{
    PoolJob *job;
    while (pool->running->len < pool->size && (job = next_job(pool)) != NULL) {
        g_ptr_array_add(pool->running, job);
        job->started = g_get_monotonic_time();
        job->crowded = is_crowded(pool);
        if (observer != NULL)
            observer(POOL_JOB_STARTED, job, NULL, user_data);
        pthread_mutex_lock(&pool->mutex);
        g_queue_push_tail(&pool->to_do, job);
        pthread_cond_signal(&pool->to_do_changed);
        pthread_mutex_unlock(&pool->mutex);
    }
}

/* One ended job, or NULL after a tick. */
static Work *wait_for_one(Pool *pool)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&pool->mutex);
    int waited = 0;
    while (pool->done.length == 0 && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&pool->done_changed, &pool->mutex, &until);
    Work *work = g_queue_pop_head(&pool->done);
    pthread_mutex_unlock(&pool->mutex);
    return work;
}

static void job_ended(Pool *pool, PoolJob *job)
{
    job->finished = g_get_monotonic_time();
    g_ptr_array_remove(pool->running, job);
    for (guint i = 0; i < job->unblocks->len; i++) {
        PoolJob *other = job->unblocks->pdata[i];
        if (--other->waits_for > 0)
            continue;
        pool->waiting--;
        make_ready(pool, other);
    }
}

bool pool_run(Pool *pool, PoolObserver observer, gpointer user_data, GError **error)
{
    GError *first = NULL;
    take_added(pool);
    while (pool->running->len > 0 || (first == NULL && pool->waiting + (guint)g_sequence_get_length(pool->ready) > 0)) {
        if (first == NULL)
            start_jobs(pool, observer, user_data);
        g_assert(pool->running->len > 0); /* a cycle of dependencies would be a bug of ours */
        Work *work = wait_for_one(pool);
        if (work == NULL) {
            if (observer != NULL)
                observer(POOL_TICK, NULL, NULL, user_data);
            continue;
        }
        if (work->error == NULL)
            job_ended(pool, work->job);
        else
            g_ptr_array_remove(pool->running, work->job);
        if (observer != NULL)
            observer(work->error == NULL ? POOL_JOB_DONE : POOL_JOB_FAILED, work->job, work->error, user_data);
        if (work->error != NULL && first == NULL) {
            first = g_steal_pointer(&work->error);
            cancel_request(); /* every wait of the other workers ends */
        }
        g_clear_error(&work->error);
        g_free(work);
    }
    if (first == NULL)
        return true;
    g_sequence_remove_range(g_sequence_get_begin_iter(pool->ready), g_sequence_get_end_iter(pool->ready));
    pool->waiting = 0;
    if (cancel_signal() == 0)
        cancel_reset();
    g_propagate_error(error, first);
    return false;
}

/* The pool, without servers: order, dependencies, locks, failure. Run under ThreadSanitizer too. */
#include "pool/pool.h"

#include <poll.h>
#include <stdatomic.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"

enum { WORKERS = 4 };

/* What the jobs of a test share. */
typedef struct Shared {
    atomic_int running, most_running, ended;
} Shared;

typedef struct Task {
    Shared *shared;
    int at; /* how many jobs had ended when this one began */
    bool fail;
} Task;

static void nap(void)
{
    poll(NULL, 0, 5);
}

static bool run_task(PoolWorker *worker, gpointer data, GError **error)
{
    Task *task = data;
    task->at = atomic_load(&task->shared->ended);
    int running = atomic_fetch_add(&task->shared->running, 1) + 1;
    int most = atomic_load(&task->shared->most_running);
    while (running > most && !atomic_compare_exchange_weak(&task->shared->most_running, &most, running))
        continue;
    nap();
    atomic_fetch_sub(&task->shared->running, 1);
    atomic_fetch_add(&task->shared->ended, 1);
    if (task->fail)
        pgf_error_set(error, PGF_ERROR_MIDWAY, NULL, "this one fails");
    return !task->fail;
}

static bool run_until_cancelled(PoolWorker *worker, gpointer data, GError **error)
{
    struct pollfd none = {.fd = -1};
    return wait_fds(&none, 1, DEADLINE_NONE, error);
}

static void test_dependencies(void)
{
    Shared shared = {0};
    Task tasks[21] = {0};
    g_autoptr(Pool) pool = pool_new(WORKERS, NULL, NULL);
    PoolJob *last = pool_add(pool, "last", "last", 1000, run_task, &tasks[20]);
    for (int i = 0; i < 21; i++)
        tasks[i].shared = &shared;
    for (int i = 0; i < 20; i++)
        pool_after(last, pool_add(pool, "first", "first", 1, run_task, &tasks[i]));
    g_autoptr(GError) error = NULL;
    g_assert_true(pool_run(pool, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpint(tasks[20].at, ==, 20);
    g_assert_cmpint(shared.most_running, >, 1);
    g_assert_cmpint(shared.most_running, <=, WORKERS);
}

static void test_exclusive(void)
{
    Shared shared = {0};
    Task tasks[12] = {0};
    g_autoptr(Pool) pool = pool_new(WORKERS, NULL, NULL);
    for (int i = 0; i < 12; i++) {
        tasks[i].shared = &shared;
        PoolJob *job = pool_add(pool, "job", "job", 1, run_task, &tasks[i]);
        job->lock = 42;
        job->exclusive = true;
    }
    g_assert_true(pool_run(pool, NULL, NULL, NULL));
    g_assert_cmpint(shared.ended, ==, 12);
    g_assert_cmpint(shared.most_running, ==, 1);
}

static void test_longest_first(void)
{
    Shared shared = {0};
    Task tasks[3] = {{.shared = &shared}, {.shared = &shared}, {.shared = &shared}};
    g_autoptr(Pool) pool = pool_new(1, NULL, NULL);
    pool_add(pool, "job", "small", 1, run_task, &tasks[0]);
    pool_add(pool, "job", "large", 100, run_task, &tasks[1]);
    pool_add(pool, "job", "middle", 10, run_task, &tasks[2]);
    g_assert_true(pool_run(pool, NULL, NULL, NULL));
    g_assert_cmpint(tasks[1].at, ==, 0);
    g_assert_cmpint(tasks[2].at, ==, 1);
    g_assert_cmpint(tasks[0].at, ==, 2);
}

static void test_crowded(void)
{
    Shared shared = {0};
    Task tasks[8] = {0};
    PoolJob *jobs[8];
    g_autoptr(Pool) pool = pool_new(WORKERS, NULL, NULL);
    for (int i = 0; i < 8; i++) {
        tasks[i].shared = &shared;
        jobs[i] = pool_add(pool, "job", "job", 1, run_task, &tasks[i]);
    }
    PoolJob *alone = pool_add(pool, "job", "alone", 1, run_task, &(Task){.shared = &shared});
    for (int i = 0; i < 8; i++)
        pool_after(alone, jobs[i]);
    g_assert_true(pool_run(pool, NULL, NULL, NULL));
    g_assert_true(jobs[0]->crowded);
    g_assert_true(jobs[3]->crowded);
    g_assert_false(alone->crowded);
}

static void test_failure(void)
{
    Shared shared = {0};
    Task bad = {.shared = &shared, .fail = true}, later = {.shared = &shared};
    g_autoptr(Pool) pool = pool_new(2, NULL, NULL);
    PoolJob *failing = pool_add(pool, "bad", "bad", 1, run_task, &bad);
    pool_add(pool, "long", "long", 100, run_until_cancelled, NULL);
    pool_after(pool_add(pool, "later", "later", 1, run_task, &later), failing);
    g_autoptr(GError) error = NULL;
    g_assert_false(pool_run(pool, NULL, NULL, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_MIDWAY);
    g_assert_cmpstr(error->message, ==, "this one fails");
    g_assert_cmpint(shared.ended, ==, 1); /* later never ran */
    g_assert_false(cancel_requested());   /* the flag was ours, and is down again */
    /* The pool goes on working. */
    pool_add(pool, "again", "again", 1, run_task, &later);
    g_assert_true(pool_run(pool, NULL, NULL, NULL));
    g_assert_cmpint(shared.ended, ==, 2);
}

typedef struct Seen {
    guint started, done, failed;
    GThread *thread;
} Seen;

static void observe(PoolEvent event, const PoolJob *job, const GError *error, gpointer data)
{
    Seen *seen = data;
    g_assert_true(seen->thread == g_thread_self());
    seen->started += event == POOL_JOB_STARTED ? 1 : 0;
    seen->done += event == POOL_JOB_DONE ? 1 : 0;
    seen->failed += event == POOL_JOB_FAILED ? 1 : 0;
    g_assert_true((event == POOL_JOB_FAILED) == (error != NULL));
}

static void test_observer(void)
{
    Shared shared = {0};
    Task tasks[30] = {0};
    Seen seen = {.thread = g_thread_self()};
    g_autoptr(Pool) pool = pool_new(WORKERS, NULL, NULL);
    for (int i = 0; i < 30; i++) {
        tasks[i].shared = &shared;
        pool_add(pool, "job", "job", 1, run_task, &tasks[i]);
    }
    g_assert_true(pool_run(pool, observe, &seen, NULL));
    g_assert_cmpuint(seen.started, ==, 30);
    g_assert_cmpuint(seen.done, ==, 30);
    g_assert_cmpuint(seen.failed, ==, 0);
}

int main(int argc, char **argv)
{
    cancel_init();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool/a job starts when all that it depends on have ended", test_dependencies);
    g_test_add_func("/pool/jobs that want the same thing for themselves run one at a time", test_exclusive);
    g_test_add_func("/pool/longer jobs start first", test_longest_first);
    g_test_add_func("/pool/a job knows whether other work waits beside it", test_crowded);
    g_test_add_func("/pool/a failing job ends the others, and what depends on it never starts", test_failure);
    g_test_add_func("/pool/the observer hears of every job in the thread that runs the pool", test_observer);
    return g_test_run();
}

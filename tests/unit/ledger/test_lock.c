#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "fixture.h"

/* A child that opens the ledger, tries for the lock, tells 'y' or 'n', and stays until it is killed. */
static pid_t start_competitor(const Fixture *fixture, int ready_fd)
{
    pid_t parent = getpid(), pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    g_autoptr(GError) error = NULL;
    Ledger *ledger = ledger_open(fixture->state, &error);
    if (ledger == NULL)
        g_printerr("# a competitor could not open the ledger: %s\n", error->message);
    char answer = ledger == NULL ? 'e' : ledger_lock(ledger, "fold", NULL) ? 'y' : 'n';
    if (write(ready_fd, &answer, 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static char read_answer(int fd)
{
    char answer = '?';
    g_assert_cmpint(read(fd, &answer, 1), ==, 1);
    return answer;
}

static void kill_and_reap(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_refused(Fixture *fixture, gconstpointer data)
{
    int fds[2];
    g_assert_cmpint(pipe(fds), ==, 0);
    pid_t holder = start_competitor(fixture, fds[1]);
    g_assert_cmpint(read_answer(fds[0]), ==, 'y');
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_assert_false(ledger_lock(ledger, "backup", &error));
    g_autofree char *who = g_strdup_printf("`pgfold fold` (process %d on ", (int)holder);
    assert_error(error, PGF_ERROR_REFUSED, who);
    assert_error(error, PGF_ERROR_REFUSED, "since 2");
    g_assert_nonnull(strstr(pgf_error_hint(error), "wait until it has ended"));
    g_auto(LedgerHolder) seen = {0};
    g_assert_true(ledger_locked_by_other(ledger, &seen));
    g_assert_cmpint(seen.pid, ==, holder);
    g_assert_cmpstr(seen.command, ==, "fold");
    kill_and_reap(holder);
    g_clear_error(&error);
    g_assert_false(ledger_locked_by_other(ledger, NULL));
    g_assert_true(ledger_lock(ledger, "backup", &error));
    g_assert_no_error(error);
    close(fds[0]);
    close(fds[1]);
}

static void test_race(Fixture *fixture, gconstpointer data)
{
    enum { N = 8 };
    int fds[2], winners = 0;
    pid_t pids[N];
    g_assert_cmpint(pipe(fds), ==, 0);
    for (int i = 0; i < N; i++)
        pids[i] = start_competitor(fixture, fds[1]);
    for (int i = 0; i < N; i++) {
        char answer = read_answer(fds[0]);
        g_assert_cmpint(answer, !=, 'e');
        winners += answer == 'y';
    }
    for (int i = 0; i < N; i++)
        kill_and_reap(pids[i]);
    g_assert_cmpint(winners, ==, 1);
    close(fds[0]);
    close(fds[1]);
}

static void test_closing_releases(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    Ledger *first = fixture_open(fixture);
    g_autoptr(Ledger) second = fixture_open(fixture);
    g_assert_true(ledger_lock(first, "fold", &error));
    g_assert_true(ledger_lock(first, "fold", &error));
    g_assert_false(ledger_lock(second, "fold", NULL));
    ledger_close(first);
    g_assert_true(ledger_lock(second, "fold", &error));
    g_assert_no_error(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/lock/a second process is refused and told who holds it until that one is killed", test_refused);
    fixture_test("/lock/of eight processes at once exactly one gets it", test_race);
    fixture_test("/lock/closing the ledger gives it back", test_closing_releases);
    return g_test_run();
}

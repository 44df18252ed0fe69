/* kill -9, a full disk, a lost ledger. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "fixture.h"
#include "ledger/file.h"
#include "ledger/internal.h"

typedef struct Report {
    gint64 step;
    gint64 receipts;
} Report;

/* Records steps and receipts as fast as it can, and tells of each only after the call returned. */
static void write_until_killed(const Fixture *fixture, int fd)
{
    Ledger *ledger = ledger_open(fixture->state, NULL);
    Report report = {0};
    gint64 run, object;
    PgIdentity target = fixture_identity("7399999999999999999", "app");
    if (ledger == NULL || !ledger_lock(ledger, "fold", NULL) ||
        !ledger_run_begin(ledger, "fold", "laptop", &run, NULL) ||
        !ledger_run_identify(ledger, run, NULL, &target, NULL, NULL) ||
        !ledger_object_own(ledger, run, "database", "app", NULL, "DROP DATABASE IF EXISTS app", &object, NULL))
        _exit(1);
    for (int i = 0;; i++) {
        if (!ledger_step_begin(ledger, run, "rows", "public.t", &report.step, NULL))
            _exit(1);
        if (i % 3 == 0) {
            g_autoptr(Receipt) receipt = fixture_receipt("laptop", run * 100000 + i, i);
            if (!receipt_write(receipt, ledger, NULL, NULL))
                _exit(1);
            report.receipts++;
        }
        if (write(fd, &report, sizeof(report)) != sizeof(report))
            _exit(1);
    }
}

static Report kill_a_writer(Fixture *fixture, int after)
{
    int fds[2];
    Report report = {0};
    g_assert_cmpint(pipe(fds), ==, 0);
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        close(fds[0]);
        write_until_killed(fixture, fds[1]);
    }
    close(fds[1]);
    for (int i = 0; i < after; i++)
        g_assert_cmpint(read(fds[0], &report, sizeof(report)), ==, sizeof(report));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    Report last;
    while (read(fds[0], &last, sizeof(last)) == sizeof(last))
        report = last;
    close(fds[0]);
    return report;
}

static void test_killed(Fixture *fixture, gconstpointer data)
{
    gint64 receipts = 0;
    for (int round = 0; round < 12; round++) {
        Report report = kill_a_writer(fixture, 1 + round * 3);
        receipts += report.receipts;
        g_autoptr(Ledger) ledger = fixture_open(fixture);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) runs = ledger_unfinished_runs(ledger, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(runs->len, ==, (guint)round + 1);
        const LedgerRun *run = runs->pdata[0];
        g_assert_cmpint(run->state, ==, LEDGER_INTERRUPTED);
        g_autoptr(GPtrArray) steps = ledger_steps(ledger, run->id, &error);
        g_assert_cmpuint(steps->len, >, 0);
        g_assert_cmpint(((LedgerStep *)steps->pdata[steps->len - 1])->id, >=, report.step);
        guint count = 0;
        receipt_check_all(ledger, &count, &error);
        g_assert_no_error(error);
        g_assert_cmpint(count, >=, receipts);
        g_assert_cmpint(count, <=, receipts + 1); /* one may have been written and not told of */
        receipts = count;
    }
}

static void test_unlisted_receipt(Fixture *fixture, gconstpointer data)
{
    Ledger *ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_free(fixture_write_receipt(ledger, "laptop", 1, 0));
    g_free(fixture_write_receipt(ledger, "laptop", 2, 1));
    /* As if killed between the rename and the row. */
    g_assert_true(db_run(ledger->db, &error, "DELETE FROM receipt WHERE id = 2", ""));
    ledger_close(ledger);
    g_autoptr(Ledger) again = fixture_open(fixture);
    g_autofree char *third = fixture_write_receipt(again, "laptop", 3, 2);
    guint chain;
    g_assert_true(receipt_check(third, &chain, &error));
    g_assert_cmpuint(chain, ==, 3);
}

static void test_lost_ledger(Fixture *fixture, gconstpointer data)
{
    Ledger *ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_free(fixture_write_receipt(ledger, "laptop", 1, 30));
    g_free(fixture_write_receipt(ledger, "laptop", 2, 20));
    g_autofree char *third = fixture_write_receipt(ledger, "laptop", 3, 10);
    ledger_close(ledger);
    g_autofree char *db = g_build_filename(fixture->state, "ledger.db", NULL);
    g_unlink(db);
    g_autoptr(Ledger) again = fixture_open(fixture);
    g_autofree char *newest = receipt_newest(again, NULL, &error);
    g_assert_cmpstr(newest, ==, third);
    guint count;
    g_assert_true(receipt_check_all(again, &count, &error));
    g_assert_cmpuint(count, ==, 3);
}

static void test_strangers(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_autofree char *first = fixture_write_receipt(ledger, "laptop", 1, 0);
    g_autofree char *copy = g_build_filename(ledger_receipts_dir(ledger), "copy.json", NULL);
    g_autofree char *note = g_build_filename(ledger_receipts_dir(ledger), "note.json", NULL);
    g_autofree char *half = g_build_filename(ledger_receipts_dir(ledger), FILE_TEMP_PREFIX "abcdef", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(first, &text, NULL, NULL));
    g_file_set_contents(copy, text, -1, NULL);
    g_file_set_contents(note, "{}", -1, NULL);
    g_file_set_contents(half, "{\"schema\": \"pgfold.re", -1, NULL);
    g_autofree char *second = fixture_write_receipt(ledger, "laptop", 2, 1);
    guint chain;
    g_assert_true(receipt_check(second, &chain, &error));
    g_assert_cmpuint(chain, ==, 2);
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(note, G_FILE_TEST_EXISTS));
}

/* Every write beyond limit bytes of a file fails, as on a full disk. */
static void set_file_limit(rlim_t limit)
{
    struct rlimit both;
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &both), ==, 0);
    both.rlim_cur = limit == RLIM_INFINITY ? both.rlim_max : limit;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &both), ==, 0);
}

static void test_full_disk_receipt(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    g_free(fixture_write_receipt(ledger, "laptop", 1, 0));
    g_autoptr(Receipt) receipt = fixture_receipt("laptop", 2, 1);
    for (int i = 0; i < 20000; i++)
        receipt_add_note(receipt, "a long remark, number %d", i);
    set_file_limit(300 * 1024);
    bool ok = receipt_write(receipt, ledger, NULL, &error);
    set_file_limit(RLIM_INFINITY);
    g_assert_false(ok);
    assert_error(error, PGF_ERROR_MIDWAY, "cannot write");
    assert_error(error, PGF_ERROR_MIDWAY, "File too large");
    g_assert_nonnull(pgf_error_hint(error));
    g_auto(GStrv) files = list_folder(ledger_receipts_dir(ledger));
    g_assert_cmpuint(g_strv_length(files), ==, 1);
    g_clear_error(&error);
    g_assert_true(receipt_write(receipt, ledger, NULL, &error));
    g_assert_true(receipt_check_all(ledger, NULL, &error));
    g_assert_no_error(error);
}

static void test_full_disk_ledger(Fixture *fixture, gconstpointer data)
{
    Ledger *ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    gint64 run, step, failed_step;
    g_assert_true(ledger_run_begin(ledger, "fold", "laptop", &run, &error));
    g_assert_true(ledger_step_begin(ledger, run, "rows", "public.before", &step, &error));
    set_file_limit(1);
    bool ok = ledger_step_begin(ledger, run, "rows", "public.full", &failed_step, &error);
    set_file_limit(RLIM_INFINITY);
    g_assert_false(ok);
    assert_error(error, PGF_ERROR_MIDWAY, "ledger.db");
    g_assert_nonnull(strstr(pgf_error_hint(error), "disk is full"));
    g_clear_error(&error);
    g_assert_true(ledger_step_done(ledger, step, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) steps = ledger_steps(ledger, run, &error);
    g_assert_cmpuint(steps->len, ==, 1);
    ledger_close(ledger);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/crash/whatever was reported as recorded is there after kill -9", test_killed);
    fixture_test("/crash/a receipt that was written but not listed is taken into the chain", test_unlisted_receipt);
    fixture_test("/crash/a lost ledger finds the chain of receipts again", test_lost_ledger);
    fixture_test("/crash/copies, notes and half written files do not enter the chain", test_strangers);
    fixture_test("/crash/a receipt on a full disk is a clear error and leaves nothing", test_full_disk_receipt);
    fixture_test("/crash/a step on a full disk is a clear error and the ledger stays sound", test_full_disk_ledger);
    return g_test_run();
}

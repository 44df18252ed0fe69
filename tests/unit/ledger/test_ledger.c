#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "fixture.h"
#include "ledger/internal.h"

#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        g_autoptr(GError) e = NULL;                                                                                    \
        call;                                                                                                          \
        g_assert_no_error(e);                                                                                          \
    } while (0)

static gint64 begin(Ledger *ledger, const char *command, const char *source)
{
    gint64 run = 0;
    CHECK(ledger_run_begin(ledger, command, source, &run, &e));
    PgIdentity target = fixture_identity("7399999999999999999", "app");
    CHECK(ledger_run_identify(ledger, run, NULL, &target, NULL, &e));
    return run;
}

static gint64 own(Ledger *ledger, gint64 run, const char *name)
{
    gint64 object = 0;
    g_autofree char *sql = g_strdup_printf("DROP DATABASE IF EXISTS %s", name);
    CHECK(ledger_object_own(ledger, run, "database", name, "postgres", sql, &object, &e));
    return object;
}

static void assert_mode(const char *folder, const char *name, mode_t mode)
{
    struct stat info;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, mode);
}

static void test_private(Fixture *fixture, gconstpointer data)
{
    mode_t before = umask(0);
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autofree char *receipt = fixture_write_receipt(ledger, "laptop", 1, 0);
    umask(before);
    assert_mode(fixture->state, "", 0700);
    assert_mode(fixture->state, "receipts", 0700);
    assert_mode(receipt, "", 0600);
    static const char *const files[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "lock", ".gitignore"};
    for (guint i = 0; i < G_N_ELEMENTS(files); i++)
        assert_mode(fixture->state, files[i], 0600);
    g_autofree char *ignore = g_build_filename(fixture->state, ".gitignore", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(ignore, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "*\n");
}

static void test_loose_folder(Fixture *fixture, gconstpointer data)
{
    g_mkdir(fixture->state, 0755);
    ledger_close(fixture_open(fixture));
    assert_mode(fixture->state, "", 0700);
}

static void test_open_existing(Fixture *fixture, gconstpointer data)
{
    Ledger *ledger = NULL;
    CHECK(ledger_open_existing(fixture->state, &ledger, &e));
    g_assert_null(ledger);
    g_assert_false(g_file_test(fixture->state, G_FILE_TEST_EXISTS));
    ledger_close(fixture_open(fixture));
    CHECK(ledger_open_existing(fixture->state, &ledger, &e));
    g_assert_nonnull(ledger);
    ledger_close(ledger);
}

static void test_unusable(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_file_set_contents(fixture->state, "a file", -1, NULL);
    g_assert_null(ledger_open(fixture->state, &error));
    assert_error(error, PGF_ERROR_USAGE, "Not a directory");
    g_clear_error(&error);
    g_unlink(fixture->state);
    g_autofree char *deep = g_build_filename(fixture->folder, "no", "such", NULL);
    g_assert_null(ledger_open(deep, &error));
    assert_error(error, PGF_ERROR_USAGE, "No such file");
    g_clear_error(&error);
    g_mkdir(fixture->state, 0700);
    g_autofree char *db = g_build_filename(fixture->state, "ledger.db", NULL);
    g_autofree char *rubbish = g_strnfill(8192, 'x');
    g_file_set_contents(db, rubbish, -1, NULL);
    g_assert_null(ledger_open(fixture->state, &error));
    assert_error(error, PGF_ERROR_USAGE, "not a database");
    g_assert_nonnull(strstr(pgf_error_hint(error), "move ledger.db"));
}

static void test_run(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 run = 0;
    CHECK(ledger_run_begin(ledger, "fold", "laptop", &run, &e));
    PgIdentity source = fixture_identity("7391234567890123456", "app");
    PgIdentity target = fixture_identity("7399999999999999999", "app_new");
    CHECK(ledger_run_identify(ledger, run, &source, NULL, "00000003-0000001B-1", &e));
    CHECK(ledger_run_identify(ledger, run, NULL, &target, NULL, &e));
    CHECK(ledger_run_finish(ledger, run, LEDGER_FAILED, "disk full \xff", &e));
    g_autoptr(GPtrArray) runs = NULL;
    CHECK(runs = ledger_runs(ledger, 0, &e));
    g_assert_cmpuint(runs->len, ==, 1);
    const LedgerRun *read = runs->pdata[0];
    g_assert_cmpint(read->id, ==, run);
    g_assert_cmpstr(read->command, ==, "fold");
    g_assert_cmpstr(read->source_name, ==, "laptop");
    g_assert_cmpint(read->state, ==, LEDGER_FAILED);
    g_assert_cmpstr(read->error, ==, "disk full \357\277\275");
    g_assert_cmpstr(read->snapshot, ==, "00000003-0000001B-1");
    g_assert_cmpstr(read->source.system_identifier, ==, "7391234567890123456");
    g_assert_cmpstr(read->target.database, ==, "app_new");
    g_assert_cmpuint(read->target.database_oid, ==, 16384);
    g_assert_cmpint(read->target.version, ==, 150004);
    g_assert_cmpint(read->finished, >=, read->started);
    g_assert_cmpint(g_get_real_time() - read->started, <, 60 * G_USEC_PER_SEC);
}

static void test_finish_once(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    gint64 run = begin(ledger, "fold", "laptop");
    CHECK(ledger_run_finish(ledger, run, LEDGER_DONE, NULL, &e));
    g_assert_false(ledger_run_finish(ledger, run, LEDGER_FAILED, "late", &error));
    assert_error(error, PGF_ERROR_INTERNAL, "no such running run");
}

static void test_closed_without_finish(Fixture *fixture, gconstpointer data)
{
    Ledger *ledger = fixture_open(fixture);
    gint64 run = begin(ledger, "fold", "laptop");
    gint64 object = own(ledger, run, "app");
    g_autoptr(Ledger) other = fixture_open(fixture);
    g_autoptr(GPtrArray) alive = NULL;
    CHECK(alive = ledger_runs(other, 1, &e));
    g_assert_cmpint(((LedgerRun *)alive->pdata[0])->state, ==, LEDGER_RUNNING);
    g_autoptr(GPtrArray) nothing = NULL;
    CHECK(nothing = ledger_owned_objects(other, 0, NULL, &e));
    g_assert_cmpuint(nothing->len, ==, 0);
    ledger_close(ledger);
    g_autoptr(Ledger) later = fixture_open(fixture);
    g_autoptr(GPtrArray) dead = NULL;
    CHECK(dead = ledger_unfinished_runs(later, &e));
    g_assert_cmpuint(dead->len, ==, 1);
    g_assert_cmpint(((LedgerRun *)dead->pdata[0])->id, ==, run);
    g_assert_cmpint(((LedgerRun *)dead->pdata[0])->state, ==, LEDGER_INTERRUPTED);
    g_autoptr(GPtrArray) left = NULL;
    CHECK(left = ledger_owned_objects(later, 0, NULL, &e));
    g_assert_cmpuint(left->len, ==, 1);
    CHECK(ledger_object_removed(later, object, &e));
    g_autoptr(GPtrArray) clean = NULL;
    CHECK(clean = ledger_unfinished_runs(later, &e));
    g_assert_cmpuint(clean->len, ==, 0);
}

static void test_steps(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 run = begin(ledger, "fold", "laptop"), steps[3];
    CHECK(ledger_step_begin(ledger, run, "backup", NULL, &steps[0], &e));
    CHECK(ledger_step_done(ledger, steps[0], NULL, &e));
    CHECK(ledger_step_begin(ledger, run, "rows", "public.orders", &steps[1], &e));
    CHECK(ledger_step_begin(ledger, run, "rows", "public.lines", &steps[2], &e));
    CHECK(ledger_step_done(ledger, steps[1], json_pack("{s:i}", "rows", 12), &e));
    CHECK(ledger_step_failed(ledger, steps[2], "connection lost", &e));
    g_autoptr(GPtrArray) read = NULL;
    CHECK(read = ledger_steps(ledger, run, &e));
    g_assert_cmpuint(read->len, ==, 3);
    const LedgerStep *orders = read->pdata[1], *lines = read->pdata[2];
    g_assert_cmpstr(orders->item, ==, "public.orders");
    g_assert_cmpint(orders->state, ==, LEDGER_STEP_DONE);
    g_assert_cmpint(json_integer_value(json_object_get(orders->detail, "rows")), ==, 12);
    g_assert_cmpint(lines->state, ==, LEDGER_STEP_FAILED);
    g_assert_cmpstr(lines->error, ==, "connection lost");
    g_assert_cmpint(lines->finished, >=, lines->started);
}

static void test_batch(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    gint64 run = begin(ledger, "fold", "laptop"), step;
    CHECK(ledger_batch_begin(ledger, &e));
    g_assert_false(ledger_batch_begin(ledger, &error));
    assert_error(error, PGF_ERROR_INTERNAL, "open already");
    g_clear_error(&error);
    gint64 start = g_get_monotonic_time();
    for (int i = 0; i < 5000; i++) {
        CHECK(ledger_step_begin(ledger, run, "rows", "public.t", &step, &e));
        CHECK(ledger_step_done(ledger, step, NULL, &e));
    }
    g_assert_false(ledger_run_finish(ledger, run, LEDGER_DONE, NULL, &error));
    assert_error(error, PGF_ERROR_INTERNAL, "inside a batch");
    g_autoptr(Ledger) other = fixture_open(fixture);
    g_autoptr(GPtrArray) unseen = NULL;
    CHECK(unseen = ledger_steps(other, run, &e));
    g_assert_cmpuint(unseen->len, ==, 0);
    CHECK(ledger_batch_commit(ledger, &e));
    g_test_message("5,000 steps in %.0f ms", (double)(g_get_monotonic_time() - start) / 1000);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    g_autoptr(GPtrArray) seen = NULL;
    CHECK(seen = ledger_steps(other, run, &e));
    g_assert_cmpuint(seen->len, ==, 5000);
}

static void test_objects(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 failed = begin(ledger, "fold", "laptop");
    own(ledger, failed, "a");
    gint64 kept = own(ledger, failed, "b");
    gint64 last = own(ledger, failed, "c");
    CHECK(ledger_object_set_cleanup(ledger, last, "DROP SCHEMA IF EXISTS c", &e));
    CHECK(ledger_object_released(ledger, kept, &e));
    g_autoptr(GPtrArray) running = NULL;
    CHECK(running = ledger_owned_objects(ledger, failed, NULL, &e));
    g_assert_cmpuint(running->len, ==, 2);
    CHECK(ledger_run_finish(ledger, failed, LEDGER_FAILED, "no", &e));
    gint64 done = begin(ledger, "fold", "laptop");
    own(ledger, done, "d");
    CHECK(ledger_run_finish(ledger, done, LEDGER_DONE, NULL, &e));
    g_autoptr(GPtrArray) left = NULL;
    CHECK(left = ledger_owned_objects(ledger, 0, "7399999999999999999", &e));
    g_assert_cmpuint(left->len, ==, 2);
    const LedgerObject *first = left->pdata[0], *second = left->pdata[1];
    g_assert_cmpstr(first->name, ==, "c");
    g_assert_cmpstr(first->cleanup_sql, ==, "DROP SCHEMA IF EXISTS c");
    g_assert_cmpstr(second->name, ==, "a");
    g_assert_cmpstr(second->database, ==, "postgres");
    g_assert_cmpstr(second->system_identifier, ==, "7399999999999999999");
    g_autoptr(GPtrArray) elsewhere = NULL;
    CHECK(elsewhere = ledger_owned_objects(ledger, 0, "1", &e));
    g_assert_cmpuint(elsewhere->len, ==, 0);
}

static void test_own_needs_target(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    g_autoptr(GError) error = NULL;
    gint64 run = 0, object = 0;
    CHECK(ledger_run_begin(ledger, "fold", "laptop", &run, &e));
    g_assert_false(ledger_object_own(ledger, run, "database", "a", NULL, "DROP", &object, &error));
    assert_error(error, PGF_ERROR_INTERNAL, "known target");
}

static void test_marks(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 run = begin(ledger, "audit", "laptop");
    CHECK(ledger_mark(ledger, run, "laptop", LEDGER_AUDITED, false, "3 tables differ", NULL, &e));
    CHECK(ledger_mark(ledger, run, "laptop", LEDGER_AUDITED, true, "same", NULL, &e));
    CHECK(ledger_mark(ledger, run, "attic", LEDGER_FOLDED, true, "contained", "/r.json", &e));
    g_autoptr(GPtrArray) marks = NULL;
    CHECK(marks = ledger_marks(ledger, &e));
    g_assert_cmpuint(marks->len, ==, 2);
    const LedgerMark *attic = marks->pdata[0], *laptop = marks->pdata[1];
    g_assert_cmpstr(attic->source_name, ==, "attic");
    g_assert_cmpstr(attic->file, ==, "/r.json");
    g_assert_cmpint(attic->stage, ==, LEDGER_FOLDED);
    g_assert_cmpstr(attic->target.database, ==, "app");
    g_assert_true(laptop->good);
    g_assert_cmpstr(laptop->outcome, ==, "same");
    g_assert_cmpint(laptop->run, ==, run);
}

static void test_fences(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Ledger) ledger = fixture_open(fixture);
    gint64 run = begin(ledger, "fence", "laptop"), first = 0, second = 0, other = 0;
    PgIdentity source = fixture_identity("7311111111111111111", "app");
    PgIdentity elsewhere = fixture_identity("7322222222222222222", "app");
    CHECK(ledger_fence_begin(ledger, run, "laptop", &source, "742", json_pack("{s:s}", "acl", "{=c/app}"), &first, &e));
    CHECK(ledger_fence_stands(ledger, first, 1234567, &e));
    CHECK(ledger_fence_begin(ledger, run, "laptop", &source, "743", json_object(), &second, &e));
    CHECK(ledger_fence_begin(ledger, run, "attic", &elsewhere, "1", json_object(), &other, &e));
    g_autoptr(GPtrArray) fences = NULL, all = NULL, left = NULL;
    CHECK(fences = ledger_fences(ledger, &source, &e));
    g_assert_cmpuint(fences->len, ==, 2);
    const LedgerFence *newest = fences->pdata[0], *oldest = fences->pdata[1];
    g_assert_false(newest->standing);
    g_assert_cmpstr(newest->transaction, ==, "743");
    g_assert_true(oldest->standing);
    g_assert_cmpint(oldest->server_time, ==, 1234567);
    g_assert_cmpint(oldest->run, ==, run);
    g_assert_cmpstr(json_string_value(json_object_get(oldest->before, "acl")), ==, "{=c/app}");
    CHECK(all = ledger_fences(ledger, NULL, &e));
    g_assert_cmpuint(all->len, ==, 3);
    CHECK(ledger_fence_void(ledger, second, &e));
    CHECK(ledger_fence_lifted(ledger, first, &e));
    CHECK(left = ledger_fences(ledger, NULL, &e));
    g_assert_cmpuint(left->len, ==, 1);
    g_assert_cmpstr(((const LedgerFence *)left->pdata[0])->source_name, ==, "attic");
}

static void test_migrations(Fixture *fixture, gconstpointer data)
{
    static const char *const first[] = {"CREATE TABLE a (x)", NULL};
    static const char *const broken[] = {"CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE b (x)", NULL};
    static const char *const good[] = {"CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO b SELECT x FROM a", NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->folder, "m.db", NULL);
    sqlite3 *db = db_open(path, &error);
    g_assert_no_error(error);
    CHECK(schema_migrate(db, first, &e));
    CHECK(db_run(db, &e, "INSERT INTO a VALUES (7)", ""));
    g_assert_false(schema_migrate(db, broken, &error));
    assert_error(error, PGF_ERROR_INTERNAL, "already exists");
    g_clear_error(&error);
    CHECK(schema_migrate(db, good, &e));
    CHECK(schema_migrate(db, good, &e));
    CHECK(db_run_one(db, &e, "row", "UPDATE b SET x = 8 WHERE x = 7", ""));
    g_assert_false(schema_migrate(db, first, &error));
    assert_error(error, PGF_ERROR_USAGE, "newer pgfold (version 2, this one knows 1)");
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_test("/ledger/all files are private and kept out of git", test_private);
    fixture_test("/ledger/a state folder that others may read is made private", test_loose_folder);
    fixture_test("/ledger/looking makes no folder", test_open_existing);
    fixture_test("/ledger/a folder or file that cannot be used is a clear error", test_unusable);
    fixture_test("/ledger/a run is read back as it was recorded", test_run);
    fixture_test("/ledger/a run is finished once", test_finish_once);
    fixture_test("/ledger/a run that was not finished is interrupted and its objects are found",
                 test_closed_without_finish);
    fixture_test("/ledger/steps keep their order, outcome and detail", test_steps);
    fixture_test("/ledger/a batch of 5000 steps is quick and seen only once committed", test_batch);
    fixture_test("/ledger/what a failed run owns is given back newest first", test_objects);
    fixture_test("/ledger/nothing is owned before the target is known", test_own_needs_target);
    fixture_test("/ledger/the latest mark of a stage replaces the one before", test_marks);
    fixture_test("/ledger/a fence is found until it is lifted or void", test_fences);
    fixture_test("/ledger/a migration runs whole or not at all and never backwards", test_migrations);
    return g_test_run();
}

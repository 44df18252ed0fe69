/* Backups of a real server, made, checked, spoilt and restored. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "backup/backup.h"
#include "base/cancel.h"
#include "testdb/testdb.h"
#include "testdb/tree.h"

static struct {
    TestDb *db;
    DumpTools tools;
    char *folder; /* of this test's backups */
} fixture;

static PgConn *connect_to(const char *database)
{
    g_autoptr(GError) error = NULL;
    PgConn *conn =
        pg_conn_open("source laptop", testdb_url(fixture.db), database, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    return conn;
}

static void run(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    if (!pg_exec(conn, sql, deadline_in_ms(PG_CATALOG_MS), &error))
        g_error("%s\n%s", error->message, sql);
}

static char *ask(PgConn *conn, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PgResult) r = pg_query(conn, sql, deadline_in_ms(PG_CATALOG_MS), &error);
    g_assert_no_error(error);
    return g_strdup(pg_result_get(r, 0, 0));
}

static PgConn *new_database(const char *name, const char *options)
{
    g_autoptr(PgConn) admin = connect_to("postgres");
    g_autofree char *sql = g_strdup_printf("CREATE DATABASE %s TEMPLATE template0 %s", name, options);
    run(admin, sql);
    return connect_to(name);
}

static const char ORDERS[] =
    "CREATE TABLE public.orders (id int PRIMARY KEY, note text);"
    "INSERT INTO public.orders SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 5000) n";

static BackupSpec spec_for(PgConn *source)
{
    return (BackupSpec){
        .tools = &fixture.tools, .source = source, .source_name = "laptop", .folder = fixture.folder, .jobs = 2};
}

static Backup *make_backup(PgConn *source)
{
    g_autoptr(GError) error = NULL;
    BackupSpec spec = spec_for(source);
    Backup *backup = backup_make(&spec, &error);
    g_assert_no_error(error);
    return backup;
}

static char *file_in(const Backup *backup, const char *name)
{
    return g_build_filename(backup->path, name, NULL);
}

/* Of the fixture's folder, hidden ones too. */
static guint folders_made(void)
{
    guint n = 0;
    GDir *dir = g_dir_open(fixture.folder, 0, NULL);
    while (dir != NULL && g_dir_read_name(dir) != NULL)
        n++;
    if (dir != NULL)
        g_dir_close(dir);
    return n;
}

typedef struct Expected {
    const char *sql;
    const char *value;
    guint calls;
} Expected;

static bool compare_value(PgConn *restored, const char *url, gpointer data, GError **error)
{
    Expected *expected = data;
    expected->calls++;
    g_autoptr(PgConn) second = pg_conn_open("second", url, NULL, deadline_in_ms(PG_CONNECT_MS), error);
    if (second == NULL)
        return false;
    g_assert_cmpstr(pg_conn_identity(second)->database, ==, pg_conn_identity(restored)->database);
    g_autofree char *value = ask(restored, expected->sql);
    if (g_strcmp0(value, expected->value) == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_DIFFERS, NULL, "got %s, not %s", value, expected->value);
    return false;
}

static void assert_proven(const Backup *backup, const char *sql, const char *value)
{
    g_autoptr(GError) error = NULL;
    g_auto(BackupProof) proof = {0};
    Expected expected = {.sql = sql, .value = value};
    g_assert_true(backup_prove(backup, &fixture.tools, 2, compare_value, &expected, &proof, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(expected.calls, ==, 1);
    g_assert_cmpstr(proof.server_version, !=, NULL);
}

static void test_a_backup_is_complete_private_and_proven(void)
{
    g_autoptr(PgConn) source = new_database("complete", "");
    run(source, ORDERS);
    run(source, "CREATE ROLE \"odd role\"; CREATE POLICY p ON public.orders TO \"odd role\" USING (true);"
                "SELECT pg_catalog.lo_from_bytea(4242, 'large')");
    g_autoptr(Backup) backup = make_backup(source);
    g_assert_true(g_path_is_absolute(backup->path));
    g_autofree char *start = g_build_filename(fixture.folder, "laptop-2", NULL);
    g_assert_true(g_str_has_prefix(backup->path, start));
    g_autofree char *line = g_strdup_printf("pg_restore --create --dbname=postgres --jobs=2 %s/dump", backup->path);
    g_assert_cmpstr(backup->restore_line, ==, line);
    g_assert_cmpuint(backup->files, >=, 2);
    g_assert_cmpuint(strlen(backup->manifest_sha256), ==, 64);
    struct stat st;
    g_autofree char *toc = file_in(backup, "dump/toc.dat"), *manifest = file_in(backup, "manifest.json");
    g_assert_cmpint(stat(backup->path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0700);
    g_assert_cmpint(stat(toc, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(manifest, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_autoptr(GError) error = NULL;
    g_assert_true(backup_verify_manifest(backup->path, backup->manifest_sha256, &error));
    g_assert_no_error(error);
    assert_proven(backup,
                  "SELECT count(*) || ' ' || (SELECT convert_from(pg_catalog.lo_get(4242), 'UTF8')) FROM public.orders",
                  "5000 large");
}

static void test_a_backup_holds_the_moment_of_its_snapshot(void)
{
    g_autoptr(PgConn) source = new_database("moment", ""), writer = connect_to("moment");
    run(source, ORDERS);
    run(source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    g_autofree char *snapshot = ask(source, "SELECT pg_catalog.pg_export_snapshot()");
    run(writer, "DELETE FROM public.orders WHERE id > 10");
    g_autoptr(GError) error = NULL;
    BackupSpec spec = spec_for(source);
    spec.snapshot = snapshot;
    g_autoptr(Backup) backup = backup_make(&spec, &error);
    g_assert_no_error(error);
    assert_proven(backup, "SELECT count(*) FROM public.orders", "5000");
}

static void test_a_proof_fails_where_the_comparison_does(void)
{
    g_autoptr(PgConn) source = new_database("compared", "");
    run(source, ORDERS);
    g_autoptr(Backup) backup = make_backup(source);
    g_autoptr(GError) error = NULL;
    g_auto(BackupProof) proof = {0};
    Expected expected = {.sql = "SELECT count(*) FROM public.orders", .value = "5001"};
    g_assert_false(backup_prove(backup, &fixture.tools, 1, compare_value, &expected, &proof, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_DIFFERS);
    g_assert_nonnull(strstr(pgf_error_state(error), backup->path));
}

static void test_a_backup_keeps_the_encoding_of_its_source(void)
{
    g_autoptr(PgConn) latin = new_database("latin", "ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'");
    run(latin, "CREATE TABLE public.t (a text); INSERT INTO public.t VALUES ('\303\244')");
    g_autoptr(Backup) backup = make_backup(latin);
    g_assert_cmpstr(backup->encoding, ==, "LATIN1");
    assert_proven(backup, "SELECT a || octet_length(a) FROM public.t",
                  "\303\244"
                  "1");

    g_autoptr(PgConn) bytes = new_database("bytes", "ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'");
    run(bytes, "CREATE TABLE public.t (a text); INSERT INTO public.t VALUES (E'\\377')");
    g_autoptr(Backup) raw = make_backup(bytes);
    assert_proven(raw, "SELECT octet_length(a) || ' ' || (a = E'\\377') FROM public.t", "1 true");
}

static void test_a_locale_that_is_not_here_does_not_stop_the_proof(void)
{
    g_autoptr(PgConn) source = new_database("elsewhere", "");
    run(source, ORDERS);
    g_autoptr(Backup) backup = make_backup(source);
    g_free(backup->collate);
    g_free(backup->ctype);
    backup->collate = g_strdup("xx_XX.UTF-8");
    backup->ctype = g_strdup("xx_XX.UTF-8");
    assert_proven(backup, "SELECT count(*) FROM public.orders", "5000");
}

static void test_an_extension_that_is_missing_here_is_named_with_its_package(void)
{
    g_autoptr(PgConn) source = new_database("extended", "");
    g_autoptr(Backup) backup = make_backup(source);
    g_strfreev(backup->extensions);
    backup->extensions = g_strsplit("plpgsql,no_such_thing", ",", -1);
    g_autoptr(GError) error = NULL;
    g_auto(BackupProof) proof = {0};
    Expected expected = {0};
    g_assert_false(backup_prove(backup, &fixture.tools, 1, compare_value, &expected, &proof, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "no_such_thing"));
    g_assert_null(strstr(error->message, "plpgsql"));
    g_assert_nonnull(strstr(pgf_error_hint(error), "-no-such-thing"));
    g_assert_cmpuint(expected.calls, ==, 0);
}

static void assert_spoilt(const Backup *backup, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(backup_verify_manifest(backup->path, backup->manifest_sha256, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_DIFFERS);
    if (strstr(error->message, what) == NULL)
        g_error("not about %s: %s", what, error->message);
}

static void set_contents(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_every_change_to_a_backup_is_found(void)
{
    g_autoptr(PgConn) source = new_database("spoilt", "");
    run(source, ORDERS);
    g_autoptr(Backup) backup = make_backup(source);
    g_autofree char *toc = file_in(backup, "dump/toc.dat"), *stray = file_in(backup, "dump/9999.dat.gz"),
                    *beside = file_in(backup, "note.txt"), *manifest = file_in(backup, "manifest.json"),
                    *content = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(toc, &content, &length, NULL));

    content[length / 2] ^= 1; /* one bit, same size */
    g_assert_true(g_file_set_contents(toc, content, (gssize)length, NULL));
    assert_spoilt(backup, "toc.dat has another SHA-256");
    g_assert_true(g_file_set_contents(toc, content, (gssize)length - 1, NULL));
    assert_spoilt(backup, "toc.dat has another size");
    g_assert_cmpint(g_unlink(toc), ==, 0);
    assert_spoilt(backup, "toc.dat is missing");
    content[length / 2] ^= 1;
    g_assert_true(g_file_set_contents(toc, content, (gssize)length, NULL));
    g_assert_true(backup_verify_manifest(backup->path, backup->manifest_sha256, NULL));

    set_contents(stray, "x");
    assert_spoilt(backup, "9999.dat.gz is not in its list");
    g_assert_cmpint(g_unlink(stray), ==, 0);
    set_contents(beside, "x");
    assert_spoilt(backup, "note.txt is not in its list");
    g_assert_cmpint(g_unlink(beside), ==, 0);

    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(manifest, &text, NULL, NULL));
    g_autofree char *changed = g_strconcat(text, "\n", NULL);
    set_contents(manifest, changed);
    assert_spoilt(backup, "manifest.json has another SHA-256");
    g_assert_true(backup_verify_manifest(backup->path, NULL, NULL)); /* the files are as listed */
}

static void test_a_spoilt_archive_is_not_proven(void)
{
    g_autoptr(PgConn) source = new_database("broken", "");
    run(source, ORDERS);
    g_autoptr(Backup) backup = make_backup(source);
    g_autofree char *archive = file_in(backup, "dump");
    GDir *dir = g_dir_open(archive, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(archive, name, NULL);
        if (g_str_has_suffix(name, ".dat.gz"))
            set_contents(path, "no gzip");
    }
    g_dir_close(dir);
    g_autoptr(GError) error = NULL;
    g_auto(BackupProof) proof = {0};
    Expected expected = {.sql = "SELECT count(*) FROM public.orders", .value = "5000"};
    g_assert_false(backup_prove(backup, &fixture.tools, 2, compare_value, &expected, &proof, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_DIFFERS);
}

static void test_a_backup_made_earlier_can_be_opened(void)
{
    g_autoptr(PgConn) source = new_database("earlier", "");
    run(source, ORDERS);
    BackupSpec spec = spec_for(source);
    g_autoptr(GError) error = NULL;
    json_t *contents = json_pack("[{s:s, s:i}]", "relation", "public.orders", "rows", 5000);
    spec.contents = contents;
    g_autoptr(Backup) made = backup_make(&spec, &error);
    g_assert_no_error(error);
    json_decref(contents);
    g_autoptr(Backup) backup = backup_open(made->path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(backup->manifest_sha256, ==, made->manifest_sha256);
    g_assert_cmpuint(backup->bytes, ==, made->bytes);
    g_assert_cmpuint(backup->files, ==, made->files);
    g_assert_cmpstr(backup->encoding, ==, "UTF8");
    g_assert_cmpint(backup->server_version, ==, pg_conn_identity(source)->version);
    g_autofree char *manifest = file_in(made, "manifest.json"), *text = NULL;
    g_assert_true(g_file_get_contents(manifest, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "public.orders"));
    g_assert_null(backup_open(fixture.folder, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
}

static void on_alarm(int number)
{
    (void)number;
    cancel_request();
}

static void test_a_cancelled_backup_leaves_nothing(void)
{
    g_autoptr(PgConn) source = new_database("cancelled", ""), locker = connect_to("cancelled");
    run(source, ORDERS);
    run(locker, "BEGIN; LOCK TABLE public.orders"); /* pg_dump waits for it */
    guint before = folders_made();
    g_autoptr(GError) error = NULL;
    BackupSpec spec = spec_for(source);
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 400000}}, NULL);
    g_autoptr(Backup) backup = backup_make(&spec, &error);
    cancel_reset();
    g_assert_null(backup);
    g_assert_error(error, PGF_ERROR, PGF_ERROR_CANCELLED);
    g_assert_cmpuint(folders_made(), ==, before);
}

static void test_a_full_disk_is_told_and_leaves_nothing(void)
{
    g_autoptr(PgConn) source = new_database("large", "");
    run(source, "CREATE TABLE public.t (a text);"
                "INSERT INTO public.t SELECT string_agg(md5(n::text || m), '') FROM generate_series(1, 200) n, "
                "generate_series(1, 1000) m GROUP BY m");
    guint before = folders_made();
    struct rlimit old, small;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    small = (struct rlimit){.rlim_cur = 100000, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN); /* inherited by pg_dump: it sees a failed write */
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    g_autoptr(GError) error = NULL;
    BackupSpec spec = spec_for(source);
    g_autoptr(Backup) backup = backup_make(&spec, &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    g_assert_null(backup);
    g_assert_error(error, PGF_ERROR, PGF_ERROR_MIDWAY);
    g_assert_nonnull(strstr(error->message, "File too large"));
    g_assert_cmpuint(folders_made(), ==, before);
}

static void test_a_folder_that_cannot_be_made_is_told(void)
{
    g_autoptr(PgConn) source = new_database("nowhere", "");
    g_autofree char *file = g_build_filename(fixture.folder, "file", NULL);
    set_contents(file, "");
    g_autofree char *below = g_build_filename(file, "below", NULL);
    g_autoptr(GError) error = NULL;
    BackupSpec spec = spec_for(source);
    spec.folder = below;
    g_assert_null(backup_make(&spec, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_cmpint(g_unlink(file), ==, 0);
}

static void test_what_a_killed_backup_left_is_swept_and_a_living_one_is_not(void)
{
    g_autoptr(PgConn) source = new_database("swept", "");
    g_autofree char *dead = g_build_filename(fixture.folder, ".laptop-1.partial", NULL);
    g_autofree char *alive = g_build_filename(fixture.folder, ".laptop-2.partial", NULL);
    g_autofree char *inside = g_build_filename(dead, "dump", NULL);
    g_assert_cmpint(g_mkdir_with_parents(inside, 0700) | g_mkdir_with_parents(alive, 0700), ==, 0);
    int fd = open(alive, O_RDONLY | O_DIRECTORY);
    g_assert_cmpint(flock(fd, LOCK_EX), ==, 0);
    g_autoptr(Backup) backup = make_backup(source);
    g_assert_false(g_file_test(dead, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(alive, G_FILE_TEST_EXISTS));
    close(fd);
    g_assert_cmpint(g_rmdir(alive), ==, 0);
}

static void test_two_backups_within_a_second_have_two_names(void)
{
    g_autoptr(PgConn) source = new_database("twice", "");
    g_autoptr(Backup) one = make_backup(source), two = make_backup(source);
    g_assert_cmpstr(one->path, !=, two->path);
    g_assert_true(backup_verify_manifest(one->path, one->manifest_sha256, NULL));
    g_assert_true(backup_verify_manifest(two->path, two->manifest_sha256, NULL));
}

static void test_a_missing_privilege_is_an_error_that_says_so(void)
{
    g_autoptr(PgConn) owner = new_database("forbidden", "");
    run(owner, "CREATE TABLE public.t (); CREATE ROLE stranger LOGIN");
    g_autofree char *url = g_strconcat(testdb_url(fixture.db), "&user=stranger&dbname=forbidden", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(PgConn) stranger = pg_conn_open("source", url, NULL, deadline_in_ms(PG_CONNECT_MS), &error);
    g_assert_no_error(error);
    guint before = folders_made();
    BackupSpec spec = spec_for(stranger);
    g_assert_null(backup_make(&spec, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
    g_assert_nonnull(strstr(error->message, "permission denied for table t"));
    g_assert_cmpuint(folders_made(), ==, before);
}

static void set_up(void)
{
    cancel_init();
    fixture.folder = g_dir_make_tmp("pgfold-backup-XXXXXX", NULL);
    for (int version = 18; version >= 12 && fixture.db == NULL; version--) {
        TestDbOptions options = {.version = version};
        if (dump_tools_find(version * 10000, &fixture.tools, NULL))
            fixture.db = testdb_open(&options, NULL);
        if (fixture.db == NULL)
            dump_tools_clear(&fixture.tools);
    }
    if (fixture.db == NULL)
        g_error("no server with client programs that fit is installed");
}

static void add_tests(void)
{
    g_test_add_func("/backup/a backup is complete, private and proven", test_a_backup_is_complete_private_and_proven);
    g_test_add_func("/backup/a backup holds the moment of its snapshot",
                    test_a_backup_holds_the_moment_of_its_snapshot);
    g_test_add_func("/backup/a proof fails where the comparison does", test_a_proof_fails_where_the_comparison_does);
    g_test_add_func("/backup/a backup keeps the encoding of its source",
                    test_a_backup_keeps_the_encoding_of_its_source);
    g_test_add_func("/backup/a locale that is not here does not stop the proof",
                    test_a_locale_that_is_not_here_does_not_stop_the_proof);
    g_test_add_func("/backup/an extension that is missing here is named with its package",
                    test_an_extension_that_is_missing_here_is_named_with_its_package);
    g_test_add_func("/backup/every change to a backup is found", test_every_change_to_a_backup_is_found);
    g_test_add_func("/backup/a spoilt archive is not proven", test_a_spoilt_archive_is_not_proven);
    g_test_add_func("/backup/a backup made earlier can be opened", test_a_backup_made_earlier_can_be_opened);
    g_test_add_func("/backup/a cancelled backup leaves nothing", test_a_cancelled_backup_leaves_nothing);
    g_test_add_func("/backup/a full disk is told and leaves nothing", test_a_full_disk_is_told_and_leaves_nothing);
    g_test_add_func("/backup/a folder that cannot be made is told", test_a_folder_that_cannot_be_made_is_told);
    g_test_add_func("/backup/what a killed backup left is swept, and a living one is not",
                    test_what_a_killed_backup_left_is_swept_and_a_living_one_is_not);
    g_test_add_func("/backup/two backups within a second have two names",
                    test_two_backups_within_a_second_have_two_names);
    g_test_add_func("/backup/a missing privilege is an error that says so",
                    test_a_missing_privilege_is_an_error_that_says_so);
}

int main(int argc, char **argv)
{
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    set_up();
    add_tests();
    int status = g_test_run();
    testdb_close(fixture.db);
    dump_tools_clear(&fixture.tools);
    g_assert_true(tree_remove(fixture.folder, NULL));
    g_free(fixture.folder);
    return status;
}

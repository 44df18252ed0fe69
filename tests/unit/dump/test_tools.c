#include <glib/gstdio.h>
#include <string.h>

#include "dump/dump.h"

/* A folder with a pg_dump and a pg_restore that say they are of these versions; NULL makes none. */
static char *make_folder(const char *dump_version, const char *restore_version)
{
    char *folder = g_dir_make_tmp("pgfold-tools-XXXXXX", NULL);
    const char *names[] = {"pg_dump", "pg_restore"};
    const char *versions[] = {dump_version, restore_version};
    for (int i = 0; i < 2; i++) {
        if (versions[i] == NULL)
            continue;
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autofree char *text =
            g_strdup_printf("#!/bin/sh\necho '%s (PostgreSQL) %s (Example)'\n", names[i], versions[i]);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_cmpint(g_chmod(path, 0700), ==, 0);
    }
    return folder;
}

static void remove_folder(const char *folder)
{
    const char *names[] = {"pg_dump", "pg_restore"};
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        (void)g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* Versions far above what exists, so that what is installed here does not matter. */
static void test_the_oldest_that_is_not_older_than_the_server_is_taken(void)
{
    g_autofree char *newer = make_folder("93.1", "93.1");
    g_autofree char *fitting = make_folder("92.5", "92.5");
    g_autofree char *older = make_folder("90.7", "90.7");
    g_autofree char *path = g_strjoin(":", newer, fitting, older, "/usr/bin", "/bin", NULL);
    g_setenv("PATH", path, TRUE);
    g_autoptr(GError) error = NULL;
    g_auto(DumpTools) tools = {0};
    g_assert_true(dump_tools_find(910003, &tools, &error));
    g_assert_no_error(error);
    g_assert_cmpint(tools.version, ==, 92);
    g_assert_cmpstr(tools.version_text, ==, "92.5");
    g_assert_true(g_str_has_prefix(tools.pg_dump, fitting));
    g_assert_true(g_str_has_prefix(tools.pg_restore, fitting));
    remove_folder(newer);
    remove_folder(fitting);
    remove_folder(older);
}

static void test_tools_that_are_too_old_are_an_error_that_names_the_package(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(DumpTools) tools = {0};
    g_assert_false(dump_tools_find(990001, &tools, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_nonnull(strstr(pgf_error_hint(error), "postgresql-client-99"));
    g_assert_nonnull(strstr(error->message, "the server is PostgreSQL 99"));
}

static void test_a_pair_of_different_versions_is_not_taken(void)
{
    g_autofree char *mixed = make_folder("95.1", "95.2");
    g_autofree char *half = make_folder("95.1", NULL);
    g_autofree char *path = g_strjoin(":", mixed, half, "/usr/bin", "/bin", NULL);
    g_setenv("PATH", path, TRUE);
    g_autoptr(GError) error = NULL;
    g_auto(DumpTools) tools = {0};
    g_assert_false(dump_tools_find(950001, &tools, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    remove_folder(mixed);
    remove_folder(half);
}

static void test_the_lines_that_matter_are_taken_from_what_a_program_said(void)
{
    g_autofree char *message =
        dump_program_message("pg_dump: last built-in OID is 16383\n"
                             "pg_dump: error: query failed: ERROR:  permission denied for table t\n"
                             "pg_dump: detail: Query was: LOCK TABLE public.t\n"
                             "pg_dump: reading tables\n");
    g_assert_cmpstr(message, ==,
                    "pg_dump: error: query failed: ERROR:  permission denied for table t\n"
                    "pg_dump: detail: Query was: LOCK TABLE public.t");
    g_assert_cmpint(dump_program_code(message), ==, PGF_ERROR_REFUSED);
    g_assert_cmpint(dump_program_code("pg_dump: error: connection to server failed"), ==, PGF_ERROR_CONNECT);
    g_assert_cmpint(dump_program_code("pg_dump: error: out of memory"), ==, PGF_ERROR_MIDWAY);
    g_autofree char *other = dump_program_message("Killed\n");
    g_assert_cmpstr(other, ==, "Killed");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tools/the oldest that is not older than the server is taken",
                    test_the_oldest_that_is_not_older_than_the_server_is_taken);
    g_test_add_func("/tools/tools that are too old are an error that names the package",
                    test_tools_that_are_too_old_are_an_error_that_names_the_package);
    g_test_add_func("/tools/a pair of different versions is not taken", test_a_pair_of_different_versions_is_not_taken);
    g_test_add_func("/tools/the lines that matter are taken from what a program said",
                    test_the_lines_that_matter_are_taken_from_what_a_program_said);
    return g_test_run();
}

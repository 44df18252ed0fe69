/* Which file is taken, and what happens when it cannot be read. */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "support.h"

static char *home; /* $HOME of this test: a folder that none of the others is in */

typedef struct Place {
    char *before; /* the folder to go back to */
    char *root;
} Place;

static void place_set_up(Place *place, gconstpointer data)
{
    place->before = g_get_current_dir();
    g_autofree char *made = g_dir_make_tmp("pgfold-config-XXXXXX", NULL);
    g_assert_nonnull(made);
    place->root = realpath(made, NULL);
    g_assert_cmpint(g_chdir(place->root), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents("project/deep/er", 0700), ==, 0);
}

static void place_tear_down(Place *place, gconstpointer data)
{
    static const char *const LEFT[] = {
        "project/deep/er/pgfold.yaml", "project/deep/er", "project/deep", "project/.git",        "project/pgfold.yaml",
        "project/pgfold.yml",          "project",         "pgfold.yaml",  "project/secret.yaml", "project/pipe"};
    g_assert_cmpint(g_chdir(place->root), ==, 0);
    for (int round = 0; round < 2; round++) {
        for (gsize i = 0; i < G_N_ELEMENTS(LEFT); i++)
            (void)g_remove(LEFT[i]);
    }
    g_assert_cmpint(g_chdir(place->before), ==, 0);
    g_assert_cmpint(g_rmdir(place->root), ==, 0);
    free(place->root);
    g_free(place->before);
}

static void write_base(const char *path)
{
    g_assert_true(g_file_set_contents(path, BASE, -1, NULL));
}

static char *find(void)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    g_assert_true(config_find(NULL, &path, &error));
    g_assert_no_error(error);
    return path;
}

static void test_current_folder_first(Place *place, gconstpointer data)
{
    g_mkdir("project/.git", 0700);
    write_base("project/pgfold.yaml");
    write_base("project/deep/er/pgfold.yaml");
    g_chdir("project/deep/er");
    g_autofree char *path = find();
    g_assert_cmpstr(path, ==, "pgfold.yaml");
}

static void test_up_to_git_root(Place *place, gconstpointer data)
{
    g_mkdir("project/.git", 0700);
    write_base("project/pgfold.yml");
    g_chdir("project/deep/er");
    g_autofree char *path = find();
    g_autofree char *expected = g_build_filename(place->root, "project", "pgfold.yml", NULL);
    g_assert_cmpstr(path, ==, expected);
    g_autoptr(Config) config = config_open(NULL, CONFIG_CONNECTS, NULL);
    g_assert_nonnull(config);
    g_autofree char *folder = g_build_filename(place->root, "project", NULL);
    g_autofree char *state = g_build_filename(folder, ".pgfold", NULL);
    g_assert_cmpstr(config->folder, ==, folder);
    g_assert_cmpstr(config->state, ==, state);
}

static void test_not_above_git_root(Place *place, gconstpointer data)
{
    g_mkdir("project/.git", 0700);
    write_base("pgfold.yaml");
    g_chdir("project/deep/er");
    g_autofree char *path = find();
    g_assert_null(path);
}

static void test_not_above_in_foreign_folders(Place *place, gconstpointer data)
{
    write_base("project/pgfold.yaml");
    g_chdir("project/deep");
    g_autofree char *path = find();
    g_assert_null(path);
}

static void test_up_to_home(Place *place, gconstpointer data)
{
    g_autofree char *deep = g_build_filename(home, "deep", NULL);
    g_autofree char *file = g_build_filename(home, "pgfold.yaml", NULL);
    g_assert_cmpint(g_mkdir(deep, 0700), ==, 0);
    write_base(file);
    g_assert_cmpint(g_chdir(deep), ==, 0);
    g_autofree char *path = find();
    g_assert_cmpstr(path, ==, file);
    g_remove(file);
    g_rmdir(deep);
}

static void test_none_says_how_to_write_one(Place *place, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(config_open(NULL, CONFIG_CONNECTS, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "there is no pgfold.yaml in this folder or above it");
    g_assert_nonnull(strstr(pgf_error_hint(error), "version: 1"));
    g_assert_nonnull(strstr(pgf_error_hint(error), "--source URL --target URL"));
}

static void test_example_in_hint_parses(Place *place, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(config_open(NULL, CONFIG_CONNECTS, &error));
    g_setenv("DATABASE_URL", "service=target", TRUE);
    g_autoptr(Config) config = parse_good(strchr(pgf_error_hint(error), '\n') + 1);
    g_assert_cmpuint(config->sources->len, ==, 1);
}

static void test_both_names_are_an_error(Place *place, gconstpointer data)
{
    write_base("project/pgfold.yaml");
    write_base("project/pgfold.yml");
    g_chdir("project");
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    g_assert_false(config_find(NULL, &path, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_null(path);
}

static void check_load_error(const char *path, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(config_open(path, CONFIG_CONNECTS, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_nonnull(pgf_error_hint(error));
}

static void test_given_file_is_missing(Place *place, gconstpointer data)
{
    check_load_error("nowhere.yaml", "nowhere.yaml: No such file or directory");
}

static void test_given_file_is_a_folder(Place *place, gconstpointer data)
{
    check_load_error("project", "project is a folder");
}

static void test_file_may_not_be_read(Place *place, gconstpointer data)
{
    if (geteuid() == 0) {
        g_test_skip("root may read every file");
        return;
    }
    write_base("project/secret.yaml");
    g_chmod("project/secret.yaml", 0);
    check_load_error("project/secret.yaml", "cannot read project/secret.yaml: Permission denied");
}

static void test_empty_file(Place *place, gconstpointer data)
{
    g_assert_true(g_file_set_contents("project/pgfold.yaml", "", 0, NULL));
    check_load_error("project/pgfold.yaml", "project/pgfold.yaml:1:1: the file is empty; start with \"version: 1\"");
}

static void test_mistakes_show_the_path_as_given(Place *place, gconstpointer data)
{
    static const char TEXT[] = "version: 2\ntarget: { url: t }\nsources: [ { name: n, url: s } ]\n";
    g_assert_true(g_file_set_contents("project/pgfold.yaml", TEXT, -1, NULL));
    check_load_error("project/pgfold.yaml", "project/pgfold.yaml:1:10: version must be 1, this is \"2\"; a file of a "
                                            "newer format needs a newer pgfold");
}

static void test_pipe_counts_from_current_folder(Place *place, gconstpointer data)
{
    int ends[2];
    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(write(ends[1], BASE, strlen(BASE)), ==, (int)strlen(BASE));
    close(ends[1]);
    g_autofree char *path = g_strdup_printf("/dev/fd/%d", ends[0]);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_load(path, CONFIG_CONNECTS, &error);
    close(ends[0]);
    g_assert_no_error(error);
    g_autofree char *state = g_build_filename(place->root, ".pgfold", NULL);
    g_assert_cmpstr(config->state, ==, state);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *made = g_dir_make_tmp("pgfold-home-XXXXXX", NULL);
    home = realpath(made, NULL);
    g_setenv("HOME", home, TRUE);
#define ADD(name, func) g_test_add(name, Place, NULL, place_set_up, func, place_tear_down)
    ADD("/config/find/takes-the-current-folder-first", test_current_folder_first);
    ADD("/config/find/goes-up-to-the-git-root", test_up_to_git_root);
    ADD("/config/find/goes-up-to-the-home-directory", test_up_to_home);
    ADD("/config/find/never-goes-above-the-git-root", test_not_above_git_root);
    ADD("/config/find/never-goes-up-outside-of-home-and-git", test_not_above_in_foreign_folders);
    ADD("/config/find/says-how-to-write-one-when-there-is-none", test_none_says_how_to_write_one);
    ADD("/config/find/shows-an-example-that-parses", test_example_in_hint_parses);
    ADD("/config/find/refuses-to-choose-between-two-names", test_both_names_are_an_error);
    ADD("/config/load/tells-that-the-file-is-missing", test_given_file_is_missing);
    ADD("/config/load/tells-that-it-is-a-folder", test_given_file_is_a_folder);
    ADD("/config/load/tells-that-it-may-not-be-read", test_file_may_not_be_read);
    ADD("/config/load/tells-that-the-file-is-empty", test_empty_file);
    ADD("/config/load/shows-the-path-as-it-was-given", test_mistakes_show_the_path_as_given);
    ADD("/config/load/takes-a-pipe-and-the-current-folder", test_pipe_counts_from_current_folder);
    int status = g_test_run();
    g_rmdir(home);
    free(home);
    return status;
}

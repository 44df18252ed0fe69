/* Folders: copied, removed, locked, swept. No server needed. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "testdb/folder.h"
#include "testdb/tree.h"

enum { BIG = 1 << 20 };

static char *scratch(void)
{
    g_autoptr(GError) error = NULL;
    char *path = g_dir_make_tmp("pgfold-test-XXXXXX", &error);
    g_assert_no_error(error);
    return path;
}

static void put(const char *folder, const char *name, const char *data, gssize len)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, data, len, &error);
    g_assert_no_error(error);
}

static void assert_same(const char *a, const char *b, const char *name)
{
    g_autofree char *pa = g_build_filename(a, name, NULL), *pb = g_build_filename(b, name, NULL);
    g_autofree char *ta = NULL, *tb = NULL;
    gsize na = 0, nb = 0;
    g_assert_true(g_file_get_contents(pa, &ta, &na, NULL));
    g_assert_true(g_file_get_contents(pb, &tb, &nb, NULL));
    g_assert_cmpuint(na, ==, nb);
    g_assert_true(memcmp(ta, tb, na) == 0);
}

static void test_copy(void)
{
    g_autofree char *top = scratch();
    g_autofree char *from = g_build_filename(top, "from", NULL), *to = g_build_filename(top, "to", NULL);
    g_autofree char *below = g_build_filename(from, "below", NULL);
    g_autofree char *big = g_malloc0(BIG);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(g_mkdir_with_parents(below, 0700), ==, 0);
    put(from, "empty", "", 0);
    put(below, "text", "abc", 3);
    put(from, "zeros", big, BIG);
    memcpy(big + BIG / 2, "middle", 6);
    put(from, "middle", big, BIG);
    memcpy(big + BIG - 3, "end", 3);
    put(from, "end", big, BIG);
    put(from, "odd", big, BIG / 2 + 4099);

    g_assert_true(tree_copy(from, to, &error));
    g_assert_no_error(error);
    const char *names[] = {"empty", "below/text", "zeros", "middle", "end", "odd"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        assert_same(from, to, names[i]);

    g_autofree char *zeros = g_build_filename(to, "zeros", NULL);
    struct stat st;
    g_assert_cmpint(stat(zeros, &st), ==, 0);
    g_assert_cmpint(st.st_blocks, <, BIG / 512 / 4);

    g_assert_false(tree_copy(from, to, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_true(tree_remove(top, NULL));
}

static void test_remove(void)
{
    g_autofree char *top = scratch();
    g_autofree char *doomed = g_build_filename(top, "doomed", NULL), *kept = g_build_filename(top, "kept", NULL);
    g_autofree char *link = g_build_filename(doomed, "link", NULL), *text = g_build_filename(kept, "text", NULL);
    g_autoptr(GError) error = NULL;
    g_mkdir(doomed, 0700);
    g_mkdir(kept, 0700);
    put(kept, "text", "abc", 3);
    g_assert_cmpint(symlink(kept, link), ==, 0);

    g_assert_true(tree_remove(doomed, &error));
    g_assert_no_error(error);
    g_assert_false(g_file_test(doomed, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(text, G_FILE_TEST_EXISTS));
    g_assert_true(tree_remove(doomed, &error)); /* gone already */
    g_assert_true(tree_remove(top, NULL));
}

/* What a killed keeper does: the lock goes, the folder stays. */
static void abandon(Folder *folder)
{
    close(folder->lock);
    g_free(folder->path);
    g_free(folder);
}

static void test_sweep(void)
{
    g_autofree char *top = scratch();
    g_autoptr(GError) error = NULL;
    Folder *dead = folder_new(top, false, &error);
    g_assert_no_error(error);
    g_autofree char *dead_path = g_strdup(dead->path);
    put(dead->path, "log", "abc", 3);
    Folder *other = folder_new(top, false, NULL);
    Folder *mine = folder_new(top, false, NULL);
    g_assert_true(folder_held(dead_path));
    abandon(dead);
    g_assert_false(folder_held(dead_path));

    folder_sweep(mine);
    g_assert_false(g_file_test(dead_path, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(other->path, G_FILE_TEST_IS_DIR));
    g_assert_true(g_file_test(mine->path, G_FILE_TEST_IS_DIR));

    folder_remove(other);
    folder_remove(mine);
    /* Not even the folder around them is left: this is empty again. */
    g_assert_cmpint(g_rmdir(top), ==, 0);
}

static void test_private(void)
{
    g_autofree char *top = scratch();
    g_autofree char *path = g_build_filename(top, "open", NULL);
    g_autoptr(GError) error = NULL;
    g_mkdir(path, 0700);
    g_assert_true(folder_private(path, &error));
    g_assert_cmpint(g_chmod(path, 0755), ==, 0);
    g_assert_false(folder_private(path, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_clear_error(&error);

    g_autofree char *link = g_build_filename(top, "link", NULL), *real = g_build_filename(top, "real", NULL);
    g_mkdir(real, 0700);
    g_assert_cmpint(symlink(real, link), ==, 0);
    g_assert_false(folder_private(link, &error));
    g_assert_true(tree_remove(top, NULL));
}

static void test_long_path(void)
{
    g_autofree char *top = scratch();
    g_autofree char *name = g_strnfill(100, 'x');
    g_autofree char *path = g_build_filename(top, name, NULL);
    g_autoptr(GError) error = NULL;
    g_mkdir(path, 0700);
    g_assert_null(folder_new(path, false, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_nonnull(strstr(pgf_error_hint(error), "107"));
    g_assert_true(tree_remove(top, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tree/a copy has every byte, and holes where there were zeros", test_copy);
    g_test_add_func("/tree/removing does not follow symbolic links", test_remove);
    g_test_add_func("/folder/only folders whose keeper is gone are swept", test_sweep);
    g_test_add_func("/folder/a folder that others may enter, or a link, is not private", test_private);
    g_test_add_func("/folder/a path too long for a socket is refused", test_long_path);
    return g_test_run();
}

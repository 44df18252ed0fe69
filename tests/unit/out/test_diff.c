#include <glib.h>
#include <stdbool.h>

#include "out/diff.h"

static void assert_diff(const char *old_text, const char *new_text, const char *expected)
{
    g_autoptr(GString) diff = out_unified_diff("f", old_text, new_text);
    g_assert_cmpstr(diff->str, ==, expected);
}

#define HEAD "diff --git a/f b/f\n--- a/f\n+++ b/f\n"

static void test_equal_texts_have_no_diff(void)
{
    assert_diff("a\n", "a\n", "");
    assert_diff(NULL, NULL, "");
    assert_diff("", "", "");
}

static void test_a_line_is_changed_in_its_context(void)
{
    assert_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
                HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
    assert_diff("a\n", "a\nb\n", HEAD "@@ -1 +1,2 @@\n a\n+b\n");
    assert_diff("a\nb\n", "b\n", HEAD "@@ -1,2 +1 @@\n-a\n b\n");
}

static void test_far_changes_are_hunks_of_their_own(void)
{
    assert_diff("a\n2\n3\n4\n5\n6\n7\n8\n9\nz\n", "A\n2\n3\n4\n5\n6\n7\n8\n9\nZ\n",
                HEAD "@@ -1,4 +1,4 @@\n-a\n+A\n 2\n 3\n 4\n@@ -7,4 +7,4 @@\n 7\n 8\n 9\n-z\n+Z\n");
}

static void test_a_missing_last_line_end_is_said(void)
{
    assert_diff("a", "a\n", HEAD "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    assert_diff("x\na", "y\na", HEAD "@@ -1,2 +1,2 @@\n-x\n+y\n a\n\\ No newline at end of file\n");
}

static void test_new_and_removed_files(void)
{
    assert_diff(NULL, "a\n", "diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n");
    assert_diff("a\n", NULL,
                "diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
    assert_diff(NULL, "", "diff --git a/f b/f\nnew file mode 100644\n");
}

static void test_paths_are_quoted_as_git_does(void)
{
    g_autoptr(GString) diff = out_unified_diff("a \"b\"\t", "x\n", "y\n");
    g_assert_true(g_str_has_prefix(diff->str, "diff --git \"a/a \\\"b\\\"\\011\" \"b/a \\\"b\\\"\\011\"\n"));
    g_autoptr(GString) blank = out_unified_diff("a b", "x\n", "y\n");
    g_assert_nonnull(g_strstr_len(blank->str, -1, "--- a/a b\t\n+++ b/a b\t\n"));
}

/* Applies a diff of ours, hunk by hunk. Transfer full. */
static char *apply(const char *old_text, const char *diff)
{
    GString *made = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(diff, "\n", -1), old = g_strsplit(old_text, "\n", -1);
    int at = 0;
    for (guint i = 3; lines[i] != NULL && *lines[i] != '\0'; i++) {
        if (*lines[i] == '@') {
            int from = (int)g_ascii_strtoll(lines[i] + 4, NULL, 10);
            bool empty = g_str_has_prefix(lines[i] + 4 + (from > 9 ? from > 99 ? 3 : 2 : 1), ",0 ");
            for (; at < (empty ? from : from - 1); at++)
                g_string_append_printf(made, "%s\n", old[at]);
            continue;
        }
        if (*lines[i] != '+')
            g_assert_cmpstr(lines[i] + 1, ==, old[at++]);
        if (*lines[i] != '-')
            g_string_append_printf(made, "%s\n", lines[i] + 1);
    }
    for (; old[at] != NULL && old[at + 1] != NULL; at++)
        g_string_append_printf(made, "%s\n", old[at]);
    return g_string_free(made, FALSE);
}

static char *random_text(GRand *random, int lines, int words)
{
    GString *text = g_string_new(NULL);
    for (int i = 0; i < lines; i++)
        g_string_append_printf(text, "%c\n", 'a' + g_rand_int_range(random, 0, words));
    return g_string_free(text, FALSE);
}

static void test_random_texts_come_out_again(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (int i = 0; i < 3000; i++) {
        g_autofree char *old_text = random_text(random, g_rand_int_range(random, 1, 40), 2 + i % 5);
        g_autofree char *new_text = random_text(random, g_rand_int_range(random, 1, 40), 2 + i % 5);
        g_autoptr(GString) diff = out_unified_diff("f", old_text, new_text);
        g_autofree char *made = diff->len == 0 ? g_strdup(old_text) : apply(old_text, diff->str);
        g_assert_cmpstr(made, ==, new_text);
    }
}

static void test_texts_with_nothing_in_common_take_no_time(void)
{
    GString *old_text = g_string_new(NULL), *new_text = g_string_new(NULL);
    for (int i = 0; i < 20000; i++) {
        g_string_append_printf(old_text, "%d\n", i);
        g_string_append_printf(new_text, "%d\n", -i - 1);
    }
    g_autoptr(GString) diff = out_unified_diff("f", old_text->str, new_text->str);
    g_assert_true(g_str_has_prefix(diff->str, HEAD "@@ -1,20000 +1,20000 @@\n-0\n-1\n"));
    g_string_free(old_text, TRUE);
    g_string_free(new_text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diff/equal-texts-have-no-diff", test_equal_texts_have_no_diff);
    g_test_add_func("/diff/a-line-is-changed-in-its-context", test_a_line_is_changed_in_its_context);
    g_test_add_func("/diff/far-changes-are-hunks-of-their-own", test_far_changes_are_hunks_of_their_own);
    g_test_add_func("/diff/a-missing-last-line-end-is-said", test_a_missing_last_line_end_is_said);
    g_test_add_func("/diff/new-and-removed-files", test_new_and_removed_files);
    g_test_add_func("/diff/paths-are-quoted-as-git-does", test_paths_are_quoted_as_git_does);
    g_test_add_func("/diff/random-texts-come-out-again", test_random_texts_come_out_again);
    g_test_add_func("/diff/texts-with-nothing-in-common-take-no-time", test_texts_with_nothing_in_common_take_no_time);
    return g_test_run();
}

#include <glib.h>

#include "out/text.h"

static void assert_escaped(const char *text, const char *expected)
{
    g_autofree char *escaped = text_escape(text);
    g_assert_cmpstr(escaped, ==, expected);
}

static void test_control_characters_are_shown_not_sent(void)
{
    assert_escaped("plain", "plain");
    assert_escaped("a\nb\tc\rd", "a\\nb\\tc\\rd");
    assert_escaped("\033[2J", "\\x1b[2J");
    assert_escaped("\x7f", "\\x7f");
    assert_escaped("\xc2\x9b"
                   "31m",
                   "\\x9b31m"); /* the one-character form of ESC [ */
    assert_escaped("a\u202e\u2066b\U000e0041", "a\\u202e\\u2066b\\U000e0041");
}

static void test_bytes_that_are_not_utf8_are_shown_as_hex(void)
{
    assert_escaped("\xff"
                   "a\xc3",
                   "\\xffa\\xc3");
}

static void test_other_scripts_stay_as_they_are(void)
{
    assert_escaped("Zürich 東京 👩‍👧", "Zürich 東京 👩‍👧");
}

static void test_lines_can_stay(void)
{
    g_autofree char *escaped = text_escape_lines("a\nb\rc\n\td\te");
    g_assert_cmpstr(escaped, ==, "a\nb\\rc\nd\\te");
}

static void test_wide_characters_count_two_columns_and_combining_ones_none(void)
{
    g_assert_cmpint(text_width("abc"), ==, 3);
    g_assert_cmpint(text_width("東京"), ==, 4);
    g_assert_cmpint(text_width("e\u0301"), ==, 1);
}

static void assert_cut(const char *text, int width, const char *expected)
{
    g_autofree char *cut = text_cut(text, width);
    g_assert_cmpstr(cut, ==, expected);
    g_assert_cmpint(text_width(cut), <=, width);
}

static void test_cut_text_ends_in_an_ellipsis_and_fits(void)
{
    assert_cut("public.orders", 20, "public.orders");
    assert_cut("public.orders", 13, "public.orders");
    assert_cut("public.orders", 8, "public.…");
    assert_cut("東京都", 4, "東…"); /* half of a wide character is not shown */
    assert_cut("abc", 1, "…");
    assert_cut("abc", 0, "");
}

static void test_text_is_wrapped_at_blanks_and_indented(void)
{
    g_autoptr(GString) to = g_string_new(NULL);
    text_wrap(to, "one two three four\n\nnext\n  kept   as it is", 2, 12);
    g_assert_cmpstr(to->str, ==, "  one two\n  three four\n\n  next\n    kept   as it is\n");
}

static void test_a_word_wider_than_the_line_is_kept_whole(void)
{
    g_autoptr(GString) to = g_string_new(NULL);
    text_wrap(to, "a postgresql://localhost/app b", 0, 10);
    g_assert_cmpstr(to->str, ==, "a\npostgresql://localhost/app\nb\n");
}

static void test_the_nearest_word_is_found_and_far_ones_are_not(void)
{
    const char *const words[] = {"audit", "plan", "backup", "fold", "verify", NULL};
    g_assert_cmpstr(text_closest("adit", words), ==, "audit");
    g_assert_cmpstr(text_closest("fodl", words), ==, "fold");
    g_assert_cmpstr(text_closest("ver", words), ==, "verify");
    g_assert_cmpstr(text_closest("backups", words), ==, "backup");
    g_assert_null(text_closest("xyz", words));
    g_assert_null(text_closest("", words));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/control-characters-are-shown-not-sent", test_control_characters_are_shown_not_sent);
    g_test_add_func("/text/bytes-that-are-not-utf8-are-shown-as-hex", test_bytes_that_are_not_utf8_are_shown_as_hex);
    g_test_add_func("/text/other-scripts-stay-as-they-are", test_other_scripts_stay_as_they_are);
    g_test_add_func("/text/lines-can-stay", test_lines_can_stay);
    g_test_add_func("/text/wide-characters-count-two-columns-and-combining-ones-none",
                    test_wide_characters_count_two_columns_and_combining_ones_none);
    g_test_add_func("/text/cut-text-ends-in-an-ellipsis-and-fits", test_cut_text_ends_in_an_ellipsis_and_fits);
    g_test_add_func("/text/text-is-wrapped-at-blanks-and-indented", test_text_is_wrapped_at_blanks_and_indented);
    g_test_add_func("/text/a-word-wider-than-the-line-is-kept-whole", test_a_word_wider_than_the_line_is_kept_whole);
    g_test_add_func("/text/the-nearest-word-is-found-and-far-ones-are-not",
                    test_the_nearest_word_is_found_and_far_ones_are_not);
    return g_test_run();
}

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "out/table.h"

static const TableColumn columns[] = {{"TABLE", TABLE_LEFT, true},
                                      {"ROWS", TABLE_RIGHT, false},
                                      {"VERDICT", TABLE_LEFT, false},
                                      {NULL, TABLE_LEFT, false}};

static void add_row(Table *table, const char *name, guint64 rows, const char *verdict)
{
    table_add(table, OUT_NAME, name);
    table_add_count(table, OUT_PLAIN, rows);
    table_add(table, OUT_GOOD, verdict);
}

static void assert_text(const Table *table, int width, const char *expected)
{
    g_autofree char *text = table_text(table, width, false);
    g_assert_cmpstr(text, ==, expected);
}

static void test_columns_are_aligned_without_trailing_blanks(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "public.orders", 1234567, "same");
    add_row(table, "public.a", 5, NULL);
    g_assert_cmpuint(table_rows(table), ==, 2);
    assert_text(table, 0,
                "TABLE               ROWS  VERDICT\n"
                "-------------  ---------  -------\n"
                "public.orders  1,234,567  same\n"
                "public.a               5\n");
}

static void test_wide_characters_keep_the_columns_straight(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "東京", 1, "same");
    add_row(table, "e\u0301te", 2, "same");
    assert_text(table, 0,
                "TABLE  ROWS  VERDICT\n"
                "-----  ----  -------\n"
                "東京      1  same\n"
                "e\u0301te       2  same\n");
}

static void test_many_usual_rows_are_left_out_and_never_another(void)
{
    g_autoptr(Table) table = table_new(columns);
    for (int i = 0; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("t%d", i);
        add_row(table, name, i == 4 ? 1000000 : 5, i == 3 ? "DIFFERS" : "same");
        if (i != 3)
            table_usual(table);
    }
    g_autofree char *text = table_text_short(table, 0, false, 2);
    g_assert_cmpstr(text, ==,
                    "TABLE  ROWS  VERDICT\n"
                    "-----  ----  -------\n"
                    "t0        5  same\n"
                    "t1        5  same\n"
                    "t3        5  DIFFERS\n");
    g_autofree char *all = table_text_short(table, 0, false, 4);
    g_autofree char *whole = table_text(table, 0, false);
    g_assert_cmpstr(all, ==, whole); /* a line that says "1 more" would take as much room */
}

static void test_the_flexible_column_is_cut_to_the_width_of_the_terminal(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "public.a_table_with_a_long_name", 42, "same");
    assert_text(table, 32,
                "TABLE              ROWS  VERDICT\n"
                "-----------------  ----  -------\n"
                "public.a_table_w…    42  same\n");
}

static void test_the_flexible_column_keeps_a_least_width(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "public.a_table_with_a_long_name", 42, "same");
    assert_text(table, 5,
                "TABLE     ROWS  VERDICT\n"
                "--------  ----  -------\n"
                "public.…    42  same\n");
}

static void test_a_rule_stands_above_the_totals(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "a", 1, "same");
    table_rule(table);
    add_row(table, "total", 1, "same");
    assert_text(table, 0,
                "TABLE  ROWS  VERDICT\n"
                "-----  ----  -------\n"
                "a         1  same\n"
                "-----  ----  -------\n"
                "total     1  same\n");
    g_assert_cmpuint(table_rows(table), ==, 2);
}

static void test_colours_change_no_width_and_leave_no_trailing_blanks(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "a", 1, "same");
    g_autofree char *text = table_text(table, 0, true);
    g_assert_nonnull(strstr(text, "\033[36ma\033[0m         1  \033[32msame\033[0m\n"));
}

static void test_control_characters_in_cells_are_escaped(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "\033]0;title\007\n", 1, "same");
    g_autofree char *text = table_text(table, 0, false);
    g_autofree char *markdown = table_markdown(table);
    g_assert_nonnull(strstr(text, "\\x1b]0;title\\x07\\n"));
    g_assert_null(strchr(text, '\033'));
    g_assert_null(strchr(markdown, '\033'));
}

static void test_markdown_cells_cannot_break_out(void)
{
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "a|b_c<img>&`x`\\", 1234, "*no*\nline");
    g_autofree char *markdown = table_markdown(table);
    g_assert_cmpstr(markdown, ==,
                    "| TABLE | ROWS | VERDICT |\n"
                    "| --- | ---: | --- |\n"
                    "| a\\|b\\_c&lt;img>&amp;\\`x\\`\\\\ | 1,234 | \\*no\\*\\\\nline |\n");
}

static void test_nothing_is_printed_with_json(void)
{
    char *buffer = NULL;
    size_t size = 0;
    Out out = {.results = open_memstream(&buffer, &size), .notices = stderr, .json = true};
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "a", 1, "same");
    table_print(table, &out);
    table_print_markdown(table, &out);
    fclose(out.results);
    g_assert_cmpuint(size, ==, 0);
    free(buffer);
}

static void test_nothing_is_cut_when_results_go_to_a_pipe(void)
{
    char *buffer = NULL;
    size_t size = 0;
    Out out = {.results = open_memstream(&buffer, &size), .notices = stderr, .width = 20};
    g_autoptr(Table) table = table_new(columns);
    add_row(table, "public.a_table_with_a_long_name", 1, "same");
    table_print(table, &out);
    fflush(out.results);
    g_assert_nonnull(strstr(buffer, "public.a_table_with_a_long_name"));
    out.results_tty = true;
    table_print(table, &out);
    fclose(out.results);
    g_assert_nonnull(strstr(buffer, "public.…"));
    free(buffer);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/columns-are-aligned-without-trailing-blanks",
                    test_columns_are_aligned_without_trailing_blanks);
    g_test_add_func("/table/wide-characters-keep-the-columns-straight", test_wide_characters_keep_the_columns_straight);
    g_test_add_func("/table/many usual rows are left out, and never another",
                    test_many_usual_rows_are_left_out_and_never_another);
    g_test_add_func("/table/the-flexible-column-is-cut-to-the-width-of-the-terminal",
                    test_the_flexible_column_is_cut_to_the_width_of_the_terminal);
    g_test_add_func("/table/the-flexible-column-keeps-a-least-width", test_the_flexible_column_keeps_a_least_width);
    g_test_add_func("/table/a-rule-stands-above-the-totals", test_a_rule_stands_above_the_totals);
    g_test_add_func("/table/colours-change-no-width-and-leave-no-trailing-blanks",
                    test_colours_change_no_width_and_leave_no_trailing_blanks);
    g_test_add_func("/table/control-characters-in-cells-are-escaped", test_control_characters_in_cells_are_escaped);
    g_test_add_func("/table/markdown-cells-cannot-break-out", test_markdown_cells_cannot_break_out);
    g_test_add_func("/table/nothing-is-printed-with-json", test_nothing_is_printed_with_json);
    g_test_add_func("/table/nothing-is-cut-when-results-go-to-a-pipe", test_nothing_is_cut_when_results_go_to_a_pipe);
    return g_test_run();
}

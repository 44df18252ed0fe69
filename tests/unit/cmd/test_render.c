#include <glib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/render.h"
#include "out/text.h"

/* Everything in it that help, roff or a shell could trip over. */
static const CommandOption options[] = {
    {"bindir", 'b', OPTION_STRING, "DIR", "where the server's programs are [default: PATH]"},
    {"mode", 0, OPTION_STRING, "fast|safe", "how: 'fast' or \\safe"},
    {"with-a-rather-long-name", 0, OPTION_LIST, "VALUE", "an option"},
    {NULL},
};
static const CommandExample examples[] = {{"pgfold demo -- 'x' | wc -l", "Count.\nA second line"}, {NULL}};
static const Command demo = {
    .name = "demo",
    .summary = "show what it's like",
    .synopsis = "-- WORD",
    .description = ".not a request\n'neither\n\nParagraph with \\ and -dash:\n\n  a\n  .b\n\nThe end.",
    .options = options,
    .examples = examples,
    .exit_codes = "9: more.",
};
static const CommandEntry commands[] = {{"Group", &demo}, {NULL, NULL}};
static const Out plain = {.width = 60};

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_error("\"%s\" is missing in:\n%s", part, text);
}

static void test_help_fits_the_width_and_shows_everything(void)
{
    g_autofree char *text = help_command_text(&demo, &plain);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_assert_cmpint(text_width(*line), <=, 60);
        g_assert_false(g_str_has_suffix(*line, " "));
    }
    assert_contains(text, "  pgfold demo [OPTION...] -- WORD\n");
    assert_contains(text, "  -b, --bindir DIR ");
    assert_contains(text, "      --with-a-rather-long-name VALUE\n");
    assert_contains(text, "(may be given again)");
    assert_contains(text, "  $ pgfold demo -- 'x' | wc -l\n      Count. A second line\n");
    assert_contains(text, "\n  9: more.\n");
    g_assert_null(strchr(text, '\033'));
}

static void test_headings_are_bold_where_there_are_colours(void)
{
    Out color = plain;
    color.color_results = true;
    g_autofree char *text = help_overview_text(commands, &color);
    assert_contains(text, "\033[1mGroup\033[0m\n  \033[36mdemo\033[0m  show what it's like\n");
}

static void test_man_text_cannot_become_a_request(void)
{
    g_autofree char *page = man_page(commands, &demo);
    assert_contains(page, "\n\\&.not a request\n\\&'neither\n.PP\nParagraph with \\e and \\-dash:\n");
    assert_contains(page, ".nf\na\n\\&.b\n.fi\n");
    assert_contains(page, ".SH EXIT STATUS\n");
}

static void test_a_man_page_has_all_sections_in_order(void)
{
    static const char *const sections[] = {"NAME",        "SYNOPSIS", "DESCRIPTION", "OPTIONS",  "EXAMPLES",
                                           "EXIT STATUS", "FILES",    "ENVIRONMENT", "SEE ALSO", NULL};
    const Command *const pages[] = {&demo, NULL};
    for (guint i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_autofree char *page = man_page(commands, pages[i]);
        const char *at = page;
        for (const char *const *section = sections; *section != NULL; section++) {
            g_autofree char *line = g_strdup_printf("\n.SH %s\n", *section);
            assert_contains(at, line);
            at = strstr(at, line) + 1;
        }
    }
}

static void test_completion_escapes_what_the_shells_would_read(void)
{
    g_autofree char *zsh = completion_script(commands, "zsh", NULL);
    g_autofree char *fish = completion_script(commands, "fish", NULL);
    g_autofree char *bash = completion_script(commands, "bash", NULL);
    assert_contains(zsh, "'--bindir=[where the server'\\''s programs are \\[default\\: PATH\\]]:folder:_files -/'");
    assert_contains(zsh, "'--mode=[how\\: '\\''fast'\\'' or \\\\safe]:value:(fast safe)'");
    assert_contains(zsh, "'*--with-a-rather-long-name=[");
    assert_contains(fish, "-l bindir -s b -x -a '(__fish_complete_directories)' -d 'where the server\\'s programs");
    assert_contains(fish, "-a demo -d 'show what it\\'s like'");
    assert_contains(bash, "demo:--mode) words='fast safe' ;;");
    assert_contains(bash, "demo:--bindir | demo:-b) ");
}

static void test_an_unknown_shell_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(completion_script(commands, "tcsh", &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/help-fits-the-width-and-shows-everything", test_help_fits_the_width_and_shows_everything);
    g_test_add_func("/render/headings-are-bold-where-there-are-colours",
                    test_headings_are_bold_where_there_are_colours);
    g_test_add_func("/render/man-text-cannot-become-a-request", test_man_text_cannot_become_a_request);
    g_test_add_func("/render/a-man-page-has-all-sections-in-order", test_a_man_page_has_all_sections_in_order);
    g_test_add_func("/render/completion-escapes-what-the-shells-would-read",
                    test_completion_escapes_what_the_shells_would_read);
    g_test_add_func("/render/an-unknown-shell-is-an-error", test_an_unknown_shell_is_an_error);
    return g_test_run();
}

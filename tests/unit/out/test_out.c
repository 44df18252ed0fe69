#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "out/out.h"

/* An Out that writes into memory. */
typedef struct Paper {
    Out out;
    char *results, *notices;
    size_t results_size, notices_size;
} Paper;

static void paper_init(Paper *paper)
{
    *paper = (Paper){0};
    paper->out.results = open_memstream(&paper->results, &paper->results_size);
    paper->out.notices = open_memstream(&paper->notices, &paper->notices_size);
    paper->out.width = 80;
}

/* Closes the streams, so that what was written can be read. */
static void paper_end(Paper *paper)
{
    fclose(paper->out.results);
    fclose(paper->out.notices);
}

static void paper_clear(Paper *paper)
{
    free(paper->results);
    free(paper->notices);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Paper, paper_clear)

static GError *example_error(void)
{
    GError *error = NULL;
    pgf_error_set(&error, PGF_ERROR_REFUSED, "type `pgfold plan`", "target: ERROR:  no\nDETAIL:  really\033[2J");
    pgf_error_set_state(error, "nothing was changed");
    return error;
}

static void test_an_error_says_what_state_and_hint(void)
{
    g_auto(Paper) paper;
    g_autoptr(GError) error = example_error();
    paper_init(&paper);
    out_error(&paper.out, error);
    paper_end(&paper);
    g_assert_cmpstr(paper.results, ==, "");
    g_assert_cmpstr(paper.notices, ==,
                    "pgfold: error: target: ERROR:  no\n"
                    "    DETAIL:  really\\x1b[2J\n"
                    "  state: nothing was changed\n"
                    "  hint: type `pgfold plan`\n");
}

static void test_a_message_cannot_pass_for_two(void)
{
    g_auto(Paper) paper;
    paper_init(&paper);
    out_notice(&paper.out, "table %s", "a\npgfold: error: fake");
    paper_end(&paper);
    g_assert_cmpstr(paper.notices, ==, "table a\n    pgfold: error: fake\n");
}

static void test_an_error_is_coloured_where_colours_are_wanted(void)
{
    g_auto(Paper) paper;
    g_autoptr(GError) error = example_error();
    paper_init(&paper);
    paper.out.color_notices = true;
    out_error(&paper.out, error);
    paper_end(&paper);
    g_assert_true(g_str_has_prefix(paper.notices, "\033[31mpgfold: error: \033[0mtarget"));
    g_assert_nonnull(strstr(paper.notices, "\033[1m  hint: \033[0mtype"));
}

static void test_an_error_with_json_is_a_document(void)
{
    g_auto(Paper) paper;
    g_autoptr(GError) error = example_error();
    paper_init(&paper);
    paper.out.json = true;
    out_error(&paper.out, error);
    paper_end(&paper);
    json_t *document = json_loads(paper.results, 0, NULL);
    g_assert_nonnull(document);
    g_assert_cmpstr(json_string_value(json_object_get(document, "schema")), ==, "pgfold.error");
    g_assert_cmpint(json_integer_value(json_object_get(document, "version")), ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(document, "kind")), ==, "refused");
    g_assert_cmpint(json_integer_value(json_object_get(document, "exit_status")), ==, 4);
    g_assert_cmpstr(json_string_value(json_object_get(document, "state")), ==, "nothing was changed");
    g_assert_nonnull(strstr(paper.notices, "pgfold: error: "));
    json_decref(document);
}

static void test_there_is_never_a_second_json_document(void)
{
    g_auto(Paper) paper;
    g_autoptr(GError) error = example_error();
    paper_init(&paper);
    paper.out.json = true;
    out_json(&paper.out, out_json_new("example"));
    out_line(&paper.out, "a line of text");
    out_error(&paper.out, error);
    paper_end(&paper);
    json_t *document = json_loads(paper.results, 0, NULL); /* refuses what stands behind the document */
    g_assert_nonnull(document);
    g_assert_cmpstr(json_string_value(json_object_get(document, "schema")), ==, "pgfold.example");
    json_decref(document);
}

static void test_json_holds_any_bytes_and_no_control_characters(void)
{
    g_auto(Paper) paper;
    paper_init(&paper);
    json_t *document = out_json_new("example");
    json_object_set_new(document, "name", out_json_string("a\xff\033\xc2\x9b\u202e\U000e0041"));
    json_object_set_new(document, "none", out_json_string(NULL));
    out_json(&paper.out, document);
    paper_end(&paper);
    g_assert_null(strchr(paper.results, '\033'));
    g_assert_null(strstr(paper.results, "\xc2\x9b"));
    g_assert_nonnull(strstr(paper.results, "\\u009b\\u202e\\udb40\\udc41"));
    json_t *read = json_loads(paper.results, 0, NULL);
    g_assert_cmpstr(json_string_value(json_object_get(read, "name")), ==, "a\ufffd\033\xc2\x9b\u202e\U000e0041");
    g_assert_true(json_is_null(json_object_get(read, "none")));
    json_decref(read);
}

static void test_quiet_hides_notices_but_not_warnings_and_errors(void)
{
    g_auto(Paper) paper;
    g_autoptr(GError) error = example_error();
    paper_init(&paper);
    paper.out.quiet = true;
    out_notice(&paper.out, "a remark");
    out_warning(&paper.out, "a danger");
    out_error(&paper.out, error);
    paper_end(&paper);
    g_assert_true(g_str_has_prefix(paper.notices, "pgfold: warning: a danger\npgfold: error: "));
}

static void test_a_line_lets_only_our_own_styles_through(void)
{
    g_auto(Paper) paper;
    paper_init(&paper);
    paper.out.color_results = true;
    g_autofree char *good = out_styled(&paper.out, OUT_GOOD, "same\033[8m");
    out_line(&paper.out, "%s %s", good, "\033[8mhidden\033]0;x\007");
    paper_end(&paper);
    g_assert_cmpstr(paper.results, ==, "\033[32msame\\x1b[8m\033[0m \\x1b[8mhidden\\x1b]0;x\\x07\n");
}

static void test_a_line_without_colours_holds_no_escape_at_all(void)
{
    g_auto(Paper) paper;
    paper_init(&paper);
    g_autofree char *good = out_styled(&paper.out, OUT_GOOD, "same");
    out_line(&paper.out, "%s %s", good, "\033[32m");
    paper_end(&paper);
    g_assert_cmpstr(paper.results, ==, "same \\x1b[32m\n");
}

static void test_a_question_without_a_terminal_is_answered_no(void)
{
    g_auto(Paper) paper;
    paper_init(&paper);
    g_assert_false(out_confirm(&paper.out, false, "Drop %s?", "it"));
    g_assert_true(out_confirm(&paper.out, true, "Drop %s?", "it"));
    paper_end(&paper);
    g_assert_cmpstr(paper.notices, ==, "");
}

/* Asks on a pseudo terminal whose user types answer; NULL: presses Ctrl-C instead. */
static bool confirm_with(const char *answer)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    g_assert_cmpint(grantpt(master) | unlockpt(master), ==, 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY), before = dup(STDIN_FILENO);
    g_assert_cmpint(dup2(slave, STDIN_FILENO), ==, STDIN_FILENO);
    Out out = {.results = stdout, .notices = fdopen(slave, "w")};
    if (answer == NULL)
        cancel_request();
    else
        g_assert_cmpint((int)write(master, answer, strlen(answer)), ==, (int)strlen(answer));
    bool yes = out_confirm(&out, false, "Drop %s?", "\033[2Jit");
    cancel_reset();
    /* The terminal shows what was typed as well, and may hand both over in pieces. */
    char shown[256] = {0};
    for (size_t length = 0; strstr(shown, "Drop \\x1b[2Jit? [y/N] ") == NULL;) {
        ssize_t n = read(master, shown + length, sizeof shown - 1 - length);
        g_assert_cmpint((int)n, >, 0);
        length += (size_t)n;
    }
    dup2(before, STDIN_FILENO);
    close(before);
    fclose(out.notices);
    close(master);
    return yes;
}

static void test_only_a_clear_yes_is_a_yes(void)
{
    g_assert_true(confirm_with("y\n"));
    g_assert_true(confirm_with(" YES \n"));
    g_assert_false(confirm_with("\n"));
    g_assert_false(confirm_with("yess\n"));
    g_assert_false(confirm_with("n\n"));
    g_assert_false(confirm_with("\004")); /* Ctrl-D */
}

static void test_ctrl_c_answers_a_question_with_no(void)
{
    cancel_init();
    g_assert_false(confirm_with(NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/out/an-error-says-what-state-and-hint", test_an_error_says_what_state_and_hint);
    g_test_add_func("/out/a-message-cannot-pass-for-two", test_a_message_cannot_pass_for_two);
    g_test_add_func("/out/an-error-is-coloured-where-colours-are-wanted",
                    test_an_error_is_coloured_where_colours_are_wanted);
    g_test_add_func("/out/an-error-with-json-is-a-document", test_an_error_with_json_is_a_document);
    g_test_add_func("/out/there-is-never-a-second-json-document", test_there_is_never_a_second_json_document);
    g_test_add_func("/out/json-holds-any-bytes-and-no-control-characters",
                    test_json_holds_any_bytes_and_no_control_characters);
    g_test_add_func("/out/quiet-hides-notices-but-not-warnings-and-errors",
                    test_quiet_hides_notices_but_not_warnings_and_errors);
    g_test_add_func("/out/a-line-lets-only-our-own-styles-through", test_a_line_lets_only_our_own_styles_through);
    g_test_add_func("/out/a-line-without-colours-holds-no-escape-at-all",
                    test_a_line_without_colours_holds_no_escape_at_all);
    g_test_add_func("/out/a-question-without-a-terminal-is-answered-no",
                    test_a_question_without_a_terminal_is_answered_no);
    g_test_add_func("/out/only-a-clear-yes-is-a-yes", test_only_a_clear_yes_is_a_yes);
    g_test_add_func("/out/ctrl-c-answers-a-question-with-no", test_ctrl_c_answers_a_question_with_no);
    return g_test_run();
}

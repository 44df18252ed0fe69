#include <glib.h>

#include "base/error.h"
#include "cmd/command.h"

static const CommandOption options[] = {
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"bindir", 0, OPTION_STRING, "DIR", "server programs"},
    {"set", 's', OPTION_LIST, "NAME=VALUE", "a setting"},
    {"jobs", 'j', OPTION_INT, "N", "how many"},
    {NULL},
};

static const char *const actions[] = {"start", "stop", NULL};
static const Command plain = {.name = "plain", .summary = "s", .synopsis = "[WORD...]", .options = options};
static const Command wordless = {.name = "wordless", .summary = "s", .synopsis = "", .options = options};
static const Command runner = {
    .name = "runner",
    .summary = "s",
    .synopsis = "-- COMMAND",
    .options = options,
    .options_first = true,
    .actions = actions,
};
static const CommandEntry commands[] = {{"Group", &plain}, {NULL, &wordless}, {NULL, &runner}, {NULL, NULL}};

#define PARSE(command, error, ...) args_parse(commands, &(command), (const char *const[]){__VA_ARGS__, NULL}, error)

static void assert_words(const CommandArgs *args, const char *expected)
{
    g_autofree char *joined = g_strjoinv(" ", (char **)args_words(args));
    g_assert_cmpstr(joined, ==, expected);
}

static void assert_usage_error(CommandArgs *args, GError *error, const char *message, const char *hint)
{
    g_assert_null(args);
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpstr(pgf_error_hint(error), ==, hint);
    g_error_free(error);
}

static void test_nothing_given_means_nothing_set(void)
{
    g_autoptr(CommandArgs) args = args_parse(commands, &plain, (const char *const[]){NULL}, NULL);
    int number = 77;
    g_assert_nonnull(args);
    g_assert_false(args_flag(args, "yes"));
    g_assert_false(args_flag(args, "json"));
    g_assert_null(args_string(args, "bindir"));
    g_assert_null(args_list(args, "set")[0]);
    g_assert_null(args_words(args)[0]);
    g_assert_null(args_config(args));
    g_assert_false(args_int(args, "jobs", &number));
    g_assert_cmpint(number, ==, 77);
    g_assert_true(args_commands(args) == commands);
}

static void test_every_type_of_option_is_read(void)
{
    g_autoptr(CommandArgs) args = PARSE(plain, NULL, "one", "--yes", "--bindir=/a", "--bindir", "/b", "-s", "x=1",
                                        "-sy=2", "--set", "z", "--jobs", "-4", "-qc", "file", "two", "--color=never");
    int number = 0;
    g_assert_nonnull(args);
    g_assert_true(args_flag(args, "yes"));
    g_assert_true(args_flag(args, "quiet"));
    g_assert_cmpstr(args_string(args, "bindir"), ==, "/b"); /* the last one wins */
    const char *const *list = args_list(args, "set");
    g_assert_cmpstr(list[0], ==, "x=1");
    g_assert_cmpstr(list[1], ==, "y=2");
    g_assert_cmpstr(list[2], ==, "z");
    g_assert_null(list[3]);
    g_assert_true(args_int(args, "jobs", &number));
    g_assert_cmpint(number, ==, -4);
    g_assert_cmpstr(args_config(args), ==, "file");
    assert_words(args, "one two");
}

static void test_values_may_be_any_bytes(void)
{
    g_autoptr(CommandArgs) args = PARSE(plain, NULL, "--bindir", "/\xff", "\xfe", "");
    g_assert_nonnull(args);
    g_assert_cmpstr(args_string(args, "bindir"), ==, "/\xff");
    g_assert_cmpstr(args_words(args)[0], ==, "\xfe");
    g_assert_cmpstr(args_words(args)[1], ==, "");
}

static void test_a_double_dash_ends_the_options_and_is_removed(void)
{
    g_autoptr(CommandArgs) args = PARSE(plain, NULL, "-y", "--", "--jobs", "--", "-x");
    g_assert_nonnull(args);
    g_assert_true(args_flag(args, "yes"));
    assert_words(args, "--jobs -- -x");
}

static void test_options_first_leaves_the_options_of_the_other_program_alone(void)
{
    g_autoptr(CommandArgs) bare = PARSE(runner, NULL, "-j", "2", "pytest", "-y", "--", "--json", "-k", "foo");
    g_autoptr(CommandArgs) dashed = PARSE(runner, NULL, "-y", "--", "psql", "--", "--nosuch");
    g_assert_nonnull(bare);
    g_assert_false(args_flag(bare, "yes"));
    g_assert_false(args_flag(bare, "json"));
    assert_words(bare, "pytest -y -- --json -k foo");
    g_assert_nonnull(dashed);
    g_assert_true(args_flag(dashed, "yes"));
    assert_words(dashed, "psql -- --nosuch");
}

static void test_an_action_does_not_end_the_options(void)
{
    g_autoptr(CommandArgs) args = PARSE(runner, NULL, "-y", "start", "--jobs", "2", "stop", "-x");
    int number = 0;
    g_assert_nonnull(args);
    g_assert_cmpstr(args_action(args), ==, "start");
    g_assert_true(args_int(args, "jobs", &number));
    g_assert_cmpint(number, ==, 2);
    assert_words(args, "stop -x");
}

static void test_behind_a_double_dash_or_another_word_nothing_is_an_action(void)
{
    g_autoptr(CommandArgs) dashed = PARSE(runner, NULL, "--", "start");
    g_autoptr(CommandArgs) later = PARSE(runner, NULL, "psql", "start");
    g_autoptr(CommandArgs) other = PARSE(plain, NULL, "start");
    g_assert_null(args_action(dashed));
    assert_words(dashed, "start");
    g_assert_null(args_action(later));
    assert_words(later, "psql start");
    g_assert_null(args_action(other));
    assert_words(other, "start");
}

static void test_short_options_and_values_may_stand_together(void)
{
    g_autoptr(CommandArgs) args = PARSE(plain, NULL, "-yqj4", "-sa=b=c", "-");
    int number = 0;
    g_assert_nonnull(args);
    g_assert_true(args_flag(args, "yes"));
    g_assert_true(args_flag(args, "quiet"));
    g_assert_true(args_int(args, "jobs", &number));
    g_assert_cmpint(number, ==, 4);
    g_assert_cmpstr(args_list(args, "set")[0], ==, "a=b=c");
    assert_words(args, "-");
}

static void test_an_unknown_option_is_an_error_that_names_the_nearest(void)
{
    GError *error = NULL;
    CommandArgs *args = PARSE(plain, &error, "--jbos", "4");
    assert_usage_error(args, error, "unknown option --jbos", "did you mean --jobs?");
    error = NULL;
    args = PARSE(plain, &error, "--nothing-like-it");
    assert_usage_error(args, error, "unknown option --nothing-like-it", NULL);
    error = NULL;
    args = PARSE(plain, &error, "-x");
    assert_usage_error(args, error, "unknown option -x", NULL);
}

static void test_the_value_of_an_unknown_option_is_not_repeated(void)
{
    GError *error = NULL;
    CommandArgs *args = PARSE(plain, &error, "--password=secret");
    assert_usage_error(args, error, "unknown option --password", NULL);
}

static void test_a_flag_takes_no_value(void)
{
    GError *error = NULL;
    CommandArgs *args = PARSE(plain, &error, "--json=yes");
    assert_usage_error(args, error, "option --json takes no value", NULL);
}

static void test_a_missing_value_is_an_error(void)
{
    GError *error = NULL;
    CommandArgs *args = PARSE(plain, &error, "--jobs");
    assert_usage_error(args, error, "option --jobs needs a value: N", NULL);
    error = NULL;
    args = PARSE(plain, &error, "-c");
    assert_usage_error(args, error, "option -c needs a value: FILE", NULL);
}

static void test_a_number_must_be_whole_and_in_range(void)
{
    static const char *const wrong[] = {"x", "", "4x", "1.5", "99999999999", NULL};
    for (const char *const *value = wrong; *value != NULL; value++) {
        GError *error = NULL;
        g_autofree char *message = g_strdup_printf("option --jobs wants a whole number, not \"%s\"", *value);
        CommandArgs *args = PARSE(plain, &error, "--jobs", *value);
        assert_usage_error(args, error, message, NULL);
    }
}

static void test_a_colour_must_be_one_of_three(void)
{
    GError *error = NULL;
    CommandArgs *args = PARSE(plain, &error, "--color", "blue");
    assert_usage_error(args, error, "option --color wants auto, always or never, not \"blue\"", NULL);
}

static void test_a_command_without_arguments_refuses_words(void)
{
    GError *error = NULL;
    CommandArgs *args = PARSE(wordless, &error, "-y", "word");
    assert_usage_error(args, error, "wordless takes no arguments, but there is \"word\"", NULL);
}

static void test_a_command_is_found_by_its_name_only(void)
{
    GError *error = NULL;
    g_assert_true(command_find(commands, "plain", NULL) == &plain);
    const Command *none = command_find(commands, "plian", &error);
    g_assert_null(none);
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_cmpstr(pgf_error_hint(error), ==, "did you mean `pgfold plain`? See `pgfold help`");
    g_clear_error(&error);
    g_assert_null(command_find(commands, "", &error));
    g_clear_error(&error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/args/nothing-given-means-nothing-set", test_nothing_given_means_nothing_set);
    g_test_add_func("/args/every-type-of-option-is-read", test_every_type_of_option_is_read);
    g_test_add_func("/args/values-may-be-any-bytes", test_values_may_be_any_bytes);
    g_test_add_func("/args/a-double-dash-ends-the-options-and-is-removed",
                    test_a_double_dash_ends_the_options_and_is_removed);
    g_test_add_func("/args/options-first-leaves-the-options-of-the-other-program-alone",
                    test_options_first_leaves_the_options_of_the_other_program_alone);
    g_test_add_func("/args/an-action-does-not-end-the-options", test_an_action_does_not_end_the_options);
    g_test_add_func("/args/behind-a-double-dash-or-another-word-nothing-is-an-action",
                    test_behind_a_double_dash_or_another_word_nothing_is_an_action);
    g_test_add_func("/args/short-options-and-values-may-stand-together",
                    test_short_options_and_values_may_stand_together);
    g_test_add_func("/args/an-unknown-option-is-an-error-that-names-the-nearest",
                    test_an_unknown_option_is_an_error_that_names_the_nearest);
    g_test_add_func("/args/the-value-of-an-unknown-option-is-not-repeated",
                    test_the_value_of_an_unknown_option_is_not_repeated);
    g_test_add_func("/args/a-flag-takes-no-value", test_a_flag_takes_no_value);
    g_test_add_func("/args/a-missing-value-is-an-error", test_a_missing_value_is_an_error);
    g_test_add_func("/args/a-number-must-be-whole-and-in-range", test_a_number_must_be_whole_and_in_range);
    g_test_add_func("/args/a-colour-must-be-one-of-three", test_a_colour_must_be_one_of_three);
    g_test_add_func("/args/a-command-without-arguments-refuses-words", test_a_command_without_arguments_refuses_words);
    g_test_add_func("/args/a-command-is-found-by-its-name-only", test_a_command_is_found_by_its_name_only);
    return g_test_run();
}

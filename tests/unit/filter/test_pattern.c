/* What patterns become, as processSQLNamePattern() of PostgreSQL's clients has it. */
#include "filter/pattern.h"

typedef struct Case {
    const char *pattern, *schema, *name;
} Case;

static const Case CASES[] = {
    {"orders", NULL, "^(orders)$"},
    {"Orders", NULL, "^(orders)$"},
    {"\"Orders\"", NULL, "^(Orders)$"},
    {"app.orders", "^(app)$", "^(orders)$"},
    {"*.log_?", "^(.*)$", "^(log_.)$"},
    {"\"a.b\".\"c*?\"", "^(a\\.b)$", "^(c\\*\\?)$"},
    {"\"say \"\"hi\"\"\"", NULL, "^(say \"hi\")$"},
    {"a\"B*\"c*", NULL, "^(aB\\*c.*)$"},
    {"cost$", NULL, "^(cost\\$)$"},
    {"\"a$b\"", NULL, "^(a\\$b)$"},
    {"[a-c]+|x", NULL, "^([a-c]+|x)$"},
    {"\"[a-c]+|x\"", NULL, "^(\\[a-c\\]\\+\\|x)$"},
    {"int[]", NULL, "^(int\\[])$"},
    {"\"open", NULL, "^(open)$"},
    {"gr\xc3\xb6\xc3\x9f"
     "e",
     NULL,
     "^(gr\xc3\xb6\xc3\x9f"
     "e)$"},
};

static void test_patterns(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(FilterPattern) pattern = {0};
        g_assert_true(filter_pattern_parse(CASES[i].pattern, true, &pattern, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(pattern.schema, ==, CASES[i].schema);
        g_assert_cmpstr(pattern.name, ==, CASES[i].name);
    }
}

static void check_refused(const char *text, bool qualified, const char *message)
{
    g_autoptr(GError) error = NULL;
    FilterPattern pattern = {0};
    g_assert_false(filter_pattern_parse(text, qualified, &pattern, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_null(pattern.name);
}

static void test_refused(void)
{
    check_refused("a.b.c", true, "the pattern a.b.c has too many parts");
    check_refused("a.b", false, "the pattern a.b has too many parts");
    check_refused("", true, "the pattern \"\" is empty, or a part of it");
    check_refused("app.", true, "the pattern \"app.\" is empty, or a part of it");
    check_refused("\"\"", false, "the pattern \"\"\"\" is empty, or a part of it");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/pattern/what-it-becomes", test_patterns);
    g_test_add_func("/filter/pattern/what-is-none", test_refused);
    return g_test_run();
}

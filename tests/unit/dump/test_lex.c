#include <string.h>

#include "dump/internal.h"

/* The length of the token that the text begins with (after `before` characters); -1 when it does not end. */
static gssize token_length(const char *text, gsize before)
{
    const char *end = text + strlen(text);
    const char *after = dump_lex_token(text, text + before, end);
    return after == NULL ? -1 : after - (text + before);
}

static void test_a_plain_quote_ends_at_the_next_quote(void)
{
    g_assert_cmpint(token_length("'ab' x", 0), ==, 4);
    g_assert_cmpint(token_length("'a\\' x'", 0), ==, 4);
    g_assert_cmpint(token_length("\"a b\"", 0), ==, 5);
}

static void test_an_escape_string_may_hold_quotes(void)
{
    g_assert_cmpint(token_length("E'a\\'b' x", 1), ==, 6);
    g_assert_cmpint(token_length("(E'a\\\\' x", 2), ==, 5);
    g_assert_cmpint(token_length("E'it''s\\'' x", 1), ==, 9);
    /* The E of another word makes no escape string. */
    g_assert_cmpint(token_length("TYPE'a\\' x", 4), ==, 4);
}

static void test_a_dollar_quote_ends_at_its_own_tag(void)
{
    g_assert_cmpint(token_length("$$ ' $x$ $$;", 0), ==, 11);
    g_assert_cmpint(token_length("$fn$ $$ $f$ $fn$;", 0), ==, 16);
}

static void test_a_parameter_is_no_dollar_quote(void)
{
    g_assert_cmpint(token_length("$1 + $2", 0), ==, 1);
    g_assert_cmpint(token_length("a$b$ c", 1), ==, 1);
}

static void test_comments_are_tokens(void)
{
    g_assert_cmpint(token_length("-- it's\nx", 0), ==, 7);
    g_assert_cmpint(token_length("/* a /* ' */ b */ c", 0), ==, 17);
    g_assert_cmpint(token_length("- 1", 0), ==, 1);
}

static void test_what_does_not_end_is_told(void)
{
    g_assert_cmpint(token_length("'abc", 0), ==, -1);
    g_assert_cmpint(token_length("$a$ $b$", 0), ==, -1);
    g_assert_cmpint(token_length("/* a", 0), ==, -1);
}

static void test_names_role(void)
{
    static const char *const NAMED[] = {
        "GRANT SELECT ON TABLE public.t TO kept;",
        "REVOKE ALL ON SCHEMA s FROM PUBLIC, \"kept\" CASCADE",
        "ALTER TABLE t OWNER TO KEPT",
        "GRANT kept TO other",
        "GRANT SELECT ON t /* it's */ TO kept",
        "ALTER DEFAULT PRIVILEGES FOR ROLE kept IN SCHEMA s GRANT SELECT ON TABLES TO x",
        "CREATE POLICY p ON t TO a,\n b, kept USING (true)",
    };
    static const char *const OTHERS[] = {
        "GRANT SELECT ON TABLE public.kept TO x;",
        "GRANT SELECT(a, kept) ON t TO x",
        "COMMENT ON TABLE t IS 'given to kept'",
        "COMMENT ON TABLE t IS $$given to kept$$",
        "REVOKE ALL ON t /* it's from kept */ FROM x",
        "GRANT USAGE ON SCHEMA kept TO \"Kept\"",
        "CREATE POLICY p ON t TO x USING (owner = 'kept')",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(NAMED); i++)
        g_assert_true(dump_names_role(NAMED[i], "kept"));
    for (gsize i = 0; i < G_N_ELEMENTS(OTHERS); i++)
        g_assert_false(dump_names_role(OTHERS[i], "kept"));
    g_assert_true(dump_names_role("ALTER ROLE \"a\"\"b\" IN DATABASE d SET x = 1", "a\"b"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lex/a plain quote ends at the next quote", test_a_plain_quote_ends_at_the_next_quote);
    g_test_add_func("/lex/an escape string may hold quotes", test_an_escape_string_may_hold_quotes);
    g_test_add_func("/lex/a dollar quote ends at its own tag", test_a_dollar_quote_ends_at_its_own_tag);
    g_test_add_func("/lex/a parameter is no dollar quote", test_a_parameter_is_no_dollar_quote);
    g_test_add_func("/lex/comments are tokens", test_comments_are_tokens);
    g_test_add_func("/lex/what does not end is told", test_what_does_not_end_is_told);
    g_test_add_func("/lex/a role is found where a role stands", test_names_role);
    return g_test_run();
}

/* Names of objects that a look takes for absent: what is on the list, and what only looks like it. */
#include "catalog/hidden.h"

static void test_names(void)
{
    g_autoptr(Hidden) hidden = hidden_new("pgfold_1_00000000");
    g_assert_true(hidden_add(hidden, "TABLE", "public", "a b"));
    g_assert_false(hidden_add(hidden, "TABLE", "public", "a b"));
    g_assert_true(hidden_add(hidden, "EXTENSION", NULL, "citext"));
    g_assert_true(hidden_add(hidden, "TYPE", "public", "mood"));
    g_autofree char *text = hidden_to_text(hidden);
    g_autoptr(Hidden) again = hidden_from_text(text);
    g_assert_nonnull(again);
    g_assert_cmpstr(again->owner, ==, "pgfold_1_00000000");
    g_assert_true(hidden_has(again, "EXTENSION", NULL, "citext"));
    g_assert_true(hidden_has_relation(again, "public", "a b"));
    g_assert_true(hidden_has_type(again, "public", "a b"));
    g_assert_true(hidden_has_type(again, "public", "mood"));
    g_assert_false(hidden_has_relation(again, "public", "mood"));
    g_assert_false(hidden_has_relation(again, "public", "a\nb"));
    g_assert_false(hidden_has_relation(again, "other", "a b"));
    g_assert_false(hidden_has(NULL, "TABLE", "public", "a b"));
}

static void test_texts_that_are_no_list(void)
{
    g_assert_null(hidden_from_text(""));
    g_assert_null(hidden_from_text("owner\nTABLE\npublic"));
    g_autoptr(Hidden) none = hidden_from_text("owner");
    g_assert_nonnull(none);
    g_assert_cmpuint(g_hash_table_size(none->names), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/catalog/hidden/names", test_names);
    g_test_add_func("/catalog/hidden/texts that are no list", test_texts_that_are_no_list);
    return g_test_run();
}

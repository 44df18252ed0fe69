#include <string.h>

#include "scan/prefilter.h"

static bool passes(const Prefilter *prefilter, const char *text)
{
    g_autofree char *exact =
        g_memdup2(text, MAX(strlen(text), 1)); /* not a byte more: sanitizers see reads behind it */
    return prefilter_passes(prefilter, exact, strlen(text));
}

static void test_it_passes_what_its_pattern_matches_and_nothing_else(void)
{
    g_autoptr(Prefilter) prefilter = prefilter_new(NULL);
    g_autoptr(GRegex) regex = g_regex_new(prefilter_pattern, G_REGEX_CASELESS | G_REGEX_RAW, 0, NULL);
    g_assert_nonnull(regex);
    static const char *const PIECES[] = {"localhost", "LocalHost", "localhos", "127.", "127.0",   "127.x",
                                         "::1",       "::12",      "[::1]",    "::1_", "0.0.0.0", "0.0.0",
                                         "Postgres",  "postgre",   "pg:/",     "PG_",  "psql",    "psq",
                                         "dbname=",   "dbname ",   "jdbc:",    "x",    ":",       ""};
    static const char *const AROUND[] = {"", " ", "a", ":", "\n", "0", "\"", "loca", "12"};
    for (guint i = 0; i < G_N_ELEMENTS(PIECES); i++)
        for (guint j = 0; j < G_N_ELEMENTS(AROUND); j++)
            for (guint k = 0; k < G_N_ELEMENTS(AROUND); k++) {
                g_autofree char *text = g_strconcat(AROUND[j], PIECES[i], AROUND[k], NULL);
                g_test_message("%s", text);
                g_assert_cmpint(passes(prefilter, text), ==, g_regex_match(regex, text, 0, NULL));
            }
}

static void test_random_bytes_are_judged_as_the_pattern_does(void)
{
    g_autoptr(Prefilter) prefilter = prefilter_new(NULL);
    g_autoptr(GRegex) regex = g_regex_new(prefilter_pattern, G_REGEX_CASELESS | G_REGEX_RAW, 0, NULL);
    static const char ALPHABET[] = "localhst127.0:pgqjdbecr=/_ A";
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (guint i = 0; i < 20000; i++) {
        char text[64];
        gsize length = (gsize)g_rand_int_range(random, 0, 63);
        for (gsize at = 0; at < length; at++)
            text[at] = ALPHABET[g_rand_int_range(random, 0, (gint32)sizeof ALPHABET - 1)];
        text[length] = '\0';
        g_test_message("%s", text);
        g_assert_cmpint(passes(prefilter, text), ==, g_regex_match(regex, text, 0, NULL));
    }
}

static void test_names_of_services_count_as_words(void)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(words, g_strdup("db"));
    g_ptr_array_add(words, g_strdup("Warehouse"));
    g_ptr_array_add(words, g_strdup("wait-for-db.sh"));
    for (guint i = 0; i < 5000; i++)
        g_ptr_array_add(words, g_strdup_printf("service%u", i));
    g_autoptr(Prefilter) prefilter = prefilter_new(words);
    g_assert_true(passes(prefilter, "host: db"));
    g_assert_true(passes(prefilter, "@db:5432"));
    g_assert_false(passes(prefilter, "feedback dbx xdb"));
    g_assert_true(passes(prefilter, "\"warehouse\""));
    g_assert_true(passes(prefilter, "./wait-for-db.sh"));
    g_assert_true(passes(prefilter, "service4999"));
    g_assert_false(passes(prefilter, "service49990"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/prefilter/pattern", test_it_passes_what_its_pattern_matches_and_nothing_else);
    g_test_add_func("/scan/prefilter/random", test_random_bytes_are_judged_as_the_pattern_does);
    g_test_add_func("/scan/prefilter/words", test_names_of_services_count_as_words);
    return g_test_run();
}

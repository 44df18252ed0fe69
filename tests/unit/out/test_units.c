#include <glib.h>

#include "out/out.h"

static void assert_text(char *text, const char *expected)
{
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

static void test_bytes_are_shown_in_powers_of_1000(void)
{
    assert_text(out_bytes(0), "0 B");
    assert_text(out_bytes(999), "999 B");
    assert_text(out_bytes(1000), "1.0 kB");
    assert_text(out_bytes(1400000), "1.4 MB");
    assert_text(out_bytes(999949), "999.9 kB");
    assert_text(out_bytes(999999), "1.0 MB"); /* never "1000.0 kB" */
    assert_text(out_bytes(G_MAXUINT64), "18.4 EB");
}

static void test_counts_have_thousands_separators(void)
{
    assert_text(out_count(0), "0");
    assert_text(out_count(999), "999");
    assert_text(out_count(1000), "1,000");
    assert_text(out_count(1234567), "1,234,567");
    assert_text(out_count(G_MAXUINT64), "18,446,744,073,709,551,615");
}

static void test_durations_use_the_unit_that_a_person_would(void)
{
    assert_text(out_duration(0), "0 ms");
    assert_text(out_duration(-1), "0 ms");
    assert_text(out_duration(0.0316), "32 ms");
    assert_text(out_duration(0.9996), "1.0 s");
    assert_text(out_duration(3.21), "3.2 s");
    assert_text(out_duration(59.96), "1 min 00 s");
    assert_text(out_duration(125), "2 min 05 s");
    assert_text(out_duration(7260), "2 h 01 min");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/bytes-are-shown-in-powers-of-1000", test_bytes_are_shown_in_powers_of_1000);
    g_test_add_func("/units/counts-have-thousands-separators", test_counts_have_thousands_separators);
    g_test_add_func("/units/durations-use-the-unit-that-a-person-would",
                    test_durations_use_the_unit_that_a_person_would);
    return g_test_run();
}

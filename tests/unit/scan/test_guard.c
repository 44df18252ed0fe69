#include <glib.h>
#include <signal.h>

#include "base/guard.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GUARDED false
#else
#define GUARDED true
#endif

static guint overflow(volatile guint depth)
{
    volatile char frame[4096];
    frame[depth % sizeof frame] = 1;
    return depth == G_MAXUINT ? 0 : overflow(depth + 1) + (guint)(frame[0] != 0);
}

static void test_files_that_crashed_are_known_at_the_next_start(void)
{
    g_assert_cmpint(guard_has_crashed("a\n b/bad.py"), ==, GUARDED);
    g_assert_cmpint(guard_has_crashed("deep.js"), ==, GUARDED);
    g_assert_false(guard_has_crashed("bad.py"));
    g_assert_false(guard_has_crashed("b"));
    g_assert_false(guard_has_crashed(""));
}

int main(int argc, char **argv)
{
    guard_enable(); /* from here on a crash starts this program again: first one way, then another, then not */
    if (GUARDED && !guard_has_crashed("a\n b/bad.py")) {
        guard_file("a\n b/bad.py");
        raise(SIGSEGV);
    }
    if (GUARDED && !guard_has_crashed("deep.js")) {
        guard_file("deep.js");
        overflow(0);
    }
    guard_file(NULL);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/guard/crashed", test_files_that_crashed_are_known_at_the_next_start);
    return g_test_run();
}

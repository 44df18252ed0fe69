#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out/progress.h"
#include "out/text.h"

static const ProgressItem two_items[] = {
    {.name = "public.orders", .rows = 1234, .bytes = 500000, .rows_total = 2000, .bytes_total = 1000000},
    {.name = "public.\033[2J", .rows = 7},
};

static const ProgressState state = {
    .title = "copying",
    .items_done = 3,
    .items_total = 12,
    .items_name = "tables",
    .rows = 50000,
    .bytes = 2000000,
    .bytes_total = 6000000,
    .running = two_items,
    .n_running = 2,
};

static void test_lines_show_rows_bytes_rate_and_time_left(void)
{
    g_auto(GStrv) lines = progress_lines(&state, 2000000, 1.5, 120, 24);
    g_assert_cmpstr(lines[0], ==,
                    "copying  3 of 12 tables  50,000 rows  2.0 MB of 6.0 MB  2.0 MB/s  2.0 s left  1.5 s");
    g_assert_cmpstr(lines[1], ==, "  public.orders  1,234 of 2,000 rows  500.0 kB of 1.0 MB   50%");
    g_assert_cmpstr(lines[2], ==, "  public.\\x1b[2J  7 rows");
    g_assert_null(lines[3]);
}

static void test_lines_fit_a_narrow_terminal(void)
{
    for (int width = 1; width < 90; width++) {
        g_auto(GStrv) lines = progress_lines(&state, 2000000, 1.5, width, 24);
        for (char **line = lines; *line != NULL; line++)
            g_assert_cmpint(text_width(*line), <=, width);
    }
}

static void test_lines_fit_a_low_terminal(void)
{
    ProgressItem many[100];
    for (guint i = 0; i < G_N_ELEMENTS(many); i++)
        many[i] = two_items[0];
    ProgressState crowded = state;
    crowded.running = many;
    crowded.n_running = G_N_ELEMENTS(many);
    g_auto(GStrv) lines = progress_lines(&crowded, 0, 1, 80, 10);
    g_assert_cmpuint(g_strv_length(lines), ==, 9);
    g_assert_cmpstr(lines[8], ==, "  and 93 more");
    for (int height = 1; height < 200; height++) {
        g_auto(GStrv) some = progress_lines(&crowded, 0, 1, 80, height);
        g_assert_cmpuint(g_strv_length(some), <=, MAX(1, MIN((guint)height - 1, OUT_LIVE_MAX)));
    }
}

static void test_a_total_that_was_passed_is_not_shown(void)
{
    ProgressState passed = {.title = "copying", .rows = 20, .rows_total = 10, .bytes = 5};
    g_auto(GStrv) lines = progress_lines(&passed, 10, 1, 80, 24);
    g_assert_cmpstr(lines[0], ==, "copying  20 rows  5 B  10 rows/s  1.0 s");
}

static void test_plain_lines_where_there_is_no_terminal(void)
{
    char *text = NULL;
    size_t size = 0;
    Out out = {.results = stdout, .notices = open_memstream(&text, &size)};
    Progress *progress = progress_new(&out);
    progress_show(progress, &state);
    ProgressItem item = {.name = "public.orders", .rows = 1234, .bytes = 1200000};
    progress_finished(progress, "copied", &item, 0.3);
    out.quiet = true;
    progress_finished(progress, "copied", &item, 0.3);
    progress_free(progress);
    fclose(out.notices);
    g_assert_cmpstr(text, ==, "copied public.orders 1,234 rows 1.2 MB in 300 ms\n");
    free(text);
}

/* Both ends of a pseudo terminal of 60 columns and 5 rows; slave is an Out's notices. */
static int open_terminal(FILE **ret_slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    g_assert_cmpint(master, >=, 0);
    g_assert_cmpint(grantpt(master) | unlockpt(master), ==, 0);
    struct winsize size = {.ws_row = 5, .ws_col = 60};
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY); /* not ours: closing it would end us */
    g_assert_cmpint(slave, >=, 0);
    *ret_slave = fdopen(slave, "r+");
    g_assert_cmpint(ioctl(fileno(*ret_slave), TIOCSWINSZ, &size), ==, 0);
    setvbuf(*ret_slave, NULL, _IONBF, 0);
    return master;
}

/* What the terminal is sent, up to the end of that many lines: a terminal hands over each write by itself. */
static char *read_terminal(int master, guint lines)
{
    GString *text = g_string_new(NULL);
    guint ended = 0;
    while (ended < lines) {
        struct pollfd ready = {.fd = master, .events = POLLIN};
        g_assert_cmpint(poll(&ready, 1, 10000), ==, 1);
        char buffer[8192];
        ssize_t length = read(master, buffer, sizeof buffer);
        g_assert_cmpint((int)length, >, 0);
        for (ssize_t i = 0; i < length; i++)
            ended += buffer[i] == '\n';
        g_string_append_len(text, buffer, length);
    }
    return g_string_free(text, FALSE);
}

static void test_live_lines_are_erased_also_after_a_resize(void)
{
    Out out = {.results = stdout, .notices_tty = true};
    int master = open_terminal(&out.notices);
    Progress *progress = progress_new(&out);
    progress_show(progress, &state);
    g_autofree char *drawn = read_terminal(master, 3);
    g_assert_true(g_str_has_prefix(drawn, "copying  3 of 12 tables"));
    g_assert_cmpint(out.live.lines, ==, 3);
    g_assert_cmpint(out.live.widths[0], ==, 59);
    progress_show(progress, &state); /* too early: nothing is drawn */

    struct winsize narrow = {.ws_row = 5, .ws_col = 30};
    g_assert_cmpint(ioctl(master, TIOCSWINSZ, &narrow), ==, 0);
    out_notice(&out, "a remark");
    g_autofree char *erased = read_terminal(master, 1);
    /* 59, 59 and 24 columns fill 2 + 2 + 1 rows of 30 */
    g_assert_cmpstr(erased, ==, "\033[5A\r\033[Ja remark\r\n");
    g_assert_cmpint(out.live.lines, ==, 0);
    progress_free(progress);
    fclose(out.notices);
    close(master);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress/lines-show-rows-bytes-rate-and-time-left",
                    test_lines_show_rows_bytes_rate_and_time_left);
    g_test_add_func("/progress/lines-fit-a-narrow-terminal", test_lines_fit_a_narrow_terminal);
    g_test_add_func("/progress/lines-fit-a-low-terminal", test_lines_fit_a_low_terminal);
    g_test_add_func("/progress/a-total-that-was-passed-is-not-shown", test_a_total_that_was_passed_is_not_shown);
    g_test_add_func("/progress/plain-lines-where-there-is-no-terminal", test_plain_lines_where_there_is_no_terminal);
    g_test_add_func("/progress/live-lines-are-erased-also-after-a-resize",
                    test_live_lines_are_erased_also_after_a_resize);
    return g_test_run();
}

#include "out/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out/text.h"

enum { REDRAW_US = 100 * 1000, PLAIN_US = 30 * 1000 * 1000, SMOOTH_SECONDS = 5 };

struct Progress {
    Out *out;
    gint64 started, drawn; /* microseconds, monotonic; drawn: 0 before the first time */
    guint64 drawn_amount;
    double rate; /* per second, smoothed; of bytes, or of rows where bytes are not known */
};

Progress *progress_new(Out *out)
{
    Progress *progress = g_new0(Progress, 1);
    progress->out = out;
    progress->started = g_get_monotonic_time();
    return progress;
}

void progress_free(Progress *progress)
{
    if (progress == NULL)
        return;
    out_live_erase(progress->out);
    g_free(progress);
}

static bool counts_bytes(const ProgressState *state)
{
    return state->bytes_total > 0 || (state->bytes > 0 && state->rows_total == 0);
}

static guint64 amount(const ProgressState *state)
{
    return counts_bytes(state) ? state->bytes : state->rows;
}

static guint64 amount_total(const ProgressState *state)
{
    return counts_bytes(state) ? state->bytes_total : state->rows_total;
}

static void append_rows(GString *to, guint64 rows, guint64 total)
{
    if (rows == 0 && total == 0)
        return;
    g_autofree char *done = out_count(rows);
    g_autofree char *all = out_count(total);
    /* A total is often an estimate: one that was passed already is not worth showing. */
    if (total >= rows && total > 0)
        g_string_append_printf(to, "  %s of %s rows", done, all);
    else
        g_string_append_printf(to, "  %s rows", done);
}

static void append_bytes(GString *to, guint64 bytes, guint64 total)
{
    if (bytes == 0 && total == 0)
        return;
    g_autofree char *done = out_bytes(bytes);
    g_autofree char *all = out_bytes(total);
    if (total >= bytes && total > 0)
        g_string_append_printf(to, "  %s of %s", done, all);
    else
        g_string_append_printf(to, "  %s", done);
}

static void append_rate(GString *to, const ProgressState *state, double rate)
{
    if (rate < 1)
        return;
    bool bytes = counts_bytes(state);
    g_autofree char *text = bytes ? out_bytes((guint64)rate) : out_count((guint64)rate);
    g_string_append_printf(to, bytes ? "  %s/s" : "  %s rows/s", text);
    guint64 done = amount(state), total = amount_total(state);
    if (total <= done)
        return;
    g_autofree char *left = out_duration((double)(total - done) / rate);
    g_string_append_printf(to, "  %s left", left);
}

static char *overall_line(const ProgressState *state, double rate, double elapsed)
{
    g_autofree char *title = text_escape(state->title);
    GString *line = g_string_new(title);
    if (state->items_total > 0)
        g_string_append_printf(line, "  %u of %u %s", state->items_done, state->items_total,
                               state->items_name == NULL ? "done" : state->items_name);
    append_rows(line, state->rows, state->rows_total);
    append_bytes(line, state->bytes, state->bytes_total);
    append_rate(line, state, rate);
    g_autofree char *time = out_duration(elapsed);
    g_string_append_printf(line, "  %s", time);
    return g_string_free(line, FALSE);
}

static char *item_line(const ProgressItem *item, int width)
{
    GString *numbers = g_string_new(NULL);
    append_rows(numbers, item->rows, item->rows_total);
    append_bytes(numbers, item->bytes, item->bytes_total);
    if (item->bytes_total > 0 && item->bytes <= item->bytes_total)
        g_string_append_printf(numbers, "  %3d%%", (int)((double)item->bytes * 100 / (double)item->bytes_total));
    g_autofree char *escaped = text_escape(item->name);
    /* The numbers matter more than the end of a long name. */
    int room = MAX(width - 2 - (int)numbers->len, MIN(width - 2, 12));
    g_autofree char *name = text_cut(escaped, room);
    char *line = g_strconcat("  ", name, numbers->str, NULL);
    g_string_free(numbers, TRUE);
    return line;
}

static void add_cut(GPtrArray *lines, char *line, int width)
{
    g_ptr_array_add(lines, text_cut(line, width));
    g_free(line);
}

char **progress_lines(const ProgressState *state, double rate, double elapsed, int width, int height)
{
    GPtrArray *lines = g_ptr_array_new();
    guint room = (guint)CLAMP(height - 2, 0, OUT_LIVE_MAX - 2);
    guint shown = state->n_running <= room ? state->n_running : (room > 0 ? room - 1 : 0);
    add_cut(lines, overall_line(state, rate, elapsed), width);
    for (guint i = 0; i < shown; i++)
        add_cut(lines, item_line(&state->running[i], width), width);
    if (shown < state->n_running && room > 0)
        add_cut(lines, g_strdup_printf("  and %u more", state->n_running - shown), width);
    g_ptr_array_add(lines, NULL);
    return (char **)g_ptr_array_free(lines, FALSE);
}

static void draw(Progress *progress, const ProgressState *state, double elapsed)
{
    Out *out = progress->out;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    if (ioctl(fileno(out->notices), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    /* One column stays free: some terminals wrap when the last one is written. */
    int width = MAX(1, size.ws_col - 1), height = size.ws_row == 0 ? 24 : size.ws_row;
    g_auto(GStrv) lines = progress_lines(state, progress->rate, elapsed, width, height);
    int count = 0;
    GString *picture = g_string_new(NULL); /* written at once: stderr has no buffer, and it would flicker */
    for (; lines[count] != NULL; count++) {
        g_autofree char *painted = out_paint(out->color_notices, count == 0 ? OUT_BOLD : OUT_DIM, lines[count]);
        g_string_append_printf(picture, "%s\n", painted);
    }
    fflush(out->results);
    out_live_erase(out);
    fwrite(picture->str, 1, picture->len, out->notices);
    g_string_free(picture, TRUE);
    for (int i = 0; i < count; i++)
        out->live.widths[i] = text_width(lines[i]);
    out->live.lines = count;
}

static void update_rate(Progress *progress, const ProgressState *state, gint64 now)
{
    gint64 since = progress->drawn == 0 ? progress->started : progress->drawn;
    double seconds = (double)(now - since) / G_USEC_PER_SEC;
    guint64 current = amount(state);
    if (seconds <= 0 || current < progress->drawn_amount) {
        progress->drawn_amount = current; /* another step has begun */
        progress->rate = 0;
        return;
    }
    double fresh = (double)(current - progress->drawn_amount) / seconds;
    double weight = progress->rate > 0 ? seconds / (SMOOTH_SECONDS + seconds) : 1;
    progress->rate += (fresh - progress->rate) * weight;
    progress->drawn_amount = current;
}

void progress_show(Progress *progress, const ProgressState *state)
{
    Out *out = progress->out;
    if (out->quiet)
        return;
    gint64 now = g_get_monotonic_time();
    gint64 wait = out->notices_tty ? REDRAW_US : PLAIN_US;
    gint64 since = progress->drawn == 0 && !out->notices_tty ? progress->started : progress->drawn;
    if (since != 0 && now - since < wait)
        return;
    update_rate(progress, state, now);
    progress->drawn = now;
    double elapsed = (double)(now - progress->started) / G_USEC_PER_SEC;
    if (out->notices_tty) {
        draw(progress, state, elapsed);
    } else {
        g_autofree char *line = overall_line(state, progress->rate, elapsed);
        out_notice(out, "%s", line);
    }
}

void progress_finished(Progress *progress, const char *verb, const ProgressItem *item, double seconds)
{
    Out *out = progress->out;
    if (out->quiet || (out->notices_tty && !out->verbose))
        return;
    g_autofree char *rows = out_count(item->rows);
    g_autofree char *bytes = out_bytes(item->bytes);
    g_autofree char *time = out_duration(seconds);
    g_autofree char *name = text_escape(item->name);
    out_notice(out, "%s %s %s rows %s in %s", verb, name, rows, bytes, time);
}

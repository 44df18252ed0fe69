#include "out/diff.h"

#include <stdbool.h>
#include <string.h>

enum {
    CONTEXT = 3,     /* lines around a change */
    EDITS_MAX = 2000 /* texts that differ in more lines are shown as one change: memory grows with the square */
};

typedef struct Line {
    const char *text;
    gsize length; /* with its line end */
} Line;

typedef struct Lines {
    Line *items;
    int count;
} Lines;

static Lines split(const char *text)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));
    for (const char *at = text == NULL ? "" : text; *at != '\0';) {
        const char *end = strchr(at, '\n');
        Line line = {.text = at, .length = end == NULL ? strlen(at) : (gsize)(end - at) + 1};
        g_array_append_val(lines, line);
        at += line.length;
    }
    int count = (int)lines->len;
    return (Lines){.items = (Line *)(gpointer)g_array_free(lines, FALSE), .count = count};
}

static bool same(const Line *a, const Line *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* What lies between the lines that both begin and end with. gone and come say of each line whether it is in one text
 * only. */
typedef struct Middle {
    const Line *old, *new;
    int old_count, new_count;
    bool *gone, *come;
} Middle;

/* Myers (1986): trace[d] holds, for the diagonals -d..d (and one more on either side, which nothing reaches), how far d
 * edits lead in the old text. From the end back. */
static void walk_back(const Middle *middle, GPtrArray *trace)
{
    int x = middle->old_count, y = middle->new_count;
    for (int d = (int)trace->len - 1; d > 0; d--) {
        const int *reach = (const int *)trace->pdata[d - 1] + d; /* its diagonal 0 */
        int k = x - y;
        bool down = k == -d || (k != d && reach[k - 1] < reach[k + 1]);
        int from = down ? k + 1 : k - 1;
        x = reach[from];
        y = x - from;
        if (down)
            middle->come[y] = true;
        else
            middle->gone[x] = true;
    }
}

/* False where it takes more than EDITS_MAX edits. */
static bool find_shortest(const Middle *middle)
{
    g_autoptr(GPtrArray) trace = g_ptr_array_new_with_free_func(g_free);
    int most = MIN(middle->old_count + middle->new_count, EDITS_MAX);
    for (int d = 0; d <= most; d++) {
        int *row = g_new(int, 2 * d + 3), *reach = row + d + 1;
        const int *before = d == 0 ? NULL : (const int *)trace->pdata[d - 1] + d;
        reach[-d - 1] = reach[d + 1] = -1;
        g_ptr_array_add(trace, row);
        for (int k = -d; k <= d; k++)
            reach[k] = -1;
        for (int k = -d; k <= d; k += 2) {
            int x = d == 0                                                 ? 0
                    : k == -d || (k != d && before[k - 1] < before[k + 1]) ? before[k + 1]
                                                                           : before[k - 1] + 1;
            int y = x - k;
            while (x >= 0 && y >= 0 && x < middle->old_count && y < middle->new_count &&
                   same(&middle->old[x], &middle->new[y])) {
                x++;
                y++;
            }
            reach[k] = x;
            if (x >= middle->old_count && y >= middle->new_count) {
                walk_back(middle, trace);
                return true;
            }
        }
    }
    return false;
}

/* How a path stands in a diff: in quotation marks, as git does, where it holds what would end it. */
static char *path_text(const char *prefix, const char *path)
{
    bool plain = true;
    for (const char *at = path; *at != '\0'; at++)
        plain = plain && (guchar)*at >= 0x20 && *at != 0x7f && *at != '"' && *at != '\\';
    if (plain)
        return g_strconcat(prefix, path, NULL);
    GString *text = g_string_new("\"");
    g_string_append(text, prefix);
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            g_string_append_printf(text, "\\%c", *at);
        else if ((guchar)*at < 0x20 || *at == 0x7f)
            g_string_append_printf(text, "\\%03o", (unsigned)(guchar)*at);
        else
            g_string_append_c(text, *at);
    }
    g_string_append_c(text, '"');
    return g_string_free(text, FALSE);
}

static void append_head(GString *diff, const char *path, const char *old_text, const char *new_text)
{
    g_autofree char *a = path_text("a/", path), *b = path_text("b/", path);
    const char *tab = strchr(path, ' ') != NULL ? "\t" : ""; /* ends a name with blanks */
    g_string_append_printf(diff, "diff --git %s %s\n", a, b);
    if (old_text == NULL)
        g_string_append(diff, "new file mode 100644\n");
    if (new_text == NULL)
        g_string_append(diff, "deleted file mode 100644\n");
    if ((old_text == NULL || *old_text == '\0') && (new_text == NULL || *new_text == '\0'))
        return;
    g_string_append_printf(diff, "--- %s%s\n", old_text == NULL ? "/dev/null" : a, old_text == NULL ? "" : tab);
    g_string_append_printf(diff, "+++ %s%s\n", new_text == NULL ? "/dev/null" : b, new_text == NULL ? "" : tab);
}

static void append_line(GString *diff, char sign, const Line *line)
{
    g_string_append_c(diff, sign);
    g_string_append_len(diff, line->text, (gssize)line->length);
    if (line->text[line->length - 1] != '\n')
        g_string_append(diff, "\n\\ No newline at end of file\n");
}

/* Lines of both texts in the order of a diff. */
typedef struct Row {
    char sign; /* ' ', '-' or '+' */
    const Line *line;
} Row;

static GArray *make_rows(Lines old, Lines new, const bool *gone, const bool *come)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));
    int x = 0, y = 0;
    while (x < old.count || y < new.count) {
        Row row = {.sign = ' ', .line = x < old.count ? &old.items[x] : NULL};
        if (x < old.count && gone[x]) {
            row.sign = '-';
            x++;
        } else if (y < new.count && come[y]) {
            row.sign = '+';
            row.line = &new.items[y++];
        } else {
            x++;
            y++;
        }
        g_array_append_val(rows, row);
    }
    return rows;
}

static void append_range(GString *diff, int start, int count)
{
    /* An empty range is named by the line before it. */
    g_string_append_printf(diff, count == 1 ? "%d" : "%d,%d", count == 0 ? start : start + 1, count);
}

/* The rows from..to as one hunk; old_at and new_at: lines of either text before them. */
static void append_hunk(GString *diff, const GArray *rows, guint from, guint to, int old_at, int new_at)
{
    int old_count = 0, new_count = 0;
    for (guint i = from; i < to; i++) {
        char sign = g_array_index(rows, Row, i).sign;
        old_count += sign != '+';
        new_count += sign != '-';
    }
    g_string_append(diff, "@@ -");
    append_range(diff, old_at, old_count);
    g_string_append(diff, " +");
    append_range(diff, new_at, new_count);
    g_string_append(diff, " @@\n");
    for (guint i = from; i < to; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        append_line(diff, row->sign, row->line);
    }
}

static guint next_change(const GArray *rows, guint from)
{
    while (from < rows->len && g_array_index(rows, Row, from).sign == ' ')
        from++;
    return from;
}

/* Where the hunk whose first change is at `change` ends: after CONTEXT lines with no further change near. */
static guint hunk_end(const GArray *rows, guint change)
{
    for (guint last = change;; last = change) {
        while (last < rows->len && g_array_index(rows, Row, last).sign != ' ')
            last++;
        change = next_change(rows, last);
        if (change == rows->len || change - last > 2 * CONTEXT)
            return MIN(last + CONTEXT, rows->len);
    }
}

static void append_hunks(GString *diff, const GArray *rows)
{
    int old_at = 0, new_at = 0;
    guint done = 0;
    for (guint change; (change = next_change(rows, done)) < rows->len;) {
        guint from = change - MIN(change - done, (guint)CONTEXT), to = hunk_end(rows, change);
        old_at += (int)(from - done); /* what is skipped is in both */
        new_at += (int)(from - done);
        append_hunk(diff, rows, from, to, old_at, new_at);
        for (guint i = from; i < to; i++) {
            char sign = g_array_index(rows, Row, i).sign;
            old_at += sign != '+';
            new_at += sign != '-';
        }
        done = to;
    }
}

static void fill(bool *flags, int count)
{
    for (int i = 0; i < count; i++)
        flags[i] = true;
}

GString *out_unified_diff(const char *path, const char *old_text, const char *new_text)
{
    GString *diff = g_string_new(NULL);
    if (g_strcmp0(old_text, new_text) == 0)
        return diff;
    append_head(diff, path, old_text, new_text);
    Lines old = split(old_text), new = split(new_text);
    int head = 0, tail = 0, shorter = MIN(old.count, new.count);
    while (head < shorter && same(&old.items[head], &new.items[head]))
        head++;
    while (tail < shorter - head && same(&old.items[old.count - 1 - tail], &new.items[new.count - 1 - tail]))
        tail++;
    g_autofree bool *gone = g_new0(bool, (gsize)old.count + 1), *come = g_new0(bool, (gsize) new.count + 1);
    Middle middle = {.old = old.items + head,
                     .new = new.items + head,
                     .old_count = old.count - head - tail,
                     .new_count = new.count - head - tail,
                     .gone = gone + head,
                     .come = come + head};
    if (!find_shortest(&middle)) {
        fill(middle.gone, middle.old_count);
        fill(middle.come, middle.new_count);
    }
    g_autoptr(GArray) rows = make_rows(old, new, gone, come);
    append_hunks(diff, rows);
    g_free(old.items);
    g_free(new.items);
    return diff;
}

void out_patch(Out *out, const char *patch)
{
    if (!out->results_tty) {
        out_raw(out, patch);
        return;
    }
    g_auto(GStrv) lines = g_strsplit(patch, "\n", -1);
    for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++) {
        OutStyle style = *lines[i] == '+'   ? OUT_GOOD
                         : *lines[i] == '-' ? OUT_BAD
                         : *lines[i] == '@' ? OUT_DIM
                                            : OUT_PLAIN;
        g_autofree char *line = out_styled(out, style, lines[i]);
        out_line(out, "%s", line);
    }
}

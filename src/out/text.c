#include "out/text.h"

#include <string.h>

bool text_is_control(gunichar c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
           /* marks that turn the direction of text, so that it reads otherwise than it is */
           c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           /* line and paragraph separators, byte order mark, invisible tags */
           c == 0x2028 || c == 0x2029 || c == 0xfeff || (c >= 0xe0000 && c <= 0xe007f);
}

static void append_escaped(GString *to, gunichar c)
{
    if (c == '\n')
        g_string_append(to, "\\n");
    else if (c == '\t')
        g_string_append(to, "\\t");
    else if (c == '\r')
        g_string_append(to, "\\r");
    else if (c < 0x100)
        g_string_append_printf(to, "\\x%02x", c);
    else if (c < 0x10000)
        g_string_append_printf(to, "\\u%04x", c);
    else
        g_string_append_printf(to, "\\U%08x", c);
}

static char *escape(const char *text, bool keep_lines)
{
    GString *to = g_string_new(NULL);
    const char *end = text + strlen(text);
    for (const char *at = text; at < end;) {
        gunichar c = g_utf8_get_char_validated(at, end - at);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            append_escaped(to, (guchar)*at++);
            continue;
        }
        bool indents = keep_lines && c == '\t' && (at == text || at[-1] == '\n');
        if (text_is_control(c) && !indents && !(keep_lines && c == '\n'))
            append_escaped(to, c);
        else if (!indents)
            g_string_append_unichar(to, c);
        at = g_utf8_next_char(at);
    }
    return g_string_free(to, FALSE);
}

char *text_escape(const char *text)
{
    return escape(text, false);
}

char *text_escape_lines(const char *text)
{
    return escape(text, true);
}

static int character_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

int text_width(const char *text)
{
    int width = 0;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
        width += character_width(g_utf8_get_char(at));
    return width;
}

char *text_cut(const char *text, int width)
{
    if (text_width(text) <= width)
        return g_strdup(text);
    if (width <= 0)
        return g_strdup("");
    int used = 0;
    const char *at = text;
    while (*at != '\0') {
        int next = character_width(g_utf8_get_char(at));
        if (used + next > width - 1)
            break;
        used += next;
        at = g_utf8_next_char(at);
    }
    return g_strdup_printf("%.*s…", (int)(at - text), text);
}

static void wrap_paragraph(GString *to, char **words, int indent, int width)
{
    int column = 0;
    for (char **word = words; *word != NULL; word++) {
        if (**word == '\0')
            continue;
        int needed = text_width(*word);
        if (column > 0 && column + 1 + needed > width) {
            g_string_append_c(to, '\n');
            column = 0;
        }
        if (column == 0) {
            g_string_append_printf(to, "%*s", indent, "");
            column = indent;
        } else {
            g_string_append_c(to, ' ');
            column++;
        }
        g_string_append(to, *word);
        column += needed;
    }
    if (column > 0)
        g_string_append_c(to, '\n');
}

static void flush_paragraph(GString *to, GString *paragraph, int indent, int width)
{
    g_auto(GStrv) words = g_strsplit(paragraph->str, " ", -1);
    wrap_paragraph(to, words, indent, width);
    g_string_truncate(paragraph, 0);
}

void text_wrap(GString *to, const char *text, int indent, int width)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *paragraph = g_string_new(NULL);
    for (char **line = lines; *line != NULL; line++) {
        if (**line != '\0' && **line != ' ') {
            g_string_append_printf(paragraph, "%s ", *line);
            continue;
        }
        flush_paragraph(to, paragraph, indent, width);
        if (**line == ' ')
            g_string_append_printf(to, "%*s%s\n", indent, "", *line);
        else if (line[1] != NULL)
            g_string_append_c(to, '\n');
    }
    flush_paragraph(to, paragraph, indent, width);
    g_string_free(paragraph, TRUE);
}

/* Edit distance (insert, delete, replace, swap neighbours), or G_MAXINT for words too long to be a typing error. */
static int edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    int rows[3][LONGEST + 1];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > LONGEST || b_len > LONGEST)
        return G_MAXINT;
    int *before = rows[0], *previous = rows[1], *current = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        previous[j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        current[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = MIN(replaced, MIN(previous[j], current[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = MIN(current[j], before[j - 2] + 1);
        }
        int *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b_len];
}

const char *text_closest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    int best_distance = MIN(3, (int)(strlen(word) + 1) / 2 + 1); /* short words: not everything is near "a" */
    for (const char *const *candidate = candidates; *candidate != NULL; candidate++) {
        int distance = edit_distance(word, *candidate);
        if (strlen(word) >= 2 && g_str_has_prefix(*candidate, word))
            distance = MIN(distance, 1);
        if (distance < best_distance) {
            best = *candidate;
            best_distance = distance;
        }
    }
    return best;
}

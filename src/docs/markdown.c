/* Pieces of Markdown, whatever names and commands hold. */
#include <string.h>

#include "docs/internal.h"
#include "out/text.h"

char *docs_escape(const char *text)
{
    g_autofree char *harmless = text_escape(text);
    GString *escaped = g_string_new(NULL);
    for (const char *at = harmless; *at != '\0'; at++) {
        if (strchr("\\`*_<>[]#|&", *at) != NULL)
            g_string_append_c(escaped, '\\');
        g_string_append_c(escaped, *at);
    }
    return g_string_free(escaped, FALSE);
}

/* The longest run of backticks. */
static int longest_run(const char *text)
{
    int longest = 0, run = 0;
    for (; *text != '\0'; text++) {
        run = *text == '`' ? run + 1 : 0;
        longest = MAX(longest, run);
    }
    return longest;
}

char *docs_code(const char *text)
{
    g_autofree char *harmless = text_escape(text);
    g_autofree char *ticks = g_strnfill((gsize)longest_run(harmless) + 1, '`');
    const char *blank = strchr(harmless, '`') != NULL ? " " : "";
    return g_strconcat(ticks, blank, harmless, blank, ticks, NULL);
}

char *docs_cell(const char *text)
{
    g_autofree char *code = docs_code(text);
    GString *cell = g_string_new(code);
    g_string_replace(cell, "|", "\\|", 0);
    return g_string_free(cell, FALSE);
}

void docs_append_code(GString *to, const char *indent, const char *text)
{
    g_autofree char *ticks = g_strnfill((gsize)MAX(longest_run(text) + 1, 3), '`');
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_string_append_printf(to, "%s%ssh\n", indent, ticks);
    for (guint i = 0; lines[i] != NULL; i++)
        g_string_append_printf(to, "%s%s\n",
                               *lines[i] == '\0'                    ? ""
                               : g_str_has_prefix(lines[i], "<!--") ? "    "
                                                                    : indent,
                               lines[i]); /* no mark of ours */
    g_string_append_printf(to, "%s%s\n", indent, ticks);
}

char *docs_date(gint64 at)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at / G_USEC_PER_SEC);
    return time == NULL ? g_strdup("?") : g_date_time_format(time, "%Y-%m-%d");
}

static const char *find_value(const char *const *pairs, const char *name, gsize length)
{
    for (; *pairs != NULL; pairs += 2)
        if (strlen(pairs[0]) == length && strncmp(pairs[0], name, length) == 0)
            return pairs[1];
    g_error("a text has a place {%.*s} that nothing fills", (int)length, name);
}

char *docs_fill(const char *template, const char *const *pairs)
{
    GString *text = g_string_new(NULL);
    for (const char *at = template; *at != '\0'; at++) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end == NULL) {
            g_string_append_c(text, *at);
            continue;
        }
        g_string_append(text, find_value(pairs, at + 1, (gsize)(end - at) - 1));
        at = end;
    }
    return g_string_free(text, FALSE);
}

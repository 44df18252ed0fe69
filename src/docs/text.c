/* A file as lines, and the blocks in it that are ours. */
#include <string.h>

#include "base/error.h"
#include "docs/internal.h"

#define BOM "\xef\xbb\xbf"

DocsText *docs_text_new(const char *content)
{
    DocsText *text = g_new0(DocsText, 1);
    text->lines = g_ptr_array_new_with_free_func(g_free);
    text->bom = content != NULL && g_str_has_prefix(content, BOM);
    guint ends = 0, with_return = 0;
    for (const char *at = text->bom ? content + strlen(BOM) : content; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '\n');
        gsize length = end == NULL ? strlen(at) : (gsize)(end - at) + 1;
        ends += end != NULL;
        with_return += end != NULL && end > at && end[-1] == '\r';
        g_ptr_array_add(text->lines, g_strndup(at, length));
        at += length;
    }
    text->eol = 2 * with_return > ends ? "\r\n" : "\n";
    return text;
}

void docs_text_free(DocsText *text)
{
    if (text == NULL)
        return;
    g_ptr_array_unref(text->lines);
    g_free(text);
}

const char *docs_text_line(const DocsText *text, guint at)
{
    return at < text->lines->len ? text->lines->pdata[at] : "";
}

bool docs_is_blank(const char *line)
{
    return strspn(line, " \t\r\n") == strlen(line);
}

bool docs_text_is_blank(const DocsText *text, guint at)
{
    return docs_is_blank(docs_text_line(text, at));
}

char *docs_line_content(const char *line)
{
    gsize length = strlen(line);
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    return g_strndup(line, length);
}

/* What comes after the last line must not become a part of it. */
static void end_line(DocsText *text, guint at)
{
    char *line = text->lines->pdata[at];
    if (g_str_has_suffix(line, "\n"))
        return;
    text->lines->pdata[at] = g_strconcat(line, text->eol, NULL);
    g_free(line);
}

guint docs_text_insert(DocsText *text, guint at, const char *added)
{
    guint count = 0;
    if (at > 0 && *added != '\0')
        end_line(text, at - 1);
    for (const char *end; (end = strchr(added, '\n')) != NULL; added = end + 1) {
        g_autofree char *line = g_strndup(added, (gsize)(end - added));
        g_ptr_array_insert(text->lines, (int)(at + count), g_strconcat(line, text->eol, NULL));
        count++;
    }
    return count;
}

void docs_text_remove(DocsText *text, guint at, guint count)
{
    if (count > 0)
        g_ptr_array_remove_range(text->lines, at, count);
}

char *docs_text_join(const DocsText *text)
{
    GString *content = g_string_new(text->bom ? BOM : "");
    for (guint i = 0; i < text->lines->len; i++)
        g_string_append(content, text->lines->pdata[i]);
    return g_string_free(content, FALSE);
}

/* Marks stand at the start of a line: what is shown inside of a block is always indented, or escaped. */
static bool is_mark(const char *line, const char *start, const char *name)
{
    g_autofree char *mark = g_strconcat(start, name, NULL);
    if (!g_str_has_prefix(line, mark))
        return false;
    line += strlen(mark);
    return *line == ' ' && strstr(line, "-->") != NULL;
}

bool docs_block_find(const DocsText *text, const char *file, const char *name, guint *ret_at, guint *ret_count,
                     GError **error)
{
    guint starts = 0, ends = 0, at = 0, end = 0;
    *ret_at = *ret_count = 0;
    for (guint i = 0; i < text->lines->len; i++) {
        const char *line = text->lines->pdata[i];
        if (is_mark(line, "<!-- pgfold:", name)) {
            starts++;
            at = i;
        } else if (is_mark(line, "<!-- /pgfold:", name)) {
            ends++;
            end = i;
        }
    }
    if (starts == 0 && ends == 0)
        return true;
    if (starts != 1 || ends != 1 || end < at) {
        pgf_error_set(error, PGF_ERROR_REFUSED,
                      "Leave one pair of marks, or take all of them out: `pgfold docs` then makes a new one.",
                      "%s: the marks \"<!-- pgfold:%s -->\" and \"<!-- /pgfold:%s -->\" do not match (line %u)", file,
                      name, name, MAX(at, end) + 1);
        return false;
    }
    *ret_at = at;
    *ret_count = end - at + 1;
    return true;
}

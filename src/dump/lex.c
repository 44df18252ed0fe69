/*
 * Just enough of PostgreSQL's lexical rules to tell what is inside a quoted text or comment and what is not
 * ("SQL Syntax, Lexical Structure"), with standard_conforming_strings on. The text is UTF-8 or plain ASCII supersets:
 * no byte of a longer character looks like a quote.
 */
#include <string.h>

#include "dump/internal.h"

static bool is_name_char(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '$' || (guchar)c >= 0x80;
}

/* '...' and "...": a doubled quote goes on by itself, as a second quoted text right after the first. */
static const char *after_quoted(const char *at, const char *end, bool backslashes)
{
    char quote = *at;
    for (at++; at < end; at++) {
        if (backslashes && *at == '\\')
            at++;
        else if (*at == quote)
            return at + 1;
    }
    return NULL;
}

/* Is the ' at `at` that of E'...'? */
static bool has_escapes(const char *begin, const char *at)
{
    if (at == begin || (at[-1] != 'E' && at[-1] != 'e'))
        return false;
    return at - 1 == begin || !is_name_char(at[-2]);
}

/* In E'it''s' the second half is a quoted text that follows directly, and has escapes too. */
static const char *after_escape_string(const char *at, const char *end)
{
    do
        at = after_quoted(at, end, true);
    while (at != NULL && at < end && *at == '\'');
    return at;
}

/* $$...$$ and $tag$...$tag$; a lone $ (a parameter, $1) is a character. */
static const char *after_dollar(const char *begin, const char *at, const char *end)
{
    const char *tag_end = at + 1;
    if (at > begin && is_name_char(at[-1]))
        return at + 1;
    if (tag_end < end && g_ascii_isdigit(*tag_end))
        return at + 1;
    while (tag_end < end && *tag_end != '$' && is_name_char(*tag_end))
        tag_end++;
    if (tag_end == end || *tag_end != '$')
        return at + 1;
    gsize tag_length = (gsize)(tag_end + 1 - at);
    const char *close = memmem(tag_end + 1, (gsize)(end - tag_end - 1), at, tag_length);
    return close == NULL ? NULL : close + tag_length;
}

static const char *after_block_comment(const char *at, const char *end)
{
    int depth = 0;
    for (; at + 1 < end; at++) {
        if (at[0] == '/' && at[1] == '*')
            depth++;
        else if (at[0] == '*' && at[1] == '/')
            depth--;
        else
            continue;
        at++;
        if (depth == 0)
            return at + 1;
    }
    return NULL;
}

const char *dump_lex_token(const char *begin, const char *at, const char *end)
{
    char next = at + 1 < end ? at[1] : '\0';
    switch (*at) {
    case '\'':
        return has_escapes(begin, at) ? after_escape_string(at, end) : after_quoted(at, end, false);
    case '"':
        return after_quoted(at, end, false);
    case '$':
        return after_dollar(begin, at, end);
    case '-': {
        if (next != '-')
            return at + 1;
        const char *line_end = memchr(at, '\n', (gsize)(end - at));
        return line_end == NULL ? end : line_end;
    }
    case '/':
        return next == '*' ? after_block_comment(at, end) : at + 1;
    default:
        return at + 1;
    }
}

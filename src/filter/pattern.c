#include "filter/pattern.h"

#include <string.h>

/* What a quoted character must not mean in the server's regular expressions. */
static const char SPECIAL[] = "|*+?()[]{}.^$\\";

static void append_quoted(GString *to, char c)
{
    if (strchr(SPECIAL, c) != NULL)
        g_string_append_c(to, '\\');
    g_string_append_c(to, c);
}

static void append_plain(GString *to, const char *at)
{
    if (*at == '*')
        g_string_append(to, ".*");
    else if (*at == '?')
        g_string_append_c(to, '.');
    else if (*at == '$' || (at[0] == '[' && at[1] == ']')) /* a dollar is part of names; "[]" of those of arrays */
        g_string_append_printf(to, "\\%c", *at);
    else
        g_string_append_c(to, g_ascii_tolower(*at));
}

/* The regular expression of the part that starts at *at, which is left at the dot behind it, or at the end. */
static char *take_part(const char **at)
{
    GString *part = g_string_new("^(");
    bool quoted = false;
    for (; **at != '\0' && (quoted || **at != '.'); (*at)++) {
        if (**at == '"' && !(quoted && (*at)[1] == '"')) {
            quoted = !quoted;
            continue;
        }
        if (**at == '"')
            (*at)++;
        if (quoted)
            append_quoted(part, **at);
        else
            append_plain(part, *at);
    }
    g_string_append(part, ")$");
    return g_string_free(part, FALSE);
}

static bool is_empty(const char *part)
{
    return strcmp(part, "^()$") == 0;
}

bool filter_pattern_parse(const char *text, bool qualified, FilterPattern *ret_pattern, GError **error)
{
    const char *at = text;
    g_auto(FilterPattern) pattern = {.name = take_part(&at)};
    if (*at == '.' && qualified) {
        at++;
        pattern.schema = pattern.name;
        pattern.name = take_part(&at);
    }
    if (*at == '.') {
        pgf_error_set(error, PGF_ERROR_USAGE, "A name with a dot in it stands in double quotes.",
                      "the pattern %s has too many parts", text);
        return false;
    }
    if (is_empty(pattern.name) || (pattern.schema != NULL && is_empty(pattern.schema))) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Write * for any name.", "the pattern \"%s\" is empty, or a part of it",
                      text);
        return false;
    }
    *ret_pattern = (FilterPattern){.schema = g_steal_pointer(&pattern.schema), .name = g_steal_pointer(&pattern.name)};
    return true;
}

void filter_pattern_clear(FilterPattern *pattern)
{
    g_clear_pointer(&pattern->schema, g_free);
    g_clear_pointer(&pattern->name, g_free);
}

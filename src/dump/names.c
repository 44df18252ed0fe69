#include <string.h>

#include "dump/dump.h"

/* After these a statement about privileges and owners names roles. */
static const char *const BEFORE_ROLES[] = {"to", "from", "role", "user", "for", "by", "grant", "revoke", NULL};

static bool begins_word(char c)
{
    return g_ascii_isalpha(c) || c == '_' || (c & 0x80) != 0;
}

static const char *after_word(const char *at, const char *end)
{
    while (at < end && (begins_word(*at) || g_ascii_isdigit(*at) || *at == '$'))
        at++;
    return at;
}

/* As the server reads the token from at to after: a name (transfer full), or NULL. */
static char *name_of(const char *at, const char *after)
{
    if (begins_word(*at))
        return g_ascii_strdown(at, after - at);
    if (*at != '"' || after - at < 2)
        return NULL;
    GString *name = g_string_new_len(at + 1, after - at - 2);
    g_string_replace(name, "\"\"", "\"", 0);
    return g_string_free(name, FALSE);
}

/* A doubled quotation mark goes on by itself, as a second quoted text right after the first. */
static const char *after_token(const char *sql, const char *at, const char *end)
{
    if (begins_word(*at))
        return after_word(at, end);
    const char *after = dump_lex_token(sql, at, end);
    while (*at == '"' && after != NULL && after < end && *after == '"')
        after = dump_lex_token(sql, after, end);
    return after;
}

bool dump_names_role(const char *sql, const char *role)
{
    const char *end = sql + strlen(sql), *after = NULL;
    bool expected = false, in_list = false;
    for (const char *at = sql; at < end; at = after) {
        after = after_token(sql, at, end);
        if (after == NULL) /* does not end: nobody can tell */
            return true;
        bool comment = after - at > 1 && (*at == '-' || *at == '/');
        if (g_ascii_isspace(*at) || comment)
            continue;
        g_autofree char *name = name_of(at, after);
        if (name != NULL && expected && strcmp(name, role) == 0)
            return true;
        bool keyword = name != NULL && *at != '"' && g_strv_contains(BEFORE_ROLES, name);
        bool next_of_list = *at == ',' && in_list;
        in_list = name != NULL && expected && !keyword;
        expected = keyword || next_of_list;
    }
    return false;
}

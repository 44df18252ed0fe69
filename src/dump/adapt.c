/* Entries as another server can take them: without its tablespaces, and without passwords. */
#include <string.h>

#include "dump/internal.h"

static const char SET_TABLESPACE[] = "SET default_tablespace = ";
static const char DEFAULT_TABLESPACE[] = "SET default_tablespace = ''";

/* After a name or a quoted text at `at`, doubled quotes included; NULL where it does not end. */
static const char *after_quoted(const char *begin, const char *at, const char *end)
{
    char quote = *at;
    const char *after = dump_lex_token(begin, at, end);
    while (after != NULL && after < end && *after == quote)
        after = dump_lex_token(begin, after, end);
    return after;
}

/* The first ; or , or ) outside quotes; end where there is none. */
static const char *find_end(const char *begin, const char *at, const char *end)
{
    while (at != NULL && at < end && strchr(";,)", *at) == NULL)
        at = dump_lex_token(begin, at, end);
    return at == NULL ? end : at;
}

/* Transfer full. */
static char *unquoted(const char *from, const char *to)
{
    if (*from != '"')
        return g_strndup(from, (gsize)(to - from));
    GString *name = g_string_new_len(from + 1, to - from - 2);
    g_string_replace(name, "\"\"", "\"", 0);
    return g_string_free(name, FALSE);
}

char *dump_entry_tablespace(const DumpEntry *entry)
{
    if (!g_str_has_prefix(entry->sql, SET_TABLESPACE))
        return NULL;
    const char *from = entry->sql + strlen(SET_TABLESPACE);
    const char *to = find_end(entry->sql, from, entry->sql + strlen(entry->sql));
    return *from == '\'' || to - from < (*from == '"' ? 3 : 1) ? NULL : unquoted(from, to);
}

void dump_entry_use_default_tablespace(DumpEntry *entry)
{
    if (!g_str_has_prefix(entry->sql, SET_TABLESPACE))
        return;
    const char *from = entry->sql + strlen(SET_TABLESPACE);
    char *sql = g_strconcat(DEFAULT_TABLESPACE, find_end(entry->sql, from, entry->sql + strlen(entry->sql)), NULL);
    g_free(entry->sql);
    entry->sql = sql;
}

/* "password 'x'" and "\"sslPassword\" 'x'", but not "password_required 'false'". */
static bool is_password(const char *from, const char *to)
{
    const char *name_end = *from == '"' ? after_quoted(from, from, to) : from;
    while (*from != '"' && name_end < to && !g_ascii_isspace(*name_end))
        name_end++;
    g_autofree char *name = name_end == NULL ? g_strdup("") : unquoted(from, name_end);
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return g_str_has_suffix(lower, "password");
}

/* The options from `at` to the closing bracket, without passwords. Transfer full. */
static char *other_options(const char *sql, const char *at, const char *end, const char **ret_after, bool *ret_found)
{
    GString *kept = g_string_new(NULL);
    *ret_found = false;
    while (at < end && *at != ')') {
        while (at < end && g_ascii_isspace(*at))
            at++;
        const char *to = find_end(sql, at, end);
        g_autofree char *option = g_strchomp(g_strndup(at, (gsize)(to - at)));
        if (is_password(at, at + strlen(option)))
            *ret_found = true;
        else
            g_string_append_printf(kept, "%s    %s", kept->len > 0 ? ",\n" : "", option);
        at = to < end && *to == ',' ? to + 1 : to;
    }
    *ret_after = at;
    return g_string_free(kept, FALSE);
}

void dump_entry_drop_password(DumpEntry *entry)
{
    static const char OPTIONS[] = " OPTIONS (";
    const char *end = entry->sql + strlen(entry->sql), *at = entry->sql;
    while (at != NULL && at < end && !g_str_has_prefix(at, OPTIONS))
        at = *at == '"' ? after_quoted(entry->sql, at, end) : dump_lex_token(entry->sql, at, end);
    if (at == NULL || at >= end)
        return;
    const char *after = NULL;
    g_autofree char *kept = other_options(entry->sql, at + strlen(OPTIONS), end, &after, &entry->without_password);
    if (!entry->without_password)
        return;
    bool none = *kept == '\0';
    if (none && after < end)
        after++; /* its bracket goes too */
    char *sql = g_strdup_printf("%.*s%s%s%s%s", (int)(at - entry->sql), entry->sql, none ? "" : " OPTIONS (\n", kept,
                                none ? "" : "\n", after);
    g_free(entry->sql);
    entry->sql = sql;
}

#include <string.h>

#include "pg/conn.h"

/* After these a statement about privileges and owners names roles. */
static const char *const BEFORE_ROLES[] = {"to", "from", "role", "user", "for", "by", "grant", "revoke", NULL};

/* What follows *at: an identifier as the server reads it (transfer full), or NULL: *at is one character further, or
 * behind a literal. *ret_plain: without quotation marks, so that it may be a keyword. */
static char *take_identifier(const char **at, bool *ret_plain)
{
    const char *start = *at;
    *ret_plain = g_ascii_isalpha(*start) || *start == '_' || (*start & 0x80) != 0;
    if (*ret_plain) {
        while (g_ascii_isalnum(**at) || **at == '_' || **at == '$' || (**at & 0x80) != 0)
            (*at)++;
        g_autofree char *word = g_strndup(start, (gsize)(*at - start));
        return g_ascii_strdown(word, -1);
    }
    char quote = *start;
    (*at)++;
    if (quote != '"' && quote != '\'')
        return NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    for (; **at != '\0'; (*at)++) {
        if (**at == quote && (*at)[1] != quote)
            break;
        if (**at == quote)
            (*at)++;
        g_string_append_c(text, **at);
    }
    if (**at == quote)
        (*at)++;
    return quote == '"' ? g_strdup(text->str) : NULL;
}

bool pg_sql_names_role(const char *sql, const char *role)
{
    bool expected = false, in_list = false;
    for (const char *at = sql; *at != '\0';) {
        if (g_ascii_isspace(*at)) {
            at++;
            continue;
        }
        bool plain = false, comma = *at == ',';
        g_autofree char *word = take_identifier(&at, &plain);
        if (word != NULL && expected && strcmp(word, role) == 0)
            return true;
        bool keyword = word != NULL && plain && g_strv_contains(BEFORE_ROLES, word);
        bool next_of_list = comma && in_list;
        in_list = word != NULL && expected && !keyword;
        expected = keyword || next_of_list;
    }
    return false;
}

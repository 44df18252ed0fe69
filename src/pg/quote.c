#include <string.h>

#include "pg/conn.h"

/*
 * Identifiers are always quoted. The client encoding is UTF8 on every connection of ours, in which no byte of a
 * multi-byte character can be taken for a quote, so doubling quotes is enough and needs no connection
 * (PQescapeIdentifier would, and threads share none).
 */
static char *quoted(const char *text, char quote)
{
    GString *out = g_string_sized_new(strlen(text) + 2);
    g_string_append_c(out, quote);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == quote)
            g_string_append_c(out, quote);
        g_string_append_c(out, *c);
    }
    g_string_append_c(out, quote);
    return g_string_free(out, FALSE);
}

char *pg_quote_ident(const char *name)
{
    return quoted(name, '"');
}

char *pg_quote_qualified(const char *schema, const char *name)
{
    g_autofree char *quoted_schema = pg_quote_ident(schema);
    g_autofree char *quoted_name = pg_quote_ident(name);
    return g_strconcat(quoted_schema, ".", quoted_name, NULL);
}

char *pg_quote_literal(const char *text)
{
    return quoted(text, '\'');
}

char *pg_array_literal(const GPtrArray *texts)
{
    GString *literal = g_string_new("{");
    for (guint i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        g_string_append(literal, i > 0 ? "," : "");
        if (text == NULL) {
            g_string_append(literal, "NULL");
            continue;
        }
        g_string_append_c(literal, '"');
        for (const char *c = text; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                g_string_append_c(literal, '\\');
            g_string_append_c(literal, *c);
        }
        g_string_append_c(literal, '"');
    }
    g_string_append_c(literal, '}');
    return g_string_free(literal, FALSE);
}

char *pg_display_ident(const char *name)
{
    bool plain = g_ascii_islower(name[0]) || name[0] == '_';
    for (const char *c = name; *c != '\0'; c++)
        plain = plain && (g_ascii_islower(*c) || g_ascii_isdigit(*c) || *c == '_');
    return plain ? g_strdup(name) : pg_quote_ident(name);
}

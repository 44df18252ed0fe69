#include "scan/worth.h"

#include <string.h>

#include "scan/connection.h"

#define LITERAL_MAX 4200 /* bytes: no longer one is a connection string (connection.c) */

static bool has(const char *text, gsize length, const char *word)
{
    return memmem(text, length, word, strlen(word)) != NULL;
}

static bool is_host(const Source *source, const char *text, gsize length)
{
    while (length > 0 && strchr("\"'`rRbBuUfF@$(:", *text) != NULL && *text != '\0') {
        text++;
        length--;
    }
    gsize end = 0;
    while (end < length && (g_ascii_isalnum(text[end]) || (text[end] != '\0' && strchr("._-/", text[end]) != NULL)))
        end++;
    if (end == 0)
        return length > 2 && (g_str_has_prefix(text, "::1") || g_str_has_prefix(text, "[::"));
    g_autofree char *host = g_strndup(text, end);
    if (host_is_local(host))
        return true;
    char *slash = strchr(host, '/');
    if (slash != NULL)
        *slash = '\0';
    if (host_is_local(host))
        return true;
    for (guint i = 0; source->hosts != NULL && i < source->hosts->len; i++)
        if (strcmp(source->hosts->pdata[i], host) == 0)
            return true;
    return false;
}

/* A literal that is a connection string, a host, or holds a placeholder. */
static bool literal_matters(const Source *source, guint start, guint end)
{
    const char *text = source->text + start;
    gsize length = end - start;
    if (memchr(text, '\n', length) != NULL && (has(text, length, "localhost") || has(text, length, "127.0.0.")))
        return true; /* it may be the text of a file (embed.h) */
    if (length < 3 || length > LITERAL_MAX)
        return false;
    if (is_host(source, text, length) || has(text, length, "dbname") || has(text, length, "ost=") ||
        (length < 20 && (has(text, length, "psql") || has(text, length, "pg_"))))
        return true;
    if (*source->language->placeholders != NULL && (has(text, length, "${") || has(text, length, "efault:")))
        return true;
    g_auto(Connection) connection = connection_find(text, length, 0);
    return connection.form != CONNECTION_NONE;
}

/* A password beside a host that is not local: neither of the two is a literal that stands out. */
static bool may_hold_password(const Source *source)
{
    const char *text = source->text;
    gsize length = source->length;
    return (has(text, length, "assword") || has(text, length, "ASSWORD")) &&
           (has(text, length, "ostgre") || has(text, length, "psycopg") || has(text, length, "asyncpg") ||
            has(text, length, "'pg'") || has(text, length, "\"pg\"") || has(text, length, "5432"));
}

bool worth_reading(const Facts *facts)
{
    const Source *source = facts->source;
    if (source->language->data || source->language->words || may_hold_password(source))
        return true;
    for (guint i = 0; i < facts->all->len; i++) {
        const Fact *fact = &g_array_index(facts->all, Fact, i);
        if ((fact->kind == FACT_STRING || fact->kind == FACT_CONCAT) &&
            literal_matters(source, ts_node_start_byte(fact->node), ts_node_end_byte(fact->node)))
            return true;
    }
    return false;
}

/* --- the same of the text, before it is parsed: never false where worth_reading() is true --- */

/* Somewhere stands word where a literal that is a host may begin; also: what else may stand in front of it. */
static bool may_begin(const char *text, const char *word, const char *also)
{
    for (const char *at = text; (at = strcasestr(at, word)) != NULL; at++)
        if (at > text && (strchr("\"'`rRbBuUfF@$(:", at[-1]) != NULL || strchr(also, at[-1]) != NULL))
            return true;
    return false;
}

/* "/var/run/postgresql" */
static bool may_be_socket(const char *text)
{
    for (const char *at = text; (at = strcasestr(at, "postgres")) != NULL; at++) {
        const char *start = at;
        while (start > text && (g_ascii_isalnum(start[-1]) || strchr("._-/", start[-1]) != NULL))
            start--;
        if (*start == '/')
            return true;
    }
    return may_begin(text, "/tmp", "") || may_begin(text, "/run", "");
}

static bool may_be_host(const Source *source)
{
    static const char *const WORDS[] = {"127.", "::1", "[::", "0.0.0.0", "host.", "docker.for", "ip6-", NULL};
    if (may_begin(source->text, "localhost", ".-") || may_be_socket(source->text))
        return true;
    for (guint i = 0; WORDS[i] != NULL; i++)
        if (may_begin(source->text, WORDS[i], ""))
            return true;
    for (guint i = 0; source->hosts != NULL && i < source->hosts->len; i++)
        if (may_begin(source->text, source->hosts->pdata[i], ""))
            return true;
    return false;
}

bool worth_parsing(const Source *source)
{
    const char *text = source->text;
    gsize length = source->length;
    const Language *language = source->language;
    if (language->data || language->words || strlen(text) != length || may_hold_password(source) ||
        may_be_host(source) || has(text, length, "dbname") || has(text, length, "ost=") || has(text, length, "psql") ||
        has(text, length, "pg_") ||
        (*language->placeholders != NULL && (has(text, length, "${") || has(text, length, "efault:"))))
        return true;
    g_auto(Connection) connection = connection_find(text, length, 0);
    return connection.form != CONNECTION_NONE;
}

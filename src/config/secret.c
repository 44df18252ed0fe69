#include "config/secret.h"

#include <stdbool.h>
#include <string.h>

#include "base/route.h"
#include "base/wipe.h"

static bool is_secret_word(const char *word)
{
    return strcmp(word, "password") == 0 || strcmp(word, "sslpassword") == 0;
}

static void add_secret(GPtrArray *secrets, char *value)
{
    if (*value == '\0')
        config_wipe(value);
    else
        g_ptr_array_add(secrets, value);
}

static void add_encoded(GPtrArray *secrets, const char *start, const char *end)
{
    g_autofree char *raw = g_strndup(start, (gsize)(end - start));
    char *decoded = g_uri_unescape_string(raw, NULL);
    bool same = decoded == NULL || strcmp(decoded, raw) == 0;
    if (same)
        config_wipe(decoded);
    else
        add_secret(secrets, decoded);
    add_secret(secrets, g_steal_pointer(&raw));
}

/* ?key=value&key=value */
static void scan_query(const char *query, GPtrArray *secrets)
{
    g_auto(WipedStrv) pairs = g_strsplit(query, "&", -1);
    for (guint i = 0; pairs[i] != NULL; i++) {
        char *equals = strchr(pairs[i], '=');
        if (equals == NULL)
            continue;
        g_autofree char *name = g_uri_unescape_segment(pairs[i], equals, NULL);
        if (name != NULL && is_secret_word(name))
            add_encoded(secrets, equals + 1, equals + strlen(equals));
    }
}

/* user:password@host, up to the last @: an @ inside of a password should be %40, and often is not. */
static void scan_uri(const char *url, GPtrArray *secrets)
{
    const char *start = strstr(url, "://") + 3;
    const char *query = strchr(start, '?');
    const char *end = query == NULL ? start + strlen(start) : query;
    const char *slash = memchr(start, '/', (gsize)(end - start));
    const char *at = g_strrstr_len(start, (slash == NULL ? end : slash) - start, "@");
    if (at == NULL) /* a / in the password ends the part before it too early */
        at = g_strrstr_len(start, end - start, "@");
    const char *colon = at == NULL ? NULL : memchr(start, ':', (gsize)(at - start));
    if (colon != NULL)
        add_encoded(secrets, colon + 1, at);
    if (query != NULL)
        scan_query(query + 1, secrets);
}

/* A value of the keyword form, at *at: 'quoted \' text' or up to a space. */
static char *take_value(const char **at)
{
    GString *value = g_string_new(NULL);
    bool quoted = **at == '\'';
    if (quoted)
        (*at)++;
    while (**at != '\0' && (quoted ? **at != '\'' : !g_ascii_isspace(**at))) {
        if (**at == '\\' && (*at)[1] != '\0')
            (*at)++;
        g_string_append_c(value, **at);
        (*at)++;
    }
    if (quoted && **at == '\'')
        (*at)++;
    return g_string_free(value, FALSE);
}

static const char *skip_spaces(const char *at)
{
    while (g_ascii_isspace(*at))
        at++;
    return at;
}

/* name = value name='value' */
static void scan_keywords(const char *url, GPtrArray *secrets)
{
    const char *at = skip_spaces(url);
    while (*at != '\0') {
        const char *start = at;
        while (*at != '\0' && *at != '=' && !g_ascii_isspace(*at))
            at++;
        g_autofree char *name = g_strndup(start, (gsize)(at - start));
        at = skip_spaces(at);
        if (*at != '=')
            continue;
        at = skip_spaces(at + 1);
        const char *written = at;
        char *value = take_value(&at);
        if (!is_secret_word(name)) {
            config_wipe(value);
            continue;
        }
        char *raw = g_strndup(written, (gsize)(at - written));
        bool same = strcmp(raw, value) == 0;
        add_secret(secrets, value);
        if (same)
            config_wipe(raw);
        else
            add_secret(secrets, raw);
        at = skip_spaces(at);
    }
}

char **config_secrets(const char *url)
{
    GPtrArray *secrets = g_ptr_array_new();
    url = route_url(url);
    if (strstr(url, "://") != NULL)
        scan_uri(url, secrets);
    else
        scan_keywords(url, secrets);
    g_ptr_array_add(secrets, NULL);
    return (char **)g_ptr_array_free(secrets, FALSE);
}

void config_wipe(char *text)
{
    wipe_free(text);
}

void config_secrets_free(char **secrets)
{
    wipe_strv_free(secrets);
}

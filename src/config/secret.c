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

/* Where the parts of a URI are. colon and at: around its password; both NULL where there is none. */
typedef struct UriPlaces {
    const char *colon, *at, *query;
} UriPlaces;

/* user:password@host, up to the last @: an @ inside of a password should be %40, and often is not. A ? in it is as good
 * as any other character. */
static UriPlaces find_places(const char *url)
{
    const char *start = strstr(url, "://") + 3;
    const char *slash = strchr(start, '/');
    gssize before_path = slash == NULL ? (gssize)strlen(start) : slash - start;
    const char *at = g_strrstr_len(start, before_path, "@");
    const char *query = strchr(at == NULL ? start : at, '?');
    if (at == NULL) /* a / in the password ends the part before it too early */
        at = g_strrstr_len(start, query == NULL ? (gssize)strlen(start) : query - start, "@");
    const char *colon = at == NULL ? NULL : memchr(start, ':', (gsize)(at - start));
    return (UriPlaces){.colon = colon, .at = colon == NULL ? NULL : at, .query = query};
}

static void scan_uri(const char *url, GPtrArray *secrets)
{
    UriPlaces places = find_places(url);
    if (places.colon != NULL)
        add_encoded(secrets, places.colon + 1, places.at);
    if (places.query != NULL)
        scan_query(places.query + 1, secrets);
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

/* ?key=value&key=value without those that are secret; nothing where no other is left. */
static void append_query(GString *text, const char *query)
{
    g_auto(WipedStrv) pairs = g_strsplit(query + 1, "&", -1);
    char join = '?';
    for (guint i = 0; pairs[i] != NULL; i++) {
        const char *equals = strchr(pairs[i], '=');
        g_autofree char *name = equals == NULL ? NULL : g_uri_unescape_segment(pairs[i], equals, NULL);
        if (name != NULL && is_secret_word(name))
            continue;
        g_string_append_printf(text, "%c%s", join, pairs[i]);
        join = '&';
    }
}

static void append_uri(GString *text, const char *url)
{
    UriPlaces places = find_places(url);
    const char *end = places.query == NULL ? url + strlen(url) : places.query;
    const char *rest = places.at == NULL ? url : places.at;
    if (places.colon != NULL)
        g_string_append_len(text, url, places.colon - url);
    g_string_append_len(text, rest, end - rest);
    if (places.query != NULL)
        append_query(text, places.query);
}

static void append_keywords(GString *text, const char *url)
{
    const char *at = skip_spaces(url);
    while (*at != '\0') {
        const char *start = at;
        while (*at != '\0' && *at != '=' && !g_ascii_isspace(*at))
            at++;
        g_autofree char *name = g_strndup(start, (gsize)(at - start));
        const char *end = at;
        at = skip_spaces(at);
        if (*at == '=') {
            at = skip_spaces(at + 1);
            config_wipe(take_value(&at));
            end = at;
            at = skip_spaces(at);
        }
        if (is_secret_word(name))
            continue;
        if (text->len > 0)
            g_string_append_c(text, ' ');
        g_string_append_len(text, start, end - start);
    }
}

char *config_without_secrets(const char *url)
{
    GString *text = g_string_new(NULL);
    if (strstr(url, "://") != NULL)
        append_uri(text, url);
    else
        append_keywords(text, url);
    return g_string_free(text, FALSE);
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

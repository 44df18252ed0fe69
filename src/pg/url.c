#include "pg/url.h"

#include <string.h>

#include "pg/internal.h"

static void wipe(gpointer text)
{
    explicit_bzero(text, strlen(text));
    g_free(text);
}

GHashTable *pg_url_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
}

GHashTable *pg_url_parse(const char *url)
{
    bool is_string = strstr(url, "://") != NULL || strchr(url, '=') != NULL;
    PQconninfoOption *options = is_string ? PQconninfoParse(url, NULL) : NULL;
    if (options == NULL)
        return NULL;
    GHashTable *parts = pg_url_new();
    for (PQconninfoOption *o = options; o->keyword != NULL; o++)
        pg_url_set(parts, o->keyword, o->val);
    PQconninfoFree(options);
    return parts;
}

void pg_url_set(GHashTable *parts, const char *keyword, const char *value)
{
    if (value == NULL || *value == '\0')
        g_hash_table_remove(parts, keyword);
    else
        g_hash_table_replace(parts, g_strdup(keyword), g_strdup(value));
}

const char *pg_url_get(GHashTable *parts, const char *keyword)
{
    return g_hash_table_lookup(parts, keyword);
}

/* As libpq declares it. */
static bool ask_libpq(const char *keyword, bool *ret_secret)
{
    bool known = false;
    PQconninfoOption *options = PQconndefaults();
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL && !known; o++) {
        known = g_str_equal(o->keyword, keyword);
        *ret_secret = known && o->dispchar[0] == '*';
    }
    PQconninfoFree(options);
    return known;
}

bool pg_url_keyword_is_secret(const char *keyword)
{
    bool secret = false;
    return ask_libpq(keyword, &secret) && secret;
}

bool pg_url_keyword_is_known(const char *keyword)
{
    bool secret = false;
    return ask_libpq(keyword, &secret);
}

bool pg_url_has_secret(GHashTable *parts)
{
    GHashTableIter iter;
    gpointer keyword = NULL;
    g_hash_table_iter_init(&iter, parts);
    while (g_hash_table_iter_next(&iter, &keyword, NULL))
        if (pg_url_keyword_is_secret(keyword))
            return true;
    return false;
}

static void append_escaped(GString *url, const char *text, const char *allowed)
{
    g_string_append_uri_escaped(url, text, allowed, FALSE);
}

/* In the authority a host stands as it is; folders of sockets, IPv6 addresses and lists of hosts go behind the "?". */
static bool host_is_plain(const char *host)
{
    return host != NULL && strpbrk(host, "/@,:%") == NULL;
}

static void append_authority(GString *url, GHashTable *parts, bool with_secrets)
{
    const char *user = pg_url_get(parts, "user");
    const char *password = with_secrets ? pg_url_get(parts, "password") : NULL;
    const char *host = pg_url_get(parts, "host");
    const char *port = pg_url_get(parts, "port");
    if (user != NULL)
        append_escaped(url, user, NULL);
    if (password != NULL) {
        g_string_append_c(url, ':');
        append_escaped(url, password, NULL);
    }
    if (user != NULL || password != NULL)
        g_string_append_c(url, '@');
    if (!host_is_plain(host))
        return;
    append_escaped(url, host, NULL);
    if (port != NULL)
        g_string_append_printf(url, ":%s", port);
}

static bool stands_before(const char *keyword, bool plain_host)
{
    static const char *const ALWAYS[] = {"user", "password", "dbname", NULL};
    return g_strv_contains(ALWAYS, keyword) ||
           (plain_host && (g_str_equal(keyword, "host") || g_str_equal(keyword, "port")));
}

static int compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

char *pg_url_format(GHashTable *parts, bool with_secrets)
{
    GString *url = g_string_new("postgresql://");
    append_authority(url, parts, with_secrets);
    g_string_append_c(url, '/');
    if (pg_url_get(parts, "dbname") != NULL)
        append_escaped(url, pg_url_get(parts, "dbname"), NULL);
    bool plain_host = host_is_plain(pg_url_get(parts, "host"));
    g_autoptr(GList) keywords = g_list_sort(g_hash_table_get_keys(parts), compare_text);
    char join = '?';
    for (GList *at = keywords; at != NULL; at = at->next) {
        if (stands_before(at->data, plain_host) || (!with_secrets && pg_url_keyword_is_secret(at->data)))
            continue;
        g_string_append_printf(url, "%c%s=", join, (const char *)at->data);
        append_escaped(url, pg_url_get(parts, at->data), "/:,");
        join = '&';
    }
    return g_string_free(url, FALSE);
}

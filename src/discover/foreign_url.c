/* Connection strings as other programs write them. */
#include <string.h>

#include "discover/internal.h"
#include "pg/url.h"

/* "postgresql+asyncpg://..." and "jdbc:postgresql://..." as "postgresql://..."; NULL where it is none of these. */
static char *plain_scheme(const char *text)
{
    if (g_str_has_prefix(text, "jdbc:"))
        text += strlen("jdbc:");
    const char *rest = strstr(text, "://");
    if (rest == NULL)
        return NULL;
    g_autofree char *scheme = g_strndup(text, (gsize)(rest - text));
    g_strdelimit(scheme, "+", '\0');
    static const char *const SCHEMES[] = {"postgres", "postgresql", "postgis", "psql", "pgsql", NULL};
    return g_strv_contains(SCHEMES, scheme) ? g_strconcat("postgresql", rest, NULL) : NULL;
}

/* url with the parameters that libpq knows, and no others. Transfer full. */
static char *known_parameters(const char *url)
{
    const char *query = strchr(url, '?');
    if (query == NULL)
        return g_strdup(url);
    GString *kept = g_string_new_len(url, query - url);
    g_auto(GStrv) parameters = g_strsplit(query + 1, "&", -1);
    char join = '?';
    for (guint i = 0; parameters[i] != NULL; i++) {
        const char *equals = strchr(parameters[i], '=');
        g_autofree char *name = equals == NULL ? NULL : g_strndup(parameters[i], (gsize)(equals - parameters[i]));
        if (name == NULL || !pg_url_keyword_is_known(name))
            continue;
        g_string_append_printf(kept, "%c%s", join, parameters[i]);
        join = '&';
    }
    return g_string_free(kept, FALSE);
}

GHashTable *foreign_url_parse(const char *text, bool *ret_exact)
{
    g_autofree char *plain = plain_scheme(text);
    if (plain == NULL)
        return NULL;
    GHashTable *parts = pg_url_parse(text);
    *ret_exact = parts != NULL;
    if (parts == NULL) {
        g_autofree char *url = known_parameters(plain);
        parts = pg_url_parse(url);
        explicit_bzero(url, strlen(url));
    }
    explicit_bzero(plain, strlen(plain));
    return parts;
}

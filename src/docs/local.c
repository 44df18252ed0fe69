/* Values that lead to a PostgreSQL of this machine, in the forms in which programs write them. */
#include <string.h>

#include "docs/internal.h"

/* The service of a compose file, by whose name other services of it reach the database. */
static bool is_service_of_source(const Config *config, const char *host)
{
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = config->sources->pdata[i];
        const char *hash = source->compose == NULL ? NULL : strrchr(source->compose, '#');
        if (hash != NULL && strcmp(hash + 1, host) == 0)
            return true;
    }
    return false;
}

bool docs_host_is_local(const Config *config, const char *host)
{
    static const char *const NAMES[] = {"localhost",
                                        "::1",
                                        "[::1]",
                                        "0.0.0.0",
                                        "::",
                                        "[::]",
                                        "host.docker.internal",
                                        "gateway.docker.internal",
                                        "localhost.localdomain",
                                        NULL};
    g_autofree char *name = g_ascii_strdown(host, -1);
    char *port = *name == '[' ? strstr(name, "]:") : strchr(name, ':') == strrchr(name, ':') ? strchr(name, ':') : NULL;
    if (port != NULL && *name != '/')
        port[*port == ']' ? 1 : 0] = '\0';
    return *name == '/' || g_str_has_prefix(name, "%2f") || g_str_has_prefix(name, "127.") ||
           g_str_has_suffix(name, ".localhost") || g_strv_contains(NAMES, name) || is_service_of_source(config, name);
}

/* Several may stand there, with commas between them. */
static bool has_local_host(const Config *config, const char *hosts)
{
    g_auto(GStrv) each = g_strsplit(hosts, ",", -1);
    for (guint i = 0; each[i] != NULL; i++) {
        if (docs_host_is_local(config, each[i]))
            return true;
    }
    return false;
}

/* What stands behind "://" where the scheme is one of PostgreSQL's; else NULL. */
static const char *behind_scheme(const char *value)
{
    static const char *const SCHEMES[] = {"postgres", "postgresql", "postgis", "psql", "pgsql", "pg", "ecto", NULL};
    if (g_ascii_strncasecmp(value, "jdbc:", strlen("jdbc:")) == 0)
        value += strlen("jdbc:");
    const char *rest = strstr(value, "://");
    if (rest == NULL)
        return NULL;
    g_autofree char *scheme = g_ascii_strdown(value, rest - value);
    g_strdelimit(scheme, "+", '\0');
    return g_strv_contains(SCHEMES, scheme) ? rest + strlen("://") : NULL;
}

/* The value of a parameter ?name=value, or NULL. Transfer full. */
static char *query_value(const char *rest, const char *name)
{
    const char *query = strchr(rest, '?');
    g_auto(GStrv) pairs = g_strsplit(query == NULL ? "" : query + 1, "&", -1);
    gsize length = strlen(name);
    for (guint i = 0; pairs[i] != NULL; i++) {
        if (strncmp(pairs[i], name, length) == 0 && pairs[i][length] == '=')
            return g_strdup(pairs[i] + length + 1);
    }
    return NULL;
}

static bool url_is_local(const Config *config, const char *rest)
{
    g_autofree char *authority = g_strndup(rest, strcspn(rest, "/?#"));
    const char *at = strrchr(authority, '@');
    const char *hosts = at == NULL ? authority : at + 1;
    g_autofree char *elsewhere = query_value(rest, "host"), *address = query_value(rest, "hostaddr");
    if (address != NULL)
        return has_local_host(config, address);
    if (*hosts == '\0' || *hosts == ':') /* libpq's own socket, where nothing else is said */
        return elsewhere == NULL || has_local_host(config, elsewhere);
    return has_local_host(config, hosts);
}

/* host=... dbname=..., and Host=...;Database=... of ADO.NET. *ret_database: it names one. Transfer full. */
static char *keyword_host(const char *value, bool *ret_database)
{
    static const char *const HOSTS[] = {"host", "hostaddr", "server", NULL};
    static const char *const DATABASES[] = {"dbname", "database", NULL};
    char *host = NULL;
    g_auto(GStrv) words = g_strsplit_set(value, "; \t", -1);
    *ret_database = false;
    for (guint i = 0; words[i] != NULL; i++) {
        char *equals = strchr(words[i], '=');
        g_autofree char *name = equals == NULL ? NULL : g_ascii_strdown(words[i], equals - words[i]);
        if (name == NULL)
            continue;
        *ret_database = *ret_database || g_strv_contains(DATABASES, name);
        if (host == NULL && g_strv_contains(HOSTS, name))
            host = g_strdup(g_strdelimit(equals + 1, "'\"", ' '));
    }
    return host == NULL ? NULL : g_strstrip(host);
}

bool docs_value_is_postgres(const char *value)
{
    bool database = false;
    g_autofree char *host = strstr(value, "://") != NULL ? NULL : keyword_host(value, &database);
    return behind_scheme(value) != NULL || (host != NULL && database);
}

bool docs_value_is_local(const Config *config, const char *value)
{
    const char *rest = behind_scheme(value);
    if (rest != NULL)
        return url_is_local(config, rest);
    if (strstr(value, "://") != NULL)
        return false;
    bool database = false;
    g_autofree char *host = keyword_host(value, &database);
    return host != NULL ? has_local_host(config, host) : database;
}

/* Values that lead to a PostgreSQL of this machine, in the forms in which programs write them (scan/connection.h). */
#include <string.h>

#include "docs/internal.h"
#include "scan/connection.h"

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

/* A host, or "host:port", or several with commas between them. */
bool docs_host_is_local(const Config *config, const char *host)
{
    g_auto(GStrv) each = g_strsplit(host, ",", -1);
    for (guint i = 0; each[i] != NULL; i++) {
        char *name = each[i];
        char *port = *name == '['                              ? strstr(name, "]:")
                     : strchr(name, ':') == strrchr(name, ':') ? strchr(name, ':')
                                                               : NULL;
        if (port != NULL && *name != '/')
            port[*port == ']' ? 1 : 0] = '\0';
        if (*name == '/' || host_is_local(name) || is_service_of_source(config, name))
            return true;
    }
    return false;
}

static Connection parse(const char *value)
{
    return connection_parse(value, strlen(value));
}

bool docs_value_is_postgres(const char *value)
{
    g_auto(Connection) connection = parse(value);
    return connection.form == CONNECTION_URI || (connection.form != CONNECTION_NONE && connection.host != NULL);
}

/* Without a host it is libpq's own socket. */
bool docs_value_is_local(const Config *config, const char *value)
{
    g_auto(Connection) connection = parse(value);
    return connection.form != CONNECTION_NONE &&
           (connection.host == NULL || docs_host_is_local(config, connection.host));
}

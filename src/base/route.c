#include "base/route.h"

#include <string.h>

#define MARK "\036ssh\037"

char *route_wrap(const char *host, const char *config, const char *compression, const char *url)
{
    return g_strjoin("\037", MARK, host, config == NULL ? "" : config, compression, url, NULL);
}

bool route_is(const char *text)
{
    return g_str_has_prefix(text, MARK);
}

const char *route_url(const char *text)
{
    return route_is(text) ? strrchr(text, '\037') + 1 : text;
}

bool route_parse(const char *text, Route *ret_route)
{
    *ret_route = (Route){0};
    if (!route_is(text))
        return false;
    g_auto(GStrv) parts = g_strsplit(text + strlen(MARK), "\037", 5); /* the first is empty */
    if (g_strv_length(parts) == 5) {
        ret_route->host = g_strdup(parts[1]);
        ret_route->config = *parts[2] == '\0' ? NULL : g_strdup(parts[2]);
        ret_route->compression = g_strdup(parts[3]);
        ret_route->url = g_strdup(parts[4]);
        explicit_bzero(parts[4], strlen(parts[4]));
    }
    return ret_route->url != NULL;
}

void route_clear(Route *route)
{
    g_clear_pointer(&route->host, g_free);
    g_clear_pointer(&route->config, g_free);
    g_clear_pointer(&route->compression, g_free);
    if (route->url != NULL)
        explicit_bzero(route->url, strlen(route->url));
    g_clear_pointer(&route->url, g_free);
}

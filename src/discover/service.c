/* Service files of libpq: ~/.pg_service.conf and the one of the system. */
#include <string.h>

#include "discover/internal.h"
#include "pg/url.h"

static void add_service(GPtrArray *places, const char *service)
{
    for (guint i = 0; i < places->len; i++) {
        const Place *known = places->pdata[i];
        if (known->kind == PLACE_SERVICE && g_str_equal(pg_url_get(known->url, "service"), service))
            return; /* the person's own file goes before the system's */
    }
    Place *place = place_add(places, PLACE_SERVICE, g_strconcat("service ", service, NULL));
    pg_url_set(place->url, "service", service);
}

static void read_file(GPtrArray *places, const char *path)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);
        char *end = *line == '[' ? strchr(line, ']') : NULL;
        if (end != NULL && end > line + 1) {
            *end = '\0';
            add_service(places, line + 1);
        }
    }
    explicit_bzero(text, strlen(text));
}

void find_services(GPtrArray *places)
{
    const char *given = g_getenv("PGSERVICEFILE");
    const char *folder = g_getenv("PGSYSCONFDIR");
    g_autofree char *own = g_build_filename(g_get_home_dir(), ".pg_service.conf", NULL);
    g_autofree char *system =
        g_build_filename(folder == NULL ? "/etc/postgresql-common" : folder, "pg_service.conf", NULL);
    read_file(places, given == NULL ? own : given);
    read_file(places, system);
}

#include "discover/discover.h"

#include <string.h>

#include "base/error.h"
#include "discover/internal.h"
#include "pg/url.h"

Place *place_add(GPtrArray *places, PlaceKind kind, char *name_taken)
{
    Place *place = g_new0(Place, 1);
    place->kind = kind;
    place->name = name_taken;
    place->url = pg_url_new();
    g_ptr_array_add(places, place);
    return place;
}

void place_free(Place *place)
{
    g_free(place->name);
    g_free(place->file);
    g_hash_table_unref(place->url);
    g_free(place->variable);
    g_free(place->password_name);
    g_free(place->compose);
    g_free(place->container);
    g_free(place->engine);
    g_free(place->reason);
    g_free(place);
}

static void free_place(gpointer place)
{
    place_free(place);
}

static const char *service_of(const Place *place)
{
    return place->compose == NULL ? NULL : strrchr(place->compose, '#') + 1;
}

/* Inside a compose network a service is a host name: from here, the port that it publishes. */
static void translate_service_names(GPtrArray *places)
{
    for (guint i = 0; i < places->len; i++) {
        Place *place = places->pdata[i];
        const char *host = pg_url_get(place->url, "host");
        for (guint k = 0; host != NULL && place->kind == PLACE_ENV_FILE && k < places->len; k++) {
            const Place *service = places->pdata[k];
            if (g_strcmp0(service_of(service), host) != 0 || place_loopback(service) == NULL)
                continue;
            pg_url_set(place->url, "port", pg_url_get(service->url, "port"));
            pg_url_set(place->url, "host", "127.0.0.1");
            g_clear_pointer(&place->variable, g_free);
            break;
        }
    }
}

Discovery *discover(const char *folder, GError **error)
{
    g_autoptr(Discovery) discovery = g_new0(Discovery, 1);
    discovery->places = g_ptr_array_new_with_free_func(free_place);
    discovery->servers = g_ptr_array_new();
    discovery->remarks = g_ptr_array_new_with_free_func(g_free);
    discovery->candidates = NULL;
    g_auto(ProjectFiles) files = project_files(folder);
    find_environment(discovery->places);
    find_env_files(discovery->places, folder, files.env);
    find_services(discovery->places);
    find_compose(discovery, folder, files.compose);
    if (!find_containers(discovery, folder, error))
        return NULL;
    translate_service_names(discovery->places);
    find_sockets(discovery->places);
    if (!find_ports(discovery->places, error) || !ask_places(discovery, error))
        return NULL;
    list_candidates(discovery);
    return g_steal_pointer(&discovery);
}

/* A value of the environment or of a file that was found is written as its variable. */
static void recognise(const Discovery *discovery, Place *given)
{
    g_autofree char *url = pg_url_format(given->url, true);
    for (guint i = 0; i < discovery->places->len && given->variable == NULL; i++) {
        const Place *place = discovery->places->pdata[i];
        g_autofree char *other = place->variable == NULL ? NULL : pg_url_format(place->url, true);
        if (g_strcmp0(url, other) == 0)
            given->variable = g_strdup(place->variable);
        if (other != NULL)
            explicit_bzero(other, strlen(other));
    }
    explicit_bzero(url, strlen(url));
}

Candidate *discovery_add(Discovery *discovery, const char *label, const char *url, GError **error)
{
    bool exact = false;
    g_autoptr(GHashTable) parts = foreign_url_parse(url, &exact);
    if (parts == NULL && (parts = pg_url_parse(url)) == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE,
                      "Write a number of the list, a URI (postgresql://user@host/database) or keywords "
                      "(host=... dbname=...), as for psql.",
                      "%s: not a PostgreSQL connection string", label);
        return NULL;
    }
    Place *place = place_add(discovery->places, PLACE_GIVEN, g_strdup("given"));
    g_hash_table_unref(place->url);
    place->url = g_steal_pointer(&parts);
    recognise(discovery, place);
    if (!ask_places(discovery, error))
        return NULL;
    if (place->server == NULL) {
        pgf_error_set(error, PGF_ERROR_CONNECT, "Try the same connection with psql.", "%s: cannot connect: %s", label,
                      place->reason);
        return NULL;
    }
    const char *name = pg_url_get(place->url, "dbname");
    const char *user = pg_url_get(place->url, "user");
    name = name != NULL ? name : user != NULL ? user : g_get_user_name();
    for (guint i = 0; i < discovery->candidates->len; i++) {
        Candidate *candidate = discovery->candidates->pdata[i];
        if (candidate->server != place->server || !g_str_equal(candidate->name, name))
            continue;
        if (candidate_variable(candidate) == NULL || place->variable != NULL)
            candidate->place = place;
        return candidate;
    }
    pg_url_set(place->url, "dbname", name);
    return candidate_add(discovery, place->server, place, pg_url_get(place->url, "dbname"), -1);
}

/* Containers of docker and podman that run PostgreSQL; those that compose made belong to what its file says. */
#include <stdlib.h>
#include <string.h>

#include "discover/image.h"
#include "discover/internal.h"
#include "engine/engine.h"
#include "pg/url.h"

enum { LIST_MS = 1500 };

static bool is_of(const Container *container, const Place *place, const char *folder)
{
    if (place->compose == NULL || container->service == NULL ||
        !g_str_equal(strrchr(place->compose, '#') + 1, container->service))
        return false;
    g_autofree char *path = g_canonicalize_filename(place->file, folder);
    for (guint i = 0; i < container->files->len; i++) {
        g_autofree char *made_by = g_canonicalize_filename(container->files->pdata[i], folder);
        if (g_str_equal(made_by, path))
            return true;
    }
    return false;
}

static Place *place_of(GPtrArray *places, const Container *container, const char *folder)
{
    for (guint i = 0; i < places->len; i++)
        if (is_of(container, places->pdata[i], folder))
            return places->pdata[i];
    Place *place = place_add(places, PLACE_CONTAINER, g_strdup_printf("%s (%s)", container->name, container->engine));
    image_fill_url(place, container->environment);
    if (pg_url_get(place->url, "password") != NULL)
        place->password_name = g_strdup_printf("POSTGRES_PASSWORD of container %s", container->name);
    return place;
}

static void take(GPtrArray *places, const Container *container, const char *folder)
{
    Place *place = place_of(places, container, folder);
    int port = container_port(container, image_port(container->environment));
    g_free(place->container);
    g_free(place->engine);
    place->container = g_strdup(container->name);
    place->engine = g_strdup(container->engine);
    if (port > 0) {
        g_autofree char *number = g_strdup_printf("%d", port);
        pg_url_set(place->url, "host", "127.0.0.1");
        pg_url_set(place->url, "port", number);
    }
    g_clear_pointer(&place->reason, g_free);
    place->state = !container->running ? PLACE_STOPPED : port > 0 ? PLACE_UNASKED : PLACE_SILENT;
    if (place->state != PLACE_UNASKED)
        place->reason = g_strdup(container->running ? "it publishes no port on this machine" : "not running");
}

/* A compose service without a container, whose port another container has: whatever answers there is not the service.
 */
static void yield_ports(GPtrArray *places)
{
    for (guint i = 0; i < places->len; i++) {
        Place *place = places->pdata[i];
        const char *port = place_loopback(place);
        for (guint k = 0; place->compose != NULL && place->engine == NULL && port != NULL && k < places->len; k++) {
            const Place *other = places->pdata[k];
            if (other->engine == NULL || other->state == PLACE_STOPPED || g_strcmp0(place_loopback(other), port) != 0)
                continue;
            g_free(place->reason);
            place->state = PLACE_STOPPED;
            place->reason = g_strdup_printf("not running, and container %s has its port", other->container);
            break;
        }
    }
}

bool find_containers(Discovery *discovery, const char *folder, GError **error)
{
    bool complete = true;
    g_autoptr(GPtrArray) list = engine_list(NULL, deadline_in_ms(LIST_MS), &complete, discovery->remarks, error);
    if (list == NULL)
        return false;
    g_autofree char *here = g_canonicalize_filename(folder, NULL);
    for (guint i = 0; i < list->len; i++) {
        const Container *container = list->pdata[i];
        if (image_is_postgres(container->image, container->environment))
            take(discovery->places, container, here);
    }
    yield_ports(discovery->places);
    return true;
}

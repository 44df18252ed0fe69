/* What was found, as a numbered list of databases. */
#include <string.h>

#include "discover/internal.h"
#include "pg/url.h"

enum { EMPTY_BYTES = 1 << 20 }; /* by which empty databases may differ in size */

static void candidate_free(gpointer data)
{
    Candidate *candidate = data;
    g_ptr_array_unref(candidate->origins);
    g_free(candidate);
}

const char *place_loopback(const Place *place)
{
    static const char *const NAMES[] = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal", NULL};
    const char *host = pg_url_get(place->url, "host");
    const char *port = pg_url_get(place->url, "port");
    if (host == NULL || !g_strv_contains(NAMES, host))
        return NULL;
    return port == NULL ? "5432" : port;
}

static bool says_test(const char *text)
{
    g_autofree char *lower = text == NULL ? NULL : g_ascii_strdown(text, -1);
    return lower != NULL && strstr(lower, "test") != NULL && strstr(lower, "latest") == NULL;
}

/* A place that names no database leads to all of its server. */
static bool leads_to(const Place *place, const char *database)
{
    const char *own = pg_url_get(place->url, "dbname");
    return own == NULL || g_str_equal(own, database);
}

static bool is_named_by(const Place *place, const char *database)
{
    return g_strcmp0(pg_url_get(place->url, "dbname"), database) == 0;
}

static void take_origin(Candidate *candidate, const Place *place)
{
    g_ptr_array_add(candidate->origins, g_strdup(place->name));
    candidate->is_named = candidate->is_named || is_named_by(place, candidate->name);
    candidate->is_test =
        candidate->is_test || says_test(place->compose) || says_test(place->container) ||
        (is_named_by(place, candidate->name) && (says_test(place->file) || says_test(place->variable)));
}

Candidate *candidate_add(Discovery *discovery, Server *server, Place *place, const char *name, gint64 bytes)
{
    guint number = 0;
    for (guint i = 0; i < discovery->candidates->len; i++)
        number = MAX(number, ((const Candidate *)discovery->candidates->pdata[i])->number);
    Candidate *candidate = g_new0(Candidate, 1);
    candidate->number = *name == '\0' ? 0 : number + 1;
    candidate->server = server;
    candidate->place = place;
    candidate->name = name;
    candidate->bytes = bytes;
    candidate->is_test = says_test(name);
    candidate->origins = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; server != NULL && i < server->places->len; i++)
        if (leads_to(server->places->pdata[i], name))
            take_origin(candidate, server->places->pdata[i]);
    if (server == NULL)
        take_origin(candidate, place);
    g_ptr_array_add(discovery->candidates, candidate);
    return candidate;
}

/* How well a place serves as the way to a database: it names it in a variable, it names it, it needs no password. */
static int rate(const Place *place, const char *database)
{
    bool named = is_named_by(place, database);
    return (named && place->variable != NULL ? 4 : 0) + (named ? 2 : 0) + (place->used_password ? 0 : 1);
}

/* The best one, and of several the most trusted. */
static Place *best_place(const Server *server, const char *database)
{
    Place *best = server->places->pdata[0];
    for (guint i = 1; i < server->places->len; i++)
        if (rate(server->places->pdata[i], database) > rate(best, database))
            best = server->places->pdata[i];
    return best;
}

static bool is_named(const Server *server, const char *database)
{
    for (guint i = 0; i < server->places->len; i++)
        if (is_named_by(server->places->pdata[i], database))
            return true;
    return false;
}

/* Every cluster has a database "postgres" for its administrator, which nobody means while it is empty. */
static bool is_administrators(const Server *server, const FoundDatabase *database)
{
    gint64 smallest = G_MAXINT64;
    for (guint i = 0; i < server->databases->len; i++) {
        const FoundDatabase *other = server->databases->pdata[i];
        if (other != database && other->bytes >= 0)
            smallest = MIN(smallest, other->bytes);
    }
    return g_str_equal(database->name, "postgres") && smallest != G_MAXINT64 &&
           database->bytes < smallest + EMPTY_BYTES && !is_named(server, database->name);
}

static void add_server(Discovery *discovery, Server *server)
{
    for (guint i = 0; i < server->databases->len; i++) {
        const FoundDatabase *database = server->databases->pdata[i];
        if (is_administrators(server, database))
            continue;
        candidate_add(discovery, server, best_place(server, database->name), database->name, database->bytes);
    }
}

/* A bare port (or socket) that does not let us in says nothing where another place at that port does. */
static bool is_explained(const Discovery *discovery, const Place *bare)
{
    const char *port = place_loopback(bare);
    for (guint i = 0; port != NULL && bare->kind == PLACE_PORT && i < discovery->places->len; i++) {
        const Place *other = discovery->places->pdata[i];
        if (other != bare && g_strcmp0(place_loopback(other), port) == 0 && other->state != PLACE_STOPPED)
            return true;
    }
    return false;
}

static int compare_kinds(gconstpointer a, gconstpointer b)
{
    const Place *const *x = a;
    const Place *const *y = b;
    return (int)(*x)->kind - (int)(*y)->kind;
}

static int compare_servers(gconstpointer a, gconstpointer b)
{
    const Server *const *x = a;
    const Server *const *y = b;
    int kinds = compare_kinds(&(*x)->places->pdata[0], &(*y)->places->pdata[0]);
    return kinds != 0
               ? kinds
               : strcmp(((const Place *)(*x)->places->pdata[0])->name, ((const Place *)(*y)->places->pdata[0])->name);
}

void list_candidates(Discovery *discovery)
{
    discovery->candidates = g_ptr_array_new_with_free_func(candidate_free);
    for (guint i = 0; i < discovery->servers->len; i++)
        g_ptr_array_sort(((Server *)discovery->servers->pdata[i])->places, compare_kinds); /* GLib's sort is stable */
    g_ptr_array_sort(discovery->servers, compare_servers);
    for (guint i = 0; i < discovery->servers->len; i++)
        add_server(discovery, discovery->servers->pdata[i]);
    for (guint i = 0; i < discovery->places->len; i++) {
        Place *place = discovery->places->pdata[i];
        const char *name = pg_url_get(place->url, "dbname");
        if (place->server == NULL && !is_explained(discovery, place))
            candidate_add(discovery, NULL, place, name == NULL ? "" : name, -1);
    }
}

Candidate *discovery_candidate(const Discovery *discovery, guint number)
{
    for (guint i = 0; number > 0 && i < discovery->candidates->len; i++)
        if (((Candidate *)discovery->candidates->pdata[i])->number == number)
            return discovery->candidates->pdata[i];
    return NULL;
}

const char *candidate_variable(const Candidate *candidate)
{
    return is_named_by(candidate->place, candidate->name) ? candidate->place->variable : NULL;
}

char *candidate_url(const Candidate *candidate)
{
    g_autoptr(GHashTable) parts = pg_url_new();
    GHashTableIter iter;
    gpointer keyword = NULL, value = NULL;
    g_hash_table_iter_init(&iter, candidate->place->url);
    while (g_hash_table_iter_next(&iter, &keyword, &value))
        if (!pg_url_keyword_is_secret(keyword))
            pg_url_set(parts, keyword, value);
    pg_url_set(parts, "dbname", candidate->name);
    return pg_url_format(parts, false);
}

bool candidate_lacks_password(const Candidate *candidate)
{
    const Place *place = candidate->place;
    if (place->state == PLACE_REACHED && place_loopback(place) != NULL)
        return place->used_password;
    return pg_url_has_secret(place->url);
}

const Place *candidate_compose(const Candidate *candidate)
{
    if (candidate->server == NULL)
        return candidate->place->compose == NULL ? NULL : candidate->place;
    for (guint i = 0; i < candidate->server->places->len; i++) {
        const Place *place = candidate->server->places->pdata[i];
        if (place->compose != NULL)
            return place;
    }
    return NULL;
}

const Place *candidate_container(const Candidate *candidate)
{
    if (candidate->server == NULL)
        return candidate->place->container == NULL ? NULL : candidate->place;
    for (guint i = 0; i < candidate->server->places->len; i++) {
        const Place *place = candidate->server->places->pdata[i];
        if (place->container != NULL)
            return place;
    }
    return NULL;
}

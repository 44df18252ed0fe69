#include "tunnel/routes.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/route.h"

/* A tunnel that was asked for, open or not. */
typedef struct Entry {
    char *route;
    PgAddress address;
    Tunnel *tunnel;
    bool undecided; /* compression: auto, and nobody has measured yet */
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *entries;

static void entry_free(gpointer data)
{
    Entry *entry = data;
    tunnel_free(entry->tunnel);
    pg_address_clear(&entry->address);
    explicit_bzero(entry->route, strlen(entry->route));
    g_free(entry->route);
    g_free(entry);
}

static Entry *find(const char *route)
{
    for (guint i = 0; entries != NULL && i < entries->len; i++) {
        Entry *entry = entries->pdata[i];
        if (strcmp(entry->route, route) == 0)
            return entry;
    }
    return NULL;
}

static Entry *make(const char *label, const char *text, const Route *route, int port, GError **error)
{
    g_auto(PgAddress) address = {0};
    if (!pg_address_find(label, route->url, &address, error))
        return NULL;
    TunnelSpec spec = {.label = label,
                       .ssh_host = route->host,
                       .config = route->config,
                       .host = address.host,
                       .port = address.port,
                       .compress = strcmp(route->compression, "yes") == 0,
                       .loopback = address.demands_tls || port > 0,
                       .port_wish = port};
    g_autoptr(Tunnel) tunnel = tunnel_new(&spec, error);
    if (tunnel == NULL)
        return NULL;
    Entry *entry = g_new0(Entry, 1);
    entry->route = g_strdup(text);
    entry->tunnel = g_steal_pointer(&tunnel);
    entry->address = address;
    entry->undecided = strcmp(route->compression, "auto") == 0;
    address = (PgAddress){0};
    if (entries == NULL)
        entries = g_ptr_array_new_with_free_func(entry_free);
    g_ptr_array_add(entries, entry);
    return entry;
}

static bool is_main_thread(void)
{
    return getpid() == gettid();
}

static bool ensure_up(const char *label, const Entry *entry, GError **error)
{
    if (tunnel_is_up(entry->tunnel))
        return true;
    if (is_main_thread())
        return tunnel_start(entry->tunnel, error);
    pgf_error_set(error, PGF_ERROR_CONNECT, "Run the same command again.", "%s: the ssh tunnel to %s ended", label,
                  tunnel_server(entry->tunnel));
    return false;
}

static bool fill_way(const char *label, const Entry *entry, const Route *route, PgWay *ret_way, GError **error)
{
    const Tunnel *tunnel = entry->tunnel;
    int port = entry->address.demands_tls ? tunnel_loopback_port(tunnel) : 0;
    g_autofree char *loopback = g_strdup_printf("%d", port);
    ret_way->url =
        port > 0
            ? pg_url_redirect(label, route->url, entry->address.server_name, "127.0.0.1", loopback, error)
            : pg_url_redirect(label, route->url, tunnel_socket_folder(tunnel), NULL, tunnel_socket_port(tunnel), error);
    ret_way->socket = port > 0 ? NULL : g_strdup(tunnel_socket_path(tunnel));
    ret_way->server = g_strdup(tunnel_server(tunnel));
    return ret_way->url != NULL;
}

static bool open_locked(const char *label, const char *text, int port, PgWay *ret_way, GError **error)
{
    g_auto(Route) route = {0};
    if (!route_parse(text, &route)) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "%s: no route", label);
        return false;
    }
    Entry *entry = find(text);
    if (entry == NULL)
        entry = make(label, text, &route, port, error);
    return entry != NULL && ensure_up(label, entry, error) && fill_way(label, entry, &route, ret_way, error);
}

static bool open_route(const char *label, const char *text, Deadline deadline, PgWay *ret_way, GError **error)
{
    (void)deadline; /* that of the connection; a tunnel has its own */
    pthread_mutex_lock(&lock);
    bool ok = open_locked(label, text, 0, ret_way, error);
    pthread_mutex_unlock(&lock);
    return ok;
}

bool tunnel_route_open(const char *label, const char *route, int port, GError **error)
{
    g_auto(PgWay) way = {0};
    pthread_mutex_lock(&lock);
    bool ok = open_locked(label, route, port, &way, error);
    pthread_mutex_unlock(&lock);
    return ok;
}

Tunnel *tunnel_route_find(const char *route)
{
    const Entry *entry = find(route);
    return entry == NULL ? NULL : entry->tunnel;
}

bool tunnel_route_undecided(const char *route)
{
    pthread_mutex_lock(&lock);
    Entry *entry = find(route);
    bool undecided = entry != NULL && entry->undecided;
    if (entry != NULL)
        entry->undecided = false;
    pthread_mutex_unlock(&lock);
    return undecided;
}

bool tunnel_route_compress(const char *route, GError **error)
{
    pthread_mutex_lock(&lock);
    const Entry *entry = find(route);
    g_assert(entry != NULL);
    tunnel_set_compression(entry->tunnel, true);
    bool ok = tunnel_start(entry->tunnel, error);
    pthread_mutex_unlock(&lock);
    return ok;
}

static char *why(const char *text)
{
    pthread_mutex_lock(&lock);
    const Entry *entry = find(text);
    char *reason = entry == NULL ? NULL : tunnel_why(entry->tunnel);
    pthread_mutex_unlock(&lock);
    return reason;
}

void tunnel_routes_install(void)
{
    pg_route_install(&(PgRouter){.open = open_route, .why = why});
}

void tunnel_routes_close(void)
{
    pthread_mutex_lock(&lock);
    g_clear_pointer(&entries, g_ptr_array_unref);
    pthread_mutex_unlock(&lock);
}

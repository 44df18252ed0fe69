/*
 * Connections that go by way of an ssh host (base/route.h). The room `tunnel` opens the way; this one follows it, and
 * shows the server's own address wherever libpq would name a private socket.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"

/* How to reach a server now. */
typedef struct PgWay {
    char *url;    /* libpq's, leading to this end of the tunnel; may hold a password: wiped */
    char *socket; /* path of the socket that libpq's messages name, or NULL */
    char *server; /* for people: "localhost port 5432 through ssh deploy@vps" */
} PgWay;

void pg_way_clear(PgWay *way);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PgWay, pg_way_clear)

/* open: makes the way of a route, or finds it open. why: what ended or failed there, or NULL (transfer full); called
 * from any thread. */
typedef struct PgRouter {
    bool (*open)(const char *label, const char *route, Deadline deadline, PgWay *ret_way, GError **error);
    char *(*why)(const char *route);
} PgRouter;

/* Before the first connection. */
void pg_route_install(const PgRouter *router);

/* Where a connection string leads: what it says itself, its service, and the environment, as libpq settles it. */
typedef struct PgAddress {
    char *host;        /* a name or an address; a folder of sockets starts with "/" */
    char *server_name; /* for the certificate: the name in the string, even where that gives an address too */
    char *port;        /* "5432" */
    char *database, *user;
    bool demands_tls;
} PgAddress;

/* Nothing is connected. Without a host or a service, the host is "localhost": PGHOST and libpq's own default are about
 * this machine. Several hosts are an error. */
bool pg_address_find(const char *label, const char *url, PgAddress *ret_address, GError **error);
void pg_address_clear(PgAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PgAddress, pg_address_clear)

/* url with host and port replaced; a password that libpq finds for the real ones (~/.pgpass) becomes part of it.
 * hostaddr: NULL, or the address to connect to while host is the name that the certificate must have. Transfer full. */
char *pg_url_redirect(const char *label, const char *url, const char *host, const char *hostaddr, const char *port,
                      GError **error);

/*
 * The tunnels of this process, by the routes of the configuration (base/route.h). Once installed, every connection
 * whose url is a route opens its tunnel, or finds it open, or opens it again after it has ended. Other threads than
 * the main one only use tunnels that are open.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pg/route.h"
#include "tunnel/tunnel.h"

/* Once, before the first connection. */
void tunnel_routes_install(void);
/* As a first connection does, and listens on this port of 127.0.0.1 too. */
bool tunnel_route_open(const char *label, const char *route, int port, GError **error);
/* Of a route that was opened. Main thread only. */
Tunnel *tunnel_route_find(const char *route);
/* Whether it is to be measured if compression pays: true once for an open route of which pgfold.yaml does not say. */
bool tunnel_route_undecided(const char *route);
/* Opens it again with compression: the connections through it are lost. Main thread only. */
bool tunnel_route_compress(const char *route, GError **error);
/* Ends all of them. */
void tunnel_routes_close(void);

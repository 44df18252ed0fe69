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
/* Ends all of them. */
void tunnel_routes_close(void);

/*
 * A connection string that goes by way of an ssh host: one opaque text, told apart from every string of libpq by
 * control characters, so that whoever takes it for a plain one gets an error and never another server.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Route {
    char *host;        /* as for ssh(1) */
    char *config;      /* a file for ssh -F, or NULL */
    char *compression; /* "auto", "yes" or "no" */
    char *url;         /* libpq's, as seen from the ssh host; may hold a password: wiped */
} Route;

/* config may be NULL. No part holds control characters. Transfer full. */
char *route_wrap(const char *host, const char *config, const char *compression, const char *url);
bool route_is(const char *text);
/* The connection string in text, which is text itself unless it is a route. Owned by text. */
const char *route_url(const char *text);
/* False when text is no route. */
bool route_parse(const char *text, Route *ret_route);
void route_clear(Route *route);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Route, route_clear)

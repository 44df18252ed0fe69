/*
 * One ssh child that holds a way to a server open: a private unix socket on this machine, forwarded to the TCP port or
 * the socket of the server as the ssh host sees it (docs/tunnel.md).
 *
 *     Tunnel *tunnel = tunnel_new(&spec, error);      the folder
 *     tunnel_start(tunnel, deadline, error);          ssh; returns when a PostgreSQL answers behind it
 *     tunnel_socket_folder(tunnel), tunnel_socket_port(tunnel)     for libpq: host and port
 *
 * OpenSSH does all of it: the user's own configuration, agent, jump hosts and known hosts apply. Where there is a
 * terminal, ssh may ask on it.
 *
 * Errors are PGF_ERROR_CONNECT and say which of these it was: the ssh host is not known or does not answer, its key is
 * not the known one, it refuses the user, it forbids forwarding, or no database listens behind it.
 *
 * Main thread only (base/spawn.h), but for tunnel_why().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"

#define TUNNEL_READY_MS 14000 /* for ssh and the database behind it, where nobody is asked anything */

typedef struct Tunnel Tunnel;

typedef struct TunnelSpec {
    const char *label;    /* "target", "source laptop" */
    const char *ssh_host; /* any destination that ssh(1) takes */
    const char *config;   /* a file for ssh -F, or NULL */
    const char *host;     /* of the server, as the ssh host sees it; a folder of sockets starts with "/" */
    const char *port;
    bool compress;
    bool loopback; /* listen on a port of 127.0.0.1 too */
    int port_wish; /* which; 0: any that is free */
} TunnelSpec;

/* spec is copied. */
Tunnel *tunnel_new(const TunnelSpec *spec, GError **error);
/* Ends ssh and removes the folder. */
void tunnel_free(Tunnel *tunnel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tunnel, tunnel_free)

/* Starts ssh, or starts it again at the same place after it has ended. */
bool tunnel_start(Tunnel *tunnel, GError **error);
void tunnel_stop(Tunnel *tunnel);
/* From the next start on. */
void tunnel_set_compression(Tunnel *tunnel, bool compress);

bool tunnel_is_up(const Tunnel *tunnel);
/* Readable once ssh has ended. */
int tunnel_exit_fd(const Tunnel *tunnel);
/* Why it ended, or what it reported of a connection through it; NULL when all is well. Any thread; the caller keeps
 * tunnel_start() and tunnel_free() away meanwhile. Transfer full. */
char *tunnel_why(const Tunnel *tunnel);

const char *tunnel_socket_folder(const Tunnel *tunnel);
const char *tunnel_socket_port(const Tunnel *tunnel);
const char *tunnel_socket_path(const Tunnel *tunnel);
/* Of 127.0.0.1; 0 without loopback. */
int tunnel_loopback_port(const Tunnel *tunnel);
/* "localhost port 5432 through ssh deploy@vps" */
const char *tunnel_server(const Tunnel *tunnel);

/* Shared by the files of src/tunnel only. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/spawn.h"
#include "tunnel/tunnel.h"

/* A private folder of the tunnel. Its log stays locked as long as pgfold or ssh lives: one without is left over. */
typedef struct TunnelFolder {
    char *path;
    int log_fd; /* what ssh says; also its standard error */
} TunnelFolder;

/* Makes it, after removing what killed processes have left. */
bool tunnel_folder_make(TunnelFolder *ret_folder, GError **error);
void tunnel_folder_remove(TunnelFolder *folder);
void tunnel_folder_empty_log(const TunnelFolder *folder);
/* What ssh has said; never NULL. Any thread. Transfer full. */
char *tunnel_folder_log(const TunnelFolder *folder);

/* "localhost port 5432 through ssh deploy@vps". Transfer full. */
char *tunnel_describe(const TunnelSpec *spec);

/* How ssh is called. port: of 127.0.0.1, or 0. ready: a socket that ssh makes after all others. Transfer full. */
char **tunnel_ssh_argv(const TunnelSpec *spec, const char *socket, const char *ready, int port, bool may_ask);

/* From what ssh said: the error of an ssh that ended before it was ready, and of a database that did not answer. */
void tunnel_set_ended(const TunnelSpec *spec, const char *log, GError **error);
void tunnel_set_silent(const TunnelSpec *spec, const char *log, GError **error);
/* ssh could not have its port of 127.0.0.1. */
bool tunnel_log_tells_port_taken(const char *log, int port);
/* The last line of log that says why a connection through the tunnel failed, or NULL. Transfer full. */
char *tunnel_log_failed_channel(const char *log);

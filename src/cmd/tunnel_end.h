/* What `pgfold tunnel` leads to: one end of pgfold.yaml, opened, identified and allowed. */
#pragma once

#include "config/config.h"
#include "pg/conn.h"
#include "tunnel/tunnel.h"

typedef struct TunnelEnd {
    const char *url; /* the route; belongs to the configuration */
    char *label;     /* "target", "source laptop" */
    Tunnel *tunnel;  /* belongs to tunnel/routes.h */
    int port;        /* of 127.0.0.1, or 0 */
    PgIdentity identity;
    bool pinned;      /* the target, and its cluster is the pinned one */
    char *shown_url;  /* for other programs, without a password */
    char *secret_url; /* with it; wiped */
    char **variables; /* PG*, for a program */
} TunnelEnd;

/* source: its name, or NULL for the target. port: of 127.0.0.1, or 0. */
bool tunnel_end_open(const Config *config, const char *source, int port, TunnelEnd *ret_end, GError **error);
/* After it was opened again: false when it leads to another cluster (*ret_other), or nobody can tell where. */
bool tunnel_end_check_again(const TunnelEnd *end, bool *ret_other, GError **error);
/* For SpawnSpec.setenv. Transfer full. */
char **tunnel_end_environment(const TunnelEnd *end);
void tunnel_end_clear(TunnelEnd *end);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TunnelEnd, tunnel_end_clear)

/*
 * Where a connection string leads: to the target, to a source, to a protected database, or to something else. By what
 * the server says it is, whatever the string looks like: a tunnel on localhost is not the local server.
 *
 * A database is known by its cluster's system identifier and its own oid or name. A copied data folder and a standby
 * have the same ones, so where both servers answer, the time at which they were started must be the same as well.
 *
 * Main thread only. Nothing is written.
 */
#pragma once

#include "config/config.h"
#include "pg/conn.h"

typedef enum WhereKind {
    WHERE_UNKNOWN,
    WHERE_TARGET,
    WHERE_TARGET_COPY, /* a standby or a copy of the target's cluster, or the target's primary where the URL of the
                        * target leads to a standby */
    WHERE_INTO,        /* the database of the target's server that a source goes to (into:) */
    WHERE_SOURCE,
    WHERE_PROTECTED
} WhereKind;

typedef struct Where {
    WhereKind kind;
    PgConn *conn;               /* what the string leads to */
    const ConfigSource *source; /* of WHERE_SOURCE and WHERE_INTO */
    bool same_cluster;          /* another database of the target's server */
    bool pinned;                /* the target is known by its pinned identity */
    bool named;        /* false: the name of the target's database is not known, so any of its server may be it */
    bool compared;     /* with the target: false only where it is not pinned and does not answer */
    GPtrArray *doubts; /* of char*: what it could not be compared with, a sentence each */
} Where;

/* url: any connection string, read with the environment as libpq does; also "postgresql+driver://". config: loaded with
 * CONFIG_KNOWN or CONFIG_CONNECTS. NULL with PGF_ERROR_CONNECT where url leads nowhere, PGF_ERROR_USAGE where it is no
 * connection string. */
Where *where_leads(const Config *config, const char *label, const char *url, GError **error);
void where_free(Where *where);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Where, where_free)

/* "target", "target-copy", "into", "source", "protected", "unknown". */
const char *where_kind_text(WhereKind kind);
/* "leads to the target: shop in cluster 73..., PostgreSQL 15.4, 127.0.0.1 port 5432". Transfer full. */
char *where_sentence(const Where *where);

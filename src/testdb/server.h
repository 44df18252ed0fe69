/* The PostgreSQL server programs of this machine. Internal to this room. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "testdb/testdb.h"

typedef struct Server {
    char *bindir;
    char *postgres, *initdb; /* paths */
    int version;             /* major */
    char *stamp;             /* changes when the program file changes (an upgrade): part of the template's key */
} Server;

/* In options->bindir; else the newest of $PGFOLD_SERVERS (folders separated by colons), PATH and the usual folders of
 * packages that satisfies version and min_version. */
Server *server_find(const TestDbOptions *options, GError **error);
void server_free(Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_free)

/* "postgres (PostgreSQL) 15.4 (Debian ...)" -> 15; also of "18beta1"; 0 where it is not that. */
int server_parse_version(const char *text);

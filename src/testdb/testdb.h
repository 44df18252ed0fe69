/*
 * An ephemeral PostgreSQL cluster: fsync off, private unix socket (0700 folder), optionally a loopback port.
 *
 * A keeper process (pgfold itself, started again) owns the server: it holds one end of a pipe of ours, and when we
 * go, however we go, it stops the server and removes the folder. What even a killed keeper left is swept at the next
 * start. The cluster is a copy of a cached initdb template. As root, everything runs as an unprivileged user.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct TestDb TestDb;

typedef struct TestDbOptions {
    const char *bindir;   /* folder with postgres and initdb; NULL: the newest of min_version or later that is found */
    int min_version;      /* major version, or 0 */
    const char *database; /* created; NULL: "postgres" only */
    int port;             /* loopback port with a random password; 0: unix socket only */
    const char *const *settings; /* "name=value" server settings, NULL-terminated, or NULL */
    bool durable_data;    /* data folder on disk rather than /dev/shm (large restores) */
} TestDbOptions;

/* Ready for queries when it returns. */
TestDb *testdb_open(const TestDbOptions *options, GError **error);
/* "postgresql:///app?host=...&user=postgres" (with a password only where there is a port). */
const char *testdb_url(const TestDb *db);
/* PGHOST=, PGPORT=, PGUSER=, PGDATABASE=, DATABASE_URL= ... for spawn. NULL-terminated, owned by db. */
const char *const *testdb_environment(const TestDb *db);
int testdb_version(const TestDb *db); /* major */
void testdb_close(TestDb *db);        /* stops the server, removes the folder, waits until both are done */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestDb, testdb_close)

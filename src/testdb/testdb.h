/*
 * An ephemeral PostgreSQL cluster: fsync off, private unix socket (0700 folder), optionally a loopback port.
 *
 * A keeper process (this program, started again) owns the server: it holds one end of a socket pair of ours, and when
 * we go, however we go, it stops the server and removes the folder. What even a killed keeper left is swept at the next
 * start. The cluster is a copy of a cached initdb template. As root, everything runs as an unprivileged user.
 * docs/testdb.md says where things are kept.
 *
 * Every program that links this room, unit tests included, must begin its main() with
 *
 *     if (testdb_keeper_called(argc, argv))
 *         return testdb_keeper_main(argc, argv);
 *
 * because the keeper is the same program again, under the first argument TESTDB_KEEPER_WORD. A program that forgets it
 * gets an error from testdb_open(), not a second copy of itself that does the same again.
 *
 * Call from the main thread only. Errors: PGF_ERROR_USAGE where a server, a folder or a port cannot be had as asked
 * for; PGF_ERROR_CONNECT where the server does not start; PGF_ERROR_CANCELLED. Nothing is left behind on an error.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"

#define TESTDB_KEEPER_WORD "testdb-keeper"

typedef struct TestDb TestDb;

/* All zero is a good start: the newest server, no port, database "postgres". */
typedef struct TestDbOptions {
    const char *bindir;   /* folder with postgres and initdb; NULL: looked for in PGFOLD_SERVERS, PATH, usual places */
    int version;          /* this major version, or 0 */
    int min_version;      /* this major version or a later one, or 0 */
    const char *database; /* created; NULL: "postgres" only */
    int port;             /* loopback port with a random password; 0: unix socket only */
    const char *const *settings; /* "name=value" server settings, NULL-terminated, or NULL */
    const char *user;            /* as root: run as this one; NULL: $SUDO_UID, else postgres, else nobody */
    const char *dir;             /* make the cluster's folder in this one; NULL: /dev/shm or $TMPDIR or /tmp */
    bool durable_data;           /* data folder on disk rather than /dev/shm (large restores) */
} TestDbOptions;

bool testdb_keeper_called(int argc, char **argv);
int testdb_keeper_main(int argc, char **argv);

/* Which server testdb_open() would start: its major version and the folder of its programs (transfer full). */
bool testdb_server_find(const TestDbOptions *options, int *ret_version, char **ret_bindir, GError **error);

/* Ready for queries when it returns. */
TestDb *testdb_open(const TestDbOptions *options, GError **error);
/* options->version and later: of that version, so that all of a database of that version is known to it; where none is
 * installed, of a later one. */
TestDb *testdb_open_at_least(const TestDbOptions *options, GError **error);
/* For connections of ours to a database of it: PGHOSTADDR, PGPORT, PGSERVICE and their like in our environment must not
 * lead to another server, and what the string gives, empty values included, they do not change. Transfer full. */
char *testdb_own_url(const TestDb *db, const char *database);
/* "postgresql:///app?host=...&user=postgres", or with a port "postgresql://postgres:secret@127.0.0.1:5434/app". */
const char *testdb_url(const TestDb *db);
/* DATABASE_URL=, PGHOST=, PGPORT=, PGUSER=, PGDATABASE= (PGPASSWORD= with a port) for spawn. NULL-terminated, owned by
 * db. */
const char *const *testdb_environment(const TestDb *db);
int testdb_version(const TestDb *db);        /* major */
const char *testdb_folder(const TestDb *db); /* of this cluster: data/, log, the socket */
/* False, with the end of the server's log in the error, when the server has ended by itself. */
bool testdb_alive(const TestDb *db, GError **error);
void testdb_close(TestDb *db); /* stops the server, removes the folder, waits until both are done */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestDb, testdb_close)

/* A cluster that outlives this process, found again by its name (letters, digits, '-', '_') and the user who asks. */
typedef struct TestDbNamed {
    char *name;
    char *url;
    char *folder;
    int version; /* major */
    bool fresh;  /* this call started it */
} TestDbNamed;

void testdb_named_clear(TestDbNamed *named);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TestDbNamed, testdb_named_clear)

/* Starts it, unless it runs: then options are not looked at. */
bool testdb_named_start(const char *name, const TestDbOptions *options, TestDbNamed *ret_named, GError **error);
/* Where it is. ret_named->name is NULL when none of that name runs, which is not an error. */
bool testdb_named_find(const char *name, TestDbNamed *ret_named, GError **error);
/* Stops it, removes its folder and waits until both are done. *ret_stopped is false when there was none. */
bool testdb_named_stop(const char *name, Deadline deadline, bool *ret_stopped, GError **error);

/*
 * A backup: PostgreSQL's own archive (pg_dump, directory format) with a manifest, proven by restoring it.
 *
 *   FOLDER/                          0700, made where it is missing
 *     laptop-20260102T030405Z/       0700; only ever there under this name when it is complete and on the disk
 *       dump/                        what stock pg_restore reads
 *       manifest.json                every file with size and SHA-256, where it comes from, contents (docs/backup.md)
 *
 * While it is being made, a backup is a hidden folder (".laptop-20260102T030405Z.partial"). On any failure, cancel
 * included, it is removed; one that a killed process left is removed by the next backup into the same FOLDER.
 *
 * Call from the main thread only (children are started).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "dump/dump.h"
#include "pg/conn.h"

typedef struct BackupSpec {
    const DumpTools *tools;  /* not older than the source's server */
    PgConn *source;          /* catalogs are read on it; may be inside the transaction of the snapshot */
    const char *source_name; /* begins the folder's name: no slash, no leading dot */
    const char *snapshot;    /* exported snapshot id, or NULL: a moment of pg_dump's own */
    const char *lsn;         /* of the snapshot, for the manifest, or NULL */
    const char *folder;      /* where backups are kept */
    int jobs;                /* connections of pg_dump; at least 1 */
    json_t *contents;        /* goes into the manifest as it is (relations, rows, digests); borrowed; or NULL */
} BackupSpec;

typedef struct Backup {
    char *path;            /* absolute: of the folder */
    char *manifest_sha256; /* of manifest.json, 64 hexadecimal digits: keep it elsewhere, it vouches for all files */
    char *restore_line;    /* the command that restores it into a new database, for a shell */
    guint64 bytes;         /* of the archive */
    guint files;
    guint64 database_bytes; /* on the source's disk, indexes included: about what a restore needs */
    int server_version;     /* of the source, server_version_num */
    char *database;         /* of the source */
    char *encoding, *collate, *ctype;
    char **roles;      /* all of the source's server but its predefined ones: definitions may name them */
    char **extensions; /* names */
} Backup;

/* Makes one. Errors: PGF_ERROR_REFUSED where the disk has surely not enough room, or a privilege is missing;
 * PGF_ERROR_USAGE where folder cannot be made; PGF_ERROR_MIDWAY when it fails on the way. In each case nothing is left.
 */
Backup *backup_make(const BackupSpec *spec, GError **error);
void backup_free(Backup *backup);
/* Removes a backup from the disk that was made just now and that nobody has been told of. */
void backup_discard(const Backup *backup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Backup, backup_free)

/* A backup made earlier, from its manifest. The files are not read: backup_verify_manifest() does that. */
Backup *backup_open(const char *path, GError **error);

/* Every file is there with its size and SHA-256, and no other file: else PGF_ERROR_DIFFERS, which names the first that
 * is not. sha256: what manifest.json itself must have, or NULL where that is not known. */
bool backup_verify_manifest(const char *path, const char *sha256, GError **error);

/* Compares the restored database with what the backup must hold; returns false with an error where it differs.
 * restored: superuser there; url: for more connections to the same database (pg_conn_open(label, url, NULL, ...)). */
typedef bool (*BackupCompare)(PgConn *restored, const char *url, gpointer data, GError **error);

typedef struct BackupProof {
    char *server_version; /* of the server that it was restored into: "15.4" */
    double seconds;       /* restoring and comparing */
} BackupProof;

void backup_proof_clear(BackupProof *proof);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BackupProof, backup_proof_clear)

/* Restores the backup with stock pg_restore into an ephemeral cluster (testdb/testdb.h: main() must know its keeper) of
 * the source's major version or, where that is not installed, of a later one, and calls compare. Roles are made there
 * by name only; owners, privileges and subscriptions are not restored. The cluster is gone when it returns, and the
 * backup is not changed. Errors: PGF_ERROR_USAGE where there is no server, or it lacks an extension; PGF_ERROR_DIFFERS
 * where pg_restore fails; those of compare. */
bool backup_prove(const Backup *backup, const DumpTools *tools, int jobs, BackupCompare compare, gpointer data,
                  BackupProof *ret_proof, GError **error);

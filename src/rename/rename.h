/*
 * A source's schema under another name (into: { schema: NAME }), without touching the source.
 *
 * The definitions that pg_dump writes are made in an ephemeral server (testdb/testdb.h), where ALTER SCHEMA ... RENAME
 * makes PostgreSQL itself rewrite all that it stores as trees: defaults, views, constraints, indexes, policies, bodies
 * in standard SQL. What pg_dump writes there are the definitions for the target. Extensions stay in the schema in which
 * they are. No text is rewritten: where one names the old schema (the body of a function, its settings, a constant),
 * that is a reason to refuse, never a guess.
 *
 * Call from the main thread only.
 */
#pragma once

#include "catalog/catalog.h"
#include "dump/dump.h"

typedef struct RenameSpec {
    PgConn *source; /* in the snapshot */
    const char *snapshot;
    const char *scratch; /* a folder (0700) that outlives the result */
    const char *label;   /* of the key in the configuration: "sources[1].into.schema (pgfold.yaml:9:13)" */
    const char *from, *to;
    bool (*skip)(const char *schema, const char *name, gpointer data); /* tables whose rows are left out */
    gpointer skip_data;
} RenameSpec;

typedef struct Renamed {
    Dump *dump;        /* the definitions under the new name */
    Catalog *catalog;  /* of the same database, for catalog_rename() */
    GPtrArray *blocks; /* of char*: why this schema cannot go under another name, a sentence each; empty: it can */
    int version;       /* major, of the server that made them: pg_dump is not older */
} Renamed;

/* source: its catalog, under its own names. Errors: PGF_ERROR_USAGE where the source has no such schema, or one of the
 * new name, or where this machine lacks a server of the source's version or later, or one of its extensions;
 * PGF_ERROR_REFUSED where a definition cannot be made in the ephemeral server; those of dump_read() and testdb_open().
 */
Renamed *rename_make(const RenameSpec *spec, const Catalog *source, GError **error);
void renamed_free(Renamed *renamed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Renamed, renamed_free)

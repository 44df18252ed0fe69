/*
 * What pg_dump knows about a database: its entries (table of contents) with the SQL of each.
 *
 * pgfold never writes DDL for user objects itself: it runs stock pg_dump --schema-only into a custom-format file under
 * the fold's snapshot and reads the entries back through stock pg_restore (-l, and -v -f - per section).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pg/conn.h"

typedef enum DumpSection { DUMP_PRE_DATA, DUMP_DATA, DUMP_POST_DATA } DumpSection;

typedef struct DumpEntry {
    int id;            /* pg_dump's dump id */
    guint32 class_oid; /* catalog of the object: 1259 = pg_class, 2606 = pg_constraint; 0 where there is none */
    guint32 oid;       /* its oid in the dumped database */
    char *type;        /* "TABLE", "FK CONSTRAINT", "ACL", ... as pg_dump names them */
    char *schema;      /* NULL where there is none ("-") */
    char *name;        /* pg_dump's tag; for constraints, triggers...: "table constraint" */
    char *owner;       /* or NULL */
    DumpSection section;
    GArray *depends;   /* of int: dump ids */
    char *sql;         /* complete statements, with what SET they need (default_tablespace, table access method) */
} DumpEntry;

typedef struct Dump {
    GPtrArray *entries; /* of DumpEntry*, in pg_dump's order */
    char *file;         /* the archive on disk, removed by dump_free() */
} Dump;

/* pg_dump and pg_restore that fit a server of this version; checks that they are not older. Paths in one struct. */
typedef struct DumpTools {
    char *pg_dump, *pg_restore;
    int version; /* major */
} DumpTools;

/* Finds the oldest installed client tools that are not older than server_version (server_version_num), PATH first.
 * Otherwise PGF_ERROR_USAGE with a hint that names the Debian package (postgresql-client-17). */
bool dump_tools_find(int server_version, DumpTools *ret_tools, GError **error);
void dump_tools_clear(DumpTools *tools);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DumpTools, dump_tools_clear)

/* snapshot: an exported snapshot id, or NULL. scratch: a folder for the archive (0700). */
Dump *dump_read(const DumpTools *tools, const PgConn *conn, const char *snapshot, const char *scratch, GError **error);
void dump_free(Dump *dump);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dump, dump_free)

/* The DROP statements (one script, reverse order, IF EXISTS) that take exactly these entries away again, as
 * pg_restore --clean writes them. keep: tells for each entry whether it belongs. Transfer full. */
typedef bool (*DumpFilter)(const DumpEntry *entry, gpointer data);
char *dump_drop_script(const Dump *dump, const DumpTools *tools, DumpFilter keep, gpointer data, GError **error);

/*
 * What pg_dump knows about a database: its entries (table of contents) with the SQL of each.
 *
 * pgfold never writes DDL for user objects itself: it runs stock pg_dump (its sections pre-data and post-data) into a
 * custom-format file under the fold's snapshot and reads the entries back through stock pg_restore (-l, and -v per
 * section).
 *
 * The SQL of an entry stands for itself: it may run on any connection, in any order that respects `depends` and the
 * sections. The connection must have search_path = '', standard_conforming_strings = on, xmloption = content,
 * client_encoding = UTF8 (all pinned by pg_conn_open()), and check_function_bodies = off, which the executor sets: a
 * function may use a table that comes later. Large objects are data, and not among the entries.
 *
 * Call from the main thread only (children are started).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/error.h"
#include "pg/conn.h"

typedef enum DumpSection { DUMP_PRE_DATA, DUMP_DATA, DUMP_POST_DATA } DumpSection;

typedef struct DumpEntry {
    int id;            /* pg_dump's dump id */
    guint32 class_oid; /* catalog of the object: 1259 = pg_class, 2606 = pg_constraint; 0 where there is none */
    guint32 oid;       /* its oid in the dumped database */
    char *type;        /* "TABLE", "FK CONSTRAINT", "ACL", ... as pg_dump names them */
    char *schema;      /* NULL where there is none ("-") */
    char *name;        /* pg_dump's tag; for constraints, triggers...: "table constraint". Line breaks in names are
                        * blanks here and in schema and owner: tell objects apart by class_oid and oid */
    char *owner;       /* or NULL */
    DumpSection section;
    GArray *depends;       /* of int: dump ids */
    char *sql;             /* complete statements, after the SET they need: default_tablespace for tables, materialized
                            * views, indexes and constraints, default_table_access_method for the first two. "" where
                            * pg_dump has nothing to run ("SCHEMA public") */
    bool without_password; /* a user mapping whose password pg_dump wrote: it is not in sql */
} DumpEntry;

typedef struct Dump {
    GPtrArray *entries;  /* of DumpEntry*, in the order in which pg_restore runs them */
    GPtrArray *warnings; /* of char*: what pg_dump warned about ("subscriptions not dumped because..."); show them */
    char *file;          /* the archive on disk, removed by dump_free() */
} Dump;

/* entry->sql; without_owner: without the statement that gives the object its owner. Transfer full. */
char *dump_entry_sql(const DumpEntry *entry, bool without_owner);

/* The tablespace that the entry's statements put it into; NULL: the database's default one. Transfer full. */
char *dump_entry_tablespace(const DumpEntry *entry);
/* From now on they put it there. */
void dump_entry_use_default_tablespace(DumpEntry *entry);

/* pg_dump and pg_restore that fit a server of this version; checks that they are not older. Paths in one struct. */
typedef struct DumpTools {
    char *pg_dump, *pg_restore;
    int version;        /* major */
    char *version_text; /* "15.4" */
} DumpTools;

/* Finds the oldest installed client tools that are not older than server_version (server_version_num), PATH first.
 * Otherwise PGF_ERROR_USAGE with a hint that names the Debian package (postgresql-client-17). Takes some milliseconds:
 * the programs are asked for their version. */
bool dump_tools_find(int server_version, DumpTools *ret_tools, GError **error);
void dump_tools_clear(DumpTools *tools);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DumpTools, dump_tools_clear)

/* snapshot: an exported snapshot id, or NULL. scratch: a folder for the archive (0700), which must be there. Errors:
 * PGF_ERROR_REFUSED where pg_dump lacks a privilege, PGF_ERROR_CONNECT, PGF_ERROR_MIDWAY for any other failure of
 * pg_dump, PGF_ERROR_INTERNAL where what pg_restore printed is not understood (nothing is ever left out silently). */
Dump *dump_read(const DumpTools *tools, PgConn *conn, const char *snapshot, const char *scratch, GError **error);
/* The same in two steps: pg_dump works while others do. conn is used by dump_begin() only; the snapshot must last until
 * dump_end(), which takes reading. Freeing it instead ends pg_dump. */
typedef struct DumpReading DumpReading;
DumpReading *dump_begin(const DumpTools *tools, PgConn *conn, const char *snapshot, const char *scratch,
                        GError **error);
Dump *dump_end(DumpReading *reading, GError **error);
void dump_reading_free(DumpReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DumpReading, dump_reading_free)

void dump_free(Dump *dump);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dump, dump_free)

/* The DROP statements (one script, reverse order, IF EXISTS) that take exactly these entries away again, as
 * pg_restore --clean writes them: none has CASCADE. belongs: tells it for each entry; NULL: all. The schema public,
 * which every database has from the start, is never dropped. "" where there is nothing to drop. Transfer full. */
typedef bool (*DumpFilter)(const DumpEntry *entry, gpointer data);
char *dump_drop_script(const Dump *dump, const DumpTools *tools, DumpFilter belongs, gpointer data, GError **error);

/* Takes out what belongs, or (keep) all else. For comparisons: it can make no script of what is gone. */
void dump_take_out(Dump *dump, bool keep, DumpFilter belongs, gpointer data);

/* Whether statements about roles, owners and privileges (GRANT, REVOKE, ALTER ... OWNER TO, CREATE POLICY ...) name
 * that role where a role stands. */
bool dump_names_role(const char *sql, const char *role);

/* After one token of SQL that starts at `at`: a quoted text, a comment, or a single character. begin: where the script
 * starts. NULL where a quote or comment does not end. */
const char *dump_lex_token(const char *begin, const char *at, const char *end);

/* For messages: what a client program said that matters (its lines with "error:" and what the server added), or its
 * last lines; at most 10 lines. Transfer full. */
char *dump_program_message(const char *stderr_text);
/* The code that fits a failed pg_dump or pg_restore: CONNECT, REFUSED (permission denied) or MIDWAY. */
PgfErrorCode dump_program_code(const char *stderr_text);

/*
 * What a database holds, read from its catalogs: one query per kind of object, never one per table.
 *
 * Left out everywhere: system schemas, temporary objects, and members of extensions. The structs are plain and owned by
 * their Catalog. Texts come from the server under the pinned settings, so names in definitions are schema-qualified.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "filter/filter.h"
#include "pg/conn.h"

typedef struct CatalogColumn {
    char *name;
    char *type;        /* format_type(): "character varying(40)" */
    char *base_schema; /* the type under its domains */
    char *base_name;   /* "varchar" */
    char base_kind;    /* pg_type.typtype: b base, e enum, c composite, r range, m multirange, p pseudo */
    char *elem_name;   /* of an array in pg_catalog whose element is in pg_catalog: the element's name, else NULL */
    bool is_array;
    int typmod; /* -1 where there is none, or it stands in a domain */
    bool not_null;
    bool generated;    /* its value is computed from the others */
    bool is_virtual;   /* generated on reading (18+) */
    bool from_initdb;  /* type (and element type) is built in: its oid and binary form are the same on every server */
    char identity;     /* a, d or 0 */
    char *default_sql; /* or NULL */
    char *collation;   /* qualified, where it is not the type's own; or NULL */
} CatalogColumn;

/* A constraint or an index: what drift is looked for in. */
typedef struct CatalogDefinition {
    char *kind; /* "constraint" or "index" */
    char *name;
    char *sql;
} CatalogDefinition;

/* What two rows cannot share: a unique index, the primary key's among them. */
typedef struct CatalogUnique {
    char *name;
    char *condition;    /* SQL, of the rows that it covers; NULL: all */
    char **expressions; /* SQL, columns unqualified */
    char **columns;     /* their names where all expressions are plain columns; else NULL */
} CatalogUnique;

typedef struct CatalogRelation {
    guint32 oid;
    char *schema, *name;
    char *label;         /* schema.name, for people */
    char *quoted;        /* "schema"."name", for SQL; the two sides are matched by it */
    char *read_from;     /* its name in the database that it was read from, for SQL there: quoted, unless renamed */
    char kind;           /* r table, p partitioned table, m materialized view, f foreign table */
    char persistence;    /* p permanent, u unlogged */
    guint64 bytes;       /* pg_total_relation_size */
    guint64 table_bytes; /* pg_table_size: without indexes */
    guint64 pages;       /* blocks of the heap now */
    double estimate;     /* rows, as the planner last knew them; -1 unknown */
    char *owner;
    bool is_partition;
    bool row_security;
    bool populated;         /* of a materialized view: it holds rows, or has none to hold */
    bool extension_member;  /* configuration table of an extension */
    bool left_out;          /* by the filter that the catalog was read with */
    GPtrArray *columns;     /* of CatalogColumn*, by name in byte order */
    GPtrArray *definitions; /* of CatalogDefinition*, by kind and name */
    GPtrArray *uniques;     /* of CatalogUnique* */
    char **key;             /* columns of the primary key, else of the replica identity's index, else of another unique
                               not-null index; NULL where there is none */
    char *key_name;         /* of that index; NULL for a key that was given */
    bool key_is_primary;
    bool key_given; /* by catalog_give_key(): nothing says that it is unique, or not null */
} CatalogRelation;

typedef struct CatalogSequence {
    char *schema, *name, *label, *quoted;
    char *read_from; /* as of a relation */
    gint64 last_value, increment;
    bool is_called;
} CatalogSequence;

typedef struct CatalogForeignKey {
    guint32 oid;
    char *name;
    char *child, *parent; /* qualified, quoted */
    char *child_label;
    char **columns, **parent_columns; /* in the order of the key */
    bool validated;
    bool deferrable;
    bool
        partitioned; /* one of the two tables is: NOT VALID is not possible before 18, or VALIDATE leaves parts of it */
    bool inherited;  /* a partition's share of its parent's constraint */
    char *orphans_sql; /* SELECT count(*) of rows without a parent */
} CatalogForeignKey;

typedef struct CatalogPair { /* extension: version; object kind: count; ... */
    char *name;
    char *value;
} CatalogPair;

typedef struct Catalog {
    GPtrArray *relations;          /* of CatalogRelation*, by schema and name in byte order */
    GHashTable *by_name;           /* quoted -> CatalogRelation*; not owning: catalog_find() */
    GPtrArray *sequences;          /* of CatalogSequence*, by schema and name */
    GHashTable *sequences_by_name; /* quoted -> CatalogSequence*; not owning */
    GPtrArray *foreign_keys;       /* of CatalogForeignKey* */
    GPtrArray *extensions;         /* of CatalogPair: version */
    GPtrArray *counts;             /* of CatalogPair: how many objects of each kind */
    GPtrArray *properties;         /* of CatalogPair: encoding, collate, ctype, provider, ... */
    guint64 database_bytes;
    guint64 large_objects;
} Catalog;

/* Reads everything in the connection's current transaction (join a snapshot first for one moment). filter: what is left
 * out; its relations are marked, all else of it is as if it were not there. NULL: nothing is left out. */
Catalog *catalog_read(PgConn *conn, const Filter *filter, GError **error);
/* Likewise, but for the values of sequences, which take a privilege on each. */
Catalog *catalog_read_definitions(PgConn *conn, const Filter *filter, GError **error);
/* Sets the values of those, of CatalogSequence*; a catalog's sequences, or some of them. */
bool catalog_read_sequences(PgConn *conn, GPtrArray *sequences, GError **error);
void catalog_free(Catalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Catalog, catalog_free)

/* Gives what is in schema `from` the names that it has in schema `to`: renamed is the catalog of a database with the
 * same objects, whose schema was renamed (rename/rename.h). Columns, definitions and oids are then those of renamed,
 * which is shared from; values, sizes and the SQL that runs in the database of catalog (read_from, orphans_sql) stay.
 * False with PGF_ERROR_INTERNAL where renamed lacks a relation or sequence: nothing is left out silently. */
bool catalog_rename(Catalog *catalog, const Catalog *renamed, const char *from, const char *to, GError **error);
/* relation as SQL for the target needs it: a copy that shares everything, and reads from `quoted`. */
CatalogRelation catalog_in_target(const CatalogRelation *relation);

/* NULL where there is no such relation. */
CatalogRelation *catalog_find(const Catalog *catalog, const char *schema, const char *name);
CatalogColumn *catalog_column(const CatalogRelation *relation, const char *name);
/* Sets the key of a relation without a primary one, unless an index says already that these columns are one. False
 * where one of them does not exist: *ret_unknown is its name, owned by key. */
bool catalog_give_key(CatalogRelation *relation, const char *const *key, const char **ret_unknown);
/* "encoding" -> "UTF8"; NULL where unknown. */
const char *catalog_property(const Catalog *catalog, const char *name);
/* Has rows of its own that must travel: plain tables and partitions, configuration tables of extensions excepted. */
bool catalog_has_rows(const CatalogRelation *relation);
/* Whether rows can travel between two servers in COPY's binary form: every type is written alike on all of them.
 * with_generated: stored generated columns travel too. */
bool catalog_travels_binary(const CatalogRelation *relation, bool with_generated);

/*
 * What of a source is left out: include and exclude of pgfold.yaml and of the command line, found in the source's
 * catalogs (docs/filters.md).
 *
 * An object is left out when `exclude` names it or it goes with what `exclude` names, and, where `include` names
 * schemas or tables, when it is neither among them, nor part of them, nor needed by them. Objects are told apart by
 * catalog and oid, as pg_dump lists them.
 */
#pragma once

#include "config/config.h"
#include "pg/conn.h"

/* oids of pg_class, pg_constraint and pg_extension, the same on all servers (their headers in PostgreSQL's source) */
enum { FILTER_RELATION = 1259, FILTER_CONSTRAINT = 2606, FILTER_EXTENSION = 3079 };

typedef struct FilterRelation {
    char *schema, *name;
    char kind; /* pg_class.relkind: r, p, v, m, f, S */
} FilterRelation;

typedef struct Filter {
    bool named_only;         /* only what is named is folded: nothing that belongs to no schema, no large objects */
    bool one_of_several;     /* databases: all: patterns are for every database of the server */
    GPtrArray *unmatched;    /* of char*: those of patterns that exclude and match nothing; one_of_several only */
    GPtrArray *patterns;     /* of char*: "exclude.tables: audit.*", as they were given */
    GPtrArray *relations;    /* of FilterRelation*: left out; by schema and name */
    GPtrArray *extensions;   /* of char*: names of those that are left out */
    GPtrArray *foreign_keys; /* of char*: left out because what they lead to is, for people */
    char *classes, *oids;    /* array literals: the objects that are left out, or those that are not (named_only) */
    GHashTable *objects;     /* the same as a set */
    GHashTable *by_name;     /* quoted names of relations */
} Filter;

/* Looks the source's patterns up. conn is in a transaction. *ret_filter is NULL where the source is folded whole.
 * PGF_ERROR_USAGE for a pattern that is none, or that matches nothing; of one of several databases, one that includes
 * and matches nothing is PGF_ERROR_REFUSED, and one that excludes is in unmatched. */
bool filter_find(PgConn *conn, const ConfigSource *source, Filter **ret_filter, GError **error);
void filter_free(Filter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Filter, filter_free)

/* All of these are false for a NULL filter. class_oid 0: not an object of a catalog, so false. */
bool filter_leaves_out(const Filter *filter, guint32 class_oid, guint32 oid);
bool filter_leaves_out_relation(const Filter *filter, const char *schema, const char *name);
bool filter_leaves_out_extension(const Filter *filter, const char *name);

/* "exclude.tables: audit.*; include.schemas: app": all patterns in one line. Transfer full. */
char *filter_text(const Filter *filter);

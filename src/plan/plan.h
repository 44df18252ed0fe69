/*
 * Plan: what a fold would do, before anything is done. Made from a verification (so what is contained already is known,
 * and how many rows are not) and from what pg_dump knows of both databases.
 *
 * Objects other than rows (schemas, types, functions, indexes, ...) are pg_dump's entries. An entry is new (the target
 * has none of that type, schema and name), the same (the target's has the same SQL), or different (the fold is blocked,
 * or, where it does no harm, the target's stays: extensions, the public schema).
 */
#pragma once

#include "config/config.h"
#include "dump/dump.h"
#include "merge/merge.h"

typedef enum PlanAction {
    PLAN_NEW,   /* absent in the target: created, and its rows copied */
    PLAN_SAME,  /* nothing to do */
    PLAN_MERGE, /* rows differ: those that are missing or differ are brought there, by the rules */
    PLAN_SKIP,  /* left out by the configuration, or it has no rows of its own */
    PLAN_BLOCKED
} PlanAction;

typedef struct PlanRelation {
    const VerifyRelation *verify; /* verify->audit->source is never NULL */
    PlanAction action;
    char *reason; /* or NULL */
    const MergeRelation
        *merge; /* its rows go through the merge (also of a new table, where keys are mapped); or NULL */
} PlanRelation;

typedef struct PlanEntry {
    const DumpEntry *entry;
    PlanAction action; /* NEW, SAME, SKIP or BLOCKED */
    char *reason;      /* or NULL */
} PlanEntry;

typedef struct PlanRole {
    char *name;
    char *create_sql; /* NULL: the target has it */
    char *comment;    /* or NULL */
    char *reason;     /* why it blocks, or NULL */
} PlanRole;

typedef struct Plan {
    const Verification *verification; /* not owned */
    const Dump *dump;                 /* of the source; not owned */
    GPtrArray *relations;             /* of PlanRelation* */
    GPtrArray *entries;               /* of PlanEntry*, in pg_dump's order */
    GPtrArray *roles;                 /* of PlanRole*: those that own something or hold privileges in the source, and
                                         the groups that they are members of */
    GPtrArray *blocks;                /* of char*: every reason why fold refuses, as sentences; empty: fold may go on */
    GPtrArray *notices;               /* of char*: what the user should know */
    char *create_database_sql;        /* with {database} for the quoted name; NULL where the target database exists */
    GPtrArray
        *database_sql; /* of char*, with {database}: settings, comment, privileges of a database that is created */
    guint64 rows_to_copy, bytes_to_copy;
    const Merge *merge;    /* not owned; NULL: nothing is merged */
    guint64 rows_to_merge; /* inserted or overwritten */
    guint64 rows_stopped;  /* in conflict, and no rule settles them */
} Plan;

typedef struct PlanSpec {
    PgConn *source, *target; /* target: to the target database, or to another of its server where it is missing */
    bool target_missing;
    const Verification *verification;
    const Merge *merge;      /* judged; NULL where the target database is missing */
    const Dump *source_dump; /* what the target has no tablespace for is put into its default one, in place */
    const Dump *target_dump; /* NULL where the target database is missing */
    const Config *config;    /* for what is protected; may be NULL */
    const char *into_schema; /* what the source's schema is called in the target: whose it is there stays; or NULL */
    const ConfigSource *source_config; /* whose `tables` are compared with what there is; may be NULL */
    const Filter *filter;              /* what is left out of the source; or NULL */
    const Hidden
        *hidden; /* what of the target is as if it were not there; target_dump and verification know; or NULL */
    bool no_owner, no_privileges;
    bool rows_only; /* nothing is made: rows go into tables that are there */
    /* What a fence has taken from the source's database (fence/fence.h) does not hold in a target that is created:
     * statements with {database} that come after the settings, and the roles in them (char*). NULL: no fence. */
    const GPtrArray *undo_sql, *undo_roles;
    PgConn *prober; /* to the target, in no transaction; needed where the source has security labels, else NULL */
} PlanSpec;

Plan *plan_make(const PlanSpec *spec, GError **error);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* The statement that makes, on the target's server, a database with the encoding and locale of conn's; {database} is
 * the place of its name. The provider of its locale ("c", "i", "b") and its collation where asked for (transfer full).
 * Transfer full. */
char *plan_database_statement(PgConn *conn, const PgConn *target, char **ret_provider, char **ret_collate,
                              GError **error);

/* A DumpFilter: whether a list (of Hidden*; may be NULL) names that entry. */
bool plan_hides(const DumpEntry *entry, gpointer hidden);

/* How another dump has an entry of the plan: by its own SQL, or by the second one. */
typedef enum PlanPresence { PLAN_ABSENT, PLAN_THERE, PLAN_THERE_OTHERWISE } PlanPresence;
/* A second text that stands for the entry, or NULL. Transfer full. */
typedef char *(*PlanOtherSql)(const DumpEntry *entry);
/* DumpEntry* of the plan -> PlanPresence in other; ret_more: how many entries of other the plan does not have, or not
 * so. Transfer full. */
GHashTable *plan_entries_in(const Plan *plan, const Dump *other, bool no_owner, PlanOtherSql other_sql,
                            guint *ret_more);

/* The reason of what include and exclude leave out. */
#define PLAN_LEFT_OUT "left out by include and exclude"

const char *plan_action_text(PlanAction action);
/* "12 to insert, 3 to overwrite": what becomes of the rows of one relation. Transfer full. */
char *plan_merge_text(const MergeCounts *counts);
/* How many relations have that action. */
guint plan_count(const Plan *plan, PlanAction action);

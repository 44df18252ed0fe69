/*
 * Audit: the source beside the target, relation by relation, exact; the basis of plan, fold and verify.
 *
 * Reads both catalogs, pairs relations by schema and name, looks for drift (columns, types, defaults, constraints,
 * indexes), and digests the rows of every table of the source, and of its partner in the target, in one scan a side.
 * Nothing is written anywhere. audit_checks() is separate (audit/checks.h).
 */
#pragma once

#include "catalog/catalog.h"
#include "catalog/hidden.h"
#include "pool/pool.h"
#include "reconcile/reconcile.h"

typedef enum AuditVerdict {
    AUDIT_SAME,         /* same definition, same rows (or no rows of its own: a partitioned table) */
    AUDIT_DRIFT,        /* same rows, but the definition differs */
    AUDIT_DIFFERENT,    /* rows differ */
    AUDIT_INCOMPARABLE, /* rows cannot be compared: a column is missing or of another type */
    AUDIT_SOURCE_ONLY,
    AUDIT_TARGET_ONLY,
    AUDIT_SKIPPED /* the configuration leaves it out */
} AuditVerdict;

typedef struct AuditRelation {
    const CatalogRelation *source; /* NULL: target only */
    const CatalogRelation *target; /* NULL: source only */
    AuditVerdict verdict;
    bool source_digested, target_digested;
    Digest source_digest, target_digest;
    ReconcileScan *scan; /* where both were digested and differ: for reconcile_descend(); else NULL */
    GPtrArray *drift;    /* of char*: a sentence each */
    char *obstacle;      /* why rows cannot be compared, or NULL; also found by looking at them */
    char *text_columns;  /* columns that are digested through their text output, or NULL */
    bool view_compared;  /* a materialized view, filled on both sides (audit/views.h) */
    Digest source_view, target_view;
} AuditRelation;

typedef struct AuditSequence {
    const CatalogSequence *source, *target; /* NULL: on one side only */
    bool reached;                           /* the target stands where the source stands, or beyond it */
    bool same;
} AuditSequence;

/* A property, an extension, the number of objects of a kind, or a view. */
typedef struct AuditPair {
    char *name;
    const char *source, *target; /* NULL: absent */
    bool same;
} AuditPair;

typedef struct Audit {
    Catalog *source;
    Catalog *target;       /* NULL when the target database does not exist */
    GPtrArray *relations;  /* of AuditRelation*, by schema and name */
    GPtrArray *sequences;  /* of AuditSequence* */
    GPtrArray *extensions; /* of AuditPair* */
    GPtrArray *properties; /* of AuditPair* */
    GPtrArray *counts;     /* of AuditPair* */
    GPtrArray *views;      /* of AuditPair*: only those whose query differs */
    GPtrArray *view_texts; /* of char*: what views points to */
    bool large_objects_digested;
    Digest source_large_objects, target_large_objects;
    bool empty_source; /* not a single row in any table, and no large object */
    DigestText text;
} Audit;

typedef bool (*AuditRename)(Catalog *source, gpointer data, GError **error);

typedef struct AuditSpec {
    PgConn *source;     /* reads the catalog; in the snapshot */
    PgConn *target;     /* or NULL: only the source is audited */
    GPtrArray *sources; /* of PgConn*, one a worker, in the snapshot */
    GPtrArray *targets; /* of PgConn*, as many; NULL when target is NULL */
    bool (*skip)(const char *schema, const char *name, gpointer data); /* or NULL */
    gpointer skip_data;
    const Filter *filter;  /* what is left out of the source's catalog; or NULL */
    const Hidden *hidden;  /* what of the target is as if it were not there; or NULL */
    bool definitions_only; /* with a skip that takes every table: neither sequences nor large objects are looked at */
    bool rows_only;        /* how many objects of a kind the source has is of no account */
    /* The columns that tell rows of a table without a primary key apart, and where they were given ("pgfold.yaml:9:5";
     * transfer full); NULL: none. Or NULL. */
    const char *const *(*key)(const char *schema, const char *name, char **ret_where, gpointer data);
    gpointer key_data;
    /* Gives the source's catalog the names that its objects have in the target (catalog_rename()); or NULL. */
    AuditRename rename;
    gpointer rename_data;
    bool everything;       /* also digest tables that only the target has */
    PoolObserver observer; /* or NULL; jobs are of kind "digest" and carry the relation's label */
    gpointer observer_data;
} AuditSpec;

/* Connections in a transaction are taken to share a snapshot: the tables are locked in it (catalog/lock.h). */
Audit *audit_run(const AuditSpec *spec, GError **error);
void audit_free(Audit *audit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Audit, audit_free)

/* A materialized view that holds rows in the source and was never filled in the target. */
bool audit_unpopulated(const AuditRelation *relation);
/* A materialized view whose query gives other rows in the target. It is refreshed there, and nothing is lost. */
bool audit_view_differs(const AuditRelation *relation);
void audit_pair_free(gpointer pair);
/* Every row of the source is in the target, every sequence reached, every kind of object as often: nothing differs.
 * What the target has beside that does not count. */
bool audit_contained(const Audit *audit);
/* Nothing differs at all, both ways. */
bool audit_same(const Audit *audit);
/* Whether `target` has the sequence, and it stands where the source's stands or beyond. */
bool audit_sequence_reached(const CatalogSequence *source, const Catalog *target);
/* Number and digest of all large objects of a database. */
bool audit_large_objects(PgConn *conn, Digest *ret_digest, GError **error);
const char *audit_verdict_text(AuditVerdict verdict);
guint64 audit_rows(const Audit *audit); /* of the source, exact */

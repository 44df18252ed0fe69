/*
 * Checks: what is worth knowing about two databases before one is folded into the other, and what forbids it.
 *
 * A check is a line of a table (checks_table.c) and a query (sql/check_*.sql) whose rows, one text each, are its
 * findings: no rows, nothing to say. Adding a check means adding a line and a file. docs/audit.md lists them.
 *
 * checks_run() needs the catalogs only and takes milliseconds; checks_run_rows() reads tables (foreign keys whose
 * parents are missing, configuration tables of extensions) on the workers of an audit. Nothing is written.
 */
#pragma once

#include "audit/audit.h"

typedef enum CheckSeverity {
    CHECK_NOTICE,  /* good to know */
    CHECK_WARNING, /* likely to be a surprise */
    CHECK_ERROR    /* fold refuses */
} CheckSeverity;

typedef enum CheckSide { CHECK_SOURCE, CHECK_TARGET } CheckSide;

typedef struct AuditCheck {
    const char *id; /* "invalid-indexes" */
    CheckSide side; /* whose state the findings tell */
    CheckSeverity severity;
    bool forbids_reading;         /* the rows that a finding names cannot be read, so there can be no audit either */
    bool needs_database;          /* of the target: only where the target database exists */
    int min_version, max_version; /* majors of the server that is asked; 0: any */
    const char *description;      /* a heading: "indexes that are not valid" */
    const char *remedy;           /* what to do about it */
    const char *sql; /* for `side`. Columns: finding; or finding, schema and table that it is about; or, in a check
                      * of rows, finding and the query that counts */
    const char *wants_sql; /* or NULL: asked of the source; its rows become $1 (text[]) of sql, asked of the target */
    bool wants_names;      /* wants_sql takes $1, $2 (text): a schema of the source, and its name in the target */
    bool wants_extensions; /* of wants_sql: its rows are "extension version" */
    bool takes_jobs;       /* $1 (text) of sql is the number of workers */
    bool counts_rows;      /* the second column is a query; where it returns more than 0, the first is a finding */
} AuditCheck;

typedef struct AuditFinding {
    const AuditCheck *check; /* or one of the foreign keys' and digests' own (checks.c) */
    GPtrArray *items;        /* of char*: one sentence or name each, never empty */
} AuditFinding;

typedef struct ChecksSpec {
    PgConn *source;
    PgConn *target;      /* or NULL: the target is not checked */
    bool target_missing; /* target is connected to another database of the server, because its own does not exist yet */
    const char *from, *to; /* a schema of the source, and its name in the target; or NULL */
    guint jobs;
    bool (*skip)(const char *schema, const char *name, gpointer data); /* tables that do not count, or NULL */
    gpointer skip_data;
    const Filter *filter; /* extensions that do not count, or NULL */
} ChecksSpec;

extern const AuditCheck checks_table[]; /* ends with id NULL */

/* All checks of the table but those of rows. Array of AuditFinding*, errors first. Transfer full. */
GPtrArray *checks_run(const ChecksSpec *spec, GError **error);

/* Checks of rows, in parallel on the connections of spec, for the source of a finished audit. As checks_run(). */
GPtrArray *checks_run_rows(const AuditSpec *spec, const Audit *audit, GError **error);

/* Adds the findings of more (which is freed) to findings, errors first. */
void checks_merge(GPtrArray *findings, GPtrArray *more);

/* False, with a PGF_ERROR_REFUSED that names the findings, where some forbid reading. */
bool checks_allow_reading(const GPtrArray *findings, GError **error);

/* Every finding that forbids a fold, as a sentence. Array of char*. Transfer full. */
GPtrArray *checks_blocks(const GPtrArray *findings);
/* Every warning, likewise. */
GPtrArray *checks_warnings(const GPtrArray *findings);

const char *check_severity_text(CheckSeverity severity);

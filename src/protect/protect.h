/*
 * The proof that what is protected was not touched (docs/protect.md): a fingerprint of each protected thing, taken
 * before and after whatever changes something, and compared.
 *
 *     GPtrArray *before = protect_take(ends, &error);
 *     ...
 *     GPtrArray *after = protect_take(ends, &error);
 *     GPtrArray *findings = protect_compare(before, after);
 *
 * Databases of either end's server, roles of both, schemas and tables of the target database, files and containers of
 * this machine. What cannot be read is in the list, by name. Reads only, each database in one snapshot; memory follows
 * the number of tables and files, never their size. Main thread only: children are started.
 */
#pragma once

#include "ends/ends.h"

/* A piece of a thing that is compared by itself: a table, a file, the definitions of a database. */
typedef struct ProtectPart {
    char *name;
    char *value;   /* its digest; NULL: it cannot be read */
    char *problem; /* why not; else NULL */
    gint64 rows;   /* or -1 */
} ProtectPart;

typedef struct ProtectItem {
    char *kind;         /* "database", "schema", "table", "role", "container" or "path" */
    char *name;         /* of a path: the entry of pgfold.yaml */
    char *server;       /* "target", "source laptop"; NULL: this machine */
    const char *method; /* what was looked at: a literal */
    GPtrArray *parts;   /* of ProtectPart*, always in one order; empty: there is no such thing */
    bool blind;         /* something kept us from looking: what is not among the parts is unknown, not gone */
    const char *counts; /* what count counts: "table", "file"; NULL: nothing */
} ProtectItem;

typedef enum ProtectVerdict { PROTECT_SAME, PROTECT_CHANGED, PROTECT_UNREADABLE, PROTECT_ABSENT } ProtectVerdict;

typedef struct ProtectFinding {
    char *kind, *name, *server;
    char *method;
    char *before, *after; /* SHA-256 over the parts that could be read; NULL where there were none */
    gint64 count, rows;   /* tables or files, and rows, that were compared; -1: none are counted */
    const char *counts;   /* as in ProtectItem */
    ProtectVerdict verdict;
    char *reason; /* what changed, or cannot be read; else NULL */
} ProtectFinding;

/* Array of ProtectItem*; empty where nothing is protected, or protect.fingerprint is off. A failure is one of the
 * connection to the servers themselves, or a cancel: what is about one thing is said of that. Transfer full. */
GPtrArray *protect_take(const Ends *ends, GError **error);
/* Array of ProtectFinding*, in the order of before, then what was not there then. Transfer full. */
GPtrArray *protect_compare(const GPtrArray *before, const GPtrArray *after);
/* What is left to say where the second look failed: of each item that it cannot be told. Transfer full. */
GPtrArray *protect_unknown(const GPtrArray *before, const char *reason);
/* "same", "changed", "unreadable", "absent" */
const char *protect_verdict_text(ProtectVerdict verdict);
/* How many have that verdict. */
guint protect_count(const GPtrArray *findings, ProtectVerdict verdict);

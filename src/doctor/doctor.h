/*
 * Doctor: is everything there that a fold needs? Every check ends as a DoctorResult: good, or what is wrong and what to
 * do about it.
 *
 *     g_autoptr(Doctor) doctor = doctor_run(&spec, &error);
 *     doctor->results                   in the order in which they are shown
 *
 * Checks come from three places: a table of queries of the server (table.c), the checks of an audit that need no rows
 * (audit/checks.h), and functions for what no server knows: programs, folders, the ledger, the two ends beside each
 * other. All ends are connected at once, and each is asked in two round trips. Nothing is written anywhere.
 *
 * Main thread only (children are started).
 */
#pragma once

#include "config/config.h"
#include "pg/conn.h"

typedef enum DoctorVerdict {
    DOCTOR_GOOD,
    DOCTOR_NOTE, /* good to know */
    DOCTOR_WARNING,
    DOCTOR_FAILED
} DoctorVerdict;

typedef enum DoctorSide { DOCTOR_SOURCE = 1, DOCTOR_TARGET = 2, DOCTOR_BOTH = 3 } DoctorSide;

/* A check that is a query. Its rows: finding; the statement that helps, or NULL; "note", "warning", "failed" instead of
 * the check's own verdict, or NULL. No rows: good. */
typedef struct DoctorCheck {
    const char *id;
    DoctorSide side;
    DoctorVerdict verdict; /* of a finding */
    bool needs_database;   /* of the target: only where the target database exists */
    bool needs_missing;    /* only where it does not */
    bool needs_owners;     /* not with --no-owner */
    bool needs_roles;      /* not with --no-owner and --no-privileges */
    int min_version;       /* major; 0: any */
    const char *description;
    const char *remedy;
    const char *sql;
    const char *wants_sql; /* or NULL: asked of the source; the first column of its rows becomes $1 (text[]) of sql */
    bool wants_names;      /* wants_sql takes $1, $2 (text): a schema of the source, and its name in the target */
} DoctorCheck;

extern const DoctorCheck doctor_table[]; /* ends with id NULL */

typedef struct DoctorResult {
    const char *id;
    const char *description; /* a heading: "too few connections left" */
    char *place;             /* "this machine", "target", "source laptop" */
    DoctorVerdict verdict;
    GPtrArray *findings;   /* of char*; empty where there is nothing to say */
    GPtrArray *statements; /* of char*: SQL that mends it, run there by somebody who may; each ends with a semicolon */
    char *remedy;          /* or NULL */
    int status;            /* exit status that a failure leads to */
} DoctorResult;

/* One database that was asked, or could not be. */
typedef struct DoctorEnd {
    const ConfigSource *source; /* or NULL: a target */
    const char *into;           /* of a target: the database where that is not the one of its URL; or NULL */
    char *place;                /* as in DoctorResult */
    PgConn *conn;               /* NULL: it cannot be reached */
    char *missing;              /* of a target: its name where the database does not exist yet */
    guint64 bytes;              /* size of the database */
    bool has_objects;           /* anything of the users in it */
    bool has_rows;
    bool wrong;    /* another cluster than the pinned one: it was not asked any further */
    GError *error; /* why it cannot be reached */
} DoctorEnd;

typedef struct DoctorSpec {
    const Config *config;
    const GPtrArray *sources;     /* of const ConfigSource* */
    bool no_owner, no_privileges; /* as for a fold */
} DoctorSpec;

typedef struct Doctor {
    const Config *config; /* not owned */
    bool no_owner, no_privileges;
    GPtrArray *ends;    /* of DoctorEnd*: targets first */
    GPtrArray *results; /* of DoctorResult*: by place, in the order of the checks */
    double seconds;
} Doctor;

/* NULL only on cancel or a failure of this machine. */
Doctor *doctor_run(const DoctorSpec *spec, GError **error);
void doctor_free(Doctor *doctor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Doctor, doctor_free)

const char *doctor_verdict_text(DoctorVerdict verdict); /* "good", "note", "warning", "failed" */
/* The exit status: 3 where an end cannot be reached or is not the one that is pinned, 1 for any other failure. */
int doctor_status(const Doctor *doctor);

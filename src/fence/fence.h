/*
 * Fence: a source's database made read-only and closed, so that nothing is written behind a proof, and opened again
 * exactly as it was (docs/fence.md).
 *
 *     FenceSurvey *survey = fence_survey(conn, ledger, &error);   what stands, what is to be changed, who is connected
 *     fence_gate(survey, conn, &error)                            what must not be: nothing was changed then
 *     fence_raise(conn, ledger, run, "laptop", &error)            one transaction, recorded before its commit
 *     fence_end_sessions(conn, since, ended, &error)              those that began before it
 *     fence_prove(conn, url, since, &error)                       a write is tried and must be refused
 *     fence_lift(conn, ledger, survey, notes, &error)             everything back
 *
 * Every function may be called again after any failure, also of the process. A LedgerFence is one transaction that
 * closed something; its `before` is what that transaction took away:
 *
 *     {"owner": oid, "acl": "{...}" or null, "granted": oid or 0,
 *      "settings": [{"role": oid (0: the database), "value": text or null}],
 *      "grants": [{"grantee": oid (0: PUBLIC), "grantor": oid, "grantable": bool}]}
 *
 * Main thread only: it writes to the ledger.
 */
#pragma once

#include "ledger/ledger.h"
#include "pg/conn.h"

typedef struct FenceSession {
    int pid;
    char *role, *application, *kind, *state; /* "" where it is not known */
    char *since;                             /* RFC 3339, or "": we may not see it */
    bool may_end;
} FenceSession;

typedef struct FenceObstacle { /* something that could write behind the fence, and how to be rid of it */
    char *what, *statement;
} FenceObstacle;

typedef struct FenceOpening { /* who still comes in */
    char *role, *why;
} FenceOpening;

typedef struct FenceSurvey {
    bool may_alter;        /* the connected role may do all this; otherwise the rest is for display */
    char *owner;           /* of the database */
    GPtrArray *rows;       /* of LedgerFence*: what stands, the newest first */
    GPtrArray *statements; /* of char*: what is missing to a fence; empty: it stands as it should */
    GPtrArray *warnings;   /* of char*: what cannot be closed */
    GPtrArray *sessions;   /* of FenceSession*: began before the fence */
    GPtrArray *obstacles;  /* of FenceObstacle* */
    GPtrArray *openings;   /* of FenceOpening* */
    GPtrArray *slots;      /* of char*: logical replication slots */
    gint64 since;          /* the server's time when the fence stood; 0: it does not, or nobody knows */
} FenceSurvey;

FenceSurvey *fence_survey(PgConn *conn, Ledger *ledger, GError **error);
void fence_survey_free(FenceSurvey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FenceSurvey, fence_survey_free)

/* False with PGF_ERROR_REFUSED: a missing privilege, a prepared transaction, an enabled subscription, a session that we
 * may not end. The message has every reason, each with the statement that helps. */
bool fence_gate(const FenceSurvey *survey, const PgConn *conn, GError **error);

/* As above, for fence_lift(): a missing privilege. */
bool fence_gate_lift(const FenceSurvey *survey, const PgConn *conn, GError **error);

/* Closes the database, or does nothing where it is closed and recorded. A failure before the commit leaves everything
 * as it was; where the commit itself fails, the error is PGF_ERROR_MIDWAY and its state says so. *since: in,
 * survey->since; out, the server's time after the commit. */
bool fence_raise(PgConn *conn, Ledger *ledger, gint64 run, const char *source_name, gint64 *since, GError **error);

/* Sessions that began before since (0: now), ours left out. Waits for those that are just starting. FenceSession*.
 * Transfer full. */
GPtrArray *fence_sessions(PgConn *conn, gint64 since, GError **error);
/* Ends them, and returns when they are gone; those that stay are named in a PGF_ERROR_MIDWAY. */
bool fence_end_sessions(PgConn *conn, gint64 since, GError **error);

/* A new connection as the same role tries to write, and is refused with SQLSTATE 25006; no session from before since is
 * left, and no prepared transaction nor enabled subscription. PGF_ERROR_MIDWAY otherwise. */
bool fence_prove(PgConn *conn, const char *url, gint64 since, GError **error);

/* Puts back what all of survey->rows took, in one transaction. notes: gets what could not be put back, because its role
 * is gone (char*). statements: gets what was run, or, with dry_run, would be (char*). */
bool fence_lift(PgConn *conn, Ledger *ledger, const FenceSurvey *survey, bool dry_run, GPtrArray *statements,
                GPtrArray *notes, GError **error);

/* What stands in this database (the transactions that were committed), the newest first. A row whose transaction was
 * not committed is made void. LedgerFence*. Transfer full. */
GPtrArray *fence_standing(PgConn *conn, Ledger *ledger, GError **error);

/* For a fold that makes a database after the model of a fenced one: statements with {database} that undo there what the
 * fence did to the source (char*), and names of the roles in them. Both empty where nothing stands. */
bool fence_undo_elsewhere(PgConn *conn, const GPtrArray *rows, GPtrArray *statements, GPtrArray *roles, GError **error);

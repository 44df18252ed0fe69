/* Checks on their way to the servers and back (shared by the files of src/audit). */
#pragma once

#include "audit/checks.h"

/* A check on its way. */
typedef struct Question {
    const AuditCheck *check;
    PgConn *conn;
    char *value;      /* $1, or NULL for a query without parameters */
    PgResult *wanted; /* of check->wants_sql, or NULL */
    PgResult *answer;
} Question;

Question *question_new(GPtrArray *questions, const AuditCheck *check, PgConn *conn);
/* Frees one of an array of them. */
void question_free(gpointer question);

/* Asks all that has an answer in the catalogs: two rounds, in the first of which both sides work at once. */
bool questions_ask(const GPtrArray *questions, const ChecksSpec *spec, GError **error);
/* Asks all on one connection, in one round. */
bool questions_ask_one(const GPtrArray *questions, PgConn *conn, GError **error);

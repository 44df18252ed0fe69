/*
 * A connection to PostgreSQL. src/pg is the only room that includes libpq.
 *
 * A PgConn belongs to one thread at a time. Every wait has a deadline and ends on cancel (base/cancel.h); a query
 * that is given up is cancelled on the server too. Each connection is pinned on opening (docs/digest.md): empty
 * search_path, ISO dates, UTC, hex bytea, exact floats, row_security off, client_encoding UTF8 (SQL_ASCII where the
 * server has that), no statement, lock or idle timeouts, application_name pgfold.
 *
 * Errors: PGF_ERROR_CONNECT for a connection that cannot be made or was lost; PGF_ERROR_REFUSED for a missing
 * privilege (SQLSTATE 42501); PGF_ERROR_MIDWAY for any other failed statement. Messages start with the label of the
 * connection and never hold a password.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"

typedef struct PgConn PgConn;
typedef struct PgResult PgResult;

#define PG_CONNECT_MS 15000  /* how long a connection may take */
#define PG_CATALOG_MS 120000 /* how long a catalog query may take */

typedef struct PgIdentity {
    char *system_identifier; /* of the cluster, decimal (pg_control_system) */
    guint32 database_oid;
    char *database;
    int version;        /* server_version_num: 150004 */
    char *version_text; /* "15.4" */
    bool in_recovery;   /* a standby */
    char *role;         /* current_user */
    bool superuser;
    char *encoding; /* server_encoding: "UTF8" */
    char *started;  /* when the server was: a text, to be compared */
    char *address;  /* "socket /run/postgresql port 5432" or "10.0.0.1 port 5432", for people */
} PgIdentity;

/* label: what messages call it ("source laptop", "target"). url: any libpq connection string. database: overrides
 * the database of url, or NULL. The identity is learnt on opening. */
PgConn *pg_conn_open(const char *label, const char *url, const char *database, Deadline deadline, GError **error);
/* As pg_conn_open(). Where the server says that it has no such database, the connection is to another of its databases
 * ("postgres" or "template1"), and *ret_missing is the name of the one that is missing (transfer full); else NULL. */
PgConn *pg_conn_open_or_maintenance(const char *label, const char *url, const char *database, Deadline deadline,
                                    char **ret_missing, GError **error);
void pg_conn_close(PgConn *conn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgConn, pg_conn_close)

const PgIdentity *pg_conn_identity(const PgConn *conn);
const char *pg_conn_label(const PgConn *conn);
/* Host, port, database and user as libpq resolved them, without a password: "postgresql://app@/app?host=/tmp". */
const char *pg_conn_display(const PgConn *conn);
/* libpq variables for a child process (PGHOST=..., PGPASSWORD=...), so that no secret stands in its argv. For
 * SpawnSpec.setenv: a name alone is one that the child must not have. Transfer full, as a WipedStrv (base/wipe.h). */
char **pg_conn_child_environment(const PgConn *conn);
bool pg_same_database(const PgIdentity *a, const PgIdentity *b);
/* A standby and a copied data folder have the system identifier of their original, and another start. */
bool pg_same_server(const PgIdentity *a, const PgIdentity *b);
/* Whether the server runs on this machine for certain: a unix socket whose other end is a PostgreSQL, not a tunnel. */
bool pg_conn_is_local(const PgConn *conn);
/* Inside a transaction block, failed or not. */
bool pg_conn_in_transaction(const PgConn *conn);
/* SQLSTATE of the last failed statement ("23505"), or "". */
const char *pg_conn_sqlstate(const PgConn *conn);
/* Of the libpq that is loaded: "15.4". Transfer full. */
char *pg_library_version(void);
/* url with the password taken out, for messages; "(not a connection string)" where libpq cannot read it. Transfer full.
 */
char *pg_url_display(const char *url);
/* Whether libpq may choose between hosts, which the environment or a service may name as well, so that two connections
 * can lead to two servers. */
bool pg_url_has_several_hosts(const char *url);
/* The database that url names, or NULL: libpq would find one elsewhere (a service, PGDATABASE, the user). Transfer
 * full. */
char *pg_url_database(const char *url);
/* "postgresql+asyncpg://..." as libpq wants it: without the driver that SQLAlchemy reads there. Transfer full. */
char *pg_url_without_driver(const char *url);

/* Runs sql (several statements are allowed) and returns the last result. */
PgResult *pg_query(PgConn *conn, const char *sql, Deadline deadline, GError **error);
/* One statement with $1..$n; values are text, NULL for SQL NULL. */
PgResult *pg_query_params(PgConn *conn, const char *sql, guint n, const char *const *values, Deadline deadline,
                          GError **error);
/* As pg_query(), for statements whose result does not matter. */
bool pg_exec(PgConn *conn, const char *sql, Deadline deadline, GError **error);
bool pg_execf(PgConn *conn, Deadline deadline, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* One row at a time, with flat memory. row is valid during the call only. Return false, with an error set, to stop. */
typedef bool (*PgRowFunc)(const PgResult *row, gpointer data, GError **error);
bool pg_query_each(PgConn *conn, const char *sql, guint n, const char *const *values, PgRowFunc func, gpointer data,
                   Deadline deadline, GError **error);

/* Sends without waiting, so that two servers work at once; pg_receive() returns what pg_query() would have. */
bool pg_send(PgConn *conn, const char *sql, GError **error);
PgResult *pg_receive(PgConn *conn, Deadline deadline, GError **error);
/* As pg_send(), one statement only; its columns must be of type text or bytea and come as they are, without hex. */
bool pg_send_raw(PgConn *conn, const char *sql, GError **error);

void pg_result_free(PgResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgResult, pg_result_free)
int pg_result_rows(const PgResult *result);
int pg_result_columns(const PgResult *result);
const char *pg_result_name(const PgResult *result, int column);
/* The value as text, owned by the result; NULL for SQL NULL. */
const char *pg_result_get(const PgResult *result, int row, int column);
/* A bytea of a statement that pg_send_raw() sent; NULL for SQL NULL. */
const guint8 *pg_result_bytes(const PgResult *result, int row, int column, gsize *ret_length);
/* Numbers and booleans; SQL NULL gives 0 and false. A column of another type is a bug of ours: aborts. */
gint64 pg_result_int(const PgResult *result, int row, int column);
bool pg_result_bool(const PgResult *result, int row, int column);
/* Rows affected by an INSERT, UPDATE, COPY. */
guint64 pg_result_affected(const PgResult *result);

/* "schema"."name" always quoted; the single place where an identifier enters SQL. Transfer full. */
char *pg_quote_ident(const char *name);
char *pg_quote_qualified(const char *schema, const char *name);
/* For a statement that a person is to type: quoted only where the name is not plain. Transfer full. */
char *pg_display_ident(const char *name);
/* 'text', safe under standard_conforming_strings (which is pinned on). Transfer full. */
char *pg_quote_literal(const char *text);
/* An array as the server reads it, every element quoted; NULL elements are SQL NULL: {"a","b",NULL}. To be passed as a
 * parameter or through pg_quote_literal(). Transfer full. */
char *pg_array_literal(const GPtrArray *texts);

#include "pg/conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/route.h"
#include "base/wait.h"
#include "pg/internal.h"
#include "pg/pg_sql.h"

/* What every session of ours has (docs/digest.md says why for each). The timeouts go first: the database may have one
 * that is shorter than the rest of these statements takes. */
static const char PINNED[] =
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET search_path = ''; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; "
    "SET TimeZone = 'UTC'; SET bytea_output = 'hex'; SET extra_float_digits = 3; "
    "SET lc_monetary = 'C'; SET row_security = off; SET xmloption = content; "
    "SET standard_conforming_strings = on; SET quote_all_identifiers = off; "
    "SET synchronize_seqscans = off; SET array_nulls = on; SET transform_null_equals = off; "
    "SET jit = off; SET work_mem = '64MB'; SET default_transaction_read_only = off; SET client_min_messages = "
    "warning; ";
static const char PINNED_14[] = "SET idle_session_timeout = 0; ";
static const char PINNED_17[] = "SET transaction_timeout = 0; ";

typedef struct Remedy {
    const char *message; /* part of what libpq or the server says */
    const char *hint;
} Remedy;

static const Remedy REMEDIES[] = {
    {"password authentication failed",
     "Check user and password: ${NAME} in pgfold.yaml, PGPASSWORD, ~/.pgpass or a service file."},
    {"no password supplied",
     "Give the password through ${NAME} in pgfold.yaml, PGPASSWORD, ~/.pgpass or a service file."},
    {"Connection refused",
     "Is the server running, and does it listen on that port? `pg_isready -h HOST -p PORT` tells."},
    {"No such file or directory", "No server listens on that socket: is it running, and is the folder right?"},
    {"could not translate host name", "The host name is not known: check its spelling."},
    {"definition of service", "The service is in none of the service files: see ~/.pg_service.conf and PGSERVICEFILE."},
    {"role \"", "The role does not exist there, or may not log in: check the user of the URL."},
    {"timed out", "The server did not answer in time: is a firewall between, or is the host down?"},
};

static const char *remedy_for(const char *message)
{
    for (gsize i = 0; i < G_N_ELEMENTS(REMEDIES); i++)
        if (strstr(message, REMEDIES[i].message) != NULL)
            return REMEDIES[i].hint;
    return "Try the same connection with psql.";
}

char *pg_library_version(void)
{
    return g_strdup_printf("%d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
}

char *pg_url_display(const char *url)
{
    g_auto(Route) route = {0};
    if (route_parse(url, &route)) {
        g_autofree char *there = pg_url_display(route.url);
        return g_strdup_printf("%s through ssh %s", there, route.host);
    }
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (options == NULL)
        return g_strdup("(not a connection string)");
    GString *text = g_string_new(NULL);
    for (PQconninfoOption *o = options; o->keyword != NULL; o++)
        if (o->val != NULL && o->dispchar[0] != '*')
            g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "", o->keyword, o->val);
    PQconninfoFree(options);
    return g_string_free(text, FALSE);
}

static bool url_is_readable(const char *label, const char *url, GError **error)
{
    /* libpq's own message quotes the string, password included: it is not passed on. */
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    bool is_string = strstr(url, "://") != NULL || strchr(url, '=') != NULL;
    if (options == NULL || !is_string) {
        pgf_error_set(error, PGF_ERROR_USAGE,
                      "Write a URI (postgresql://user@host/database) or keywords (host=... dbname=...), as for psql.",
                      "%s: not a PostgreSQL connection string", label);
        PQconninfoFree(options);
        return false;
    }
    PQconninfoFree(options);
    return true;
}

static bool wait_connected(PGconn *pg, Deadline deadline, GError **error)
{
    PostgresPollingStatusType polling = PGRES_POLLING_WRITING;
    while (polling != PGRES_POLLING_OK) {
        if (polling == PGRES_POLLING_FAILED)
            return true; /* PQstatus() tells */
        struct pollfd fd = {.fd = PQsocket(pg), .events = polling == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        if (!wait_fds(&fd, 1, deadline, error))
            return false;
        polling = PQconnectPoll(pg);
    }
    return true;
}

static char *display_of(const PgConn *conn)
{
    PGconn *pg = conn->pg;
    const char *host = PQhost(pg);
    if (conn->route != NULL)
        return g_strdup_printf("%s in database %s on %s", PQuser(pg), PQdb(pg), conn->way.server);
    if (host == NULL || *host == '\0' || *host == '/' || *host == '@')
        return g_strdup_printf("postgresql://%s@/%s?host=%s&port=%s", PQuser(pg), PQdb(pg), host == NULL ? "" : host,
                               PQport(pg));
    return g_strdup_printf("postgresql://%s@%s:%s/%s", PQuser(pg), host, PQport(pg), PQdb(pg));
}

static char *address_of(const PgConn *conn)
{
    PGconn *pg = conn->pg;
    const char *host = PQhost(pg);
    if (conn->route != NULL)
        return g_strdup(conn->way.server);
    bool is_socket = host != NULL && (*host == '/' || *host == '@');
    return g_strdup_printf("%s%s port %s", is_socket ? "socket " : "", host == NULL ? "" : host, PQport(pg));
}

static bool learn_identity(PgConn *conn, Deadline deadline, GError **error)
{
    int version = PQserverVersion(conn->pg);
    if (version < 120000) {
        pgf_error_set(error, PGF_ERROR_CONNECT, "pgfold works with PostgreSQL 12 and later: upgrade this server first.",
                      "%s: server version %d.%d is too old", conn->label, version / 10000, version % 10000);
        return false;
    }
    g_autofree char *sql = g_strconcat(PINNED, version >= 140000 ? PINNED_14 : "", version >= 170000 ? PINNED_17 : "",
                                       PG_IDENTITY_SQL, NULL);
    g_autoptr(PgResult) r = pg_query(conn, sql, deadline, error);
    if (r == NULL)
        return false;
    PgIdentity *id = &conn->identity;
    id->system_identifier = g_strdup(pg_result_get(r, 0, 0));
    id->database_oid = (guint32)g_ascii_strtoull(pg_result_get(r, 0, 1), NULL, 10);
    id->database = g_strdup(pg_result_get(r, 0, 2));
    id->version = version;
    id->version_text = g_strdup(pg_result_get(r, 0, 3));
    id->in_recovery = pg_result_bool(r, 0, 4);
    id->role = g_strdup(pg_result_get(r, 0, 5));
    id->superuser = pg_result_bool(r, 0, 6);
    id->encoding = g_strdup(pg_result_get(r, 0, 7));
    id->started = g_strdup(pg_result_get(r, 0, 8));
    id->address = address_of(conn);
    /* Its bytes may be no text in any encoding: they go as they are, where every other server converts to UTF8. */
    return !g_str_equal(id->encoding, "SQL_ASCII") ||
           pg_exec(conn, "SET client_encoding = 'SQL_ASCII'", deadline, error);
}

/* Warnings of the server ("collation version mismatch") are found by checks of ours: nothing goes to stderr by itself.
 */
static void ignore_notice(void *data, const char *message)
{
    (void)data;
    (void)message;
}

/* A connection that may have failed: PQstatus() tells. NULL with an error only for what is not libpq's to say. */
static PgConn *start_conn(const char *label, const char *url, const char *database, Deadline deadline, GError **error)
{
    g_autoptr(PgConn) conn = g_new0(PgConn, 1);
    conn->label = g_strdup(label);
    if (!pg_route_follow(conn, url, deadline, error))
        return NULL;
    if (conn->way.url != NULL)
        url = conn->way.url;
    if (!url_is_readable(label, url, error))
        return NULL;
    /* The first dbname may be a whole connection string (expand_dbname): what it says overrides the keywords before it
     * and is overridden by those after it. Keepalives: a connection that drops is noticed within a minute or so. */
    const char *keywords[] = {"keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "dbname",
                              "client_encoding",
                              "application_name",
                              database == NULL ? NULL : "dbname",
                              NULL};
    const char *values[] = {"20", "10", "3", "60000", url, "UTF8", "pgfold", database, NULL};
    conn->pg = PQconnectStartParams(keywords, values, 1);
    g_autoptr(GError) cause = NULL;
    if (PQstatus(conn->pg) != CONNECTION_BAD && !wait_connected(conn->pg, deadline, &cause)) {
        g_autofree char *where = address_of(conn);
        if (cause->code == PGF_ERROR_CANCELLED)
            g_propagate_error(error, g_steal_pointer(&cause));
        else
            pgf_error_set(error, PGF_ERROR_CONNECT, remedy_for(cause->message), "%s: cannot connect to %s: %s", label,
                          where, cause->message);
        return NULL;
    }
    return g_steal_pointer(&conn);
}

static void set_connect_error(const PgConn *conn, GError **error)
{
    g_autofree char *said = g_strstrip(g_strdup(PQerrorMessage(conn->pg)));
    g_autofree char *message = pg_route_explain(conn, said);
    pgf_error_set(error, PGF_ERROR_CONNECT, remedy_for(message), "%s: cannot connect: %s", conn->label, message);
}

static PgConn *finish_conn(PgConn *started, Deadline deadline, GError **error)
{
    g_autoptr(PgConn) conn = started;
    if (PQstatus(conn->pg) != CONNECTION_OK) {
        set_connect_error(conn, error);
        return NULL;
    }
    conn->display = display_of(conn);
    PQsetnonblocking(conn->pg, 1);
    PQsetNoticeProcessor(conn->pg, ignore_notice, NULL);
    if (!learn_identity(conn, deadline, error))
        return NULL;
    return g_steal_pointer(&conn);
}

PgConn *pg_conn_open(const char *label, const char *url, const char *database, Deadline deadline, GError **error)
{
    PgConn *conn = start_conn(label, url, database, deadline, error);
    return conn == NULL ? NULL : finish_conn(conn, deadline, error);
}

/* 1: the server says that there is no such database; 0: there is, or nobody can tell. */
static bool database_is_missing(PgConn *maintenance, const char *database)
{
    g_autoptr(PgResult) r = pg_query_params(maintenance, "SELECT FROM pg_catalog.pg_database WHERE datname = $1", 1,
                                            &database, deadline_in_ms(PG_CATALOG_MS), NULL);
    return r != NULL && pg_result_rows(r) == 0;
}

/* A connection to another database, from which this one is seen to be missing; or NULL. *ret_there: it is not. An error
 * only where the server lets us in and is none that we can use. */
static PgConn *open_maintenance(const char *label, const char *url, const char *wanted, Deadline deadline,
                                bool *ret_there, GError **error)
{
    static const char *const MAINTENANCE[] = {"postgres", "template1"};
    *ret_there = false;
    for (gsize i = 0; i < G_N_ELEMENTS(MAINTENANCE) && !*ret_there; i++) {
        g_autoptr(PgConn) started = start_conn(label, url, MAINTENANCE[i], deadline, NULL);
        if (started == NULL || PQstatus(started->pg) != CONNECTION_OK)
            continue;
        g_autoptr(PgConn) other = finish_conn(g_steal_pointer(&started), deadline, error);
        if (other == NULL)
            return NULL;
        if (database_is_missing(other, wanted))
            return g_steal_pointer(&other);
        *ret_there = true;
    }
    return NULL;
}

PgConn *pg_conn_open_or_maintenance(const char *label, const char *url, const char *database, Deadline deadline,
                                    char **ret_missing, GError **error)
{
    *ret_missing = NULL;
    for (bool again = false;; again = true) {
        bool there = false;
        g_autoptr(PgConn) conn = start_conn(label, url, database, deadline, error);
        if (conn == NULL)
            return NULL;
        if (PQstatus(conn->pg) == CONNECTION_OK)
            return finish_conn(g_steal_pointer(&conn), deadline, error);
        g_autofree char *wanted = g_strdup(PQdb(conn->pg));
        g_autoptr(GError) cause = NULL;
        g_autoptr(PgConn) other = open_maintenance(label, url, wanted, deadline, &there, &cause);
        if (other != NULL) {
            *ret_missing = g_steal_pointer(&wanted);
            return g_steal_pointer(&other);
        }
        if (cause != NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
        if (!cancel_check(error)) /* then it is not known whether the database is missing */
            return NULL;
        if (there && !again) /* it may have come just now: the last statement of a fold that was killed */
            continue;
        set_connect_error(conn, error);
        return NULL;
    }
}

void pg_conn_close(PgConn *conn)
{
    if (conn == NULL)
        return;
    PQfinish(conn->pg);
    pg_route_forget(conn);
    g_free(conn->label);
    g_free(conn->display);
    g_free(conn->identity.system_identifier);
    g_free(conn->identity.database);
    g_free(conn->identity.version_text);
    g_free(conn->identity.role);
    g_free(conn->identity.encoding);
    g_free(conn->identity.started);
    g_free(conn->identity.address);
    g_free(conn);
}

const PgIdentity *pg_conn_identity(const PgConn *conn)
{
    return &conn->identity;
}

const char *pg_conn_label(const PgConn *conn)
{
    return conn->label;
}

const char *pg_conn_display(const PgConn *conn)
{
    return conn->display;
}

bool pg_same_database(const PgIdentity *a, const PgIdentity *b)
{
    return a->database_oid == b->database_oid && g_str_equal(a->system_identifier, b->system_identifier);
}

bool pg_same_server(const PgIdentity *a, const PgIdentity *b)
{
    return g_str_equal(a->system_identifier, b->system_identifier) && g_str_equal(a->started, b->started);
}

char **pg_conn_child_environment(const PgConn *conn)
{
    g_autoptr(GPtrArray) env = g_ptr_array_new();
    PQconninfoOption *options = PQconninfo(conn->pg);
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if (o->envvar != NULL && o->val != NULL && *o->val != '\0')
            g_ptr_array_add(env, g_strdup_printf("%s=%s", o->envvar, o->val));
        else if (o->envvar != NULL)
            g_ptr_array_add(env, g_strdup(o->envvar)); /* ours is without it ("hostaddr="): the child's is, too */
    PQconninfoFree(options);
    /* A service of the caller's environment would win over the variables above (libpq, "The Connection Service File").
     */
    g_ptr_array_add(env, g_strdup("PGSERVICE"));
    g_ptr_array_add(env, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&env), FALSE);
}

/* Connecting to places, all at once, and finding out which of them lead to one server. */
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "config/secret.h"
#include "discover/discover_sql.h"
#include "discover/internal.h"
#include "pg/url.h"
#include "pool/pool.h"

enum { ASKERS = 8, NAMES_MS = 800 };

typedef struct Question {
    Place *place;
    GPtrArray *logins;  /* of char*: connection strings to try in turn; wiped */
    guint worked;       /* which of them did */
    bool first_is_bare; /* the first one is without the password */
    Server *server;     /* not yet compared with others; NULL: not reached */
    char *database;     /* that the connection is to; NULL where it does not exist */
    char *reason;
} Question;

static void free_database(gpointer data)
{
    FoundDatabase *database = data;
    g_free(database->name);
    g_free(database);
}

static void server_free(Server *server)
{
    if (server == NULL)
        return;
    g_free(server->system_identifier);
    g_free(server->started);
    g_free(server->version);
    g_clear_pointer(&server->databases, g_ptr_array_unref);
    g_clear_pointer(&server->places, g_ptr_array_unref);
    g_free(server);
}

static void question_free(gpointer data)
{
    Question *question = data;
    g_clear_pointer(&question->logins, g_ptr_array_unref);
    server_free(question->server);
    g_free(question->database);
    g_free(question->reason);
    g_free(question);
}

/* Runs in a worker's thread, as all up to ask_one(). */
static Server *read_server(PgConn *conn, Deadline deadline)
{
    g_autoptr(PgResult) r = pg_query(conn, DISCOVER_DATABASES_SQL, deadline, NULL);
    if (r == NULL)
        return NULL;
    const PgIdentity *identity = pg_conn_identity(conn);
    Server *server = g_new0(Server, 1);
    server->system_identifier = g_strdup(identity->system_identifier);
    server->started = g_strdup(identity->started);
    server->version = g_strdup(identity->version_text);
    server->in_recovery = identity->in_recovery;
    server->databases = g_ptr_array_new_with_free_func(free_database);
    server->places = g_ptr_array_new();
    for (int i = 0; i < pg_result_rows(r); i++) {
        FoundDatabase *database = g_new0(FoundDatabase, 1);
        database->name = g_strdup(pg_result_get(r, i, 0));
        database->bytes = pg_result_get(r, i, 1) == NULL ? -1 : pg_result_int(r, i, 1);
        g_ptr_array_add(server->databases, database);
    }
    return server;
}

/* libpq's last line, without what pgfold put before it. */
static char *short_reason(const GError *error)
{
    const char *message = error->message;
    const char *fatal = strstr(message, "FATAL:");
    const char *failed = strstr(message, " failed: ");
    const char *told = fatal != NULL ? fatal + strlen("FATAL:") : failed != NULL ? failed + strlen(" failed: ") : NULL;
    if (told == NULL)
        told = strstr(message, "cannot connect: ") != NULL ? strstr(message, "cannot connect: ") + 16 : message;
    g_autofree char *text = g_strdup(told);
    g_strdelimit(text, "\n", '\0');
    return g_strdup(g_strstrip(text));
}

static bool ask_one(PoolWorker *worker, gpointer data, GError **error)
{
    (void)worker;
    (void)error;
    Question *question = data;
    Deadline deadline = deadline_in_ms(DISCOVER_ANSWER_MS);
    for (guint i = 0; i < question->logins->len && question->server == NULL; i++) {
        g_autoptr(GError) cause = NULL;
        g_autofree char *missing = NULL;
        g_autoptr(PgConn) conn =
            pg_conn_open_or_maintenance("server", question->logins->pdata[i], NULL, deadline, &missing, &cause);
        question->worked = i;
        if (conn != NULL) {
            question->server = read_server(conn, deadline);
            question->database = missing != NULL ? NULL : g_strdup(pg_conn_identity(conn)->database);
        }
        /* The first reason is the one of the login that was meant. */
        else if (question->reason == NULL || (i == 1 && question->first_is_bare)) {
            g_free(question->reason);
            question->reason = short_reason(cause);
        }
    }
    return true;
}

static void wipe(gpointer text)
{
    config_wipe(text);
}

static void add_login(GPtrArray *logins, char *url_taken)
{
    for (guint i = 0; i < logins->len; i++) {
        if (!g_str_equal(logins->pdata[i], url_taken))
            continue;
        config_wipe(url_taken);
        return;
    }
    g_ptr_array_add(logins, url_taken);
}

static void add_login_as(GPtrArray *logins, const Place *place, const char *user, const char *database)
{
    g_autoptr(GHashTable) parts = pg_url_new();
    pg_url_set(parts, "host", pg_url_get(place->url, "host"));
    pg_url_set(parts, "port", pg_url_get(place->url, "port"));
    pg_url_set(parts, "user", user);
    pg_url_set(parts, "dbname", database);
    add_login(logins, pg_url_format(parts, true));
}

/* A socket or a port says nothing of users: the environment's, the system's, and the one that every cluster has. */
static void guess_logins(GPtrArray *logins, const Place *place)
{
    const char *database = g_getenv("PGDATABASE");
    database = database == NULL ? "postgres" : database;
    const char *user = g_getenv("PGUSER");
    add_login_as(logins, place, user == NULL || *user == '\0' ? g_get_user_name() : user, database);
    add_login_as(logins, place, "postgres", "postgres");
}

/* A file of the folder may name any machine of the world: PGPASSWORD is not meant for it, nor is that of a service. An
 * empty password keeps libpq from either; ~/.pgpass, which names hosts, still counts. */
static bool is_foreign(const Place *place, bool near)
{
    return place->kind == PLACE_ENV_FILE && !near && !pg_url_has_secret(place->url) &&
           g_strcmp0(pg_url_get(place->url, "host"), g_getenv("PGHOST")) != 0;
}

static char *without_password(char *url_taken)
{
    g_autofree char *url = url_taken;
    return g_strconcat(url, strchr(url, '?') == NULL ? "?" : "&", "password=", NULL);
}

static Question *question_new(Place *place)
{
    Question *question = g_new0(Question, 1);
    question->place = place;
    question->logins = g_ptr_array_new_with_free_func(wipe);
    if (place->kind == PLACE_SOCKET || place->kind == PLACE_PORT) {
        guess_logins(question->logins, place);
        return question;
    }
    /* Without the password first: who has it in ~/.pgpass, or is trusted, needs no hint later on. Not elsewhere, where
     * failed logins may be counted. */
    const char *host = pg_url_get(place->url, "host");
    bool near =
        pg_url_get(place->url, "hostaddr") == NULL && (host == NULL || *host == '/' || place_loopback(place) != NULL);
    question->first_is_bare = pg_url_has_secret(place->url) && near;
    if (question->first_is_bare)
        add_login(question->logins, pg_url_format(place->url, false));
    char *url = pg_url_format(place->url, true);
    add_login(question->logins, is_foreign(place, near) ? without_password(url) : url);
    return question;
}

static Server *find_server(const Discovery *discovery, const Server *same)
{
    for (guint i = 0; i < discovery->servers->len; i++) {
        Server *server = discovery->servers->pdata[i];
        if (g_str_equal(server->system_identifier, same->system_identifier) &&
            g_str_equal(server->started, same->started))
            return server;
    }
    return NULL;
}

/* Whoever reads fewer sizes knew less. */
static void take_sizes(Server *server, const Server *other)
{
    for (guint i = 0; i < server->databases->len && i < other->databases->len; i++) {
        FoundDatabase *database = server->databases->pdata[i];
        const FoundDatabase *same = other->databases->pdata[i];
        if (database->bytes < 0 && g_str_equal(database->name, same->name))
            database->bytes = same->bytes;
    }
}

static void sort_in(Discovery *discovery, Question *question)
{
    Place *place = question->place;
    if (question->server == NULL) {
        bool stopped = place->kind == PLACE_COMPOSE && g_strcmp0(question->reason, "Connection refused") == 0;
        place->state = stopped ? PLACE_STOPPED : PLACE_SILENT;
        if (stopped)
            place->reason = g_strdup("not running: nothing answers at its port");
        else
            place->reason = question->reason == NULL ? g_strdup("it does not say what it holds")
                                                     : g_steal_pointer(&question->reason);
        return;
    }
    place->state = PLACE_REACHED;
    place->used_password = question->first_is_bare && question->worked == 1;
    place->server = find_server(discovery, question->server);
    if (place->server == NULL) {
        place->server = g_steal_pointer(&question->server);
        g_ptr_array_add(discovery->servers, place->server);
    } else {
        take_sizes(place->server, question->server);
    }
    g_ptr_array_add(place->server->places, place);
    if (place->kind == PLACE_SERVICE) /* its file names the database */
        pg_url_set(place->url, "dbname", question->database);
    if (place->kind == PLACE_SOCKET || place->kind == PLACE_PORT) {
        g_hash_table_unref(place->url);
        place->url = pg_url_parse(question->logins->pdata[question->worked]);
        pg_url_set(place->url, "dbname", NULL);
    }
}

bool ask_places(Discovery *discovery, GError **error)
{
    g_autoptr(GPtrArray) questions = g_ptr_array_new_with_free_func(question_free);
    g_autoptr(Pool) pool = pool_new(ASKERS, NULL, NULL);
    check_names(discovery->places, deadline_in_ms(NAMES_MS));
    if (!cancel_check(error))
        return false;
    for (guint i = 0; i < discovery->places->len; i++) {
        Place *place = discovery->places->pdata[i];
        if (place->state != PLACE_UNASKED)
            continue;
        Question *question = question_new(place);
        g_ptr_array_add(questions, question);
        pool_add(pool, "ask", place->name, 0, ask_one, question);
    }
    if (questions->len > 0 && !pool_run(pool, NULL, NULL, error))
        return false;
    for (guint i = 0; i < questions->len; i++)
        sort_in(discovery, questions->pdata[i]);
    return cancel_check(error);
}

void discovery_free(Discovery *discovery)
{
    if (discovery == NULL)
        return;
    g_clear_pointer(&discovery->candidates, g_ptr_array_unref);
    for (guint i = 0; i < discovery->servers->len; i++)
        server_free(discovery->servers->pdata[i]);
    g_clear_pointer(&discovery->servers, g_ptr_array_unref);
    g_clear_pointer(&discovery->places, g_ptr_array_unref);
    g_clear_pointer(&discovery->remarks, g_ptr_array_unref);
    g_free(discovery);
}

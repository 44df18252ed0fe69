#include "pg/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/route.h"
#include "pg/internal.h"

static PgRouter installed;

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

void pg_way_clear(PgWay *way)
{
    g_clear_pointer(&way->url, wipe);
    g_clear_pointer(&way->socket, g_free);
    g_clear_pointer(&way->server, g_free);
}

void pg_address_clear(PgAddress *address)
{
    g_clear_pointer(&address->host, g_free);
    g_clear_pointer(&address->server_name, g_free);
    g_clear_pointer(&address->port, g_free);
    g_clear_pointer(&address->database, g_free);
    g_clear_pointer(&address->user, g_free);
}

void pg_route_install(const PgRouter *router)
{
    installed = *router;
}

bool pg_route_follow(PgConn *conn, const char *url, Deadline deadline, GError **error)
{
    if (!route_is(url))
        return true;
    g_assert(installed.open != NULL);
    conn->route = g_strdup(url);
    return installed.open(conn->label, url, deadline, &conn->way, error);
}

void pg_route_forget(PgConn *conn)
{
    g_clear_pointer(&conn->route, wipe);
    pg_way_clear(&conn->way);
}

char *pg_route_explain(const PgConn *conn, const char *message)
{
    /* What the server itself says came through the tunnel. */
    bool from_server = strstr(message, "FATAL:") != NULL || strstr(message, "ERROR:") != NULL;
    if (conn->route != NULL && !from_server) {
        char *why = installed.why(conn->route);
        if (why != NULL)
            return why;
    }
    g_autoptr(GString) text = g_string_new(message);
    if (conn->way.socket != NULL) {
        g_autofree char *named = g_strdup_printf("on socket \"%s\"", conn->way.socket);
        g_autofree char *meant = g_strdup_printf("at %s", conn->way.server);
        g_string_replace(text, named, meant, 0);
    }
    return g_strdup(text->str);
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val == NULL || *o->val == '\0' ? NULL : o->val;
    return NULL;
}

PGconn *pg_settle(const char *url, const char *host, const char *port)
{
    const char *keywords[] = {"dbname", "target_session_attrs", host == NULL ? NULL : "host", "port", NULL};
    const char *values[] = {url, "none: pgfold only looks at the address", host, port, NULL};
    return PQconnectStartParams(keywords, values, 1);
}

static PQconninfoOption *parse(const char *label, const char *url, GError **error)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (options == NULL)
        pgf_error_set(error, PGF_ERROR_USAGE,
                      "Write a URI (postgresql://user@host/database) or keywords (host=... dbname=...), as for psql.",
                      "%s: not a PostgreSQL connection string", label);
    return options;
}

/* What the string or its service says; PGHOST and its like are about this machine. */
static const char *chosen(const PQconninfoOption *given, const PQconninfoOption *all, const char *keyword)
{
    bool has_service = value_of(given, "service") != NULL || g_getenv("PGSERVICE") != NULL;
    const char *value = value_of(given, keyword);
    return value != NULL || !has_service ? value : value_of(all, keyword);
}

static bool demands_tls(const PQconninfoOption *all)
{
    const char *mode = value_of(all, "sslmode"), *binding = value_of(all, "channel_binding");
    return (mode != NULL && (strcmp(mode, "require") == 0 || g_str_has_prefix(mode, "verify-"))) ||
           (binding != NULL && strcmp(binding, "require") == 0);
}

static bool fill_address(const char *label, const PQconninfoOption *given, const PQconninfoOption *all,
                         PgAddress *ret_address, GError **error)
{
    const char *name = chosen(given, all, "host"), *address = chosen(given, all, "hostaddr");
    const char *port = chosen(given, all, "port");
    const char *host = address != NULL ? address : name != NULL ? name : "localhost";
    if (strchr(host, ',') != NULL || (port != NULL && strchr(port, ',') != NULL)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Name the one that is to be used.",
                      "%s: its url names several servers, and an ssh tunnel leads to one", label);
        return false;
    }
    *ret_address = (PgAddress){.host = g_strdup(host),
                               .server_name = g_strdup(name != NULL ? name : host),
                               .port = g_strdup(port == NULL ? "5432" : port),
                               .database = g_strdup(value_of(all, "dbname")),
                               .user = g_strdup(value_of(all, "user")),
                               .demands_tls = demands_tls(all) && *host != '/'};
    return true;
}

bool pg_address_find(const char *label, const char *url, PgAddress *ret_address, GError **error)
{
    *ret_address = (PgAddress){0};
    PQconninfoOption *given = parse(label, url, error);
    if (given == NULL)
        return false;
    PGconn *settled = pg_settle(url, NULL, NULL);
    PQconninfoOption *all = PQconninfo(settled);
    bool ok = true;
    if (strstr(PQerrorMessage(settled), "target_session_attrs") == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Try the same connection with psql.", "%s: %s", label,
                      g_strstrip(PQerrorMessage(settled)));
        ok = false;
    }
    ok = ok && fill_address(label, given, all, ret_address, error);
    PQconninfoFree(all);
    PQconninfoFree(given);
    PQfinish(settled);
    return ok;
}

static void append_option(GString *text, const char *keyword, const char *value)
{
    g_string_append_printf(text, "%s%s='", text->len > 0 ? " " : "", keyword);
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\'' || *at == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *at);
    }
    g_string_append_c(text, '\'');
}

/* Left out: what is given anew, and what holds for the server's own socket or was settled already. */
static bool is_kept(const PQconninfoOption *option)
{
    static const char *const REPLACED[] = {"host",        "hostaddr", "port",        "service",  "target_session_attrs",
                                           "servicefile", "password", "requirepeer", "passfile", NULL};
    return option->val != NULL && *option->val != '\0' && !g_strv_contains(REPLACED, option->keyword);
}

char *pg_url_redirect(const char *label, const char *url, const char *host, const char *hostaddr, const char *port,
                      GError **error)
{
    g_auto(PgAddress) real = {0};
    if (!pg_address_find(label, url, &real, error))
        return NULL;
    PQconninfoOption *given = parse(label, url, NULL);
    PGconn *settled = pg_settle(url, real.server_name, real.port);
    PQconninfoOption *all = PQconninfo(settled);
    GString *text = g_string_new(NULL);
    append_option(text, "host", host);
    /* Empty ones keep libpq from those of the environment, which would lead past the tunnel. */
    append_option(text, "hostaddr", hostaddr != NULL ? hostaddr : "");
    append_option(text, "requirepeer", "");
    append_option(text, "port", port);
    for (const PQconninfoOption *o = all; o != NULL && o->keyword != NULL; o++)
        if (is_kept(o))
            append_option(text, o->keyword, o->val);
    const char *password = PQpass(settled), *wanted = value_of(given, "target_session_attrs");
    if (password != NULL && *password != '\0')
        append_option(text, "password", password);
    if (wanted != NULL)
        append_option(text, "target_session_attrs", wanted);
    PQconninfoFree(all);
    PQconninfoFree(given);
    PQfinish(settled);
    return g_string_free(text, FALSE);
}

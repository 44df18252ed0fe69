#include "cmd/tunnel_end.h"

#include <string.h>

#include "base/error.h"
#include "base/route.h"
#include "config/protect.h"
#include "config/secret.h"
#include "ends/ends.h"
#include "tunnel/routes.h"

static void keep_identity(TunnelEnd *end, const PgIdentity *id, const char *database)
{
    end->identity = (PgIdentity){.system_identifier = g_strdup(id->system_identifier),
                                 .version_text = g_strdup(id->version_text),
                                 .database = g_strdup(database)};
}

void tunnel_end_clear(TunnelEnd *end)
{
    g_clear_pointer(&end->label, g_free);
    g_clear_pointer(&end->identity.system_identifier, g_free);
    g_clear_pointer(&end->identity.version_text, g_free);
    g_clear_pointer(&end->identity.database, g_free);
    g_clear_pointer(&end->shown_url, g_free);
    g_clear_pointer(&end->secret_url, config_wipe);
    for (guint i = 0; end->variables != NULL && end->variables[i] != NULL; i++)
        explicit_bzero(end->variables[i], strlen(end->variables[i]));
    g_clear_pointer(&end->variables, g_strfreev);
}

static void set(TunnelEnd *end, const char *name, const char *value)
{
    end->variables = g_environ_setenv(end->variables, name, value, TRUE);
}

static void append_parameter(GString *uri, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_autofree char *escaped = g_uri_escape_string(value, "/", FALSE);
    g_string_append_printf(uri, "%c%s=%s", strchr(uri->str, '?') == NULL ? '?' : '&', name, escaped);
}

static const char *get(const TunnelEnd *end, const char *name)
{
    return g_environ_getenv(end->variables, name);
}

/* Then libpq goes to 127.0.0.1, and expects a certificate with the name of the real host. */
static bool speaks_tls(const TunnelEnd *end)
{
    return get(end, "PGHOSTADDR") != NULL;
}

/* From the variables that libpq would read; all of them have been settled. */
static char *uri_of(const TunnelEnd *end, bool with_password)
{
    g_autofree char *user = g_uri_escape_string(get(end, "PGUSER"), NULL, FALSE);
    g_autofree char *database = g_uri_escape_string(get(end, "PGDATABASE"), NULL, FALSE);
    const char *port = get(end, "PGPORT"), *password = get(end, "PGPASSWORD");
    g_autoptr(GString) uri = g_string_new("postgresql://");
    g_string_append(uri, user);
    if (with_password && password != NULL) {
        char *escaped = g_uri_escape_string(password, NULL, FALSE);
        g_string_append_printf(uri, ":%s", escaped);
        config_wipe(escaped);
    }
    if (end->port > 0 && !speaks_tls(end)) {
        g_string_append_printf(uri, "@127.0.0.1:%s/%s", port, database);
        return g_strdup(uri->str);
    }
    g_string_append_printf(uri, "@/%s", database);
    append_parameter(uri, "host", get(end, "PGHOST"));
    append_parameter(uri, "hostaddr", get(end, "PGHOSTADDR"));
    append_parameter(uri, "port", port);
    if (speaks_tls(end)) {
        append_parameter(uri, "sslmode", get(end, "PGSSLMODE"));
        append_parameter(uri, "sslrootcert", get(end, "PGSSLROOTCERT"));
    }
    return g_strdup(uri->str);
}

/* What our own connection was settled to, but for what is ours alone. */
static void settle_variables(TunnelEnd *end, const PgConn *conn)
{
    static const char *const OURS[] = {"PGAPPNAME", "PGCLIENTENCODING", NULL};
    end->variables = pg_conn_child_environment(conn);
    for (gsize i = 0; OURS[i] != NULL; i++)
        end->variables = g_environ_unsetenv(end->variables, OURS[i]);
    set(end, "PGDATABASE", end->identity.database);
    if (end->port > 0 && !speaks_tls(end)) {
        g_autofree char *port = g_strdup_printf("%d", end->port);
        set(end, "PGHOST", "127.0.0.1");
        set(end, "PGPORT", port);
    }
    end->shown_url = uri_of(end, false);
    end->secret_url = uri_of(end, true);
}

static bool find_end(const Config *config, const char *name, TunnelEnd *ret_end, GError **error)
{
    const ConfigSource *source = name == NULL ? NULL : config_source(config, name, error);
    if (name != NULL && source == NULL)
        return false;
    ret_end->url = source == NULL ? config->target.url : source->url;
    ret_end->label = source == NULL ? g_strdup("target") : g_strconcat("source ", source->name, NULL);
    if (route_is(ret_end->url))
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE,
                  "Write `ssh: user@host` beside its url; host and port of the url are then as seen from there.",
                  "%s: pgfold.yaml has no ssh for it, so there is nothing to hold open", ret_end->label);
    return false;
}

bool tunnel_end_open(const Config *config, const char *source, int port, TunnelEnd *ret_end, GError **error)
{
    TunnelEnd *end = ret_end;
    g_autofree char *missing = NULL;
    end->port = port;
    if (!find_end(config, source, end, error) || !tunnel_route_open(end->label, end->url, port, error))
        return false;
    end->tunnel = tunnel_route_find(end->url);
    g_autoptr(PgConn) conn =
        pg_conn_open_or_maintenance(end->label, end->url, source == NULL ? config->target.database : NULL,
                                    deadline_in_ms(PG_CONNECT_MS), &missing, error);
    if (conn == NULL)
        return false;
    const PgIdentity *id = pg_conn_identity(conn);
    keep_identity(end, id, missing != NULL ? missing : id->database);
    if (!config_check_protected(config, end->label, end->identity.database, error) ||
        (source == NULL && !ends_check_pinned(config, id, error)))
        return false;
    end->pinned = source == NULL && config->target.identity != NULL;
    settle_variables(end, conn);
    return true;
}

bool tunnel_end_check_again(const TunnelEnd *end, bool *ret_other, GError **error)
{
    g_autofree char *missing = NULL;
    g_autoptr(PgConn) conn = pg_conn_open_or_maintenance(end->label, end->url, end->identity.database,
                                                         deadline_in_ms(PG_CONNECT_MS), &missing, error);
    *ret_other = false;
    if (conn == NULL)
        return false;
    if (g_str_equal(pg_conn_identity(conn)->system_identifier, end->identity.system_identifier))
        return true;
    *ret_other = true;
    pgf_error_set(error, PGF_ERROR_CONNECT, "Find out what has changed behind the ssh host before you go on.",
                  "%s: the tunnel leads to another cluster now: %s, and was opened to %s", end->label,
                  pg_conn_identity(conn)->system_identifier, end->identity.system_identifier);
    return false;
}

char **tunnel_end_environment(const TunnelEnd *end)
{
    GPtrArray *env = g_ptr_array_new();
    g_ptr_array_add(env, g_strconcat("DATABASE_URL=", end->secret_url, NULL));
    for (guint i = 0; end->variables[i] != NULL; i++)
        g_ptr_array_add(env, g_strdup(end->variables[i]));
    g_ptr_array_add(env, NULL);
    return (char **)g_ptr_array_free(env, FALSE);
}

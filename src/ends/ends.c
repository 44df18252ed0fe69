#include "ends/ends.h"

#include "base/error.h"
#include "base/route.h"
#include "config/protect.h"
#include "ends/link.h"
#include "pool/at_once.h"
#include "tunnel/routes.h"

static Deadline connect_deadline(void)
{
    return deadline_in_ms(PG_CONNECT_MS);
}

bool ends_check_pinned(const Config *config, const PgIdentity *target, GError **error)
{
    if (config->target.identity == NULL || g_str_equal(config->target.identity, target->system_identifier))
        return true;
    g_autofree char *where = config_where(config, "target.identity");
    pgf_error_set(
        error, PGF_ERROR_CONNECT,
        "Check where target.url leads. If the target really was moved to another cluster, write its identity into "
        "target.identity.",
        "target: wrong identity: the server at %s is cluster %s, but %s pins %s", target->address,
        target->system_identifier, where, config->target.identity);
    return false;
}

static bool check_different(const Ends *ends, GError **error)
{
    const PgIdentity *source = pg_conn_identity(ends->source);
    if (ends->target_missing != NULL || !pg_same_database(source, pg_conn_identity(ends->target)))
        return true;
    pgf_error_set(error, PGF_ERROR_CONNECT,
                  "Two URLs may lead to one database: a tunnel, an alias, a socket. Correct one of them.",
                  "source %s and target are the same database: %s (oid %u) in cluster %s", ends->source_config->name,
                  source->database, source->database_oid, source->system_identifier);
    return false;
}

static bool check_target(const Ends *ends, GError **error)
{
    const PgIdentity *target = pg_conn_identity(ends->target);
    const PgIdentity *source = pg_conn_identity(ends->source);
    if (!ends_check_pinned(ends->config, target, error) || !check_different(ends, error))
        return false;
    if (target->in_recovery) {
        pgf_error_set(error, PGF_ERROR_CONNECT, "Use the URL of the primary server.",
                      "target: the server at %s is a standby: nothing can be written there", target->address);
        return false;
    }
    if (target->version / 10000 < source->version / 10000) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "Upgrade the target's server to at least the source's major version.",
                      "the target (PostgreSQL %s) is older than source %s (PostgreSQL %s)", target->version_text,
                      ends->source_config->name, source->version_text);
        return false;
    }
    return true;
}

/* "source laptop"; the only one of a command line without a configuration is called "source" anyway. */
static char *label_of(const ConfigSource *source)
{
    return g_str_equal(source->name, "source") ? g_strdup("source") : g_strconcat("source ", source->name, NULL);
}

/* One of several databases that lets nobody in (no CONNECT privilege, its connection limit) while its server answers
 * elsewhere: its own refusal. Asked of the server, for what libpq says of a failed connection is in any language. */
static void settle_whose_failure(const ConfigSource *source, const char *label, GError *failure)
{
    if (source->base == NULL || !g_error_matches(failure, PGF_ERROR, PGF_ERROR_CONNECT))
        return;
    g_autoptr(PgConn) way_in = pg_conn_open(label, source->url, NULL, connect_deadline(), NULL);
    if (way_in == NULL)
        return;
    pgf_error_set_code(failure, PGF_ERROR_REFUSED);
    pgf_error_set_state(failure, "nothing was changed");
}

static bool open_source(Ends *ends, GError **error)
{
    const ConfigSource *source = ends->source_config;
    g_autofree char *label = label_of(source);
    g_autoptr(GError) failure = NULL;
    ends->source = pg_conn_open(label, source->url, source->database, connect_deadline(), &failure);
    if (ends->source == NULL) {
        settle_whose_failure(source, label, failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    return config_check_protected(ends->config, label, pg_conn_identity(ends->source)->database, error);
}

static bool open_target(Ends *ends, GError **error)
{
    const ConfigTarget *target = &ends->config->target;
    const char *into = ends->source_config->into_database;
    g_clear_pointer(&ends->target_missing, g_free);
    g_clear_pointer(&ends->target_database, g_free);
    ends->target = pg_conn_open_or_maintenance("target", target->url, into != NULL ? into : target->database,
                                               connect_deadline(), &ends->target_missing, error);
    if (ends->target == NULL)
        return false;
    ends->target_database =
        g_strdup(ends->target_missing != NULL ? ends->target_missing : pg_conn_identity(ends->target)->database);
    return config_check_protected(ends->config, "target", ends->target_database, error);
}

static bool open_end(guint i, gpointer data, GError **error)
{
    return i == 0 ? open_source(data, error) : open_target(data, error);
}

static gint64 source_bytes(const Ends *ends)
{
    g_autoptr(PgResult) r = pg_query(ends->source, "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())",
                                     deadline_in_ms(PG_CATALOG_MS), NULL);
    return r == NULL ? 0 : pg_result_int(r, 0, 0);
}

/* A link that turns out slow is opened again with compression, while nothing but this one connection uses it. */
static bool settle_source_link(Ends *ends, gint64 bytes, GError **error)
{
    const char *url = ends->source_config->url;
    if (!tunnel_route_undecided(url) || !link_is_slow(ends->source, LINK_FROM_SERVER, bytes))
        return true;
    g_clear_pointer(&ends->source, pg_conn_close);
    return tunnel_route_compress(url, error) && open_source(ends, error);
}

static bool settle_target_link(Ends *ends, gint64 bytes, GError **error)
{
    const char *url = ends->config->target.url;
    if (!tunnel_route_undecided(url) || !link_is_slow(ends->target, LINK_TO_SERVER, bytes))
        return true;
    g_clear_pointer(&ends->target, pg_conn_close);
    return tunnel_route_compress(url, error) && open_target(ends, error);
}

static bool settle_links(Ends *ends, GError **error)
{
    bool routes = route_is(ends->source_config->url) || (ends->target != NULL && route_is(ends->config->target.url));
    gint64 bytes = routes ? source_bytes(ends) : 0;
    return !routes ||
           (settle_source_link(ends, bytes, error) && (ends->target == NULL || settle_target_link(ends, bytes, error)));
}

static bool open_way(const char *label, const char *url, GError **error)
{
    return !route_is(url) || tunnel_route_open(label, url, 0, error);
}

bool ends_reach(const Ends *ends, GError **error)
{
    g_autofree char *label = label_of(ends->source_config);
    return open_way(label, ends->source_config->url, error) &&
           (ends->target == NULL || open_way("target", ends->config->target.url, error));
}

Ends *ends_open(const Config *config, const ConfigSource *source, bool needs_target, GError **error)
{
    g_autoptr(Ends) ends = g_new0(Ends, 1);
    g_autofree char *label = label_of(source);
    ends->config = config;
    ends->source_config = source;
    if (!open_way(label, source->url, error) || (needs_target && !open_way("target", config->target.url, error)) ||
        !pool_at_once(needs_target ? 2 : 1, open_end, ends, error) || (needs_target && !check_target(ends, error)) ||
        !settle_links(ends, error))
        return NULL;
    return g_steal_pointer(&ends);
}

void ends_free(Ends *ends)
{
    if (ends == NULL)
        return;
    filter_free(ends->filter);
    pg_snapshot_free(ends->snapshot);
    pg_conn_close(ends->source);
    pg_conn_close(ends->target);
    g_free(ends->target_missing);
    g_free(ends->target_database);
    g_free(ends);
}

bool ends_snapshot(Ends *ends, GError **error)
{
    ends->snapshot = pg_snapshot_export(ends->source, error);
    return ends->snapshot != NULL;
}

bool ends_find_filter(Ends *ends, GError **error)
{
    return filter_find(ends->source, ends->source_config, &ends->filter, error);
}

bool ends_release_snapshot(Ends *ends, GError **error)
{
    g_clear_pointer(&ends->snapshot, pg_snapshot_free);
    return pg_snapshot_leave(ends->source, error);
}

bool ends_target_has_come(const Ends *ends, bool *ret_has, GError **error)
{
    const char *values[] = {ends->target_missing};
    *ret_has = false;
    if (ends->target_missing == NULL)
        return true;
    g_autoptr(PgResult) r = pg_query_params(ends->target, "SELECT FROM pg_catalog.pg_database WHERE datname = $1", 1,
                                            values, deadline_in_ms(PG_CATALOG_MS), error);
    *ret_has = r != NULL && pg_result_rows(r) > 0;
    return r != NULL;
}

static void close_conn(gpointer conn)
{
    pg_conn_close(conn);
}

typedef struct Opening {
    const Ends *ends;
    const char *database; /* of the target's server; NULL: connections to the source */
    GPtrArray *conns;     /* filled */
} Opening;

static bool open_worker(guint i, gpointer data, GError **error)
{
    const Opening *opening = data;
    const Ends *ends = opening->ends;
    PgConn *conn = opening->database == NULL
                       ? pg_conn_open(pg_conn_label(ends->source), ends->source_config->url,
                                      ends->source_config->database, connect_deadline(), error)
                       : pg_conn_open("target", ends->config->target.url, opening->database, connect_deadline(), error);
    opening->conns->pdata[i] = conn;
    bool joins = opening->database == NULL && ends->snapshot != NULL;
    return conn != NULL && (!joins || pg_snapshot_join(conn, ends->snapshot, error));
}

static GPtrArray *open_workers(const Ends *ends, const char *database, guint n, GError **error)
{
    g_autoptr(GPtrArray) conns = g_ptr_array_new_with_free_func(close_conn);
    g_ptr_array_set_size(conns, (gint)n);
    Opening opening = {.ends = ends, .database = database, .conns = conns};
    if (!ends_reach(ends, error))
        return NULL;
    return pool_at_once(n, open_worker, &opening, error) ? g_steal_pointer(&conns) : NULL;
}

GPtrArray *ends_source_connections(const Ends *ends, guint n, GError **error)
{
    return open_workers(ends, NULL, n, error);
}

GPtrArray *ends_target_connections(const Ends *ends, const char *database, guint n, GError **error)
{
    return open_workers(ends, database != NULL ? database : ends->target_database, n, error);
}

bool ends_skips(const char *schema, const char *name, gpointer data)
{
    const Ends *ends = data;
    ConfigTableRule rule;
    if (ends->definitions_only || filter_leaves_out_relation(ends->filter, schema, name))
        return true;
    config_table_rule(ends->config, ends->source_config, schema, name, &rule);
    return rule.skip;
}

const char *const *ends_key(const char *schema, const char *name, char **ret_where, gpointer data)
{
    const Ends *ends = data;
    ConfigTableRule rule;
    config_table_rule(ends->config, ends->source_config, schema, name, &rule);
    if (rule.key[0] == NULL)
        return NULL;
    g_autofree char *key = g_strconcat(rule.key_path, ".key", NULL);
    *ret_where = config_where(ends->config, key);
    return rule.key;
}

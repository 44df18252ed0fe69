#include "doctor/where.h"

#include <string.h>

#include "base/error.h"
#include "base/route.h"
#include "config/protect.h"
#include "ledger/ledger.h"
#include "pool/pool.h"
#include "tunnel/routes.h"

enum { OTHERS_MS = 5000 }; /* how long a database may take with which the one in question is compared */

/* One of the databases of the configuration. */
typedef struct Known {
    const ConfigSource *source; /* NULL: the target */
    const char *url, *database, *label;
    char *name; /* of the database, where that is known */
    PgConn *conn;
    bool missing;
    GError *error;
} Known;

static void known_free(gpointer data)
{
    Known *known = data;
    g_free(known->name);
    pg_conn_close(known->conn);
    g_clear_error(&known->error);
    g_free(known);
}

const char *where_kind_text(WhereKind kind)
{
    static const char *const TEXTS[] = {"unknown", "target", "target-copy", "into", "source", "protected"};
    return TEXTS[kind];
}

void where_free(Where *where)
{
    if (where == NULL)
        return;
    pg_conn_close(where->conn);
    g_ptr_array_unref(where->doubts);
    g_free(where);
}

/* A database that does not answer is one that the other cannot be compared with. False on cancel. */
static bool run_open(PoolWorker *worker, gpointer data, GError **error)
{
    (void)worker;
    Known *known = data;
    Deadline deadline = deadline_in_ms(OTHERS_MS);
    g_autofree char *missing = NULL;
    known->conn =
        pg_conn_open_or_maintenance(known->label, known->url, known->database, deadline, &missing, &known->error);
    known->missing = missing != NULL;
    if (known->conn != NULL) {
        g_free(known->name);
        known->name = known->missing ? g_steal_pointer(&missing) : g_strdup(pg_conn_identity(known->conn)->database);
    }
    if (!g_error_matches(known->error, PGF_ERROR, PGF_ERROR_CANCELLED))
        return true;
    g_propagate_error(error, g_steal_pointer(&known->error));
    return false;
}

static Known *add_known(GPtrArray *all, const ConfigSource *source, const char *url, const char *database,
                        const char *label)
{
    Known *known = g_new0(Known, 1);
    known->source = source;
    known->url = url;
    known->database = database;
    known->label = label;
    known->name = database != NULL ? g_strdup(database) : url != NULL ? pg_url_database(url) : NULL;
    g_ptr_array_add(all, known);
    return known;
}

/* The one in question comes first, then the target, then the sources. */
static GPtrArray *list_known(const Config *config, const char *label, const char *url)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(known_free);
    add_known(all, NULL, url, NULL, label);
    add_known(all, NULL, config->target.url, config->target.database, "target");
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = config->sources->pdata[i];
        add_known(all, source, source->url, NULL, source->name);
    }
    return all;
}

/* Tunnels are opened by the main thread. */
static bool has_way(Known *known)
{
    return known->url != NULL &&
           (!route_is(known->url) || tunnel_route_open(known->label, known->url, 0, &known->error));
}

static bool open_all(const GPtrArray *all, GError **error)
{
    g_autoptr(Pool) pool = pool_new(CLAMP(all->len, 1, 32), NULL, NULL);
    for (guint i = 0; i < all->len; i++) {
        Known *known = all->pdata[i];
        if (has_way(known))
            pool_add(pool, "connect", known->label, 0, run_open, known);
    }
    return pool_run(pool, NULL, NULL, error);
}

static bool same_cluster(const Known *a, const char *system_identifier)
{
    return system_identifier != NULL && g_str_equal(pg_conn_identity(a->conn)->system_identifier, system_identifier);
}

static bool same_database(const Known *asked, const Known *other)
{
    if (other->missing)
        return g_strcmp0(other->name, pg_conn_identity(asked->conn)->database) == 0 &&
               same_cluster(asked, pg_conn_identity(other->conn)->system_identifier);
    return pg_same_database(pg_conn_identity(asked->conn), pg_conn_identity(other->conn));
}

/* Two servers of one system identifier were not started in the same microsecond. */
static bool same_server(const Known *asked, const Known *other)
{
    return other->conn != NULL && pg_same_server(pg_conn_identity(asked->conn), pg_conn_identity(other->conn));
}

static void doubt(Where *where, const Known *other)
{
    g_ptr_array_add(where->doubts, g_strdup_printf("%s%s could not be compared: %s",
                                                   other->source == NULL ? "" : "source ", other->label,
                                                   other->url == NULL     ? "its URL names a variable that is not set"
                                                   : other->error != NULL ? other->error->message
                                                                          : "no answer"));
}

static void judge_target(Where *where, const Config *config, const Known *asked, const Known *target)
{
    const char *pin = config->target.identity;
    const PgIdentity *id = pg_conn_identity(asked->conn);
    where->pinned = pin != NULL;
    where->named = target->name != NULL;
    where->compared = pin != NULL || target->conn != NULL;
    if (pin != NULL ? !same_cluster(asked, pin) : target->conn == NULL) {
        if (pin == NULL)
            doubt(where, target);
        return;
    }
    if (pin == NULL && !same_cluster(asked, pg_conn_identity(target->conn)->system_identifier))
        return;
    where->same_cluster = true;
    if (target->conn == NULL)
        doubt(where, target);
    if (target->name != NULL && strcmp(target->name, id->database) != 0)
        return;
    bool other_server =
        target->conn != NULL && same_cluster(target, id->system_identifier) && !same_server(asked, target);
    where->kind = id->in_recovery || other_server ? WHERE_TARGET_COPY : WHERE_TARGET;
}

/* A source may be folded into another database of the target's server: what is there is as good as the target. */
static void judge_into(Where *where, const Config *config, const Known *asked)
{
    for (guint i = 0; where->same_cluster && where->kind == WHERE_UNKNOWN && i < config->sources->len; i++) {
        const ConfigSource *source = config->sources->pdata[i];
        if (g_strcmp0(source->into_database, pg_conn_identity(asked->conn)->database) != 0)
            continue;
        where->kind = WHERE_INTO;
        where->source = source;
    }
}

/* Sources that do not answer now are known from earlier runs. */
static bool was_source(const Config *config, const char *source, const PgIdentity *id)
{
    g_autoptr(Ledger) ledger = NULL;
    if (config->path == NULL || !ledger_open_existing(config->state, &ledger, NULL) || ledger == NULL)
        return false;
    g_autoptr(GPtrArray) runs = ledger_runs(ledger, 0, NULL);
    for (guint i = 0; runs != NULL && i < runs->len; i++) {
        const LedgerRun *run = runs->pdata[i];
        if (g_strcmp0(run->source_name, source) == 0 && run->source.database_oid == id->database_oid &&
            g_strcmp0(run->source.system_identifier, id->system_identifier) == 0)
            return true;
    }
    return false;
}

static void judge_source(Where *where, const Config *config, const Known *asked, const Known *other)
{
    bool same = other->conn != NULL ? same_database(asked, other)
                                    : was_source(config, other->source->name, pg_conn_identity(asked->conn));
    if (same) {
        where->kind = WHERE_SOURCE;
        where->source = other->source;
    } else if (other->conn == NULL) {
        doubt(where, other);
    }
}

Where *where_leads(const Config *config, const char *label, const char *url, GError **error)
{
    g_autofree char *plain = pg_url_without_driver(url);
    g_autoptr(GPtrArray) all = list_known(config, label, plain);
    bool opened = open_all(all, error);
    explicit_bzero(plain, strlen(plain));
    if (!opened)
        return NULL;
    Known *asked = all->pdata[0];
    if (asked->conn == NULL || asked->missing) {
        if (asked->missing)
            pgf_error_set(error, PGF_ERROR_CONNECT, "Check the name of the database.",
                          "%s: there is no database %s on that server", label, asked->name);
        else
            g_propagate_error(error, g_steal_pointer(&asked->error));
        return NULL;
    }
    g_autoptr(Where) where = g_new0(Where, 1);
    where->doubts = g_ptr_array_new_with_free_func(g_free);
    judge_target(where, config, asked, all->pdata[1]);
    judge_into(where, config, asked);
    for (guint i = 2; i < all->len && where->kind == WHERE_UNKNOWN; i++)
        judge_source(where, config, asked, all->pdata[i]);
    if (config_protected(config, CONFIG_PROTECT_DATABASES, asked->name) != NULL)
        where->kind = WHERE_PROTECTED;
    where->conn = g_steal_pointer(&asked->conn);
    return g_steal_pointer(&where);
}

char *where_sentence(const Where *where)
{
    const PgIdentity *id = pg_conn_identity(where->conn);
    g_autofree char *what = NULL;
    switch (where->kind) {
    case WHERE_TARGET:
        what = g_strdup("the target");
        break;
    case WHERE_TARGET_COPY:
        what = g_strdup(id->in_recovery ? "a standby of the target" : "a copy of the target's cluster, not the target");
        break;
    case WHERE_INTO:
        what = g_strdup_printf("the database that source %s is folded into", where->source->name);
        break;
    case WHERE_SOURCE:
        what = g_strdup_printf("source %s", where->source->name);
        break;
    case WHERE_PROTECTED:
        what = g_strdup("a protected database");
        break;
    default:
        what = g_strdup(where->same_cluster ? "another database of the target's server"
                                            : "none of the databases of pgfold.yaml");
    }
    return g_strdup_printf("leads to %s: %s in cluster %s, PostgreSQL %s, %s", what, id->database,
                           id->system_identifier, id->version_text, id->address);
}

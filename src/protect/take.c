#include <string.h>

#include "pool/at_once.h"
#include "protect/internal.h"
#include "protect/protect_sql.h"

static const char ROLE_METHOD[] = "attributes, settings and memberships";

typedef struct Server {
    const char *label, *url, *database; /* of an open connection: one that may be connected to */
} Server;

typedef struct Task {
    ProtectItem *item;
    const char *url;
} Task;

typedef struct Taking {
    const Config *config;
    bool rows;
    GPtrArray *items;
    GArray *tasks; /* of Task: databases that are read */
} Taking;

static bool list_databases(Taking *taking, const Server *server, PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, PROTECT_DATABASES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        const char *name = pg_result_get(r, i, 0);
        if (config_protected(taking->config, CONFIG_PROTECT_DATABASES, name) == NULL)
            continue;
        Task task = {.url = server->url,
                     .item = items_add(taking->items,
                                       item_new("database", name, server->label,
                                                taking->rows ? PROTECT_DEFINITIONS_AND_ROWS : PROTECT_DEFINITIONS))};
        if (pg_result_bool(r, i, 1))
            g_array_append_val(taking->tasks, task);
        else
            item_blind(task.item, "the database", "nobody may connect to it (datallowconn)");
    }
    return r != NULL;
}

static bool list_roles(Taking *taking, const Server *server, PgConn *conn, GError **error)
{
    if (taking->config->protect[CONFIG_PROTECT_ROLES][0] == NULL)
        return true;
    g_autoptr(PgResult) r = pg_query(conn, PROTECT_ROLES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        const char *name = pg_result_get(r, i, 0);
        if (config_protected(taking->config, CONFIG_PROTECT_ROLES, name) == NULL)
            continue;
        ProtectItem *item = items_add(taking->items, item_new("role", name, server->label, ROLE_METHOD));
        item_part(item, "its attributes", pg_result_get(r, i, 1));
        item_part(item, "its settings", pg_result_get(r, i, 2));
        item_part(item, "its memberships", pg_result_get(r, i, 3));
    }
    return r != NULL;
}

/* A connection of its own: those of the run may stand in an older moment. */
static bool take_server(Taking *taking, const Server *server, GError **error)
{
    g_autoptr(PgConn) conn =
        pg_conn_open(server->label, server->url, server->database, deadline_in_ms(PG_CONNECT_MS), error);
    return conn != NULL && list_databases(taking, server, conn, error) && list_roles(taking, server, conn, error);
}

static bool take_servers(Taking *taking, const Ends *ends, GError **error)
{
    const PgIdentity *source = pg_conn_identity(ends->source);
    const PgIdentity *target = ends->target == NULL ? NULL : pg_conn_identity(ends->target);
    bool one_server = target != NULL && pg_same_server(source, target);
    if (target != NULL) {
        const Server server = {"target", ends->config->target.url, target->database};
        if (!take_server(taking, &server, error))
            return false;
    }
    const Server server = {pg_conn_label(ends->source), ends->source_config->url, source->database};
    return one_server || take_server(taking, &server, error);
}

static bool run_task(guint i, gpointer data, GError **error)
{
    const Taking *taking = data;
    const Task *task = &g_array_index(taking->tasks, Task, i);
    return protect_database(task->item, task->url, taking->rows, error);
}

/* As many at once as a fold has workers. */
static bool run_tasks(Taking *taking, GError **error)
{
    guint at_once = (guint)taking->config->fold.jobs;
    while (taking->tasks->len > 0) {
        guint n = MIN(at_once, taking->tasks->len);
        if (!pool_at_once(n, run_task, taking, error))
            return false;
        g_array_remove_range(taking->tasks, 0, n);
    }
    return true;
}

static bool has_server_things(const Config *config)
{
    return config->protect[CONFIG_PROTECT_DATABASES][0] != NULL || config->protect[CONFIG_PROTECT_ROLES][0] != NULL;
}

GPtrArray *protect_take(const Ends *ends, GError **error)
{
    const Config *config = ends->config;
    g_autoptr(GPtrArray) items = items_new();
    g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(Task));
    Taking taking = {
        .config = config, .rows = config->fingerprint == CONFIG_FINGERPRINT_FULL, .items = items, .tasks = tasks};
    if (config->fingerprint == CONFIG_FINGERPRINT_OFF)
        return g_steal_pointer(&items);
    bool ok = (!has_server_things(config) || take_servers(&taking, ends, error)) && run_tasks(&taking, error);
    if (ok) {
        items_add_absent(items, config, CONFIG_PROTECT_DATABASES, "database",
                         taking.rows ? PROTECT_DEFINITIONS_AND_ROWS : PROTECT_DEFINITIONS);
        items_add_absent(items, config, CONFIG_PROTECT_ROLES, "role", ROLE_METHOD);
    }
    if (ok && protect_target(items, ends, taking.rows, error) && protect_containers(items, config, error) &&
        protect_paths(items, config, error))
        return g_steal_pointer(&items);
    g_prefix_error(error, "looking at what is protected: ");
    return NULL;
}

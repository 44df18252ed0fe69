/* Containers that pgfold started: a step "container" of a run "start" for each, whose detail says which it is. */
#include <stdlib.h>

#include "ledger/internal.h"

void ledger_container_free(LedgerContainer *container)
{
    if (container == NULL)
        return;
    g_free(container->source_name);
    g_free(container->engine);
    g_free(container->id);
    g_free(container->name);
    g_free(container);
}

static bool write_detail(Ledger *ledger, const LedgerContainer *container, GError **error)
{
    json_t *detail =
        json_pack("{s:s?, s:s?, s:s?}", "engine", container->engine, "id", container->id, "name", container->name);
    char *text = json_dumps(detail, JSON_COMPACT);
    bool ok =
        db_run_one(ledger->db, error, "step", "UPDATE step SET detail = ? WHERE id = ?", "ti", text, container->step);
    free(text);
    json_decref(detail);
    return ok;
}

bool ledger_container_begin(Ledger *ledger, const char *source_name, const char *engine, const char *id,
                            const char *name, LedgerContainer **ret_container, GError **error)
{
    g_autoptr(LedgerContainer) container = g_new0(LedgerContainer, 1);
    container->source_name = g_strdup(source_name);
    container->engine = g_strdup(engine);
    container->id = g_strdup(id);
    container->name = g_strdup(name);
    container->alive = true;
    if (!ledger_run_begin(ledger, "start", source_name, &container->run, error) ||
        !ledger_step_begin(ledger, container->run, "container", name, &container->step, error) ||
        !write_detail(ledger, container, error))
        return false;
    *ret_container = g_steal_pointer(&container);
    return true;
}

bool ledger_container_made(Ledger *ledger, LedgerContainer *container, const char *engine, const char *id,
                           const char *name, GError **error)
{
    g_free(container->engine);
    g_free(container->id);
    g_free(container->name);
    container->engine = g_strdup(engine);
    container->id = g_strdup(id);
    container->name = g_strdup(name);
    return write_detail(ledger, container, error);
}

bool ledger_container_ended(Ledger *ledger, const LedgerContainer *container, GError **error)
{
    if (!db_run_one(ledger->db, error, "step", "UPDATE step SET state = 'done', finished = ? WHERE id = ?", "ii",
                    g_get_real_time(), container->step))
        return false;
    return !container->alive || ledger_run_finish(ledger, container->run, LEDGER_DONE, NULL, error);
}

static LedgerContainer *read_container(Ledger *ledger, sqlite3_stmt *stmt)
{
    LedgerContainer *container = g_new0(LedgerContainer, 1);
    container->run = sqlite3_column_int64(stmt, 0);
    container->step = sqlite3_column_int64(stmt, 1);
    container->source_name = db_text(stmt, 2);
    container->at = sqlite3_column_int64(stmt, 4);
    container->alive = lock_run_is_held(ledger, container->run);
    const char *detail = (const char *)sqlite3_column_text(stmt, 3);
    json_t *object = detail == NULL ? NULL : json_loads(detail, 0, NULL);
    container->engine = g_strdup(json_string_value(json_object_get(object, "engine")));
    container->id = g_strdup(json_string_value(json_object_get(object, "id")));
    container->name = g_strdup(json_string_value(json_object_get(object, "name")));
    json_decref(object);
    return container;
}

GPtrArray *ledger_containers(Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) containers = g_ptr_array_new_with_free_func((GDestroyNotify)ledger_container_free);
    g_autoptr(sqlite3_stmt) stmt =
        db_query(ledger->db, error,
                 "SELECT r.id, s.id, r.source_name, s.detail, s.started FROM step s JOIN run r ON r.id = s.run_id "
                 "WHERE r.command = 'start' AND s.name = 'container' AND s.state = 'started' ORDER BY s.id",
                 "");
    bool row = false;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return g_steal_pointer(&containers);
        g_ptr_array_add(containers, read_container(ledger, stmt));
    }
    return NULL;
}

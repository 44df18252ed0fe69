/* Materialized views whose rows may depend on the name of the database are filled when it has its own. */
#include "base/error.h"
#include "fold/fold_sql.h"
#include "fold/internal.h"

static bool is_refresh(const Fold *fold, const PlanEntry *p)
{
    return fold_makes(fold, p) && g_str_equal(p->entry->type, "MATERIALIZED VIEW DATA");
}

bool fold_refreshes_late(const Fold *fold, const PlanEntry *p)
{
    return fold->refresh_late && is_refresh(fold, p);
}

bool fold_find_refreshes(Fold *fold, GError **error)
{
    const GPtrArray *entries = fold->spec->plan->entries;
    bool any = false;
    for (guint i = 0; i < entries->len; i++)
        any = any || is_refresh(fold, entries->pdata[i]);
    if (!any || !fold->own_database)
        return true;
    g_autoptr(PgResult) r = pg_query(fold->main, FOLD_NAMES_DATABASE_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    fold->refresh_late = pg_result_bool(r, 0, 0);
    return true;
}

/* In pg_dump's order, which is the one in which they need each other. */
static bool refresh_all(const Fold *fold, PgConn *conn, GError **error)
{
    const GPtrArray *entries = fold->spec->plan->entries;
    for (guint i = 0; i < entries->len; i++) {
        const PlanEntry *p = entries->pdata[i];
        if (!fold_refreshes_late(fold, p) || pg_exec(conn, p->entry->sql, DEADLINE_NONE, error))
            continue;
        g_prefix_error(error, "filling materialized view %s: ", p->entry->name);
        return false;
    }
    return true;
}

/* Event triggers of the target, which are there by now, are for its users: they may forbid every REFRESH. */
static bool without_event_triggers(PgConn *conn, const char *set, GError **error)
{
    return !pg_conn_identity(conn)->superuser ||
           pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "%s session_replication_role = replica", set);
}

bool fold_try_refreshes(Fold *fold, GError **error)
{
    return !fold->refresh_late ||
           (pg_exec(fold->main, "SAVEPOINT empty", deadline_in_ms(PG_CATALOG_MS), error) &&
            without_event_triggers(fold->main, "SET LOCAL", error) && refresh_all(fold, fold->main, error));
}

bool fold_undo_refreshes(Fold *fold, GError **error)
{
    return !fold->refresh_late ||
           pg_exec(fold->main, "ROLLBACK TO SAVEPOINT empty", deadline_in_ms(PG_CATALOG_MS), error);
}

bool fold_refresh(Fold *fold, GError **error)
{
    const Ends *ends = fold->spec->ends;
    g_autoptr(PgConn) conn =
        pg_conn_open("target", ends->config->target.url, ends->target_database, deadline_in_ms(PG_CONNECT_MS), error);
    return conn != NULL && without_event_triggers(conn, "SET", error) && refresh_all(fold, conn, error);
}

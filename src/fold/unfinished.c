/*
 * The run that died, and from which another one goes on: which it is, and that what it has made is the other's now.
 *
 * A new database is known by the name that it has until it is finished. In a database that exists, what a run has made
 * is known by the names in the ledger, as long as the schema stands that came in one transaction with it (own.c).
 */
#include "base/error.h"
#include "fold/internal.h"

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

static bool is_of_source(Ledger *ledger, gint64 run, const PgIdentity *source, bool *ret_is, GError **error)
{
    g_autoptr(GPtrArray) runs = ledger_runs(ledger, 0, error);
    if (runs == NULL)
        return false;
    *ret_is = false;
    for (guint i = 0; i < runs->len; i++) {
        const LedgerRun *r = runs->pdata[i];
        if (r->id == run)
            *ret_is = g_strcmp0(r->source.system_identifier, source->system_identifier) == 0 &&
                      r->source.database_oid == source->database_oid;
    }
    return true;
}

/* Of a run that has made other things as well (new columns), it would have to be known what they are now. */
static bool is_simple(Ledger *ledger, gint64 run, bool *ret_is, GError **error)
{
    static const char *const KINDS[] = {"objects", "large objects", "role", NULL};
    g_autoptr(GPtrArray) objects = ledger_owned_objects(ledger, run, NULL, error);
    if (objects == NULL)
        return false;
    guint in_place = 0;
    *ret_is = true;
    for (guint i = 0; i < objects->len; i++) {
        const LedgerObject *object = objects->pdata[i];
        *ret_is = *ret_is && g_strv_contains(KINDS, object->kind);
        in_place += g_str_equal(object->kind, "objects") ? 1 : 0;
    }
    *ret_is = *ret_is && in_place == 1;
    return true;
}

/* Whether it is what this target would be gone on from, whoever has left it. */
static bool is_of_target(const LedgerObject *object, const Ends *ends)
{
    if (ends->target_missing != NULL)
        return g_strcmp0(object->becomes, ends->target_missing) == 0;
    return object->made != NULL && g_strcmp0(object->database, ends->target_database) == 0;
}

static bool examine(Ledger *ledger, const Ends *ends, const LedgerObject *object, FoldUnfinished *ret_found,
                    GError **error)
{
    bool in_place = ends->target_missing == NULL;
    bool is = is_of_target(object, ends);
    if (is && in_place && !is_simple(ledger, object->run, &is, error))
        return false;
    if (is && !is_of_source(ledger, object->run, pg_conn_identity(ends->source), &is, error))
        return false;
    ret_found->hidden = is && in_place ? hidden_from_text(object->made) : NULL;
    ret_found->run = is && (!in_place || ret_found->hidden != NULL) ? object->run : 0;
    return true;
}

bool fold_find_unfinished(Ledger *ledger, const Ends *ends, FoldUnfinished *ret_found, GError **error)
{
    fold_unfinished_clear(ret_found);
    g_autoptr(GPtrArray) objects =
        ledger_owned_objects(ledger, 0, pg_conn_identity(ends->target)->system_identifier, error);
    if (objects == NULL)
        return false;
    for (guint i = 0; i < objects->len && ret_found->run == 0; i++)
        if (!examine(ledger, ends, objects->pdata[i], ret_found, error))
            return false;
    return true;
}

void fold_unfinished_clear(FoldUnfinished *unfinished)
{
    g_clear_pointer(&unfinished->hidden, hidden_free);
    unfinished->run = 0;
}

static bool is_marked(PgConn *conn, const char *marker, bool *ret_is, GError **error)
{
    const char *values[] = {marker};
    g_autoptr(PgResult) r =
        pg_query_params(conn, "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1", 1, values, soon(), error);
    if (r == NULL)
        return false;
    *ret_is = pg_result_rows(r) > 0;
    return true;
}

bool fold_settle_unfinished(FoldUnfinished *unfinished, const Ends *ends, bool end, GError **error)
{
    bool is = true;
    if (unfinished->hidden == NULL)
        return true;
    if ((end && !fold_end_backends(ends->target, ends->target_database, error)) ||
        !is_marked(ends->target, unfinished->hidden->owner, &is, error))
        return false;
    if (!is)
        fold_unfinished_clear(unfinished);
    return true;
}

/* What a database is given just before its name (commit.c): its rows are all there then, but what this run would give
 * it may be something else. A limit of -2 is a DROP DATABASE that was cut off. */
static bool look_at_database(Fold *fold, PgConn *conn, GError **error)
{
    static const char SQL[] =
        "SELECT d.datallowconn AND d.datconnlimit = -1 AND d.datacl IS NULL AND NOT d.datistemplate "
        "AND d.datdba = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER) "
        "AND pg_catalog.shobj_description(d.oid, 'pg_database') IS NULL "
        "AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid) "
        "FROM pg_catalog.pg_database d WHERE d.datname = $1";
    const char *values[] = {fold->stage};
    g_autoptr(PgResult) r = pg_query_params(conn, SQL, 1, values, soon(), error);
    if (r == NULL)
        return false;
    fold->stage_exists = pg_result_rows(r) > 0 && pg_result_bool(r, 0, 0);
    if (!fold->stage_exists)
        fold->result->anew = g_strdup(pg_result_rows(r) > 0 ? "its database had its settings, or another owner, already"
                                                            : "its database is not there any more");
    return true;
}

/* Marked by one that is not there any more, nothing is ours: then this run makes all, or finds the names taken. */
static bool look_at_marker(Fold *fold, GError **error)
{
    if (!is_marked(fold->spec->ends->target, fold->marker, &fold->stage_exists, error))
        return false;
    if (!fold->stage_exists)
        fold->result->anew = g_strdup("the schema that marks it is not there any more");
    return true;
}

static const LedgerObject *find_stage(const Fold *fold, const GPtrArray *objects)
{
    for (guint i = 0; i < objects->len; i++) {
        const LedgerObject *object = objects->pdata[i];
        if (fold->own_database ? object->becomes != NULL : object->made != NULL)
            return object;
    }
    return NULL;
}

/* The marker is the comment of the roles that the dead run has made, too. */
bool fold_take_over(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    PgConn *conn = spec->ends->target;
    g_autoptr(GPtrArray) objects =
        ledger_owned_objects(spec->ledger, spec->resume, pg_conn_identity(conn)->system_identifier, error);
    const LedgerObject *stage = objects == NULL ? NULL : find_stage(fold, objects);
    if (objects == NULL || !ledger_objects_take_over(spec->ledger, spec->resume, spec->run, error))
        return false;
    if (stage == NULL)
        return true;
    g_free(fold->marker);
    fold->marker = g_strdup(fold->own_database ? stage->name : spec->hidden->owner);
    fold->taken_over = stage->id;
    if (!fold->own_database)
        return look_at_marker(fold, error);
    g_free(fold->stage);
    fold->stage = g_strdup(stage->name);
    return fold_end_backends(conn, fold->stage, error) && look_at_database(fold, conn, error);
}

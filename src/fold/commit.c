#include "base/cancel.h"
#include "base/error.h"
#include "fold/internal.h"

enum { RENAME_TRIES = 40 };

static bool make_final(Fold *fold, GError **error)
{
    for (guint i = 0; i < fold->spec->plan->entries->len; i++) {
        const PlanEntry *p = fold->spec->plan->entries->pdata[i];
        if (!fold_makes(fold, p) || !fold_is_final(p->entry))
            continue;
        g_autofree char *sql = dump_entry_sql(p->entry, fold->spec->no_owner);
        if (!pg_exec(fold->main, sql, DEADLINE_NONE, error)) {
            g_prefix_error(error, "creating %s %s: ", p->entry->type, p->entry->name);
            return false;
        }
    }
    return true;
}

/* An error of the statement itself means that nothing was committed. A session that ended, or was asked to stop, may
 * have committed all the same. */
static bool is_unheard(const PgConn *conn, const GError *error)
{
    return error->code == PGF_ERROR_CONNECT || error->code == PGF_ERROR_CANCELLED ||
           g_str_has_prefix(pg_conn_sqlstate(conn), "57P");
}

static bool exec_last(Fold *fold, PgConn *conn, const char *sql, GError **error)
{
    g_autoptr(GError) cause = NULL;
    fold->in_doubt = false;
    if (pg_exec(conn, sql, DEADLINE_NONE, &cause)) {
        fold->committed = true;
        return true;
    }
    fold->in_doubt = is_unheard(conn, cause);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static bool count_all(Fold *fold, GError **error)
{
    fold->result->target = catalog_read(fold->main, NULL, error);
    return fold->result->target != NULL && fold_check_contained(fold, error);
}

/* In one transaction: the markers go, what acts on others comes, and all that is there is counted. Its commit is the
 * first one that waits for the disk, and takes everything before it along. A database of our own is seen by nobody
 * until it has its name: there the counting comes after, for in one transaction it would hold a lock on each sequence.
 */
static bool commit_objects(Fold *fold, GError **error)
{
    static const char COMMIT[] = "SELECT pg_catalog.txid_current(); COMMIT";
    g_autofree char *marker = pg_quote_ident(fold->marker);
    g_autofree char *columns = fold->spec->columns_marker == NULL ? NULL : pg_quote_ident(fold->spec->columns_marker);
    /* READ COMMITTED: what is judged under the locks is what is there by then. */
    if (!pg_execf(
            fold->main, DEADLINE_NONE, error,
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; DROP SCHEMA IF EXISTS %s%s%s",
            marker, columns == NULL ? "" : ", ", columns == NULL ? "" : columns) ||
        (fold_merges(fold) && (!fold_commit_merge(fold, error) || !fold_after_merge(fold, error))) ||
        !make_final(fold, error) || !fold_try_refreshes(fold, error))
        return false;
    bool later = fold->own_database && !fold->refresh_late;
    if (!later && (!count_all(fold, error) || !fold_undo_refreshes(fold, error)))
        return false;
    return fold->own_database ? pg_exec(fold->main, COMMIT, DEADLINE_NONE, error) && (!later || count_all(fold, error))
                              : exec_last(fold, fold->main, COMMIT, error);
}

/* Settings, comment, privileges and owner of the database itself: last, for they may close it (read-only, no
 * connections). */
static bool set_up_database(Fold *fold, const char *quoted, GError **error)
{
    const Plan *plan = fold->spec->plan;
    PgConn *conn = fold->spec->ends->target;
    const char *owner = catalog_property(plan->verification->audit->source, "owner");
    for (guint i = 0; i < plan->database_sql->len; i++) {
        g_autofree char *sql = fold_fill_in(plan->database_sql->pdata[i], quoted);
        if (!pg_exec(conn, sql, deadline_in_ms(PG_CATALOG_MS), error))
            return false;
    }
    if (fold->spec->no_owner || owner == NULL || g_str_equal(owner, pg_conn_identity(conn)->role))
        return true;
    g_autofree char *quoted_owner = pg_quote_ident(owner);
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "ALTER DATABASE %s OWNER TO %s", quoted, quoted_owner);
}

/* Sessions of others in a database that nobody has been told of, such as a monitor that visits them all. */
static bool send_away(Fold *fold, GError **error)
{
    static const char SQL[] = "SELECT count(pg_catalog.pg_terminate_backend(a.pid)), pg_catalog.pg_sleep(0.25)::text "
                              "FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid "
                              "WHERE a.datname = $1 AND a.pid <> pg_catalog.pg_backend_pid() "
                              "AND pg_catalog.pg_has_role(r.oid, 'MEMBER')";
    const char *values[] = {fold->stage};
    g_autoptr(PgResult) r =
        pg_query_params(fold->spec->ends->target, SQL, 1, values, deadline_in_ms(PG_CATALOG_MS), error);
    return r != NULL;
}

/* The name is the commit: until here nobody could see the database under it. */
static bool rename_database(Fold *fold, GError **error)
{
    PgConn *conn = fold->spec->ends->target;
    g_autofree char *stage = pg_quote_ident(fold->stage);
    g_autofree char *name = pg_quote_ident(fold->spec->ends->target_database);
    fold_close_stage(fold);
    g_autofree char *rename = g_strdup_printf("ALTER DATABASE %s RENAME TO %s", stage, name);
    for (int i = 0;; i++) {
        g_autoptr(GError) cause = NULL;
        if (exec_last(fold, conn, rename, &cause))
            return true;
        if (!g_str_equal(pg_conn_sqlstate(conn), "55006") || i == RENAME_TRIES) { /* object_in_use */
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        if (!cancel_check(error) || !send_away(fold, error))
            return false;
    }
}

/* The run that this one goes on from has made it. */
static bool is_marked(const Fold *fold, const char *role)
{
    static const char SQL[] = "SELECT FROM pg_catalog.pg_roles WHERE rolname = $1 "
                              "AND pg_catalog.shobj_description(oid, 'pg_authid') = $2";
    const char *values[] = {role, fold->marker};
    if (fold->taken_over == 0)
        return false;
    g_autoptr(PgResult) r =
        pg_query_params(fold->spec->ends->target, SQL, 2, values, deadline_in_ms(PG_CATALOG_MS), NULL);
    return r != NULL && pg_result_rows(r) > 0;
}

static void give_roles_their_comments(Fold *fold)
{
    const GPtrArray *roles = fold->spec->plan->roles;
    for (guint i = 0; i < roles->len; i++) {
        const PlanRole *role = roles->pdata[i];
        g_autofree char *quoted = pg_quote_ident(role->name);
        g_autofree char *comment = role->comment == NULL ? NULL : pg_quote_literal(role->comment);
        /* The fold is complete: a comment that stays is a blemish, no failure. */
        if (role->create_sql != NULL || is_marked(fold, role->name))
            (void)pg_execf(fold->spec->ends->target, deadline_in_ms(PG_CATALOG_MS), NULL, "COMMENT ON ROLE %s IS %s",
                           quoted, comment == NULL ? "NULL" : comment);
    }
}

static bool is_planned(const Fold *fold, const char *role)
{
    const GPtrArray *roles = fold->spec->plan->roles;
    for (guint i = 0; i < roles->len; i++)
        if (g_str_equal(((const PlanRole *)roles->pdata[i])->name, role))
            return true;
    return false;
}

/* That the run which this one went on from has made, and that nobody needs by now. */
static void take_needless_roles_away(const Fold *fold)
{
    const FoldSpec *spec = fold->spec;
    g_autoptr(GPtrArray) objects = ledger_owned_objects(spec->ledger, spec->run, NULL, NULL);
    for (guint i = 0; fold->taken_over != 0 && objects != NULL && i < objects->len; i++) {
        const LedgerObject *object = objects->pdata[i];
        if (g_str_equal(object->kind, "role") && !is_planned(fold, object->name))
            (void)fold_remove_object(spec->ledger, spec->run, object->id, spec->ends->config->target.url, NULL);
    }
}

bool fold_commit(Fold *fold, GError **error)
{
    fold->result->database = g_strdup(fold->spec->ends->target_database);
    fold->result->database_oid = pg_conn_identity(fold->main)->database_oid;
    if (!commit_objects(fold, error))
        return false;
    if (fold->own_database) {
        g_autofree char *quoted = pg_quote_ident(fold->stage);
        if (!set_up_database(fold, quoted, error) || !rename_database(fold, error))
            return false;
    }
    fold->committed = true;
    give_roles_their_comments(fold);
    take_needless_roles_away(fold);
    return true;
}

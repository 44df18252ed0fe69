#include "base/error.h"
#include "fence/fence_sql.h"
#include "fence/undo.h"

static void add(GPtrArray *list, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(list, g_strdup_vprintf(format, args));
    va_end(args);
}

static void add_settings(const Undo *undo, const char *database, GPtrArray *statements, GPtrArray *notes)
{
    for (guint i = 0; i < undo->settings->len; i++) {
        const UndoSetting *setting = undo->settings->pdata[i];
        const UndoRole *role = setting->role == 0 ? NULL : undo_role(undo, setting->role);
        if (setting->role != 0 && role == NULL) {
            add(notes, "a role that had its own " FENCE_SETTING " (oid %u) does not exist any more", setting->role);
            continue;
        }
        g_autofree char *quoted = role == NULL ? NULL : pg_quote_ident(role->name);
        g_ptr_array_add(statements, fence_setting_sql(database, quoted, setting->value));
    }
}

/* PUBLIC, or a quoted name; NULL: the role is gone. Transfer full. */
static char *grantee_of(const Undo *undo, const UndoGrant *grant)
{
    if (grant->grantee == 0)
        return g_strdup("PUBLIC");
    const UndoRole *role = undo_role(undo, grant->grantee);
    return role == NULL ? NULL : pg_quote_ident(role->name);
}

static char *grant_sql(const UndoGrant *grant, const char *database, const char *grantee)
{
    return g_strdup_printf("GRANT CONNECT ON DATABASE %s TO %s%s", database, grantee,
                           grant->grantable ? " WITH GRANT OPTION" : "");
}

/* A grant that was not the owner's is made by whoever made it, where we may act as that role. */
static void add_grant(const Undo *undo, const UndoGrant *grant, const char *database, GPtrArray *statements,
                      GPtrArray *notes)
{
    g_autofree char *grantee = grantee_of(undo, grant);
    const UndoRole *grantor = grant->by_owner ? NULL : undo_role(undo, grant->grantor);
    if (grantee == NULL) {
        add(notes, "a role that could connect (oid %u) does not exist any more", grant->grantee);
        return;
    }
    bool as_grantor = grantor != NULL && grantor->may_set;
    if (!grant->by_owner && !as_grantor)
        add(notes, "CONNECT of %s is now granted by the owner of the database, and no longer by %s", grantee,
            grantor == NULL ? "a role that is gone" : grantor->name);
    g_autofree char *quoted = as_grantor ? pg_quote_ident(grantor->name) : NULL;
    if (as_grantor)
        add(statements, "SET LOCAL ROLE %s", quoted);
    g_ptr_array_add(statements, grant_sql(grant, database, grantee));
    if (as_grantor)
        add(statements, "RESET ROLE");
}

/* First what the fence gave, then the owner's grants, then those that hang on them. */
static void add_grants(const Undo *undo, const char *database, GPtrArray *statements, GPtrArray *notes)
{
    for (guint i = 0; i < undo->grants->len; i++) {
        const UndoGrant *grant = undo->grants->pdata[i];
        g_autofree char *grantee = grantee_of(undo, grant);
        if (!grant->present && grantee != NULL)
            add(statements, "REVOKE CONNECT ON DATABASE %s FROM %s", database, grantee);
    }
    for (int by_owner = 1; by_owner >= 0; by_owner--) {
        for (guint i = 0; i < undo->grants->len; i++) {
            const UndoGrant *grant = undo->grants->pdata[i];
            if (grant->present && grant->by_owner == (by_owner == 1))
                add_grant(undo, grant, database, statements, notes);
        }
    }
}

/* GRANT appends to the stored list and never takes it away as a whole: a superuser puts it back as it was stored. It
 * means the same either way, so a failure (a role of another name) is none. */
static bool restore_acl(PgConn *conn, const Undo *undo, GError **error)
{
    const char *values[] = {undo->acl};
    if (!pg_conn_identity(conn)->superuser)
        return true;
    if (!pg_exec(conn, "SAVEPOINT acl", fence_soon(), error))
        return false;
    g_autoptr(PgResult) r = pg_query_params(conn, FENCE_RESTORE_ACL_SQL, 1, values, fence_soon(), NULL);
    return pg_exec(conn, r != NULL ? "RELEASE SAVEPOINT acl" : "ROLLBACK TO SAVEPOINT acl", fence_soon(), error);
}

static bool open_database(PgConn *conn, const Undo *undo, const GPtrArray *statements, GError **error)
{
    if (!pg_exec(conn, "BEGIN", fence_soon(), error))
        return false;
    for (guint i = 0; i < statements->len; i++) {
        if (pg_exec(conn, statements->pdata[i], fence_soon(), error))
            continue;
        g_prefix_error(error, "%s: ", (const char *)statements->pdata[i]);
        return false;
    }
    return restore_acl(conn, undo, error);
}

static bool mark_lifted(Ledger *ledger, const GPtrArray *rows, GError **error)
{
    if (!ledger_batch_begin(ledger, error))
        return false;
    for (guint i = 0; i < rows->len; i++)
        if (!ledger_fence_lifted(ledger, ((const LedgerFence *)rows->pdata[i])->id, error))
            return false;
    return ledger_batch_commit(ledger, error);
}

bool fence_lift(PgConn *conn, Ledger *ledger, const FenceSurvey *survey, bool dry_run, GPtrArray *statements,
                GPtrArray *notes, GError **error)
{
    g_autofree char *database = pg_quote_ident(pg_conn_identity(conn)->database);
    g_autoptr(Undo) undo = undo_make(conn, survey->rows, error);
    if (undo == NULL)
        return false;
    add_settings(undo, database, statements, notes);
    add_grants(undo, database, statements, notes);
    if (dry_run)
        return true;
    if (!open_database(conn, undo, statements, error)) {
        (void)pg_exec(conn, "ROLLBACK", fence_soon(), NULL); /* or with the connection */
        if (error != NULL && *error != NULL)
            pgf_error_set_state(*error, "the fence stands as before");
        return false;
    }
    if (pg_exec(conn, "COMMIT", fence_soon(), error) && mark_lifted(ledger, survey->rows, error))
        return true;
    if (error != NULL && *error != NULL) {
        pgf_error_set_code(*error, PGF_ERROR_MIDWAY);
        pgf_error_set_state(*error, "the fence either stands as before or was lifted as a whole");
        pgf_error_set_hint(*error, "Run the same command again: it may be run twice.");
    }
    return false;
}

bool fence_undo_elsewhere(PgConn *conn, const GPtrArray *rows, GPtrArray *statements, GPtrArray *roles, GError **error)
{
    g_autoptr(FenceDatabase) source = rows->len == 0 ? NULL : fence_database_read(conn, error);
    g_autoptr(Undo) undo = source == NULL ? NULL : undo_make(conn, rows, error);
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    if (undo == NULL)
        return rows->len == 0;
    add_settings(undo, "{database}", statements, notes);
    for (guint i = 0; i < undo->settings->len; i++) {
        const UndoRole *role = undo_role(undo, ((const UndoSetting *)undo->settings->pdata[i])->role);
        if (role != NULL)
            g_ptr_array_add(roles, g_strdup(role->name));
    }
    for (guint i = 0; i < undo->grants->len; i++) {
        const UndoGrant *grant = undo->grants->pdata[i];
        g_autofree char *grantee = grantee_of(undo, grant);
        if (grantee == NULL || grant->grantee == source->owner) /* an owner has all that it had */
            continue;
        g_ptr_array_add(statements, grant->present
                                        ? grant_sql(grant, "{database}", grantee)
                                        : g_strdup_printf("REVOKE CONNECT ON DATABASE {database} FROM %s", grantee));
        if (grant->grantee != 0)
            g_ptr_array_add(roles, g_strdup(undo_role(undo, grant->grantee)->name));
    }
    return true;
}

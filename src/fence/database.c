#include "fence/fence_sql.h"
#include "fence/internal.h"

static guint32 oid_of(const PgResult *r, int row, int column)
{
    return (guint32)g_ascii_strtoull(pg_result_get(r, row, column), NULL, 10);
}

static void setting_free(gpointer data)
{
    FenceSetting *setting = data;
    g_free(setting->role_name);
    g_free(setting->value);
    g_free(setting);
}

static void grant_free(gpointer data)
{
    FenceGrant *grant = data;
    g_free(grant->grantee_name);
    g_free(grant);
}

void fence_database_free(FenceDatabase *database)
{
    if (database == NULL)
        return;
    g_free(database->quoted);
    g_free(database->owner_name);
    g_free(database->role_name);
    g_free(database->acl);
    g_ptr_array_unref(database->settings);
    g_ptr_array_unref(database->grants);
    g_free(database);
}

static bool read_settings(FenceDatabase *database, PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FENCE_SETTINGS_SQL, fence_soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        FenceSetting *setting = g_new0(FenceSetting, 1);
        setting->here = pg_result_bool(r, i, 0);
        setting->role = oid_of(r, i, 1);
        setting->role_name = g_strdup(pg_result_get(r, i, 2));
        setting->value = g_strdup(pg_result_get(r, i, 3));
        setting->on = pg_result_bool(r, i, 4);
        setting->may_set = pg_result_bool(r, i, 5);
        g_ptr_array_add(database->settings, setting);
    }
    return r != NULL;
}

static bool read_grants(FenceDatabase *database, PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FENCE_GRANTS_SQL, fence_soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        FenceGrant *grant = g_new0(FenceGrant, 1);
        grant->grantee = oid_of(r, i, 0);
        grant->grantee_name = g_strdup(pg_result_get(r, i, 1));
        grant->grantor = oid_of(r, i, 2);
        grant->grantable = pg_result_bool(r, i, 4);
        g_ptr_array_add(database->grants, grant);
    }
    return r != NULL;
}

FenceDatabase *fence_database_read(PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FENCE_DATABASE_SQL, fence_soon(), error);
    if (r == NULL)
        return NULL;
    const PgIdentity *identity = pg_conn_identity(conn);
    g_autoptr(FenceDatabase) database = g_new0(FenceDatabase, 1);
    database->quoted = pg_quote_ident(identity->database);
    database->owner = oid_of(r, 0, 0);
    database->owner_name = g_strdup(pg_result_get(r, 0, 1));
    database->acl = g_strdup(pg_result_get(r, 0, 2));
    database->role = oid_of(r, 0, 3);
    database->role_name = g_strdup(identity->role);
    database->may_alter = pg_result_bool(r, 0, 4);
    database->superuser = identity->superuser;
    database->settings = g_ptr_array_new_with_free_func(setting_free);
    database->grants = g_ptr_array_new_with_free_func(grant_free);
    if (!read_settings(database, conn, error) || !read_grants(database, conn, error))
        return NULL;
    return g_steal_pointer(&database);
}

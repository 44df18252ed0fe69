#include "fence/undo.h"

#include "fence/fence_sql.h"

static void role_free(gpointer data)
{
    UndoRole *role = data;
    g_free(role->name);
    g_free(role);
}

static GHashTable *read_roles(PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FENCE_ROLES_SQL, fence_soon(), error);
    if (r == NULL)
        return NULL;
    GHashTable *roles = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, role_free);
    for (int i = 0; i < pg_result_rows(r); i++) {
        UndoRole *role = g_new0(UndoRole, 1);
        role->name = g_strdup(pg_result_get(r, i, 1));
        role->may_set = pg_result_bool(r, i, 2);
        guint32 oid = (guint32)g_ascii_strtoull(pg_result_get(r, i, 0), NULL, 10);
        g_hash_table_insert(roles, GUINT_TO_POINTER(oid), role);
    }
    return roles;
}

const UndoRole *undo_role(const Undo *undo, guint32 oid)
{
    return g_hash_table_lookup(undo->roles, GUINT_TO_POINTER(oid));
}

static guint32 oid_of(const json_t *object, const char *key)
{
    return (guint32)json_integer_value(json_object_get(object, key));
}

/* An older record goes before a newer one: it knows what was there first. */
static UndoSetting *need_setting(Undo *undo, guint32 role)
{
    for (guint i = 0; i < undo->settings->len; i++) {
        UndoSetting *setting = undo->settings->pdata[i];
        if (setting->role == role)
            return setting;
    }
    UndoSetting *setting = g_new0(UndoSetting, 1);
    setting->role = role;
    g_ptr_array_add(undo->settings, setting);
    return setting;
}

static void set_grant(Undo *undo, const UndoGrant *wanted)
{
    for (guint i = 0; i < undo->grants->len; i++) {
        UndoGrant *grant = undo->grants->pdata[i];
        if (grant->grantee == wanted->grantee && grant->grantor == wanted->grantor) {
            *grant = *wanted;
            return;
        }
    }
    g_ptr_array_add(undo->grants, g_memdup2(wanted, sizeof *wanted));
}

static void take_record(Undo *undo, const json_t *before)
{
    guint32 owner = oid_of(before, "owner");
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(before, "settings"), i, item) need_setting(undo, oid_of(item, "role"))->value =
        json_string_value(json_object_get(item, "value"));
    json_array_foreach(json_object_get(before, "grants"), i, item)
    {
        UndoGrant grant = {.grantee = oid_of(item, "grantee"),
                           .grantor = oid_of(item, "grantor"),
                           .by_owner = oid_of(item, "grantor") == owner,
                           .grantable = json_is_true(json_object_get(item, "grantable")),
                           .present = true};
        set_grant(undo, &grant);
    }
    UndoGrant given = {.grantee = oid_of(before, "granted"), .grantor = owner, .by_owner = true};
    if (given.grantee != 0)
        set_grant(undo, &given);
    undo->acl = json_string_value(json_object_get(before, "acl"));
}

Undo *undo_make(PgConn *conn, const GPtrArray *rows, GError **error)
{
    GHashTable *roles = read_roles(conn, error);
    if (roles == NULL)
        return NULL;
    Undo *undo = g_new0(Undo, 1);
    undo->roles = roles;
    undo->settings = g_ptr_array_new_with_free_func(g_free);
    undo->grants = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < rows->len; i++)
        take_record(undo, ((const LedgerFence *)rows->pdata[i])->before);
    return undo;
}

void undo_free(Undo *undo)
{
    if (undo == NULL)
        return;
    g_hash_table_unref(undo->roles);
    g_ptr_array_unref(undo->settings);
    g_ptr_array_unref(undo->grants);
    g_free(undo);
}

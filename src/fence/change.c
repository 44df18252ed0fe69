/* From what a database is like now to the statements that close it, and to the record of what they take away. */
#include "fence/fence_sql.h"
#include "fence/internal.h"

static void add(GPtrArray *list, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(list, g_strdup_vprintf(format, args));
    va_end(args);
}

char *fence_setting_sql(const char *database, const char *role, const char *value)
{
    g_autofree char *whose = role == NULL ? g_strdup_printf("DATABASE %s", database)
                                          : g_strdup_printf("ROLE %s IN DATABASE %s", role, database);
    if (value == NULL)
        return g_strdup_printf("ALTER %s RESET " FENCE_SETTING, whose);
    g_autofree char *literal = pg_quote_literal(value);
    return g_strdup_printf("ALTER %s SET " FENCE_SETTING " = %s", whose, literal);
}

void fence_change_free(FenceChange *change)
{
    if (change == NULL)
        return;
    g_ptr_array_unref(change->statements);
    g_ptr_array_unref(change->warnings);
    json_decref(change->before);
    g_free(change);
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

static const FenceSetting *find_setting(const FenceDatabase *database, guint32 role)
{
    for (guint i = 0; i < database->settings->len; i++) {
        const FenceSetting *setting = database->settings->pdata[i];
        if (setting->here && setting->role == role)
            return setting;
    }
    return NULL;
}

static void switch_on(FenceChange *change, const FenceDatabase *database, guint32 role, const char *role_name)
{
    const FenceSetting *old = find_setting(database, role);
    g_autofree char *quoted = role_name == NULL ? NULL : pg_quote_ident(role_name);
    g_ptr_array_add(change->statements, fence_setting_sql(database->quoted, quoted, "on"));
    json_array_append_new(json_object_get(change->before, "settings"),
                          json_pack("{s:I, s:s?}", "role", (json_int_t)role, "value", old == NULL ? NULL : old->value));
}

/* The setting of a role in this database goes before that of the role everywhere, and this one before the database's.
 */
static void change_settings(FenceChange *change, const FenceDatabase *database)
{
    const FenceSetting *own = find_setting(database, 0);
    if (own == NULL || !own->on)
        switch_on(change, database, 0, NULL);
    for (guint i = 0; i < database->settings->len; i++) {
        const FenceSetting *setting = database->settings->pdata[i];
        const FenceSetting *here = setting->role == 0 ? NULL : find_setting(database, setting->role);
        if (setting->role == 0 || setting->on || (!setting->here && here != NULL))
            continue;
        if (setting->may_set) {
            switch_on(change, database, setting->role, setting->role_name);
            continue;
        }
        g_autofree char *quoted = pg_quote_ident(setting->role_name);
        g_autofree char *sql = fence_setting_sql(database->quoted, quoted, "on");
        add(change->warnings, "sessions of role %s start with " FENCE_SETTING " off%s, and %s may not change that: %s;",
            setting->role_name, setting->here ? " in this database" : "", database->role_name, sql);
    }
}

/* --- privileges --------------------------------------------------------------------------------------------------- */

static bool is_first_of_grantee(const GPtrArray *grants, guint at)
{
    const FenceGrant *grant = grants->pdata[at];
    for (guint i = 0; i < at; i++)
        if (((const FenceGrant *)grants->pdata[i])->grantee == grant->grantee)
            return false;
    return true;
}

static void record_grant(FenceChange *change, const FenceGrant *grant)
{
    json_array_append_new(json_object_get(change->before, "grants"),
                          json_pack("{s:I, s:I, s:b}", "grantee", (json_int_t)grant->grantee, "grantor",
                                    (json_int_t)grant->grantor, "grantable", (int)grant->grantable));
}

/* Every grant hangs on one of the owner, or on a grant option of somebody who has it from the owner: CASCADE reaches
 * all. Our own stays, but for its grant option. */
static void change_grants(FenceChange *change, const FenceDatabase *database)
{
    bool ours = database->superuser;
    for (guint i = 0; i < database->grants->len; i++) {
        const FenceGrant *grant = database->grants->pdata[i];
        g_autofree char *name = grant->grantee == 0 ? g_strdup("PUBLIC") : pg_quote_ident(grant->grantee_name);
        bool is_ours = grant->grantee == database->role;
        ours = ours || is_ours;
        if (is_ours && (grant->grantee == database->owner || !grant->grantable))
            continue;
        record_grant(change, grant);
        if (is_first_of_grantee(database->grants, i))
            add(change->statements, "REVOKE %sCONNECT ON DATABASE %s FROM %s CASCADE",
                is_ours ? "GRANT OPTION FOR " : "", database->quoted, name);
    }
    if (ours)
        return;
    g_autofree char *role = pg_quote_ident(database->role_name);
    add(change->statements, "GRANT CONNECT ON DATABASE %s TO %s", database->quoted, role);
    json_object_set_new(change->before, "granted", json_integer((json_int_t)database->role));
}

FenceChange *fence_change_make(const FenceDatabase *database)
{
    FenceChange *change = g_new0(FenceChange, 1);
    change->statements = g_ptr_array_new_with_free_func(g_free);
    change->warnings = g_ptr_array_new_with_free_func(g_free);
    change->before = json_pack("{s:I, s:s?, s:i, s:[], s:[]}", "owner", (json_int_t)database->owner, "acl",
                               database->acl, "granted", 0, "settings", "grants");
    change_settings(change, database);
    change_grants(change, database);
    return change;
}

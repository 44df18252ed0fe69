/* Roles that are protected: neither made, nor changed, nor given anything. */
#include <string.h>

#include "config/protect.h"
#include "dump/dump.h"
#include "plan/internal.h"
#include "plan/plan_sql.h"

/* Entries whose statements name roles, but for their owner. */
static const char *const NAMING[] = {"ACL", "DEFAULT ACL", "POLICY", "USER MAPPING", NULL};

static bool is_protected(const PlanSpec *spec, const char *name)
{
    return config_protected(spec->config, CONFIG_PROTECT_ROLES, name) != NULL;
}

/* Set of the protected roles that the target has, or that the source would bring. */
static GHashTable *protected_roles(const Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->target, PLAN_TARGET_ROLES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return NULL;
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < pg_result_rows(r); i++) {
        if (is_protected(spec, pg_result_get(r, i, 0)))
            g_hash_table_add(names, g_strdup(pg_result_get(r, i, 0)));
    }
    for (guint i = 0; i < plan->roles->len; i++) {
        const PlanRole *role = plan->roles->pdata[i];
        if (is_protected(spec, role->name))
            g_hash_table_add(names, g_strdup(role->name));
    }
    return names;
}

static void protect_from_roles(Plan *plan, const char *name)
{
    for (guint i = 0; i < plan->roles->len; i++) {
        PlanRole *role = plan->roles->pdata[i];
        bool itself = strcmp(role->name, name) == 0;
        if (role->create_sql == NULL || (!itself && !dump_names_role(role->create_sql, name)))
            continue;
        if (itself)
            plan_block(plan, "role %s is protected: it is not created; fold with --no-owner --no-privileges", name);
        else
            plan_block(plan, "role %s is protected: no membership between it and %s, which this fold would create",
                       name, role->name);
        g_free(role->reason);
        role->reason = g_strdup_printf("role %s is protected", name);
    }
}

static void protect_from_entries(Plan *plan, const char *name)
{
    for (guint i = 0; i < plan->entries->len; i++) {
        PlanEntry *p = plan->entries->pdata[i];
        if (p->action != PLAN_NEW || !g_strv_contains(NAMING, p->entry->type) || !dump_names_role(p->entry->sql, name))
            continue;
        plan_block(plan, "role %s is protected: %s of %s would change what it may do; fold with --no-privileges", name,
                   p->entry->type, p->entry->name);
    }
    for (guint i = 0; i < plan->database_sql->len; i++) {
        if (dump_names_role(plan->database_sql->pdata[i], name))
            plan_block(plan, "role %s is protected: a setting or privilege of the new database is its own", name);
    }
}

static bool protect_from_large_objects(Plan *plan, const PlanSpec *spec, GError **error)
{
    const Audit *audit = plan->verification->audit;
    if (audit->source->large_objects == 0 || (audit->target != NULL && audit->target->large_objects > 0))
        return true;
    g_autoptr(PgResult) r = pg_query(spec->source, PLAN_LARGE_OBJECT_ROLES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        bool given = pg_result_bool(r, i, 1) ? !spec->no_owner : !spec->no_privileges;
        if (given && is_protected(spec, pg_result_get(r, i, 0)))
            plan_block(plan, "role %s is protected: large objects would belong to it, or be opened to it",
                       pg_result_get(r, i, 0));
    }
    return r != NULL;
}

bool plan_protect_roles(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(GHashTable) names = protected_roles(plan, spec, error);
    GHashTableIter each;
    gpointer name;
    if (names == NULL)
        return false;
    const char *connected = pg_conn_identity(spec->target)->role;
    if (is_protected(spec, connected))
        plan_block(plan, "the target is written as role %s, which is protected: connect as another", connected);
    g_hash_table_iter_init(&each, names);
    while (g_hash_table_iter_next(&each, &name, NULL)) {
        protect_from_roles(plan, name);
        protect_from_entries(plan, name);
        if (!spec->no_owner && plan_gives_to(plan, name))
            plan_block(plan, "role %s is protected: objects of this fold would belong to it; fold with --no-owner",
                       (const char *)name);
    }
    return protect_from_large_objects(plan, spec, error);
}

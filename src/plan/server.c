#include <string.h>

#include "base/error.h"
#include "plan/internal.h"
#include "plan/plan_sql.h"

static void role_free(gpointer data)
{
    PlanRole *role = data;
    g_free(role->name);
    g_free(role->create_sql);
    g_free(role->comment);
    g_free(role->reason);
    g_free(role);
}

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

typedef struct Powers {
    bool superuser, createdb, createrole, create_here;
} Powers;

static bool read_powers(PgConn *target, Powers *ret_powers, GError **error)
{
    g_autoptr(PgResult) r = pg_query(target, PLAN_POWERS_SQL, soon(), error);
    if (r == NULL)
        return false;
    *ret_powers = (Powers){.superuser = pg_result_bool(r, 0, 0),
                           .createdb = pg_result_bool(r, 0, 1),
                           .createrole = pg_result_bool(r, 0, 2),
                           .create_here = pg_result_bool(r, 0, 3)};
    return true;
}

/* Role names of the target -> whether we may act for them. */
static GHashTable *read_target_roles(PgConn *target, GError **error)
{
    g_autoptr(PgResult) r = pg_query(target, PLAN_TARGET_ROLES_SQL, soon(), error);
    if (r == NULL)
        return NULL;
    GHashTable *roles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < pg_result_rows(r); i++)
        g_hash_table_insert(roles, g_strdup(pg_result_get(r, i, 0)), GINT_TO_POINTER(pg_result_bool(r, i, 1) ? 1 : 0));
    return roles;
}

bool plan_gives_to(const Plan *plan, const char *role)
{
    const char *owner = catalog_property(plan->verification->audit->source, "owner");
    if (plan->verification->audit->target == NULL && g_strcmp0(owner, role) == 0)
        return true; /* the database itself */
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        if (p->action == PLAN_NEW && g_strcmp0(p->entry->owner, role) == 0)
            return true;
    }
    return false;
}

/* As it stands in a statement. Transfer full. */
static char *own_name(const PlanSpec *spec)
{
    return pg_quote_ident(pg_conn_identity(spec->target)->role);
}

static void judge_missing_role(Plan *plan, const PlanSpec *spec, PlanRole *role, const char *create_sql,
                               const Powers *powers)
{
    if (!powers->createrole) {
        role->reason = g_strdup_printf("the target has no role %s, and %s may not create it", role->name,
                                       pg_conn_identity(spec->target)->role);
        plan_block(plan, "%s: an administrator creates it there (%s), or fold with --no-owner --no-privileges",
                   role->reason, create_sql);
        return;
    }
    g_autofree char *quoted = pg_quote_ident(role->name);
    role->create_sql =
        powers->superuser ? g_strdup(create_sql) : g_strdup_printf("%s; GRANT %s TO CURRENT_USER", create_sql, quoted);
    plan_notice(plan, "role %s is created on the target without a password and without power over the cluster",
                role->name);
}

/* Whether what is made names the role: as an owner, or in a privilege, a policy, a mapping, a setting of the database.
 * database: statements about that (a result), or NULL where it is there. */
static bool is_used(const Plan *plan, const char *role, const PgResult *database)
{
    static const char *const TYPES[] = {"ACL", "DEFAULT ACL", "POLICY", "USER MAPPING", NULL};
    if (plan_gives_to(plan, role))
        return true;
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        if (p->action == PLAN_NEW && g_strv_contains(TYPES, p->entry->type) && dump_names_role(p->entry->sql, role))
            return true;
    }
    for (int i = 0; database != NULL && i < pg_result_rows(database); i++)
        if (dump_names_role(pg_result_get(database, i, 0), role))
            return true;
    return false;
}

/* Where a part of the source is left out, so are the roles that only that part needs. */
static PgResult *read_roles(const Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autofree char *wanted = spec->undo_roles == NULL ? g_strdup("{}") : pg_array_literal(spec->undo_roles);
    const char *values[] = {wanted, NULL};
    g_autoptr(PgResult) all =
        pg_query_params(spec->source, PLAN_ROLES_SQL, G_N_ELEMENTS(values), values, soon(), error);
    if (all == NULL || spec->filter == NULL)
        return g_steal_pointer(&all);
    g_autoptr(PgResult) database =
        !spec->target_missing ? NULL : pg_query(spec->source, PLAN_DATABASE_SETTINGS_SQL, soon(), error);
    if (spec->target_missing && database == NULL)
        return NULL;
    g_autoptr(GPtrArray) used = g_ptr_array_new();
    for (int i = 0; i < pg_result_rows(all); i++)
        if (is_used(plan, pg_result_get(all, i, 0), database))
            g_ptr_array_add(used, (gpointer)(guintptr)pg_result_get(all, i, 0));
    g_autofree char *only = pg_array_literal(used);
    values[1] = only;
    return pg_query_params(spec->source, PLAN_ROLES_SQL, G_N_ELEMENTS(values), values, soon(), error);
}

static bool plan_roles(Plan *plan, const PlanSpec *spec, const Powers *powers, GError **error)
{
    g_autoptr(PgResult) r = read_roles(plan, spec, error);
    g_autoptr(GHashTable) there = r == NULL ? NULL : read_target_roles(spec->target, error);
    plan->roles = g_ptr_array_new_with_free_func(role_free);
    if (there == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(r); i++) {
        const char *name = pg_result_get(r, i, 0);
        if (spec->rows_only || (spec->no_owner && spec->no_privileges && !pg_result_bool(r, i, 2)))
            continue;
        PlanRole *role = g_new0(PlanRole, 1);
        role->name = g_strdup(name);
        role->comment = g_strdup(pg_result_get(r, i, 3));
        g_ptr_array_add(plan->roles, role);
        gpointer may_act = NULL;
        if (!g_hash_table_lookup_extended(there, name, NULL, &may_act)) {
            judge_missing_role(plan, spec, role, pg_result_get(r, i, 1), powers);
        } else if (!spec->no_owner && may_act == NULL && plan_gives_to(plan, name)) {
            g_autofree char *quoted = pg_quote_ident(name), *us = own_name(spec);
            role->reason =
                g_strdup_printf("%s may not give objects to role %s", pg_conn_identity(spec->target)->role, name);
            plan_block(plan, "%s: GRANT %s TO %s on the target, or fold with --no-owner", role->reason, quoted, us);
        }
    }
    return true;
}

char *plan_role_names(const Plan *plan)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < plan->roles->len; i++)
        g_ptr_array_add(names, ((const PlanRole *)plan->roles->pdata[i])->name);
    return pg_array_literal(names);
}

PlanRole *plan_find_role(const Plan *plan, const char *name)
{
    for (guint i = 0; i < plan->roles->len; i++) {
        PlanRole *role = plan->roles->pdata[i];
        if (g_str_equal(role->name, name))
            return role;
    }
    return NULL;
}

static bool check_locale(Plan *plan, const PlanSpec *spec, const char *provider, const char *collate, GError **error)
{
    int version = pg_conn_identity(spec->target)->version;
    if (*provider == 'i' && version < 150000)
        plan_block(plan, "the source uses an ICU locale; the target (PostgreSQL %s) has none for databases before 15",
                   pg_conn_identity(spec->target)->version_text);
    const char *values[] = {collate};
    g_autoptr(PgResult) r = pg_query_params(spec->target, PLAN_LOCALE_KNOWN_SQL, 1, values, soon(), error);
    if (r == NULL)
        return false;
    if (!pg_result_bool(r, 0, 0))
        plan_block(plan,
                   "the target's host has no locale %s: install it there, or create the database by hand with another",
                   collate);
    return true;
}

static void add_database_sql(Plan *plan, const PlanSpec *spec, const char *sql)
{
    bool privilege = g_str_has_prefix(sql, "GRANT") || g_str_has_prefix(sql, "REVOKE");
    if (!spec->no_privileges || !privilege)
        g_ptr_array_add(plan->database_sql, g_strdup(sql));
}

char *plan_database_statement(PgConn *conn, const PgConn *target, char **ret_provider, char **ret_collate,
                              GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, PLAN_CREATE_DATABASE_SQL, soon(), error);
    if (r == NULL)
        return NULL;
    const char *provider = pg_result_get(r, 0, 1);
    bool say_libc = *provider == 'c' && pg_conn_identity(target)->version >= 150000;
    if (ret_provider != NULL)
        *ret_provider = g_strdup(provider);
    if (ret_collate != NULL)
        *ret_collate = g_strdup(pg_result_get(r, 0, 2));
    return g_strconcat(pg_result_get(r, 0, 0), say_libc ? " LOCALE_PROVIDER libc" : "", NULL);
}

static bool plan_database(Plan *plan, const PlanSpec *spec, const Powers *powers, GError **error)
{
    g_autofree char *us = own_name(spec);
    if (!powers->createdb)
        plan_block(
            plan,
            "the database does not exist on the target, and %s may not create it: ALTER ROLE %s CREATEDB, or create it",
            pg_conn_identity(spec->target)->role, us);
    g_autofree char *provider = NULL, *collate = NULL;
    plan->create_database_sql = plan_database_statement(spec->source, spec->target, &provider, &collate, error);
    if (plan->create_database_sql == NULL || !check_locale(plan, spec, provider, collate, error))
        return false;
    g_autoptr(PgResult) settings = pg_query(spec->source, PLAN_DATABASE_SETTINGS_SQL, soon(), error);
    if (settings == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(settings); i++)
        add_database_sql(plan, spec, pg_result_get(settings, i, 0));
    for (guint i = 0; spec->undo_sql != NULL && i < spec->undo_sql->len; i++)
        add_database_sql(plan, spec, spec->undo_sql->pdata[i]);
    return true;
}

static bool makes_something_in(const Plan *plan, const char *schema)
{
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        if (p->action == PLAN_NEW && g_strcmp0(p->entry->schema, schema) == 0)
            return true;
    }
    return false;
}

static bool check_schemas(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->target, PLAN_CLOSED_SCHEMAS_SQL, soon(), error);
    if (r == NULL)
        return false;
    for (int i = 0; i < pg_result_rows(r); i++) {
        const char *schema = pg_result_get(r, i, 0);
        g_autofree char *quoted = pg_quote_ident(schema), *us = own_name(spec);
        if (makes_something_in(plan, schema) && !hidden_has(spec->hidden, "SCHEMA", NULL, schema))
            plan_block(plan,
                       "role %s may not create anything in schema %s of the target: GRANT CREATE ON SCHEMA %s TO %s",
                       pg_conn_identity(spec->target)->role, schema, quoted, us);
    }
    return true;
}

bool plan_server(Plan *plan, const PlanSpec *spec, GError **error)
{
    Powers powers;
    if (!read_powers(spec->target, &powers, error) || !plan_roles(plan, spec, &powers, error) ||
        !plan_memberships(plan, spec, error))
        return false;
    if (spec->target_missing)
        return plan_database(plan, spec, &powers, error);
    g_autofree char *database = pg_quote_ident(pg_conn_identity(spec->target)->database), *us = own_name(spec);
    if (!powers.create_here)
        plan_block(plan, "role %s may not create schemas in the target database: GRANT CREATE ON DATABASE %s TO %s",
                   pg_conn_identity(spec->target)->role, database, us);
    return check_schemas(plan, spec, error);
}

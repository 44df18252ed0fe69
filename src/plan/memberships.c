/* Who is a member of whom, among the roles of a plan and the roles that every server has. */
#include "plan/internal.h"
#include "plan/plan_sql.h"

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

static PgResult *read_memberships(const Plan *plan, PgConn *conn, GError **error)
{
    g_autofree char *names = plan_role_names(plan);
    const char *values[] = {names};
    return pg_query_params(conn, PLAN_MEMBERSHIPS_SQL, 1, values, soon(), error);
}

static bool has_membership(const PgResult *there, const char *role, const char *member)
{
    for (int i = 0; i < pg_result_rows(there); i++)
        if (g_str_equal(pg_result_get(there, i, 0), role) && g_str_equal(pg_result_get(there, i, 1), member))
            return true;
    return false;
}

/* Of the two roles, the one that this fold creates, and creates last: the grant follows it. */
static PlanRole *created_last(const Plan *plan, const char *role, const char *member)
{
    PlanRole *last = NULL;
    for (guint i = 0; i < plan->roles->len; i++) {
        PlanRole *r = plan->roles->pdata[i];
        if (r->create_sql != NULL && (g_str_equal(r->name, role) || g_str_equal(r->name, member)))
            last = r;
    }
    return last;
}

typedef enum Grantable { ROLE_MISSING, ROLE_CLOSED, ROLE_OPEN } Grantable;

/* Whether the connected role can make others members of a role: it can of those that it creates. */
static Grantable grantable(const Plan *plan, const PgResult *roles, const char *name)
{
    const PlanRole *planned = plan_find_role(plan, name);
    if (planned != NULL && planned->create_sql != NULL)
        return ROLE_OPEN;
    for (int i = 0; i < pg_result_rows(roles); i++)
        if (g_str_equal(pg_result_get(roles, i, 0), name))
            return pg_result_bool(roles, i, 2) ? ROLE_OPEN : ROLE_CLOSED;
    return ROLE_MISSING;
}

static void plan_membership(Plan *plan, const PgResult *source, int row, const PgResult *roles, const PgResult *there)
{
    const char *role = pg_result_get(source, row, 0), *member = pg_result_get(source, row, 1);
    PlanRole *created = created_last(plan, role, member);
    if (created == NULL && has_membership(there, role, member))
        return;
    const char *reason = NULL;
    if (created == NULL)
        reason = "the target has both, and they keep what they have there";
    else if (pg_result_bool(source, row, 3))
        reason = "it gives power over the server's machine";
    else if (grantable(plan, roles, role) == ROLE_MISSING)
        reason = "the target has no such role";
    else if (grantable(plan, roles, role) == ROLE_CLOSED)
        reason = "the connected role may not grant it there";
    if (reason != NULL) {
        plan_notice(plan, "role %s is a member of %s in the source, which is not brought to the target: %s", member,
                    role, reason);
        return;
    }
    if (plan_find_role(plan, role) == NULL)
        plan_notice(plan, "role %s becomes a member of %s, as in the source; that holds for the whole server", member,
                    role);
    g_autofree char *quoted_role = pg_quote_ident(role);
    g_autofree char *quoted_member = pg_quote_ident(member);
    char *with = g_strdup_printf("%s; GRANT %s TO %s%s", created->create_sql, quoted_role, quoted_member,
                                 pg_result_get(source, row, 2));
    g_free(created->create_sql);
    created->create_sql = with;
}

bool plan_memberships(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) source = read_memberships(plan, spec->source, error);
    g_autoptr(PgResult) there = source == NULL ? NULL : read_memberships(plan, spec->target, error);
    g_autoptr(PgResult) roles = there == NULL ? NULL : pg_query(spec->target, PLAN_TARGET_ROLES_SQL, soon(), error);
    for (int i = 0; roles != NULL && i < pg_result_rows(source); i++)
        plan_membership(plan, source, i, roles, there);
    return roles != NULL;
}

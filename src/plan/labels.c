/* Security labels need their provider, a library that the server has loaded. No catalog lists the providers. */
#include <string.h>

#include "base/error.h"
#include "plan/internal.h"
#include "plan/plan_sql.h"

/* The server looks for the provider first. No schema has this name, so nothing can be labelled. */
static const char PROBE[] = "SECURITY LABEL FOR %s ON SCHEMA \"pgfold asks for a provider\" IS NULL";
static const char UNKNOWN_PROVIDER[] = "22023", NO_SUCH_SCHEMA[] = "3F000";

static bool makes_labels(const Plan *plan)
{
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        if (p->action == PLAN_NEW && g_str_equal(p->entry->type, "SECURITY LABEL"))
            return true;
    }
    return false;
}

bool plan_labels(Plan *plan, const PlanSpec *spec, GError **error)
{
    if (spec->prober == NULL || !makes_labels(plan))
        return true;
    g_autoptr(PgResult) r = pg_query(spec->source, PLAN_LABEL_PROVIDERS_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        const char *provider = pg_result_get(r, i, 0);
        g_autofree char *quoted = pg_quote_ident(provider);
        g_autoptr(GError) cause = NULL;
        if (pg_execf(spec->prober, deadline_in_ms(PG_CATALOG_MS), &cause, PROBE, quoted))
            continue;
        const char *state = pg_conn_sqlstate(spec->prober);
        if (g_str_equal(state, UNKNOWN_PROVIDER)) {
            plan_block(
                plan,
                "the target's server has not loaded %s, the provider of security labels of the source (%s): load "
                "it there (shared_preload_libraries), or drop the labels here",
                provider, pg_result_get(r, i, 1));
        } else if (!g_str_equal(state, NO_SUCH_SCHEMA)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
    }
    return r != NULL;
}

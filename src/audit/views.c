#include "audit/views.h"

#include <string.h>

#include "audit/audit_sql.h"
#include "audit/drift.h"
#include "pool/at_once.h"
#include "reconcile/reconcile.h"

typedef struct Views {
    PgConn *conns[2];
    PgResult *results[2];
} Views;

static bool read_views(guint i, gpointer data, GError **error)
{
    Views *views = data;
    views->results[i] = pg_query(views->conns[i], AUDIT_VIEWS_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    return views->results[i] != NULL;
}

static const char *keep(GPtrArray *texts, const char *text)
{
    char *copy = g_strdup(text);
    if (copy != NULL)
        g_ptr_array_add(texts, copy);
    return copy;
}

static void add(GPtrArray *to, GPtrArray *texts, const char *name, const char *source, const char *target)
{
    if (source != NULL && target != NULL && drift_same_sql(source, target))
        return;
    AuditPair *pair = g_new0(AuditPair, 1);
    pair->name = g_strdup(name);
    pair->source = keep(texts, source);
    pair->target = keep(texts, target);
    g_ptr_array_add(to, pair);
}

static const char *definition_of(const PgResult *views, const char *name)
{
    for (int i = 0; i < pg_result_rows(views); i++)
        if (g_str_equal(pg_result_get(views, i, 0), name))
            return pg_result_get(views, i, 1);
    return NULL;
}

GPtrArray *views_compare(PgConn *source, PgConn *target, GPtrArray *texts, GError **error)
{
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(audit_pair_free);
    if (pg_conn_identity(source)->version / 10000 != pg_conn_identity(target)->version / 10000)
        return g_steal_pointer(&pairs);
    Views views = {.conns = {source, target}};
    bool good = pool_at_once(G_N_ELEMENTS(views.conns), read_views, &views, error);
    g_autoptr(PgResult) here = views.results[0];
    g_autoptr(PgResult) there = views.results[1];
    if (!good)
        return NULL;
    for (int i = 0; i < pg_result_rows(here); i++) {
        const char *name = pg_result_get(here, i, 0);
        add(pairs, texts, name, pg_result_get(here, i, 1), definition_of(there, name));
    }
    for (int i = 0; i < pg_result_rows(there); i++) {
        const char *name = pg_result_get(there, i, 0);
        if (definition_of(here, name) == NULL)
            add(pairs, texts, name, NULL, pg_result_get(there, i, 1));
    }
    return g_steal_pointer(&pairs);
}

bool views_wanted(const AuditRelation *relation)
{
    const CatalogRelation *s = relation->source, *t = relation->target;
    return relation->verdict != AUDIT_SKIPPED && relation->obstacle == NULL && s != NULL && t != NULL &&
           s->kind == 'm' && t->kind == 'm' && s->populated && t->populated;
}

static bool is_readable(PgConn *conn, const CatalogRelation *view, bool *ret_readable, GError **error)
{
    const char *values[] = {view->read_from};
    g_autoptr(PgResult) r =
        pg_query_params(conn, AUDIT_VIEW_READABLE_SQL, 1, values, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    *ret_readable = pg_result_bool(r, 0, 0);
    return true;
}

bool views_digest(PoolWorker *worker, AuditRelation *relation, DigestText text, GError **error)
{
    bool here = false, there = false;
    if (!is_readable(worker->source, relation->source, &here, error) ||
        !is_readable(worker->target, relation->target, &there, error))
        return false;
    if (!here || !there)
        return true;
    g_auto(GStrv) columns = digest_columns(relation->source);
    ReconcileSide source = {.conn = worker->source, .relation = relation->source};
    ReconcileSide target = {.conn = worker->target, .relation = relation->target};
    relation->view_compared = true;
    return reconcile_digests(&source, &target, (const char *const *)columns, text, &relation->source_view,
                             &relation->target_view, error);
}

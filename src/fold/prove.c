#include <string.h>

#include "base/error.h"
#include "fold/internal.h"
#include "reconcile/reconcile.h"

/* The digest of one table of the target. */
typedef struct ProveTask {
    FoldProof *proof;
    DigestText text;
} ProveTask;

bool fold_digest_target(PgConn *target, const CatalogRelation *source, DigestText text, Digest *ret_digest,
                        GError **error)
{
    const CatalogRelation relation = catalog_in_target(source);
    g_auto(GStrv) columns = digest_columns(&relation);
    g_autofree char *sql = digest_relation_sql(&relation, (const char *const *)columns, text);
    g_autoptr(PgResult) r = pg_query(target, sql, DEADLINE_NONE, error);
    return r != NULL && digest_from_row(r, 0, 0, ret_digest, error);
}

/* A table that others go on writing to in the target: is each row of the source, as it is now, still there? */
static bool reconcile_again(PoolWorker *worker, ProveTask *task, GError **error)
{
    const AuditRelation *audit = task->proof->relation->verify->audit;
    ReconcileSide source = {.conn = worker->source, .relation = audit->source, .rows = audit->source_digest.rows};
    ReconcileSide target = {.conn = worker->target, .relation = audit->target};
    g_auto(Reconciled) rows = {0};
    if (!reconcile_rows(&source, &target, task->text, 0, &rows, error))
        return false;
    task->proof->good = rows.missing == 0 && rows.different == 0;
    return true;
}

/* New tables must hold what the source held. Those that were contained before the fold are looked at again: the plan
 * may be hours old. */
static bool run_prove(PoolWorker *worker, gpointer data, GError **error)
{
    ProveTask *task = data;
    FoldProof *proof = task->proof;
    const AuditRelation *audit = proof->relation->verify->audit;
    if (!fold_digest_target(worker->target, audit->source, task->text, &proof->target, error)) {
        g_prefix_error(error, "proving %s: ", audit->source->label);
        return false;
    }
    proof->digested = true;
    proof->good = digest_equal(&proof->target, &audit->source_digest);
    bool was_contained = proof->relation->action == PLAN_SAME;
    if (was_contained && digest_equal(&proof->target, &audit->target_digest))
        proof->good = true;
    return proof->good || !was_contained || reconcile_again(worker, task, error);
}

/* Rows that go through the merge are proven in it, and looked at after the commit; where keys are mapped, or rows were
 * settled, only that can tell. */
static bool is_proven_later(const Fold *fold, const PlanRelation *r)
{
    return r->merge != NULL && (fold_merges(fold) || r->merge->whole || r->merge->counts.settled > 0);
}

static void add_proofs(Fold *fold, Pool *pool)
{
    const Plan *plan = fold->spec->plan;
    for (guint i = 0; i < plan->relations->len; i++) {
        const PlanRelation *r = plan->relations->pdata[i];
        const AuditRelation *audit = r->verify->audit;
        FoldProof *proof = g_new0(FoldProof, 1);
        proof->relation = r;
        proof->good = true;
        g_ptr_array_add(fold->result->proofs, proof);
        if (is_proven_later(fold, r) || (r->action != PLAN_NEW && r->action != PLAN_SAME) || !audit->source_digested)
            continue;
        ProveTask *task = g_new0(ProveTask, 1);
        task->proof = proof;
        task->text = plan->verification->audit->text;
        g_ptr_array_add(fold->tasks, task);
        pool_add(pool, "digest", audit->source->label, audit->source->bytes, run_prove, task);
    }
}

static bool prove_large_objects(Fold *fold, GError **error)
{
    const Audit *audit = fold->spec->plan->verification->audit;
    fold->result->large_objects_good = true;
    if (audit->source->large_objects == 0)
        return true;
    if (!audit_large_objects(fold->main, &fold->result->large_objects, error))
        return false;
    fold->result->large_objects_good = digest_equal(&fold->result->large_objects, &audit->source_large_objects);
    return true;
}

bool fold_prove_rows(Fold *fold, GError **error)
{
    g_autoptr(Pool) pool = pool_new(fold->targets->len, (PgConn *const *)fold->spec->sources->pdata,
                                    (PgConn *const *)fold->targets->pdata);
    fold->result->proofs = g_ptr_array_new_with_free_func(g_free);
    add_proofs(fold, pool);
    if (!fold_pool_run(fold, pool, error) || !prove_large_objects(fold, error))
        return false;
    for (guint i = 0; i < fold->result->proofs->len; i++)
        if (!((const FoldProof *)fold->result->proofs->pdata[i])->good)
            return fold_check_contained(fold, error); /* says which, before more is made */
    return true;
}

static const char *count_of(const Catalog *catalog, const char *kind)
{
    for (guint i = 0; i < catalog->counts->len; i++) {
        const CatalogPair *pair = catalog->counts->pdata[i];
        if (g_str_equal(pair->name, kind))
            return pair->value;
    }
    return "0";
}

static void add(GPtrArray *list, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(list, g_strdup_vprintf(format, args));
    va_end(args);
}

GPtrArray *fold_shortfalls(const FoldResult *result, const Plan *plan)
{
    const Audit *audit = plan->verification->audit;
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < result->proofs->len; i++) {
        const FoldProof *proof = result->proofs->pdata[i];
        if (!proof->good)
            add(list, "%s", proof->relation->verify->audit->source->label);
    }
    for (guint i = 0; result->target != NULL && i < audit->source->sequences->len; i++) {
        const CatalogSequence *s = audit->source->sequences->pdata[i];
        if (!audit_sequence_reached(s, result->target))
            add(list, "sequence %s", s->label);
    }
    for (guint i = 0; result->target != NULL && i < audit->source->counts->len; i++) {
        const CatalogPair *pair = audit->source->counts->pdata[i];
        const char *there = count_of(result->target, pair->name);
        if (g_ascii_strtoull(there, NULL, 10) < g_ascii_strtoull(pair->value, NULL, 10))
            add(list, "objects of kind \"%s\" (%s, and %s in the target)", pair->name, pair->value, there);
    }
    if (!result->large_objects_good)
        add(list, "large objects");
    return list;
}

bool fold_check_contained(const Fold *fold, GError **error)
{
    g_autoptr(GPtrArray) missing = fold_shortfalls(fold->result, fold->spec->plan);
    if (missing->len == 0)
        return true;
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < missing->len; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : ": ", (const char *)missing->pdata[i]);
    pgf_error_set(error, PGF_ERROR_MIDWAY, "Look for whatever writes to the target meanwhile, and fold again.",
                  "what arrived in the target is not what the source holds%s", list->str);
    return false;
}

void fold_result_clear(FoldResult *result)
{
    g_clear_pointer(&result->proofs, g_ptr_array_unref);
    g_clear_pointer(&result->target, catalog_free);
    g_clear_pointer(&result->database, g_free);
    g_clear_pointer(&result->archive, g_free);
    g_clear_pointer(&result->anew, g_free);
}

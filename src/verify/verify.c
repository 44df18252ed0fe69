#include "verify/verify.h"

#include "base/error.h"

typedef struct RowsTask {
    VerifyRelation *relation;
    guint max_details;
} RowsTask;

static void relation_free(gpointer data)
{
    VerifyRelation *r = data;
    reconciled_clear(&r->rows);
    g_free(r);
}

void verification_free(Verification *verification)
{
    if (verification == NULL)
        return;
    g_ptr_array_unref(verification->relations);
    g_ptr_array_unref(verification->shortfalls);
    audit_free(verification->audit);
    g_free(verification);
}

static VerifyVerdict verdict_of(const AuditRelation *audit)
{
    if (audit_view_differs(audit))
        return VERIFY_REFRESHED;
    switch (audit->verdict) {
    case AUDIT_SOURCE_ONLY:
        return VERIFY_MISSING;
    case AUDIT_INCOMPARABLE:
        return VERIFY_INCOMPARABLE;
    case AUDIT_SKIPPED:
        return VERIFY_SKIPPED;
    case AUDIT_DIFFERENT:
        return VERIFY_DIFFERENT;
    case AUDIT_SAME:
    case AUDIT_DRIFT:
    case AUDIT_TARGET_ONLY:
        break;
    }
    return VERIFY_SAME;
}

static bool run_rows(PoolWorker *worker, gpointer data, GError **error)
{
    RowsTask *task = data;
    VerifyRelation *r = task->relation;
    ReconcileSide source = {.conn = worker->source, .relation = r->audit->source};
    ReconcileSide target = {.conn = worker->target, .relation = r->audit->target};
    if (!reconcile_descend(r->audit->scan, &source, &target, task->max_details, NULL, &r->rows, error))
        return false;
    /* Digests that differ without a row that does would be a bug of ours, or rows that changed between the two reads:
     * never take it for "contained". */
    bool found = r->rows.missing + r->rows.extra + r->rows.different > 0;
    if (found && r->rows.missing == 0 && r->rows.different == 0)
        r->verdict = VERIFY_CONTAINED;
    return true;
}

static bool compare_rows(Verification *v, const AuditSpec *spec, guint max_details, GError **error)
{
    g_autoptr(Pool) pool =
        pool_new(spec->sources->len, (PgConn *const *)spec->sources->pdata, (PgConn *const *)spec->targets->pdata);
    pool_reads(pool);
    g_autofree RowsTask *tasks = g_new0(RowsTask, v->relations->len + 1);
    for (guint i = 0; i < v->relations->len; i++) {
        VerifyRelation *r = v->relations->pdata[i];
        tasks[i] = (RowsTask){.relation = r, .max_details = max_details};
        if (r->verdict == VERIFY_DIFFERENT && !r->told)
            pool_add(pool, "rows", r->audit->source->label, r->audit->source->bytes, run_rows, &tasks[i]);
    }
    return pool_run(pool, spec->observer, spec->observer_data, error);
}

static void add(GPtrArray *shortfalls, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *shortfalls, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(shortfalls, g_strdup_vprintf(format, args));
    va_end(args);
}

static void find_shortfalls(Verification *v)
{
    const Audit *audit = v->audit;
    for (guint i = 0; i < v->relations->len; i++) {
        const AuditRelation *r = ((const VerifyRelation *)v->relations->pdata[i])->audit;
        if (audit_unpopulated(r))
            add(v->shortfalls, "materialized view %s is not populated in the target", r->source->label);
    }
    for (guint i = 0; i < audit->sequences->len; i++) {
        const AuditSequence *s = audit->sequences->pdata[i];
        if (!s->reached && s->target == NULL)
            add(v->shortfalls, "sequence %s is not in the target", s->source->label);
        else if (!s->reached)
            add(v->shortfalls,
                "sequence %s is at %" G_GINT64_FORMAT " in the source, at %" G_GINT64_FORMAT " in the target",
                s->source->label, s->source->last_value, s->target->last_value);
    }
    for (guint i = 0; i < audit->counts->len; i++) {
        const AuditPair *pair = audit->counts->pdata[i];
        guint64 source = pair->source == NULL ? 0 : g_ascii_strtoull(pair->source, NULL, 10);
        guint64 target = pair->target == NULL ? 0 : g_ascii_strtoull(pair->target, NULL, 10);
        if (target < source)
            add(v->shortfalls,
                "objects of kind \"%s\": %" G_GUINT64_FORMAT " in the source, %" G_GUINT64_FORMAT " in the target",
                pair->name, source, target);
    }
    if (audit->large_objects_digested && !digest_equal(&audit->source_large_objects, &audit->target_large_objects))
        add(v->shortfalls,
            "large objects differ: %" G_GUINT64_FORMAT " in the source, %" G_GUINT64_FORMAT " in the target",
            audit->source_large_objects.rows, audit->target_large_objects.rows);
}

static bool all_contained(const Verification *v)
{
    for (guint i = 0; i < v->relations->len; i++) {
        VerifyVerdict verdict = ((const VerifyRelation *)v->relations->pdata[i])->verdict;
        if (verdict != VERIFY_SAME && verdict != VERIFY_CONTAINED && verdict != VERIFY_SKIPPED &&
            verdict != VERIFY_REFRESHED)
            return false;
    }
    return v->shortfalls->len == 0;
}

void verify_judge(Verification *verification)
{
    verification->contained = all_contained(verification);
}

Verification *verify_digests(const AuditSpec *spec, GError **error)
{
    g_autoptr(Verification) v = g_new0(Verification, 1);
    v->relations = g_ptr_array_new_with_free_func(relation_free);
    v->shortfalls = g_ptr_array_new_with_free_func(g_free);
    v->audit = audit_run(spec, error);
    if (v->audit == NULL)
        return NULL;
    for (guint i = 0; i < v->audit->relations->len; i++) {
        const AuditRelation *audit = v->audit->relations->pdata[i];
        if (audit->source == NULL)
            continue;
        VerifyRelation *r = g_new0(VerifyRelation, 1);
        r->audit = audit;
        r->verdict = verdict_of(audit);
        g_ptr_array_add(v->relations, r);
    }
    find_shortfalls(v);
    verify_judge(v);
    return g_steal_pointer(&v);
}

bool verify_rows(Verification *v, const AuditSpec *spec, guint max_details, GError **error)
{
    if (spec->target != NULL && !compare_rows(v, spec, max_details, error))
        return false;
    verify_judge(v);
    return true;
}

const char *verify_verdict_text(VerifyVerdict verdict)
{
    static const char *const TEXTS[] = {"same",         "contained", "different", "missing",
                                        "incomparable", "skipped",   "refreshed"};
    return TEXTS[verdict];
}

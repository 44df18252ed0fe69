/* What a finished audit says as a whole. */
#include "audit/audit.h"

static bool counts_reached(const Audit *audit)
{
    for (guint i = 0; i < audit->counts->len; i++) {
        const AuditPair *pair = audit->counts->pdata[i];
        guint64 source = pair->source == NULL ? 0 : g_ascii_strtoull(pair->source, NULL, 10);
        guint64 target = pair->target == NULL ? 0 : g_ascii_strtoull(pair->target, NULL, 10);
        if (target < source)
            return false;
    }
    return true;
}

bool audit_unpopulated(const AuditRelation *relation)
{
    const CatalogRelation *s = relation->source, *t = relation->target;
    return relation->verdict != AUDIT_SKIPPED && s != NULL && t != NULL && s->kind == 'm' && t->kind == 'm' &&
           s->populated && !t->populated;
}

bool audit_view_differs(const AuditRelation *relation)
{
    return relation->view_compared && !digest_equal(&relation->source_view, &relation->target_view);
}

bool audit_contained(const Audit *audit)
{
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        if (r->verdict != AUDIT_SAME && r->verdict != AUDIT_TARGET_ONLY && r->verdict != AUDIT_SKIPPED &&
            r->verdict != AUDIT_DRIFT && !audit_view_differs(r))
            return false;
        if (audit_unpopulated(r))
            return false;
    }
    for (guint i = 0; i < audit->sequences->len; i++)
        if (!((const AuditSequence *)audit->sequences->pdata[i])->reached)
            return false;
    return counts_reached(audit) && digest_equal(&audit->source_large_objects, &audit->target_large_objects);
}

bool audit_same(const Audit *audit)
{
    for (guint i = 0; i < audit->relations->len; i++) {
        AuditVerdict verdict = ((const AuditRelation *)audit->relations->pdata[i])->verdict;
        if (verdict != AUDIT_SAME && verdict != AUDIT_SKIPPED)
            return false;
    }
    for (guint i = 0; i < audit->sequences->len; i++)
        if (!((const AuditSequence *)audit->sequences->pdata[i])->same)
            return false;
    for (guint i = 0; i < audit->counts->len; i++)
        if (!((const AuditPair *)audit->counts->pdata[i])->same)
            return false;
    for (guint i = 0; i < audit->extensions->len; i++)
        if (!((const AuditPair *)audit->extensions->pdata[i])->same)
            return false;
    return audit->views->len == 0 && digest_equal(&audit->source_large_objects, &audit->target_large_objects);
}

const char *audit_verdict_text(AuditVerdict verdict)
{
    static const char *const TEXTS[] = {"same",        "drift",       "different", "incomparable",
                                        "source only", "target only", "skipped"};
    return TEXTS[verdict];
}

guint64 audit_rows(const Audit *audit)
{
    guint64 rows = 0;
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        rows += r->source_digested ? r->source_digest.rows : 0;
    }
    return rows;
}

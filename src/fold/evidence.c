#include "fold/evidence.h"

static const char *kind_text(const CatalogRelation *relation)
{
    return relation->persistence == 'u' ? "unlogged table" : "table";
}

static const char *method_of(PlanAction action)
{
    return action == PLAN_SAME ? "contained before this fold" : NULL;
}

static void set_rows(ReceiptRelation *out, const FoldProof *proof)
{
    const AuditRelation *audit = proof->relation->verify->audit;
    out->rows = audit->source_digested ? (gint64)audit->source_digest.rows : RECEIPT_UNKNOWN;
    out->bytes = (gint64)audit->source->bytes;
    if (audit->source_digested)
        out->digest = digest_text(&audit->source_digest);
    const Digest *target = proof->digested ? &proof->target : audit->target_digested ? &audit->target_digest : NULL;
    if (target == NULL)
        return;
    out->target_rows = (gint64)target->rows;
    out->target_digest = digest_text(target);
}

static void set_merge(ReceiptRelation *out, const MergeRelation *merge)
{
    const MergeCounts *counts = &merge->counts;
    out->action = RECEIPT_MERGE;
    out->inserted = (gint64)counts->inserted;
    out->overwritten = (gint64)counts->overwritten;
    out->kept = (gint64)counts->kept;
    out->settled = (gint64)counts->settled;
    out->rekeyed = (gint64)counts->rekeyed;
    out->matched = (gint64)counts->matched;
}

static void add_relation(Receipt *receipt, const FoldProof *proof)
{
    const PlanRelation *r = proof->relation;
    const CatalogRelation *relation = r->verify->audit->source;
    if (!catalog_has_rows(relation))
        return;
    ReceiptRelation *out = receipt_add_relation(receipt, relation->schema, relation->name, kind_text(relation));
    if (r->action == PLAN_SKIP) {
        out->action = RECEIPT_SKIP;
        out->verdict = RECEIPT_SKIPPED;
        receipt_text(&out->reason, r->reason);
        return;
    }
    out->action = r->action == PLAN_NEW ? RECEIPT_NEW : RECEIPT_SAME;
    set_rows(out, proof);
    if (r->merge != NULL)
        set_merge(out, r->merge);
    out->verdict = proof->good ? RECEIPT_CONTAINED : RECEIPT_DIFFERENT;
    receipt_text(&out->reason, r->reason != NULL ? r->reason : method_of(r->action));
    if (r->merge != NULL) {
        g_autofree char *text = receipt_merge_text(out);
        receipt_text(&out->reason, *text == '\0' ? "all of its rows were there already" : text);
    } else if (r->action == PLAN_NEW && proof->good) {
        receipt_text(&out->reason, NULL);
    }
}

static const CatalogSequence *find_sequence(const Catalog *catalog, const char *quoted)
{
    for (guint i = 0; i < catalog->sequences->len; i++) {
        const CatalogSequence *s = catalog->sequences->pdata[i];
        if (g_str_equal(s->quoted, quoted))
            return s;
    }
    return NULL;
}

static void add_sequence(Receipt *receipt, const CatalogSequence *source, const Catalog *target)
{
    const CatalogSequence *there = find_sequence(target, source->quoted);
    ReceiptSequence *out = receipt_add_sequence(receipt, source->schema, source->name);
    out->increment = source->increment;
    out->source = (ReceiptValue){.used = source->is_called, .value = source->last_value};
    if (there != NULL)
        out->target = (ReceiptValue){.used = there->is_called, .value = there->last_value};
    bool reached = audit_sequence_reached(source, target);
    out->verdict = reached ? RECEIPT_CONTAINED : RECEIPT_DIFFERENT;
    if (!reached)
        receipt_text(&out->reason, there == NULL ? "not in the target" : "behind the source");
}

static gint64 count_of(const Catalog *catalog, const char *kind)
{
    for (guint i = 0; i < catalog->counts->len; i++) {
        const CatalogPair *pair = catalog->counts->pdata[i];
        if (g_str_equal(pair->name, kind))
            return g_ascii_strtoll(pair->value, NULL, 10);
    }
    return 0;
}

static void add_objects(Receipt *receipt, const Catalog *source, const Catalog *target)
{
    for (guint i = 0; i < source->counts->len; i++) {
        const CatalogPair *pair = source->counts->pdata[i];
        gint64 here = g_ascii_strtoll(pair->value, NULL, 10);
        gint64 there = count_of(target, pair->name);
        ReceiptObjects *out = receipt_add_objects(receipt, pair->name, here, there);
        out->verdict = there >= here ? RECEIPT_CONTAINED : RECEIPT_DIFFERENT;
        if (there < here)
            receipt_text(&out->reason, "the target has fewer");
    }
}

static void set_large_objects(Receipt *receipt, const Audit *audit, const FoldResult *result)
{
    ReceiptLargeObjects *out = &receipt->large_objects;
    out->count = (gint64)audit->source->large_objects;
    out->target_count = (gint64)result->target->large_objects;
    out->verdict = result->large_objects_good ? RECEIPT_CONTAINED : RECEIPT_DIFFERENT;
    if (audit->source->large_objects == 0)
        return;
    out->digest = digest_text(&audit->source_large_objects);
    out->target_digest = digest_text(&result->large_objects);
}

void fold_evidence(const FoldSpec *spec, const FoldResult *result, Receipt *receipt)
{
    const Audit *audit = spec->plan->verification->audit;
    receipt_set_end(&receipt->source, spec->ends->source_config->name, pg_conn_identity(spec->ends->source));
    receipt_set_end(&receipt->target, "target", pg_conn_identity(spec->ends->target));
    /* The connection may be to another database of the server: the target was made by this fold. */
    receipt_text(&receipt->target.database, result->database);
    receipt->target.database_oid = (gint64)result->database_oid;
    receipt_text(&receipt->archive, result->archive);
    for (guint i = 0; i < result->proofs->len; i++)
        add_relation(receipt, result->proofs->pdata[i]);
    for (guint i = 0; i < audit->source->sequences->len; i++)
        add_sequence(receipt, audit->source->sequences->pdata[i], result->target);
    add_objects(receipt, audit->source, result->target);
    set_large_objects(receipt, audit, result);
}

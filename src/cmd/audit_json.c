#include "cmd/audit_json.h"

#include "cmd/show.h"

static json_t *relation_json(const AuditRelation *r)
{
    const CatalogRelation *relation = r->source != NULL ? r->source : r->target;
    json_t *object = json_object();
    json_object_set_new(object, "schema", out_json_string(relation->schema));
    json_object_set_new(object, "name", out_json_string(relation->name));
    json_object_set_new(object, "kind", json_string(show_kind(relation)));
    json_object_set_new(object, "result", json_string(audit_verdict_text(r->verdict)));
    json_object_set_new(object, "bytes", r->source == NULL ? json_null() : show_count_json(r->source->bytes));
    json_object_set_new(object, "rows", r->source_digested ? show_count_json(r->source_digest.rows) : json_null());
    json_object_set_new(object, "digest", show_digest_json(r->source_digested, &r->source_digest));
    json_object_set_new(object, "target_rows",
                        r->target_digested ? show_count_json(r->target_digest.rows) : json_null());
    json_object_set_new(object, "target_digest", show_digest_json(r->target_digested, &r->target_digest));
    json_object_set_new(object, "drift", show_texts_json(r->drift));
    json_object_set_new(object, "obstacle", out_json_string(r->obstacle));
    return object;
}

static json_t *relations_json(const Audit *audit)
{
    json_t *list = json_array();
    for (guint i = 0; i < audit->relations->len; i++)
        json_array_append_new(list, relation_json(audit->relations->pdata[i]));
    return list;
}

static json_t *sequence_value_json(const CatalogSequence *sequence)
{
    if (sequence == NULL)
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "value", json_integer(sequence->last_value));
    json_object_set_new(object, "used", json_boolean(sequence->is_called));
    json_object_set_new(object, "increment", json_integer(sequence->increment));
    return object;
}

static json_t *sequences_json(const Audit *audit)
{
    json_t *list = json_array();
    for (guint i = 0; i < audit->sequences->len; i++) {
        const AuditSequence *s = audit->sequences->pdata[i];
        const CatalogSequence *named = s->source != NULL ? s->source : s->target;
        json_t *object = json_object();
        json_object_set_new(object, "schema", out_json_string(named->schema));
        json_object_set_new(object, "name", out_json_string(named->name));
        json_object_set_new(object, "same", json_boolean(s->same));
        json_object_set_new(object, "reached", json_boolean(s->reached));
        json_object_set_new(object, "source", sequence_value_json(s->source));
        json_object_set_new(object, "target", sequence_value_json(s->target));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *pairs_json(const GPtrArray *pairs)
{
    json_t *list = json_array();
    for (guint i = 0; i < pairs->len; i++) {
        const AuditPair *pair = pairs->pdata[i];
        json_t *object = json_object();
        json_object_set_new(object, "name", out_json_string(pair->name));
        json_object_set_new(object, "source", out_json_string(pair->source));
        json_object_set_new(object, "target", out_json_string(pair->target));
        json_object_set_new(object, "same", json_boolean(pair->same));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *large_objects_json(const Audit *audit)
{
    json_t *object = json_object();
    bool digested = audit->large_objects_digested, both = digested && audit->target != NULL;
    json_object_set_new(object, "count", show_count_json(audit->source->large_objects));
    json_object_set_new(object, "digest", show_digest_json(digested, &audit->source_large_objects));
    json_object_set_new(object, "target_count",
                        audit->target == NULL ? json_null() : show_count_json(audit->target->large_objects));
    json_object_set_new(object, "target_digest", show_digest_json(both, &audit->target_large_objects));
    return object;
}

json_t *audit_report_json(const AuditReport *report, const char *outcome)
{
    const Audit *audit = report->audit;
    const Ends *ends = report->comparison->ends;
    json_t *object = json_object();
    json_object_set_new(object, "name", out_json_string(ends->source_config->name));
    json_object_set_new(object, "same", json_boolean(audit_is_good(report)));
    json_object_set_new(object, "outcome", out_json_string(outcome));
    json_object_set_new(object, "source", show_end_json(ends->source));
    json_object_set_new(object, "target", show_end_json(audit->target == NULL ? NULL : ends->target));
    json_object_set_new(object, "target_missing", out_json_string(ends->target_missing));
    json_object_set_new(object, "rows", show_count_json(audit_rows(audit)));
    json_object_set_new(object, "bytes", show_count_json(audit->source->database_bytes));
    json_object_set_new(object, "relations", relations_json(audit));
    json_object_set_new(object, "sequences", sequences_json(audit));
    json_object_set_new(object, "extensions", pairs_json(audit->extensions));
    json_object_set_new(object, "views", pairs_json(audit->views));
    json_object_set_new(object, "objects", pairs_json(audit->counts));
    json_object_set_new(object, "properties", pairs_json(audit->properties));
    json_object_set_new(object, "large_objects", large_objects_json(audit));
    json_object_set_new(object, "findings", show_findings_json(report->findings));
    return object;
}

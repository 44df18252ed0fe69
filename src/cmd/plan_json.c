#include "cmd/plan_view.h"
#include "cmd/show.h"

static json_t *merge_json(const MergeRelation *merge)
{
    if (merge == NULL)
        return json_null();
    const MergeCounts *counts = &merge->counts;
    const struct {
        const char *name;
        guint64 n;
    } members[] = {{"insert", counts->inserted}, {"identical", counts->identical}, {"value", counts->value},
                   {"unique", counts->unique},   {"parent", counts->parent},       {"overwrite", counts->overwritten},
                   {"keep", counts->kept},       {"stop", counts->stopped},        {"settled", counts->settled},
                   {"rekey", counts->rekeyed},   {"matched", counts->matched}};
    json_t *object = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        json_object_set_new(object, members[i].name, show_count_json(members[i].n));
    json_t *conflicts = json_array();
    for (guint i = 0; i < merge->conflicts->len; i++) {
        const MergeConflict *c = merge->conflicts->pdata[i];
        json_t *conflict = json_object();
        json_object_set_new(conflict, "kind", json_string(c->kind));
        json_object_set_new(conflict, "action", json_string(c->action));
        json_object_set_new(conflict, "key", out_json_string(c->key));
        json_object_set_new(conflict, "detail", out_json_string(c->detail));
        json_object_set_new(conflict, "source", c->source == NULL ? json_null() : json_loads(c->source, 0, NULL));
        json_object_set_new(conflict, "target", c->target == NULL ? json_null() : json_loads(c->target, 0, NULL));
        json_array_append_new(conflicts, conflict);
    }
    json_object_set_new(object, "conflicts", conflicts);
    return object;
}

static json_t *relations_json(const Plan *plan)
{
    json_t *list = json_array();
    for (guint i = 0; i < plan->relations->len; i++) {
        const PlanRelation *r = plan->relations->pdata[i];
        const AuditRelation *audit = r->verify->audit;
        json_t *object = json_object();
        json_object_set_new(object, "schema", out_json_string(audit->source->schema));
        json_object_set_new(object, "name", out_json_string(audit->source->name));
        json_object_set_new(object, "kind", json_string(show_kind(audit->source)));
        json_object_set_new(object, "action", json_string(plan_action_text(r->action)));
        json_object_set_new(object, "reason", out_json_string(r->reason));
        json_object_set_new(object, "rows",
                            audit->source_digested ? show_count_json(audit->source_digest.rows) : json_null());
        json_object_set_new(object, "bytes", show_count_json(audit->source->bytes));
        json_object_set_new(object, "target_rows",
                            audit->target_digested ? show_count_json(audit->target_digest.rows) : json_null());
        json_object_set_new(object, "merge", merge_json(r->merge));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *entries_json(const Plan *plan)
{
    json_t *list = json_array();
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *entry = plan->entries->pdata[i];
        json_t *object = json_object();
        json_object_set_new(object, "type", out_json_string(entry->entry->type));
        json_object_set_new(object, "schema", out_json_string(entry->entry->schema));
        json_object_set_new(object, "name", out_json_string(entry->entry->name));
        json_object_set_new(object, "action", json_string(plan_action_text(entry->action)));
        json_object_set_new(object, "reason", out_json_string(entry->reason));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *roles_json(const Plan *plan)
{
    json_t *list = json_array();
    for (guint i = 0; i < plan->roles->len; i++) {
        const PlanRole *role = plan->roles->pdata[i];
        json_t *object = json_object();
        json_object_set_new(object, "name", out_json_string(role->name));
        json_object_set_new(object, "exists", json_boolean(role->create_sql == NULL));
        json_object_set_new(object, "reason", out_json_string(role->reason));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *plan_json(const Analysis *analysis, const GPtrArray *blocks)
{
    const Plan *plan = analysis->plan;
    const Ends *ends = analysis->comparison->ends;
    json_t *object = json_object();
    json_object_set_new(object, "name", out_json_string(ends->source_config->name));
    json_object_set_new(object, "may_fold", json_boolean(blocks->len == 0 && plan->rows_stopped == 0));
    json_object_set_new(object, "source", show_end_json(ends->source));
    json_object_set_new(object, "target", show_end_json(comparison_target(analysis->comparison)));
    json_object_set_new(object, "target_missing", out_json_string(ends->target_missing));
    json_object_set_new(object, "rows_to_copy", show_count_json(plan->rows_to_copy));
    json_object_set_new(object, "bytes_to_copy", show_count_json(plan->bytes_to_copy));
    json_object_set_new(object, "rows_to_merge", show_count_json(plan->rows_to_merge));
    json_object_set_new(object, "rows_in_conflict", show_count_json(plan->rows_stopped));
    json_object_set_new(object, "relations", relations_json(plan));
    json_object_set_new(object, "objects", entries_json(plan));
    json_object_set_new(object, "roles", roles_json(plan));
    json_object_set_new(object, "notices", show_texts_json(plan->notices));
    json_object_set_new(object, "findings", show_findings_json(analysis->findings));
    json_object_set_new(object, "blocks", show_texts_json(blocks));
    return object;
}

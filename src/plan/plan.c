#include "plan/plan.h"

#include <string.h>

#include "base/error.h"
#include "plan/internal.h"

static void relation_free(gpointer data)
{
    PlanRelation *relation = data;
    g_free(relation->reason);
    g_free(relation);
}

void plan_free(Plan *plan)
{
    if (plan == NULL)
        return;
    g_clear_pointer(&plan->relations, g_ptr_array_unref);
    g_clear_pointer(&plan->entries, g_ptr_array_unref);
    g_clear_pointer(&plan->roles, g_ptr_array_unref);
    g_ptr_array_unref(plan->blocks);
    g_ptr_array_unref(plan->notices);
    g_ptr_array_unref(plan->database_sql);
    g_free(plan->create_database_sql);
    g_free(plan);
}

G_GNUC_PRINTF(2, 0)
static void add(GPtrArray *list, const char *format, va_list args)
{
    g_ptr_array_add(list, g_strdup_vprintf(format, args));
}

void plan_block(Plan *plan, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(plan->blocks, format, args);
    va_end(args);
}

void plan_notice(Plan *plan, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(plan->notices, format, args);
    va_end(args);
}

static void count_rows(GString *text, guint64 n, const char *what)
{
    if (n > 0)
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s", text->len > 0 ? ", " : "", n, what);
}

char *plan_merge_text(const MergeCounts *counts)
{
    GString *text = g_string_new(NULL);
    count_rows(text, counts->inserted, "to insert");
    count_rows(text, counts->overwritten, "to overwrite");
    count_rows(text, counts->kept, "left as in the target");
    count_rows(text, counts->stopped, "in conflict");
    count_rows(text, counts->settled, "settled earlier");
    count_rows(text, counts->identical, "already there");
    count_rows(text, counts->rekeyed, "with a new key");
    count_rows(text, counts->matched, "found by match_on");
    return g_string_free(text, FALSE);
}

/* Nothing is left to do where all that was staged turned out to be there, through the map of keys, or settled earlier.
 */
static void judge_merge(Plan *plan, PlanRelation *r)
{
    const MergeCounts *counts = &r->merge->counts;
    plan->rows_to_merge += counts->inserted + counts->overwritten;
    plan->rows_stopped += counts->stopped;
    r->reason = plan_merge_text(counts);
    if (r->action == PLAN_NEW)
        return;
    bool nothing = counts->inserted + counts->overwritten + counts->kept + counts->stopped == 0;
    r->action = nothing ? PLAN_SAME : PLAN_MERGE;
    guint64 there = r->verify->audit->target_digest.rows;
    if (nothing && counts->settled == 0 && !r->merge->whole && there >= counts->identical) {
        g_free(r->reason);
        r->reason =
            g_strdup_printf("contained; the target has %" G_GUINT64_FORMAT " more rows", there - counts->identical);
    }
    if (r->verify->audit->drift->len > 0)
        plan_notice(plan, "%s: its definition differs, and the target's stays: %s", r->verify->audit->source->label,
                    (const char *)r->verify->audit->drift->pdata[0]);
}

/* Only where the target could not be looked into: there is nothing to merge with. */
static void judge_different(Plan *plan, PlanRelation *r)
{
    r->action = PLAN_BLOCKED;
    r->reason = g_strdup("its rows differ");
    plan_block(plan, "%s: its rows differ", r->verify->audit->source->label);
}

static void judge_same(Plan *plan, PlanRelation *r)
{
    const AuditRelation *audit = r->verify->audit;
    r->action = PLAN_SAME;
    if (r->verify->verdict == VERIFY_CONTAINED)
        r->reason = g_strdup_printf("contained; the target has %" G_GUINT64_FORMAT " more rows", r->verify->rows.extra);
    else if (audit->drift->len > 0)
        r->reason =
            g_strdup_printf("its rows are the same; its definition differs: %s", (char *)audit->drift->pdata[0]);
    if (audit->drift->len > 0)
        plan_notice(plan, "%s: its definition differs, and the target's stays: %s%s", audit->source->label,
                    (const char *)audit->drift->pdata[0],
                    audit->drift->len > 1 ? ", and more (`pgfold audit` tells)" : "");
}

static void judge_incomparable(Plan *plan, PlanRelation *r)
{
    const AuditRelation *audit = r->verify->audit;
    g_autofree char *remedy = audit->target == NULL ? NULL : merge_column_remedy(audit->source, audit->target);
    r->action = PLAN_BLOCKED;
    r->reason = g_strdup(audit->obstacle);
    plan_block(plan, "%s: %s%s%s", audit->source->label, audit->obstacle, remedy == NULL ? "" : ": ",
               remedy == NULL ? "" : remedy);
}

static void judge_relation(Plan *plan, PlanRelation *r)
{
    const AuditRelation *audit = r->verify->audit;
    if (r->merge != NULL) {
        r->action = audit->target == NULL ? PLAN_NEW : PLAN_MERGE;
        judge_merge(plan, r);
        return;
    }
    switch (r->verify->verdict) {
    case VERIFY_MISSING:
        r->action = PLAN_NEW;
        plan->rows_to_copy += audit->source_digested ? audit->source_digest.rows : 0;
        plan->bytes_to_copy += catalog_has_rows(audit->source) ? audit->source->bytes : 0;
        break;
    case VERIFY_SAME:
    case VERIFY_CONTAINED:
        judge_same(plan, r);
        break;
    case VERIFY_DIFFERENT:
        judge_different(plan, r);
        break;
    case VERIFY_INCOMPARABLE:
        r->action = PLAN_BLOCKED;
        judge_incomparable(plan, r);
        break;
    case VERIFY_REFRESHED:
        r->action = PLAN_SAME;
        r->reason = g_strdup("its query gives other rows in the target, where it is refreshed");
        plan_notice(plan,
                    "%s: its query gives other rows in the target, or it was refreshed at another time; the "
                    "target's stays as it is",
                    audit->source->label);
        break;
    case VERIFY_SKIPPED:
        r->action = PLAN_SKIP;
        r->reason = g_strdup(audit->source->left_out ? PLAN_LEFT_OUT : "its rows are left out: pgfold.yaml says so");
        break;
    }
}

static void plan_relations(Plan *plan, const PlanSpec *spec)
{
    plan->relations = g_ptr_array_new_with_free_func(relation_free);
    for (guint i = 0; i < plan->verification->relations->len; i++) {
        PlanRelation *r = g_new0(PlanRelation, 1);
        r->verify = plan->verification->relations->pdata[i];
        r->merge = merge_find(plan->merge, r->verify->audit->source);
        judge_relation(plan, r);
        plan_protect_relation(plan, spec, r);
        g_ptr_array_add(plan->relations, r);
    }
}

/* Without making anything, rows and values of sequences need a place that is there. */
static void check_places(Plan *plan)
{
    const Audit *audit = plan->verification->audit;
    for (guint i = 0; i < plan->relations->len; i++) {
        PlanRelation *r = plan->relations->pdata[i];
        if (r->action != PLAN_NEW)
            continue;
        r->action = PLAN_BLOCKED;
        g_free(r->reason);
        r->reason = g_strdup("not in the target, and --data-only makes no tables");
        plan_block(plan, "%s is not in the target: --data-only makes no tables", r->verify->audit->source->label);
    }
    for (guint i = 0; i < audit->sequences->len; i++) {
        const AuditSequence *s = audit->sequences->pdata[i];
        if (s->source != NULL && s->target == NULL)
            plan_block(plan, "sequence %s is not in the target: --data-only makes none", s->source->label);
    }
}

/* Large objects go by number: ones of the target under the same numbers would be others. */
static void plan_large_objects(Plan *plan)
{
    const Audit *audit = plan->verification->audit;
    if (audit->source->large_objects == 0 || audit->target == NULL || audit->target->large_objects == 0)
        return;
    if (!digest_equal(&audit->source_large_objects, &audit->target_large_objects))
        plan_block(plan, "both sides have large objects, and they differ: this version does not merge them");
}

static void plan_extensions(Plan *plan)
{
    const Audit *audit = plan->verification->audit;
    for (guint i = 0; audit->target != NULL && i < audit->extensions->len; i++) {
        const AuditPair *pair = audit->extensions->pdata[i];
        if (pair->source != NULL && pair->target != NULL && !pair->same)
            plan_notice(plan, "extension %s is %s in the source, %s in the target", pair->name, pair->source,
                        pair->target);
    }
}

Plan *plan_make(const PlanSpec *spec, GError **error)
{
    g_autoptr(Plan) plan = g_new0(Plan, 1);
    plan->verification = spec->verification;
    plan->dump = spec->source_dump;
    plan->blocks = g_ptr_array_new_with_free_func(g_free);
    plan->notices = g_ptr_array_new_with_free_func(g_free);
    plan->database_sql = g_ptr_array_new_with_free_func(g_free);
    plan->merge = spec->merge;
    plan_relations(plan, spec);
    for (guint i = 0; plan->merge != NULL && i < plan->merge->blocks->len; i++)
        plan_block(plan, "%s", (const char *)plan->merge->blocks->pdata[i]);
    for (guint i = 0; plan->merge != NULL && i < plan->merge->notices->len; i++)
        plan_notice(plan, "%s", (const char *)plan->merge->notices->pdata[i]);
    if (spec->rows_only)
        check_places(plan);
    plan_large_objects(plan);
    plan_extensions(plan);
    g_auto(PlanTablespaces) tablespaces = {0};
    if (!plan_tablespaces_map(spec, &tablespaces, error)) {
        g_prefix_error(error, "planning: ");
        return NULL;
    }
    plan_entries(plan, spec);
    plan_tablespaces_judge(plan, spec, &tablespaces);
    plan_tell_left_out(plan, spec);
    if (!plan_labels(plan, spec, error) || !plan_check_names(plan, spec, error) || !plan_obstacles(plan, spec, error) ||
        !plan_server(plan, spec, error) || !plan_protect(plan, spec, error) || !plan_advice(plan, spec, error)) {
        g_prefix_error(error, "planning: ");
        return NULL;
    }
    return g_steal_pointer(&plan);
}

const char *plan_action_text(PlanAction action)
{
    static const char *const TEXTS[] = {"new", "same", "merge", "skip", "blocked"};
    return TEXTS[action];
}

guint plan_count(const Plan *plan, PlanAction action)
{
    guint n = 0;
    for (guint i = 0; i < plan->relations->len; i++)
        n += ((const PlanRelation *)plan->relations->pdata[i])->action == action ? 1 : 0;
    return n;
}

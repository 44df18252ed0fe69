/* Verification of what was merged earlier: through the map, and with the rows that lost. */
#include <jansson.h>

#include "base/error.h"
#include "merge/internal.h"

bool merge_relation_contained(const MergeRelation *r)
{
    const MergeCounts *c = &r->counts;
    return c->inserted == 0 && c->stopped == 0 && c->kept == 0 && c->overwritten == 0;
}

static const char *text_of(json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

/* As reconcile describes a row: all columns of one that is missing, those that differ of others. */
static void describe(Reconciled *to, const MergeConflict *conflict)
{
    json_t *source = json_loads(conflict->source, 0, NULL);
    json_t *target = conflict->target == NULL ? NULL : json_loads(conflict->target, 0, NULL);
    bool different = g_str_equal(conflict->kind, "value") && target != NULL;
    RowDifference *row = reconciled_add(to, different ? ROW_DIFFERENT : ROW_MISSING, g_strdup(conflict->key));
    const char *name;
    json_t *value;
    json_object_foreach(source, name, value)
    {
        const char *there = different ? text_of(target, name) : NULL;
        if (!different || g_strcmp0(json_string_value(value), there) != 0)
            row_difference_add(row, name, json_string_value(value), there);
    }
    json_decref(source);
    json_decref(target);
}

static void set_verdict(const MergeRelation *r)
{
    VerifyRelation *verify = (VerifyRelation *)(guintptr)r->verify;
    const MergeCounts *c = &r->counts;
    reconciled_clear(&verify->rows);
    verify->rows.missing = c->inserted + c->unique + c->parent;
    verify->rows.different = c->value;
    for (guint i = 0; i < r->conflicts->len; i++)
        describe(&verify->rows, r->conflicts->pdata[i]);
    verify->settled = c->settled;
    verify->told = true;
    verify->verdict = merge_relation_contained(r) ? VERIFY_CONTAINED : VERIFY_DIFFERENT;
}

bool merge_verify(const MergeSpec *spec, Verification *verification, GError **error)
{
    if (spec->memory == NULL || ledger_memory_is_empty(spec->memory))
        return true;
    MergeSpec only = *spec;
    only.verify_only = true;
    g_autoptr(Merge) merge = merge_new(&only, error);
    if (merge == NULL)
        return false;
    if (merge->blocks->len > 0) {
        pgf_error_set(error, PGF_ERROR_REFUSED, NULL, "%s", (const char *)merge->blocks->pdata[0]);
        return false;
    }
    if (!merge_stage(merge, false, error) || !merge_judge(merge, MERGE_VERIFY, error))
        return false;
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeRelation *r = merge->relations->pdata[i];
        if (r->staged)
            set_verdict(r);
    }
    verify_judge(verification);
    return true;
}

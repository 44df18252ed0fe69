#include "cmd/show.h"
#include "cmd/verify_view.h"

enum { MOST_CHARACTERS = 8300 }; /* of a value in JSON: long ones come cut from the server already */

static json_t *value_json(const char *value)
{
    if (value == NULL)
        return json_null();
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    if (g_utf8_strlen(valid, -1) <= MOST_CHARACTERS)
        return json_string(valid);
    g_autofree char *start = g_utf8_substring(valid, 0, MOST_CHARACTERS);
    g_autofree char *cut = g_strconcat(start, "…", NULL);
    return json_string(cut);
}

static json_t *row_json(const RowDifference *row)
{
    static const char *const TEXTS[] = {
        [ROW_MISSING] = "missing", [ROW_EXTRA] = "extra", [ROW_DIFFERENT] = "different"};
    json_t *object = json_object();
    json_t *columns = json_array();
    json_object_set_new(object, "result", json_string(TEXTS[row->verdict]));
    json_object_set_new(object, "key", out_json_string(row->key));
    json_object_set_new(object, "times", show_count_json(row->times));
    for (guint i = 0; i < row->columns->len; i++) {
        const RowColumn *column = row->columns->pdata[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "name", out_json_string(column->name));
        json_object_set_new(entry, "source", value_json(column->source));
        json_object_set_new(entry, "target", value_json(column->target));
        json_array_append_new(columns, entry);
    }
    json_object_set_new(object, "columns", columns);
    return object;
}

static json_t *relation_json(const VerifyRelation *r)
{
    const AuditRelation *audit = r->audit;
    bool counted = audit->verdict == AUDIT_DIFFERENT && r->verdict != VERIFY_REFRESHED;
    json_t *object = json_object();
    json_t *rows = json_array();
    json_object_set_new(object, "schema", out_json_string(audit->source->schema));
    json_object_set_new(object, "name", out_json_string(audit->source->name));
    json_object_set_new(object, "kind", json_string(show_kind(audit->source)));
    json_object_set_new(object, "result", json_string(verify_verdict_text(r->verdict)));
    json_object_set_new(object, "rows",
                        audit->source_digested ? show_count_json(audit->source_digest.rows) : json_null());
    json_object_set_new(object, "digest", show_digest_json(audit->source_digested, &audit->source_digest));
    json_object_set_new(object, "target_rows",
                        audit->target_digested ? show_count_json(audit->target_digest.rows) : json_null());
    json_object_set_new(object, "target_digest", show_digest_json(audit->target_digested, &audit->target_digest));
    json_object_set_new(object, "missing", counted ? show_count_json(r->rows.missing) : json_null());
    json_object_set_new(object, "different", counted ? show_count_json(r->rows.different) : json_null());
    json_object_set_new(object, "extra", counted ? show_count_json(r->rows.extra) : json_null());
    json_object_set_new(object, "settled", show_count_json(r->settled));
    json_object_set_new(object, "obstacle", out_json_string(audit->obstacle));
    for (guint i = 0; r->rows.rows != NULL && i < r->rows.rows->len; i++)
        json_array_append_new(rows, row_json(r->rows.rows->pdata[i]));
    json_object_set_new(object, "differences", rows);
    return object;
}

json_t *verification_json(const Ends *ends, const Verification *verification, const char *outcome)
{
    json_t *object = json_object();
    json_t *relations = json_array();
    json_object_set_new(object, "name", out_json_string(ends->source_config->name));
    json_object_set_new(object, "contained", json_boolean(verification->contained));
    json_object_set_new(object, "outcome", out_json_string(outcome));
    json_object_set_new(object, "source", show_end_json(ends->source));
    json_object_set_new(object, "target", show_end_json(ends->target));
    for (guint i = 0; i < verification->relations->len; i++)
        json_array_append_new(relations, relation_json(verification->relations->pdata[i]));
    json_object_set_new(object, "relations", relations);
    json_object_set_new(object, "shortfalls", show_texts_json(verification->shortfalls));
    return object;
}

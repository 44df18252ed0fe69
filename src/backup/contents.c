#include "backup/contents.h"

#include "base/error.h"

static json_t *digest_json(const Digest *digest)
{
    g_autofree char *text = digest_text(digest);
    return json_pack("{s:I, s:s}", "rows", (json_int_t)digest->rows, "digest", text);
}

json_t *backup_contents(const Audit *audit)
{
    json_t *relations = json_array();
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        if (!r->source_digested)
            continue;
        json_t *relation = digest_json(&r->source_digest);
        json_object_set_new(relation, "schema", json_string(r->source->schema));
        json_object_set_new(relation, "name", json_string(r->source->name));
        json_array_append_new(relations, relation);
    }
    json_t *contents = json_pack("{s:o}", "relations", relations);
    if (audit->large_objects_digested)
        json_object_set_new(contents, "large_objects", digest_json(&audit->source_large_objects));
    return contents;
}

static bool same(const char *what, const Digest *expected, const Digest *got, GError **error)
{
    if (digest_equal(expected, got))
        return true;
    pgf_error_set(error, PGF_ERROR_DIFFERS, "Do not rely on this backup: look at the disk, and make another.",
                  "%s: the backup restores %" G_GUINT64_FORMAT " rows, the source holds %" G_GUINT64_FORMAT "%s", what,
                  got->rows, expected->rows, got->rows == expected->rows ? ", with other values" : "");
    return false;
}

static bool compare_relation(PgConn *restored, const Audit *audit, const AuditRelation *r, GError **error)
{
    g_autofree char *sql = digest_relation_sql(r->source, NULL, audit->text);
    g_autoptr(PgResult) result = pg_query(restored, sql, DEADLINE_NONE, error);
    Digest got;
    if (result == NULL || !digest_from_row(result, 0, 0, &got, error)) {
        g_prefix_error(error, "%s: ", r->source->label);
        return false;
    }
    return same(r->source->label, &r->source_digest, &got, error);
}

bool backup_compare(PgConn *restored, const char *url, gpointer data, GError **error)
{
    const Audit *audit = data;
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        if (r->source_digested && !compare_relation(restored, audit, r, error))
            return false;
    }
    Digest got;
    return !audit->large_objects_digested || (audit_large_objects(restored, &got, error) &&
                                              same("large objects", &audit->source_large_objects, &got, error));
}

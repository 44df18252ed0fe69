#include "cmd/show.h"

#include <string.h>

enum { CONTEXT = 20 }; /* characters in front of the first difference between two values */

char *show_count(guint64 count, const char *noun)
{
    g_autofree char *number = out_count(count);
    return g_strdup_printf("%s %s%s", number, noun, count == 1 ? "" : "s");
}

const char *show_kind(const CatalogRelation *relation)
{
    switch (relation->kind) {
    case 'p':
        return "partitioned table";
    case 'm':
        return "materialized view";
    case 'f':
        return "foreign table";
    default:
        return "table";
    }
}

void show_end(Out *out, const char *name, const PgConn *conn)
{
    const PgIdentity *id = pg_conn_identity(conn);
    g_autofree char *bold = out_styled(out, OUT_BOLD, name);
    g_autofree char *where = g_strdup_printf("PostgreSQL %s, %s", id->version_text, id->address);
    g_autofree char *dim = out_styled(out, OUT_DIM, where);
    g_autofree char *database = out_styled(out, OUT_NAME, id->database);
    out_line(out, "%s: %s  %s", bold, database, dim);
}

void show_list(Out *out, const char *heading, const GPtrArray *texts)
{
    if (texts->len == 0)
        return;
    g_autofree char *bold = out_styled(out, OUT_BOLD, heading);
    out_line(out, "\n%s", bold);
    for (guint i = 0; i < texts->len; i++) {
        g_autofree char *safe = out_styled(out, OUT_PLAIN, texts->pdata[i]);
        out_line(out, "  %s", safe);
    }
}

void show_findings(Out *out, const GPtrArray *findings)
{
    static const OutStyle STYLES[] = {[CHECK_NOTICE] = OUT_DIM, [CHECK_WARNING] = OUT_WARN, [CHECK_ERROR] = OUT_BAD};
    for (guint i = 0; i < findings->len; i++) {
        const AuditFinding *finding = findings->pdata[i];
        const AuditCheck *check = finding->check;
        if (check->severity == CHECK_NOTICE && out->quiet)
            continue;
        g_autofree char *severity = out_styled(out, STYLES[check->severity], check_severity_text(check->severity));
        out_line(out, "\n%s: %s: %s", severity, check->side == CHECK_SOURCE ? "source" : "target", check->description);
        for (guint k = 0; k < finding->items->len; k++) {
            g_autofree char *item = out_styled(out, OUT_PLAIN, finding->items->pdata[k]);
            out_line(out, "  %s", item);
        }
        g_autofree char *remedy = out_styled(out, OUT_DIM, check->remedy);
        out_line(out, "  %s", remedy);
    }
}

/* How many characters two texts have in common at their start. */
static glong common_start(const char *a, const char *b)
{
    glong count = 0;
    while (*a != '\0' && g_utf8_get_char(a) == g_utf8_get_char(b)) {
        a = g_utf8_next_char(a);
        b = g_utf8_next_char(b);
        count++;
    }
    return count;
}

/* 'text', or from its character `from` on, cut to width characters. */
static char *cut_value(const char *text, glong from, glong width)
{
    glong length = g_utf8_strlen(text, -1);
    const char *start = g_utf8_offset_to_pointer(text, from);
    bool fits = length - from <= width;
    const char *end = fits ? start + strlen(start) : g_utf8_offset_to_pointer(start, width);
    g_autofree char *piece = g_strndup(start, (gsize)(end - start));
    return g_strdup_printf("%s'%s'%s", from > 0 ? "…" : "", piece, fits ? "" : "…");
}

void show_values(const char *a, const char *b, guint width, char **ret_a, char **ret_b)
{
    g_autofree char *x = a == NULL ? NULL : g_utf8_make_valid(a, -1);
    g_autofree char *y = b == NULL ? NULL : g_utf8_make_valid(b, -1);
    glong from = 0;
    if (x != NULL && y != NULL) {
        glong common = common_start(x, y);
        from = common + CONTEXT / 2 > (glong)width ? common - CONTEXT : 0;
    }
    *ret_a = x == NULL ? g_strdup("NULL") : cut_value(x, from, (glong)width);
    *ret_b = y == NULL ? g_strdup("NULL") : cut_value(y, from, (glong)width);
}

json_t *show_end_json(const PgConn *conn)
{
    if (conn == NULL)
        return json_null();
    const PgIdentity *id = pg_conn_identity(conn);
    json_t *end = json_object();
    json_object_set_new(end, "system_identifier", out_json_string(id->system_identifier));
    json_object_set_new(end, "database", out_json_string(id->database));
    json_object_set_new(end, "database_oid", json_integer(id->database_oid));
    json_object_set_new(end, "server_version", out_json_string(id->version_text));
    json_object_set_new(end, "server_version_num", json_integer(id->version));
    json_object_set_new(end, "encoding", out_json_string(id->encoding));
    json_object_set_new(end, "role", out_json_string(id->role));
    json_object_set_new(end, "address", out_json_string(id->address));
    return end;
}

GPtrArray *show_view_texts(const Audit *audit)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        if (!audit_view_differs(r))
            continue;
        g_autofree char *here = show_count(r->source_view.rows, "row");
        g_autofree char *there = out_count(r->target_view.rows);
        g_ptr_array_add(texts,
                        g_strdup_printf("%s: %s in the source, %s in the target", r->source->label, here, there));
    }
    return texts;
}

json_t *show_texts_json(const GPtrArray *texts)
{
    json_t *list = json_array();
    for (guint i = 0; i < texts->len; i++)
        json_array_append_new(list, out_json_string(texts->pdata[i]));
    return list;
}

json_t *show_findings_json(const GPtrArray *findings)
{
    json_t *list = json_array();
    for (guint i = 0; i < findings->len; i++) {
        const AuditFinding *finding = findings->pdata[i];
        json_t *object = json_object();
        json_object_set_new(object, "check", json_string(finding->check->id));
        json_object_set_new(object, "side", json_string(finding->check->side == CHECK_SOURCE ? "source" : "target"));
        json_object_set_new(object, "severity", json_string(check_severity_text(finding->check->severity)));
        json_object_set_new(object, "description", json_string(finding->check->description));
        json_object_set_new(object, "remedy", json_string(finding->check->remedy));
        json_object_set_new(object, "items", show_texts_json(finding->items));
        json_array_append_new(list, object);
    }
    return list;
}

void show_left_out(Out *out, const Filter *filter)
{
    guint n = 0;
    for (guint i = 0; filter != NULL && i < filter->relations->len; i++)
        n += ((const FilterRelation *)filter->relations->pdata[i])->kind != 'S' ? 1 : 0;
    if (filter == NULL)
        return;
    g_autofree char *patterns = filter_text(filter);
    g_autofree char *count = show_count(n, "table");
    out_line(out, "\nLeft out (%s): %s, views included", patterns, count);
}

json_t *show_count_json(guint64 count)
{
    return json_integer((json_int_t)count);
}

json_t *show_digest_json(bool digested, const Digest *digest)
{
    if (!digested)
        return json_null();
    g_autofree char *text = digest_text(digest);
    return json_string(text);
}

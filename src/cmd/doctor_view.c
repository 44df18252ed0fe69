#include "cmd/doctor_view.h"

#include <string.h>

#include "cmd/show.h"

static const OutStyle STYLES[] = {
    [DOCTOR_GOOD] = OUT_GOOD, [DOCTOR_NOTE] = OUT_DIM, [DOCTOR_WARNING] = OUT_WARN, [DOCTOR_FAILED] = OUT_BAD};

enum { MOST_FINDINGS = 10, MOST_STATEMENTS = 40 }; /* of one check, unless verbose */

#define REMEDY "           "
#define DETAIL "             "

static bool is_shown(const Out *out, const DoctorResult *result)
{
    if (result->verdict == DOCTOR_GOOD)
        return out->verbose;
    return result->verdict != DOCTOR_NOTE || !out->quiet;
}

static void show_text(Out *out, const char *indent, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_autofree char *safe = out_styled(out, OUT_PLAIN, g_strstrip(lines[i]));
        out_line(out, "%s%s", indent, safe);
    }
}

static void show_texts(Out *out, const GPtrArray *texts, guint most)
{
    guint shown = out->verbose ? texts->len : MIN(texts->len, most);
    for (guint i = 0; i < shown; i++)
        show_text(out, DETAIL, texts->pdata[i]);
    if (shown < texts->len)
        out_line(out, DETAIL "... and %u more (--verbose and --json show all)", texts->len - shown);
}

/* Where what is found is a statement that is missing, it is shown once. */
static bool is_statement(const DoctorResult *result, const char *finding)
{
    g_autofree char *statement = g_strconcat(finding, ";", NULL);
    return g_ptr_array_find_with_equal_func(result->statements, statement, g_str_equal, NULL);
}

static void show_result(Out *out, const DoctorResult *result)
{
    g_autofree char *padded = g_strdup_printf("%-7s", doctor_verdict_text(result->verdict));
    g_autofree char *verdict = out_styled(out, STYLES[result->verdict], padded);
    if (result->verdict == DOCTOR_GOOD) {
        const char *detail = result->findings->len > 0 ? result->findings->pdata[0] : "";
        g_autofree char *safe = out_styled(out, OUT_DIM, detail);
        out_line(out, "  %s  %s%s%s", verdict, result->id, *detail == '\0' ? "" : ": ", safe);
        return;
    }
    out_line(out, "  %s  %s", verdict, result->description);
    g_autoptr(GPtrArray) findings = g_ptr_array_new();
    for (guint i = 0; i < result->findings->len; i++)
        if (!is_statement(result, result->findings->pdata[i]))
            g_ptr_array_add(findings, result->findings->pdata[i]);
    show_texts(out, findings, MOST_FINDINGS);
    if (result->remedy != NULL)
        show_text(out, REMEDY, result->remedy);
    show_texts(out, result->statements, MOST_STATEMENTS);
}

static const DoctorEnd *end_at(const Doctor *doctor, const char *place)
{
    for (guint i = 0; i < doctor->ends->len; i++) {
        const DoctorEnd *end = doctor->ends->pdata[i];
        if (strcmp(end->place, place) == 0)
            return end;
    }
    return NULL;
}

static void show_place(const Doctor *doctor, Out *out, const char *place)
{
    const DoctorEnd *end = end_at(doctor, place);
    if (end != NULL && end->conn != NULL) {
        show_end(out, place, end->conn);
        return;
    }
    g_autofree char *bold = out_styled(out, OUT_BOLD, place);
    out_line(out, "%s", bold);
}

static void show_total(const Doctor *doctor, Out *out)
{
    guint counts[] = {0, 0, 0, 0};
    for (guint i = 0; i < doctor->results->len; i++)
        counts[((const DoctorResult *)doctor->results->pdata[i])->verdict]++;
    g_autofree char *checks = show_count(doctor->results->len, "check");
    g_autofree char *warnings = show_count(counts[DOCTOR_WARNING], "warning");
    g_autofree char *time = out_duration(doctor->seconds);
    g_autofree char *failed = g_strdup_printf("%u failed", counts[DOCTOR_FAILED]);
    g_autofree char *verdict =
        counts[DOCTOR_FAILED] > 0 ? out_styled(out, OUT_BAD, failed) : out_styled(out, OUT_GOOD, "ready for a fold");
    out_line(out, "\n%s: %s, %s, in %s.", verdict, checks, warnings, time);
}

/* An end of which nothing was shown. */
static void show_all_good(const Doctor *doctor, Out *out, const char *place, guint shown)
{
    guint checks = 0;
    for (guint i = 0; i < doctor->results->len; i++)
        checks += strcmp(((const DoctorResult *)doctor->results->pdata[i])->place, place) == 0 ? 1 : 0;
    g_autofree char *count = show_count(checks, "check");
    g_autofree char *good = out_styled(out, OUT_GOOD, "good   ");
    if (*place != '\0' && shown == 0 && !out->quiet)
        out_line(out, "  %s  %s", good, count);
}

/* Results come by place. */
void doctor_show(const Doctor *doctor, Out *out)
{
    const char *place = "";
    guint shown = 0;
    for (guint i = 0; i < doctor->results->len; i++) {
        const DoctorResult *result = doctor->results->pdata[i];
        if (strcmp(place, result->place) != 0 && (!out->quiet || is_shown(out, result))) {
            show_all_good(doctor, out, place, shown);
            shown = 0;
            if (*place != '\0')
                out_line(out, "%s", "");
            place = result->place;
            show_place(doctor, out, place);
        }
        if (!is_shown(out, result))
            continue;
        show_result(out, result);
        shown++;
    }
    show_all_good(doctor, out, place, shown);
    show_total(doctor, out);
}

static json_t *result_json(const DoctorResult *result)
{
    json_t *object = json_object();
    json_object_set_new(object, "check", json_string(result->id));
    json_object_set_new(object, "place", out_json_string(result->place));
    json_object_set_new(object, "verdict", json_string(doctor_verdict_text(result->verdict)));
    json_object_set_new(object, "description", json_string(result->description));
    json_object_set_new(object, "findings", show_texts_json(result->findings));
    json_object_set_new(object, "statements", show_texts_json(result->statements));
    json_object_set_new(object, "remedy", out_json_string(result->remedy));
    return object;
}

static json_t *end_json(const DoctorEnd *end)
{
    json_t *object = json_object();
    json_object_set_new(object, "place", out_json_string(end->place));
    json_object_set_new(object, "side", json_string(end->source != NULL ? "source" : "target"));
    json_object_set_new(object, "name", out_json_string(end->source != NULL ? end->source->name : end->into));
    json_object_set_new(object, "reached", json_boolean(end->conn != NULL));
    json_object_set_new(object, "missing", out_json_string(end->missing));
    json_object_set_new(object, "end", show_end_json(end->conn));
    json_object_set_new(object, "bytes", end->conn == NULL ? json_null() : json_integer((json_int_t)end->bytes));
    return object;
}

json_t *doctor_json(const Doctor *doctor)
{
    json_t *document = out_json_new("doctor");
    json_t *ends = json_array(), *results = json_array();
    for (guint i = 0; i < doctor->ends->len; i++)
        json_array_append_new(ends, end_json(doctor->ends->pdata[i]));
    for (guint i = 0; i < doctor->results->len; i++)
        json_array_append_new(results, result_json(doctor->results->pdata[i]));
    json_object_set_new(document, "good", json_boolean(doctor_status(doctor) == 0));
    json_object_set_new(document, "duration_seconds", json_real(doctor->seconds));
    json_object_set_new(document, "ends", ends);
    json_object_set_new(document, "results", results);
    return document;
}

void where_show(const Where *where, Out *out)
{
    g_autofree char *sentence = where_sentence(where);
    g_autofree char *safe = out_styled(out, OUT_PLAIN, sentence);
    out_line(out, "It %s.", safe);
    for (guint i = 0; i < where->doubts->len; i++)
        out_warning(out, "%s", (const char *)where->doubts->pdata[i]);
    if (where->kind == WHERE_TARGET && !where->named)
        out_warning(out, "the name of the target's database is not known: this may be another one of its server");
    if (!where->pinned)
        out_warning(out, "target.identity is not pinned: the target is whatever its URL leads to now");
}

json_t *where_json(const Where *where)
{
    json_t *document = out_json_new("where");
    json_object_set_new(document, "leads_to", json_string(where_kind_text(where->kind)));
    json_object_set_new(document, "source", where->source == NULL ? json_null() : out_json_string(where->source->name));
    json_object_set_new(document, "same_cluster", json_boolean(where->same_cluster));
    json_object_set_new(document, "pinned", json_boolean(where->pinned));
    json_object_set_new(document, "end", show_end_json(where->conn));
    json_object_set_new(document, "doubts", show_texts_json(where->doubts));
    return document;
}

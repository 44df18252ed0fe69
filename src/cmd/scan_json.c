#include "cmd/scan_view.h"

static json_t *place_json(const ScanPlace *place)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "line", (int)place->line, "column", (int)place->column, "end_line",
                     (int)place->end_line, "end_column", (int)place->end_column);
}

static json_t *finding_json(const ScanFinding *finding)
{
    json_t *object = json_object();
    json_object_set_new(object, "rule", json_string(finding->rule->id));
    json_object_set_new(object, "severity", json_string(scan_severity_name(finding->severity)));
    json_object_set_new(object, "class", json_string(scan_class_name(finding->class)));
    json_object_set_new(object, "file", out_json_string(finding->file));
    json_object_set_new(object, "place", place_json(&finding->place));
    json_object_set_new(object, "message", out_json_string(finding->message));
    json_object_set_new(object, "remedy", out_json_string(finding->remedy));
    json_object_set_new(object, "variable", out_json_string(finding->variable));
    json_object_set_new(object, "line_text", out_json_string(finding->line_text));
    json_object_set_new(object, "fingerprint", json_string(finding->fingerprint));
    json_object_set_new(object, "suppressed", out_json_string(finding->suppressed));
    json_object_set_new(object, "fixable", json_boolean(finding->edits != NULL));
    json_object_set_new(object, "no_fix", out_json_string(finding->no_fix));
    json_t *parts = json_array();
    for (guint i = 0; i < finding->parts->len; i++) {
        const ScanPart *part = finding->parts->pdata[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "role", json_string(part->role));
        json_object_set_new(entry, "name", out_json_string(part->name));
        json_object_set_new(entry, "value", out_json_string(part->value));
        json_object_set_new(entry, "place", place_json(&part->place));
        json_array_append_new(parts, entry);
    }
    json_object_set_new(object, "parts", parts);
    return object;
}

json_t *scan_json(const ScanReport *report, const ScanSummary *summary)
{
    json_t *document = out_json_new("scan");
    json_t *findings = json_array(), *skipped = json_array(), *classes = json_object();
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (finding->in_diff)
            json_array_append_new(findings, finding_json(finding));
    }
    for (guint i = 0; i < report->skipped->len; i++) {
        const ScanSkipped *one = report->skipped->pdata[i];
        json_array_append_new(skipped, json_pack("{s:o, s:o}", "file", out_json_string(one->file), "reason",
                                                 out_json_string(one->reason)));
    }
    for (int class = 0; class < SCAN_CLASSES; class ++)
        json_object_set_new(classes, scan_class_name((ScanClass) class),
                            json_integer((json_int_t)summary->by_class[class]));
    json_object_set_new(document, "findings", findings);
    json_object_set_new(document, "skipped", skipped);
    json_object_set_new(document, "files", json_integer((json_int_t)report->files->len));
    json_object_set_new(document, "parsed", json_integer((json_int_t)report->parsed));
    json_object_set_new(document, "bytes", json_integer((json_int_t)report->bytes));
    json_object_set_new(document, "by_class", classes);
    json_object_set_new(document, "suppressed", json_integer((json_int_t)summary->suppressed));
    return document;
}

/* SARIF 2.1.0 (OASIS standard), as far as code scanning services read it. */
#include "cmd/scan_view.h"

static const char *level(ScanSeverity severity)
{
    return severity == SCAN_INFO ? "note" : severity == SCAN_WARNING ? "warning" : "error";
}

static json_t *text_json(const char *text)
{
    return json_pack("{s:o}", "text", out_json_string(text));
}

static json_t *rules_json(void)
{
    json_t *rules = json_array();
    for (const ScanRule *rule = scan_rules; rule->id != NULL; rule++) {
        json_t *entry = json_object();
        json_object_set_new(entry, "id", json_string(rule->id));
        json_object_set_new(entry, "shortDescription", text_json(rule->title));
        json_object_set_new(entry, "fullDescription", text_json(rule->title));
        json_object_set_new(entry, "help", text_json(rule->explain));
        json_object_set_new(entry, "defaultConfiguration", json_pack("{s:s}", "level", level(rule->severity)));
        if (rule->severity == SCAN_SECRET)
            json_object_set_new(entry, "properties", json_pack("{s:[s]}", "tags", "security"));
        json_array_append_new(rules, entry);
    }
    return rules;
}

static json_t *location_json(const char *file, const ScanPlace *place)
{
    g_autofree char *uri = g_uri_escape_string(file, "/", FALSE);
    return json_pack("{s:{s:{s:s, s:s}, s:{s:i, s:i, s:i, s:i}}}", "physicalLocation", "artifactLocation", "uri", uri,
                     "uriBaseId", "SRCROOT", "region", "startLine", (int)place->line, "startColumn", (int)place->column,
                     "endLine", (int)place->end_line, "endColumn", (int)place->end_column);
}

static int rule_index(const ScanRule *rule)
{
    return (int)(rule - scan_rules);
}

static json_t *result_json(const ScanFinding *finding)
{
    json_t *result = json_object();
    json_object_set_new(result, "ruleId", json_string(finding->rule->id));
    json_object_set_new(result, "ruleIndex", json_integer(rule_index(finding->rule)));
    json_object_set_new(result, "level", json_string(level(finding->severity)));
    g_autofree char *message = g_strdup_printf("%s; instead: %s", finding->message, finding->remedy);
    json_object_set_new(result, "message", text_json(message));
    json_object_set_new(result, "locations", json_pack("[o]", location_json(finding->file, &finding->place)));
    if (finding->parts->len > 0) {
        json_t *related = json_array();
        for (guint i = 0; i < finding->parts->len; i++) {
            const ScanPart *part = finding->parts->pdata[i];
            json_t *entry = location_json(finding->file, &part->place);
            json_object_set_new(entry, "message", text_json(part->role));
            json_array_append_new(related, entry);
        }
        json_object_set_new(result, "relatedLocations", related);
    }
    json_object_set_new(result, "partialFingerprints", json_pack("{s:s}", "pgfold/v1", finding->fingerprint));
    json_object_set_new(result, "properties", json_pack("{s:s}", "class", scan_class_name(finding->class)));
    if (finding->suppressed != NULL)
        json_object_set_new(
            result, "suppressions",
            json_pack("[{s:s, s:o}]", "kind", "inSource", "justification", out_json_string(finding->suppressed)));
    return result;
}

json_t *scan_sarif(const ScanReport *report)
{
    json_t *results = json_array();
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (finding->in_diff)
            json_array_append_new(results, result_json(finding));
    }
    json_t *driver = json_pack("{s:s, s:s, s:o}", "name", "pgfold", "version", PGFOLD_VERSION, "rules", rules_json());
    json_t *run = json_pack("{s:{s:o}, s:s, s:{s:{s:{s:s}}}, s:o}", "tool", "driver", driver, "columnKind",
                            "unicodeCodePoints", "originalUriBaseIds", "SRCROOT", "description", "text",
                            "the root of the code base", "results", results);
    return json_pack("{s:s, s:s, s:[o]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version",
                     "2.1.0", "runs", run);
}

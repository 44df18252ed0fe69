#include <string.h>

#include "scan/connection.h"
#include "scan/judge.h"
#include "scan/mask.h"

#define LINE_LOOKED_AT 4000 /* characters */

const ScanRule *scan_rule(const char *id)
{
    for (const ScanRule *rule = scan_rules; rule->id != NULL; rule++)
        if (strcmp(rule->id, id) == 0)
            return rule;
    return NULL;
}

const char *scan_class_name(ScanClass class)
{
    static const char *const NAMES[SCAN_CLASSES] = {"production", "test", "docs", "infrastructure", "protected"};
    return NAMES[class];
}

const char *scan_severity_name(ScanSeverity severity)
{
    static const char *const NAMES[] = {"info", "warning", "error", "secret"};
    return NAMES[severity];
}

static guint characters(const char *text, guint start, guint end)
{
    guint n = 0;
    for (guint i = start; i < end; i++)
        n += ((guchar)text[i] & 0xC0) != 0x80;
    return n;
}

ScanPlace scan_place(const Source *source, guint start, guint end)
{
    ScanPlace place = {.start = start, .end = end};
    guint line_start;
    Source *lines = (Source *)source; /* which are found at the first question */
    place.line = source_line(lines, start, &line_start);
    place.column = characters(source->text, line_start, start) + 1;
    place.end_line = source_line(lines, end, &line_start);
    place.end_column = characters(source->text, line_start, end) + 1;
    return place;
}

static char *one_line(const Source *source, guint at)
{
    const char *text = source->text, *start = text + at, *end = text + at;
    while (start > text && start[-1] != '\n')
        start--;
    while (end < text + source->length && *end != '\n' && *end != '\r')
        end++;
    return g_strndup(start, (gsize)(end - start));
}

/* Bytes [from, to) of line, "***" for each range in it. */
static char *without(const char *line, gsize from, gsize to, const GArray *ranges)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < ranges->len && from < to; i++) {
        MaskRange range = g_array_index(ranges, MaskRange, i);
        if (range.end <= from || range.start >= to)
            continue;
        if (range.start > from)
            g_string_append_len(text, line + from, (gssize)(range.start - from));
        g_string_append(text, "***");
        from = MIN(range.end, to);
    }
    g_string_append_len(text, line + from, (gssize)(to - from));
    return g_string_free(text, FALSE);
}

/* Around the place, and in whole characters. */
static void take_line(ScanFinding *finding, const Source *source)
{
    const ScanPlace *place = &finding->place;
    g_autofree char *whole = one_line(source, place->start);
    g_autofree char *valid = g_utf8_make_valid(whole, -1);
    glong length = g_utf8_strlen(valid, -1), most = SCAN_LINE_MAX / 2, from = 0;
    glong column = (glong)place->column - 1, cut = 0;
    if (length > LINE_LOOKED_AT) { /* of a line of megabytes what is near is enough */
        cut = CLAMP(column - LINE_LOOKED_AT / 2, 0, length - LINE_LOOKED_AT);
        length = LINE_LOOKED_AT;
        column -= cut;
    }
    g_autofree char *line = g_utf8_substring(valid, cut, cut + length);
    g_autoptr(GArray) ranges = mask_ranges(line);
    if (length > most)
        from = MAX(0, MIN(column - 39, length - most));
    glong to = MIN(length, from + most), start = CLAMP(column, from, to);
    glong end = place->end_line == place->line ? CLAMP((glong)place->end_column - 1 - cut, start, to) : to;
    gsize bytes[4];
    glong offsets[4] = {from, start, end, to};
    for (guint i = 0; i < 4; i++)
        bytes[i] = (gsize)(g_utf8_offset_to_pointer(line, offsets[i]) - line);
    g_autofree char *before = without(line, bytes[0], bytes[1], ranges);
    g_autofree char *inside = without(line, bytes[1], bytes[2], ranges);
    g_autofree char *after = without(line, bytes[2], bytes[3], ranges);
    finding->line_text = g_strconcat(before, inside, after, NULL);
    finding->mark_start = (guint)g_utf8_strlen(before, -1);
    finding->mark_length = (guint)g_utf8_strlen(inside, -1);
}

void scan_finding_hide(ScanFinding *finding)
{
    glong start = finding->mark_start, end = start + finding->mark_length;
    g_autofree char *before = g_utf8_substring(finding->line_text, 0, start);
    g_autofree char *after = g_utf8_substring(finding->line_text, end, g_utf8_strlen(finding->line_text, -1));
    g_free(finding->line_text);
    finding->line_text = g_strconcat(before, "***", after, NULL);
    finding->mark_length = 3;
}

ScanFinding *scan_finding_new(const ScanRule *rule, const Source *source, ScanClass class, guint start, guint end)
{
    ScanFinding *finding = g_new0(ScanFinding, 1);
    finding->rule = rule;
    finding->class = class;
    finding->severity = rule->severity;
    finding->file = g_strdup(source->file);
    finding->place = scan_place(source, start, MIN(end, (guint)source->length));
    finding->parts = g_ptr_array_new();
    finding->in_diff = true;
    take_line(finding, source);
    g_autofree char *text = source_slice(source, start, finding->place.end);
    g_autofree char *key = g_strdup_printf("%s\n%s\n%s", rule->id, source->file, text);
    finding->fingerprint = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key, -1);
    finding->fingerprint[32] = '\0';
    return finding;
}

static void part_free(gpointer data)
{
    ScanPart *part = data;
    g_free(part->name);
    g_free(part->value);
    g_free(part);
}

static void edit_free(gpointer data)
{
    ScanEdit *edit = data;
    g_free(edit->text);
    g_free(edit);
}

void scan_finding_free(gpointer data)
{
    ScanFinding *finding = data;
    if (finding == NULL)
        return;
    for (guint i = 0; i < finding->parts->len; i++)
        part_free(finding->parts->pdata[i]);
    g_ptr_array_unref(finding->parts);
    for (guint i = 0; finding->edits != NULL && i < finding->edits->len; i++)
        edit_free(finding->edits->pdata[i]);
    g_clear_pointer(&finding->edits, g_ptr_array_unref);
    g_free(finding->file);
    g_free(finding->message);
    g_free(finding->remedy);
    g_free(finding->variable);
    g_free(finding->reference);
    g_free(finding->line_text);
    g_free(finding->fingerprint);
    g_free(finding->suppressed);
    g_free(finding->no_fix);
    g_free(finding);
}

#include "cmd/scan_view.h"

#include <string.h>

#include "out/text.h"

bool scan_counts(const ScanFinding *finding)
{
    return finding->suppressed == NULL && finding->in_diff;
}

ScanSummary scan_summary(const ScanReport *report, bool strict)
{
    ScanSummary summary = {0};
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (!scan_counts(finding)) {
            summary.suppressed += finding->in_diff;
            continue;
        }
        summary.shown++;
        summary.by_class[finding->class]++;
        summary.fixable += finding->edits != NULL;
        summary.info += finding->severity == SCAN_INFO;
        if (finding->severity == SCAN_INFO || finding->class == SCAN_PROTECTED)
            continue;
        summary.fails |= strict || finding->class == SCAN_PRODUCTION;
    }
    return summary;
}

static OutStyle severity_style(ScanSeverity severity)
{
    return severity == SCAN_INFO ? OUT_DIM : severity == SCAN_WARNING ? OUT_WARN : OUT_BAD;
}

/* The line, and "^^^^" under the place. Tabs count one column, as they are printed. */
static void show_line(const ScanFinding *finding, Out *out)
{
    g_autofree char *text = g_strdup(finding->line_text);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\t')
            *at = ' ';
    gsize indent = strspn(text, " ");
    g_autofree char *number = g_strdup_printf("%5u", finding->place.line);
    g_autofree char *dim = out_styled(out, OUT_DIM, number);
    g_autofree char *escaped = text_escape(text + indent);
    out_line(out, "%s | %s", dim, escaped);
    glong before = (glong)finding->mark_start - (glong)indent;
    if (before < 0)
        return;
    glong wide = MAX(1, (glong)finding->mark_length);
    g_autofree char *marks = g_strnfill((gsize)wide, '^');
    g_autofree char *painted = out_styled(out, severity_style(finding->severity), marks);
    out_line(out, "      | %*s%s", (int)before, "", painted);
}

static void show_finding(const ScanFinding *finding, Out *out)
{
    g_autofree char *file = text_escape(finding->file);
    g_autofree char *place = g_strdup_printf("%s:%u:%u", file, finding->place.line, finding->place.column);
    g_autofree char *name = out_styled(out, OUT_NAME, place);
    g_autofree char *severity =
        out_styled(out, severity_style(finding->severity), scan_severity_name(finding->severity));
    g_autofree char *rule = out_styled(out, OUT_BOLD, finding->rule->id);
    g_autofree char *message = text_escape(finding->message);
    out_line(out, "%s  %s  %s (%s)", name, severity, rule, scan_class_name(finding->class));
    out_line(out, "  %s", message);
    show_line(finding, out);
    for (guint i = 0; i < finding->parts->len; i++) {
        const ScanPart *part = finding->parts->pdata[i];
        if (part->place.line == finding->place.line)
            continue;
        g_autofree char *value = text_escape(part->value);
        g_autofree char *part_name = text_escape(part->name);
        g_autofree char *line =
            g_strdup_printf("%5u | its %s: %s = %s", part->place.line, part->role, part_name, value);
        g_autofree char *dim = out_styled(out, OUT_DIM, line);
        out_line(out, "%s", dim);
    }
    if (finding->suppressed != NULL) {
        g_autofree char *reason = text_escape(finding->suppressed);
        out_line(out, "  allowed: %s", reason);
        return;
    }
    out_line(out, "  instead: %s%s", finding->remedy, finding->edits != NULL ? " (--fix does it)" : "");
    if (out->verbose && finding->no_fix != NULL)
        out_line(out, "  no fix: %s", finding->no_fix);
}

void scan_show(const ScanReport *report, const ScanSummary *summary, Out *out)
{
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (!finding->in_diff || (finding->suppressed != NULL && !out->verbose))
            continue;
        show_finding(finding, out);
        out_line(out, "%s", "");
    }
    for (guint i = 0; i < report->skipped->len; i++) {
        const ScanSkipped *skipped = report->skipped->pdata[i];
        out_warning(out, "%s was not looked into: %s", skipped->file, skipped->reason);
    }
    g_autofree char *files = out_count(report->files->len);
    g_autofree char *bytes = out_bytes(report->bytes);
    if (summary->shown == 0) {
        out_line(out, "No way back to a local database found in %s files (%s).", files, bytes);
    } else {
        g_autoptr(GString) classes = g_string_new(NULL);
        for (int class = 0; class < SCAN_CLASSES; class ++)
            if (summary->by_class[class] > 0)
                g_string_append_printf(classes, "%s%u %s", classes->len > 0 ? ", " : "", summary->by_class[class],
                                       scan_class_name((ScanClass) class));
        out_line(out, "%u finding%s in %s files (%s): %s.", summary->shown, summary->shown == 1 ? "" : "s", files,
                 bytes, classes->str);
        out_notice(out, "`pgfold scan --explain RULE` says more%s.",
                   summary->fixable > 0 ? "; `pgfold scan --fix` mends what is certain" : "");
    }
    if (summary->suppressed > 0)
        out_notice(out, "%u allowed by comments or the baseline (--verbose shows them).", summary->suppressed);
}

void scan_show_rule(const ScanRule *rule, Out *out)
{
    g_autofree char *id = out_styled(out, OUT_BOLD, rule->id);
    out_line(out, "%s (%s): %s", id, scan_severity_name(rule->severity), rule->title);
    out_line(out, "\n%s", rule->explain);
}

/* GitHub's commands: what would end one is written in percents. */
static char *github_text(const char *text, bool property)
{
    GString *escaped = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '%' || *at == '\n' || *at == '\r' || (property && (*at == ',' || *at == ':')))
            g_string_append_printf(escaped, "%%%02X", (guint)(guchar)*at);
        else
            g_string_append_c(escaped, *at);
    return g_string_free(escaped, FALSE);
}

void scan_show_github(const ScanReport *report, Out *out)
{
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (!scan_counts(finding))
            continue;
        const char *level = finding->severity == SCAN_INFO      ? "notice"
                            : finding->severity == SCAN_WARNING ? "warning"
                                                                : "error";
        g_autofree char *valid = g_utf8_make_valid(finding->file, -1);
        g_autofree char *file = github_text(valid, true);
        g_autofree char *plain = g_strdup_printf("%s; instead: %s", finding->message, finding->remedy);
        g_autofree char *message = github_text(plain, false);
        g_autofree char *line =
            g_strdup_printf("::%s file=%s,line=%u,endLine=%u,col=%u,endColumn=%u,title=pgfold %s::%s\n", level, file,
                            finding->place.line, finding->place.end_line, finding->place.column,
                            finding->place.end_column, finding->rule->id, message);
        out_raw(out, line);
    }
}

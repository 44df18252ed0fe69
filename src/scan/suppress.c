#include "scan/suppress.h"

#include <string.h>

#include "base/error.h"

#define MARK "pgfold: allow "

/* The line of a place that scan_place() made. */
static char *line_at(const Source *source, guint number)
{
    const char *at = source->text + g_array_index(source->lines, guint, number - 1);
    const char *end = source->text + source->length;
    const char *stop = memchr(at, '\n', (gsize)(end - at));
    return g_strndup(at, (gsize)((stop == NULL ? end : stop) - at));
}

/* The reason, when the line allows the rule. Transfer full. */
static char *reason_for(const char *line, const char *rule)
{
    const char *mark = strstr(line, MARK);
    if (mark == NULL)
        return NULL;
    const char *at = mark + strlen(MARK);
    bool named = false;
    for (;;) {
        gsize length = strspn(at, "abcdefghijklmnopqrstuvwxyz-");
        if (length == strlen(rule) && strncmp(at, rule, length) == 0)
            named = true;
        at += length;
        if (*at != ',')
            break;
        at += 1 + strspn(at + 1, " ");
    }
    at += strspn(at, " :-");
    g_autofree char *reason = g_strdup(at);
    g_strchomp(reason);
    static const char *const ENDS[] = {"-->", "*/", "%>", "#}", NULL};
    for (guint i = 0; ENDS[i] != NULL; i++)
        if (g_str_has_suffix(reason, ENDS[i]))
            reason[strlen(reason) - strlen(ENDS[i])] = '\0';
    g_strchomp(reason);
    return named && *reason != '\0' ? g_steal_pointer(&reason) : NULL;
}

static bool stands_alone(const char *line)
{
    const char *mark = strstr(line, MARK);
    for (const char *at = line; mark != NULL && at < mark; at++)
        if (strchr(" \t#/*-<!;\"'{%", *at) == NULL)
            return false;
    return mark != NULL;
}

void suppress_inline(const Source *source, GPtrArray *findings)
{
    if (strstr(source->text, MARK) == NULL)
        return;
    for (guint i = 0; i < findings->len; i++) {
        ScanFinding *finding = findings->pdata[i];
        g_autofree char *line = line_at(source, finding->place.line);
        finding->suppressed = reason_for(line, finding->rule->id);
        if (finding->suppressed != NULL || finding->place.line < 2)
            continue;
        g_autofree char *above = line_at(source, finding->place.line - 1);
        if (stands_alone(above))
            finding->suppressed = reason_for(above, finding->rule->id);
    }
}

/* --- baseline: "FINGERPRINT RULE FILE" lines; of the same fingerprint as many as there are lines --- */

bool scan_apply_baseline(ScanReport *report, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) problem = NULL;
    if (!g_file_get_contents(path, &text, NULL, &problem)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Write one with `pgfold scan --write-baseline FILE`.",
                      "cannot read the baseline: %s", problem->message);
        return false;
    }
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (*lines[i] == '#' || *lines[i] == '\0')
            continue;
        char *key = g_strndup(lines[i], strcspn(lines[i], " \r"));
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(known, key));
        g_hash_table_replace(known, key, GUINT_TO_POINTER(n + 1));
    }
    for (guint i = 0; i < report->findings->len; i++) {
        ScanFinding *finding = report->findings->pdata[i];
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(known, finding->fingerprint));
        if (n == 0 || finding->suppressed != NULL)
            continue;
        g_hash_table_replace(known, g_strdup(finding->fingerprint), GUINT_TO_POINTER(n - 1));
        finding->suppressed = g_strdup("baseline");
    }
    return true;
}

char *scan_baseline_text(const ScanReport *report)
{
    GString *text = g_string_new("# Findings of `pgfold scan` that are known: what is not in this list is new.\n");
    for (guint i = 0; i < report->findings->len; i++) {
        const ScanFinding *finding = report->findings->pdata[i];
        if (finding->suppressed != NULL && strcmp(finding->suppressed, "baseline") != 0)
            continue;
        g_autofree char *file = g_strdelimit(g_strdup(finding->file), "\r\n", '?'); /* for people only */
        g_string_append_printf(text, "%s %s %s\n", finding->fingerprint, finding->rule->id, file);
    }
    return g_string_free(text, FALSE);
}

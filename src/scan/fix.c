#include "scan/fix.h"

#include <string.h>

#include "scan/fix_apply.h"
#include "scan/language.h"

#define PROOF_BYTES ((gsize)4 << 20) /* of one file, times its findings: each fix is proven by scans of the whole */

bool fix_refuse(Fix *fix, const char *format, ...)
{
    if (fix->reason != NULL)
        return false;
    va_list arguments;
    va_start(arguments, format);
    fix->reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

void fix_edit(Fix *fix, guint start, guint end, char *text_taken)
{
    ScanEdit *edit = g_new0(ScanEdit, 1);
    edit->start = start;
    edit->end = end;
    edit->text = g_steal_pointer(&text_taken);
    g_ptr_array_add(fix->edits, edit);
}

const char *fix_own_variable(const Fix *fix)
{
    return fix->options->config != NULL ? fix->options->config->code.variable : "DATABASE_URL";
}

static bool is_rule(const Fix *fix, const char *id)
{
    return strcmp(fix->finding->rule->id, id) == 0;
}

static bool mend(Fix *fix)
{
    static const struct {
        const char *rule, *word;
    } BY_HAND[] = {
        {"local-service", "remove it with `pgfold retire`, once its data is folded"},
        {"local-script", "list it under code.remove in pgfold.yaml: `pgfold retire` removes it"},
        {"local-reference", "only you know what should stand there instead"},
        {"password", "change the password on the server first; then read it from the environment"},
        {"no-host", "only you know which host is meant"},
        {"local-host", "read the host from the environment, and fail at start where it is not set"},
    };
    if (fix->finding->class == SCAN_DOCS)
        return fix_refuse(fix, "documentation is for people: say there what holds now (`pgfold docs`)");
    if (fix->finding->class == SCAN_PROTECTED)
        return fix_refuse(fix, "the file is protected");
    for (guint i = 0; i < G_N_ELEMENTS(BY_HAND); i++)
        if (is_rule(fix, BY_HAND[i].rule))
            return fix_refuse(fix, "%s", BY_HAND[i].word);
    if (fix->source->broken)
        return fix_refuse(fix, "the file does not parse as it is");
    if (fix_text(fix))
        return true;
    if (strcmp(fix->source->language->id, "shell") == 0)
        return fix_shell(fix);
    if ((fix->source->tree == NULL || fix->rules == NULL) && is_rule(fix, "local-url"))
        return fix_refuse(fix, "name the variable %s here, in the way of what reads this file, or take it out",
                          fix_own_variable(fix));
    if (fix->source->tree == NULL || fix->rules == NULL)
        return fix_refuse(fix,
                          "take the default out, and let what reads it fail at start where the variable is not set");
    if (is_rule(fix, "parts-default"))
        return fix_parts(fix) || fix_env(fix);
    if (is_rule(fix, "local-url"))
        return fix_literal(fix);
    return fix_env(fix);
}

static GKeyFile *find_rules(const Language *language)
{
    for (guint i = 0; i < 3 && language != NULL; i++) {
        g_autofree char *like = g_key_file_get_string(language->rules, "fix", "like", NULL);
        if (like == NULL)
            return g_key_file_has_group(language->rules, "fix") ? language->rules : NULL;
        language = language_by_id(like);
    }
    return NULL;
}

static int by_start(gconstpointer a, gconstpointer b)
{
    const ScanEdit *const *left = a, *const *right = b;
    return (int)((*left)->start > (*right)->start) - (int)((*left)->start < (*right)->start);
}

/* budget: bytes of the file that may still be read for proofs. */
static void add_fix(const ScanOptions *options, const Source *source, const Facts *facts, ScanFinding *finding,
                    gsize *budget)
{
    Fix fix = {.options = options, .source = source, .facts = facts, .finding = finding};
    fix.variable = g_strdup(finding->variable);
    fix.rules = find_rules(source->language);
    fix.edits = g_ptr_array_new();
    finding->edits = fix.edits;
    bool mended = *budget < source->length
                      ? fix_refuse(&fix, "the file is large, and has many findings: fix some first")
                      : mend(&fix);
    if (mended) {
        *budget -= source->length;
        g_ptr_array_sort(fix.edits, by_start);
        mended = fix_proves(options, source, finding) ||
                 fix_refuse(&fix, "a change was tried, and did not do: read the variable without a default");
    }
    g_free(fix.variable);
    if (mended) {
        g_free(fix.reason);
        return;
    }
    scan_edits_free(g_steal_pointer(&finding->edits));
    finding->no_fix = fix.reason;
}

void scan_add_fixes(const ScanOptions *options, const Source *source, GPtrArray *findings)
{
    if (findings->len == 0 || source->language == NULL)
        return;
    g_autoptr(Facts) facts = source->tree == NULL ? NULL : facts_read(source);
    gsize budget = MAX(source->length, PROOF_BYTES);
    for (guint i = 0; i < findings->len; i++) {
        ScanFinding *finding = findings->pdata[i];
        if (finding->suppressed == NULL)
            add_fix(options, source, facts, finding, &budget);
    }
}

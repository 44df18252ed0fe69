/* Placeholders with a default: "${X:-default}" of shells and compose becomes "${X:?message}", "${x:default}" of Spring
 * "${x}", "<%= ENV.fetch('X', 'default') %>" of Rails a read that raises. */
#include "scan/fix_text.h"

#include <string.h>

#include "scan/classify.h"
#include "scan/fix_template.h"
#include "scan/language.h"

static bool is_language(const Fix *fix, const char *id)
{
    return strcmp(fix->source->language->id, id) == 0;
}

char *fix_required(const Fix *fix, const char *variable)
{
    g_autofree char *message = fix_message(fix, variable);
    return g_strdup_printf("${%s:?%s}", variable, message);
}

/* Where "${X:?message}" is understood. */
static bool knows_required(const Fix *fix)
{
    const char *file = fix->source->file;
    return is_language(fix, "shell") ||
           (is_language(fix, "yaml") && (file_is_compose(file) || g_str_has_prefix(file, ".github/workflows/") ||
                                         g_str_has_suffix(file, ".gitlab-ci.yml")));
}

/* The text behind "${NAME": ":-default}". NULL when it is not of this form. */
static const char *behind_name(const Fix *fix, const char *whole)
{
    const char *variable = fix->finding->variable;
    if (!g_str_has_prefix(whole, "${") || !g_str_has_suffix(whole, "}") || !g_str_has_prefix(whole + 2, variable))
        return NULL;
    return whole + 2 + strlen(variable);
}

static bool mend_braces(Fix *fix, const char *whole, const char *rest)
{
    const ScanFinding *finding = fix->finding;
    if (strstr(rest, "${") != NULL)
        return fix_refuse(fix, "the default reads other variables");
    bool shell = (rest[0] == ':' && (rest[1] == '-' || rest[1] == '=')) || rest[0] == '-' || rest[0] == '=';
    if (shell && !knows_required(fix))
        return fix_refuse(fix, "take the default out, and let what reads %s fail where it is not set",
                          finding->variable);
    if (!shell && rest[0] != ':')
        return false;
    fix_edit(fix, finding->whole_start, finding->whole_end,
             shell ? fix_required(fix, finding->variable) : g_strdup_printf("${%s}", finding->variable));
    (void)whole;
    return true;
}

/* The outermost key of YAML around a byte: the section of an environment. Transfer full, or NULL. */
static char *outer_key(const Source *source, guint at)
{
    while (at > 0) {
        while (at > 0 && source->text[at - 1] != '\n')
            at--;
        const char *line = source->text + at;
        gsize length = strcspn(line, ":\n");
        if (g_ascii_isalpha(*line) && line[length] == ':')
            return g_strndup(line, length);
        if (at > 0)
            at--;
    }
    return NULL;
}

static bool mend_erb(Fix *fix, const char *whole)
{
    const ScanFinding *finding = fix->finding;
    const char *env = whole == NULL ? NULL : strstr(whole, "ENV");
    if (env == NULL || !g_str_has_prefix(whole, "<%=") || strstr(env + 3, "ENV") != NULL || !is_language(fix, "yaml"))
        return false;
    g_autofree char *section = outer_key(fix->source, finding->whole_start);
    if (section == NULL || strstr(section, "default") == NULL)
        return fix_refuse(fix, "every environment's section is read at start: only where this one is used it may fail");
    g_autofree char *message = fix_message(fix, finding->variable);
    fix_edit(fix, finding->whole_start, finding->whole_end,
             g_strdup_printf("<%%= ENV[\"%s\"].presence || raise(\"%s\") %%>", finding->variable, message));
    return true;
}

/* A literal of a compose file: in a container's environment. */
static bool mend_compose(Fix *fix)
{
    const ScanFinding *finding = fix->finding;
    if (!is_language(fix, "yaml") || !file_is_compose(fix->source->file) || strcmp(finding->rule->id, "local-url") != 0)
        return false;
    guint start = finding->place.start, end = finding->place.end;
    const char *text = fix->source->text;
    if (end - start >= 2 && (text[start] == '"' || text[start] == '\'') && text[end - 1] == text[start]) {
        start++;
        end--;
    }
    g_autofree char *value = source_slice(fix->source, start, end);
    const char *scheme = strstr(value, "://");
    if (scheme == NULL || strpbrk(value, "$ \n") != NULL)
        return fix_refuse(fix, "it is put together: give the container the whole connection string");
    /* "- DATABASE_URL=postgres://..." */
    const char *equals = memchr(value, '=', (gsize)(scheme - value));
    fix_edit(fix, start + (equals == NULL ? 0 : (guint)(equals + 1 - value)), end,
             fix_required(fix, fix_own_variable(fix)));
    return true;
}

bool fix_text(Fix *fix)
{
    const ScanFinding *finding = fix->finding;
    if (finding->variable == NULL)
        return mend_compose(fix);
    g_autofree char *whole = source_slice(fix->source, finding->whole_start, finding->whole_end);
    const char *rest = behind_name(fix, whole);
    return rest != NULL ? mend_braces(fix, whole, rest) : mend_erb(fix, whole);
}

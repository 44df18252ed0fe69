#include "scan/fix_template.h"

#include <string.h>

#include "scan/fix_place.h"
#include "scan/language.h"
#include "scan/names.h"

bool fix_lists(const Fix *fix, const char *key, const char *word)
{
    g_auto(GStrv) list = fix->rules == NULL ? NULL : g_key_file_get_string_list(fix->rules, "fix", key, NULL, NULL);
    return list != NULL && g_strv_contains((const char *const *)list, word);
}

static const char *what_it_is(const char *variables)
{
    switch (name_meaning(variables).role) {
    case ROLE_HOST:
        return "host of the database";
    case ROLE_PORT:
        return "port of the database";
    case ROLE_USER:
        return "user of the database";
    case ROLE_PASSWORD:
        return "password of the database";
    case ROLE_DATABASE:
        return "name of the database";
    case ROLE_NONE:
    case ROLE_URL:
        break;
    }
    return "URL of the database";
}

/* The two halves of the message. */
static void message_parts(const Fix *fix, const FixWords *words, char **ret_first, char **ret_second)
{
    const char *variables = words->variables;
    if (fix->finding->class == SCAN_TEST) {
        *ret_first = g_strdup_printf("%s is not set: run the tests with `pgfold testdb -- COMMAND`", variables);
        *ret_second = g_strdup("");
        return;
    }
    *ret_first = g_strdup_printf("%s is not set: set it to the %s (%s%ssee .env.example); ", variables,
                                 fix->finding->parts->len == 0 ? "URL of the database" : what_it_is(variables),
                                 words->scheme == NULL ? "" : words->scheme, words->scheme == NULL ? "" : "://..., ");
    *ret_second = g_strdup("`pgfold tunnel` opens the way to it");
}

char *fix_message(const Fix *fix, const char *variables)
{
    if (fix->finding->class == SCAN_TEST)
        return g_strdup_printf("%s is not set - run the tests with pgfold testdb", variables);
    return g_strdup_printf("%s is not set - set it to the %s as in .env.example - pgfold tunnel opens the way to it",
                           variables, fix->finding->parts->len == 0 ? "URL of the database" : what_it_is(variables));
}

/* Not in the file yet. */
static const char *fresh_name(const Fix *fix)
{
    static const char *const NAMES[] = {"value", "given", "found", "setting", "valueFromEnvironment"};
    guint i = 0;
    while (i + 1 < G_N_ELEMENTS(NAMES) && fix_count_word(fix->source, NAMES[i]) > 0)
        i++;
    return NAMES[i];
}

/* In one pass, so that what is put in is never filled again. */
static char *fill(const Fix *fix, const char *template, const FixWords *words)
{
    g_autofree char *first = NULL, *second = NULL, *plain = fix_message(fix, words->variables);
    message_parts(fix, words, &first, &second);
    char quote[2] = {words->quote == '\'' ? '\'' : '"', '\0'};
    g_autofree char *literal = g_strconcat(quote, first, second, quote, NULL);
    g_autofree char *first_literal = g_strconcat(quote, first, quote, NULL);
    g_autofree char *second_literal = g_strconcat(quote, second, quote, NULL);
    const struct {
        const char *hole, *with;
    } HOLES[] = {{"{name}", words->name},
                 {"{test}", words->test != NULL ? words->test : words->left},
                 {"{read}", words->read != NULL ? words->read : words->left},
                 {"{left}", words->left},
                 {"{target}", words->target},
                 {"{text}", literal},
                 {"{text1}", first_literal},
                 {"{text2}", second_literal},
                 {"{plain}", plain},
                 {"{variable}", words->variables},
                 {"{tab}", words->tab},
                 {"{fresh}", fresh_name(fix)},
                 {"{;}", words->semicolons ? ";" : ""}};
    GString *filled = g_string_new(NULL);
    for (const char *at = template; *at != '\0';) {
        gsize taken = 0;
        for (guint i = 0; i < G_N_ELEMENTS(HOLES) && taken == 0; i++)
            if (g_str_has_prefix(at, HOLES[i].hole)) {
                taken = strlen(HOLES[i].hole);
                g_string_append(filled, HOLES[i].with == NULL ? "" : HOLES[i].with);
            }
        if (taken == 0 && *at == '\n')
            g_string_append_printf(filled, "%s%s", fix_newline(fix->source),
                                   words->indent == NULL ? "" : words->indent);
        else if (taken == 0)
            g_string_append_c(filled, *at);
        at += taken == 0 ? 1 : taken;
    }
    return g_string_free(filled, FALSE);
}

/* In two lines, where the message is long and the language has a way to write that. */
static char *fail_template(const Fix *fix)
{
    char *wide = fix->finding->class == SCAN_TEST ? NULL : g_key_file_get_string(fix->rules, "fix", "fail_long", NULL);
    return wide != NULL ? wide : g_key_file_get_string(fix->rules, "fix", "fail", NULL);
}

static char *template_of(const Fix *fix, const char *section, const char *key, const FixWords *words)
{
    g_autofree char *template = fix->rules == NULL ? NULL : g_key_file_get_string(fix->rules, section, key, NULL);
    if (template == NULL || *template == '\0')
        return NULL;
    /* A guard holds the failure, one step further in. */
    const char *hole = strstr(template, "{fail}");
    if (hole == NULL)
        return fill(fix, template, words);
    g_autofree char *fail = fail_template(fix);
    g_auto(GStrv) lines = g_strsplit(fail == NULL ? "" : fail, "\n", -1);
    g_autofree char *inner = g_strjoinv(hole > template && hole[-1] == '}' ? "\n{tab}" : "\n", lines);
    g_autofree char *whole = g_strdup_printf("%.*s%s%s", (int)(hole - template), template, inner, hole + 6);
    return fill(fix, whole, words);
}

char *fix_template(const Fix *fix, const char *key, const FixWords *words)
{
    return template_of(fix, "fix", key, words);
}

char *fix_fail(const Fix *fix, const FixWords *words)
{
    g_autofree char *template = fail_template(fix);
    return template == NULL ? NULL : fill(fix, template, words);
}

char *fix_function_template(const Fix *fix, const char *function, const char *key, const FixWords *words)
{
    g_autofree char *section = g_strconcat("fix ", function, NULL);
    return template_of(fix, section, key, words);
}

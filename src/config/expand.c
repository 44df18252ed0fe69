#include "config/expand.h"

#include <string.h>

#define NO_DEFAULTS "a default is how two databases become one by accident"

/* What may follow a name in shell and compose files, and why it may not here. */
static const struct {
    const char *operator, * why;
} OPERATORS[] = {
    {":-", NO_DEFAULTS},
    {":=", NO_DEFAULTS},
    {"-", NO_DEFAULTS},
    {"=", NO_DEFAULTS},
    {":?", "a variable that is not set is always an error here"},
    {"?", "a variable that is not set is always an error here"},
    {":+", "a value that comes and goes with a variable leads to two different files"},
    {"+", "a value that comes and goes with a variable leads to two different files"},
};

enum { ROOM = 4096 }; /* enough for any connection string: a text that grows leaves copies of itself behind */

typedef struct Expansion {
    GString *out;
    ConfigExpand mode;
    ConfigPlace place;
    ConfigMistakes *mistakes;
    bool failed;
} Expansion;

static gsize name_length(const char *text)
{
    if (!g_ascii_isalpha(*text) && *text != '_')
        return 0;
    gsize length = 1;
    while (g_ascii_isalnum(text[length]) || text[length] == '_')
        length++;
    return length;
}

static void tell(Expansion *expansion, const char *advice, char *what)
{
    config_mistakes_add(expansion->mistakes, expansion->place, advice, "%s", what);
    expansion->failed = true;
    g_free(what);
}

static void tell_operator(Expansion *expansion, const char *name, const char *rest)
{
    g_autofree char *advice = g_strdup_printf("write ${%s}", name);
    for (gsize i = 0; i < G_N_ELEMENTS(OPERATORS); i++) {
        if (!g_str_has_prefix(rest, OPERATORS[i].operator))
            continue;
        tell(expansion, advice,
             g_strdup_printf("${%s%s...} is refused: %s", name, OPERATORS[i].operator, OPERATORS[i].why));
        return;
    }
    tell(expansion, advice, g_strdup_printf("${%s...} has more than a name in it", name));
}

static void append_variable(Expansion *expansion, const char *name)
{
    if (expansion->mode == CONFIG_EXPAND_MARK) {
        g_string_append_c(expansion->out, CONFIG_EXPAND_MARKER);
        return;
    }
    const char *value = g_getenv(name);
    if (value == NULL || *value == '\0') {
        tell(expansion, "set it before pgfold starts; there is no default",
             g_strdup_printf("the environment variable %s is %s", name, value == NULL ? "not set" : "empty"));
        return;
    }
    g_string_append(expansion->out, value);
}

/* at: behind "${". Returns what follows the closing brace. */
static const char *expand_braces(Expansion *expansion, const char *at)
{
    const char *end = strchr(at, '}');
    if (end == NULL) {
        tell(expansion, "close it with }, or write $$ for a dollar sign", g_strdup("${ is not closed"));
        return at + strlen(at);
    }
    gsize length = name_length(at);
    g_autofree char *name = g_strndup(at, length);
    if (length == 0)
        tell(expansion, "names are letters, digits and _, and start with no digit",
             g_strdup("${...} without the name of a variable"));
    else if (at[length] != '}')
        tell_operator(expansion, name, at + length);
    else
        append_variable(expansion, name);
    return end + 1;
}

char *config_expand(const char *text, ConfigExpand mode, ConfigPlace place, ConfigMistakes *mistakes)
{
    Expansion expansion = {.out = g_string_sized_new(ROOM), .mode = mode, .place = place, .mistakes = mistakes};
    const char *at = text;
    while (*at != '\0') {
        if (at[0] != '$') {
            g_string_append_c(expansion.out, *at++);
        } else if (at[1] == '$') {
            g_string_append_c(expansion.out, '$');
            at += 2;
        } else if (at[1] == '{') {
            at = expand_braces(&expansion, at + 2);
        } else {
            tell(&expansion, "write ${NAME} for a variable, or $$ for a dollar sign", g_strdup("a lone $"));
            at++;
        }
    }
    if (expansion.failed)
        explicit_bzero(expansion.out->str, expansion.out->len);
    return g_string_free(expansion.out, expansion.failed);
}

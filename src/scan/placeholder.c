#include "scan/placeholder.h"

#include <string.h>

#include "scan/language.h"
#include "scan/names.h"

static bool is_name_char(char c, bool dots)
{
    return g_ascii_isalnum(c) || c == '_' || (dots && (c == '.' || c == '-'));
}

static void add_default(Source *source, const char *name, gsize name_length, guint start, guint end, guint whole_start,
                        guint whole_end, bool is_variable)
{
    Setting *setting = source_add(source, SETTING_DEFAULT, source_slice(source, start, end), start, end);
    setting->variable = is_variable ? g_strndup(name, name_length) : NULL;
    setting->name = g_strndup(name, name_length);
    setting->whole_start = whole_start;
    setting->whole_end = whole_end;
}

/* The "}" that closes the "{" before from. */
static guint closing(const char *text, guint from, guint end)
{
    int depth = 1;
    for (guint i = from; i < end; i++) {
        if (text[i] == '{')
            depth++;
        else if (text[i] == '}' && --depth == 0)
            return i;
        else if (text[i] == '\n')
            break;
    }
    return end;
}

/* Where the default begins behind the name that ends at at: ":-", ":=", "-", "=" of shells, ":" of Spring; 0: there is
 * none. */
static guint default_start(const char *text, guint at, guint end, bool spring)
{
    if (text[at] == ':' && at + 1 < end && (text[at + 1] == '-' || text[at + 1] == '='))
        return at + 2;
    bool one = text[at] == '-' || (text[at] == '=' && !spring) || (text[at] == ':' && spring);
    return one ? at + 1 : 0;
}

static guint skip_prefix(const char *text, guint name, guint end)
{
    static const char *const PREFIXES[] = {"localEnv:", "env:", "containerEnv:", "sys:"};
    for (guint i = 0; i < G_N_ELEMENTS(PREFIXES); i++)
        if (end - name > strlen(PREFIXES[i]) && memcmp(text + name, PREFIXES[i], strlen(PREFIXES[i])) == 0)
            return name + (guint)strlen(PREFIXES[i]);
    return name;
}

/* The placeholder whose "${" is at at. */
static void read_brace(Source *source, guint at, guint end, bool spring)
{
    const char *text = source->text;
    guint name = skip_prefix(text, at + 2, end), name_stop = name;
    while (name_stop < end && is_name_char(text[name_stop], spring))
        name_stop++;
    guint from = name_stop == name || name_stop >= end ? 0 : default_start(text, name_stop, end, spring);
    guint close = from == 0 ? end : closing(text, from, end);
    if (close == end)
        return;
    guint to = close;
    if (close - from >= 2 && strchr("\"'`", text[from]) != NULL && text[close - 1] == text[from]) {
        from++;
        to--;
    }
    add_default(source, text + name, name_stop - name, from, to, at, close + 1, true);
}

static void read_braces(Source *source, guint start, guint end, bool spring)
{
    const char *text = source->text;
    for (guint i = start; i + 3 < end; i++)
        if ((text[i] == '$' || text[i] == '#') && text[i + 1] == '{')
            read_brace(source, i, end, spring);
}

typedef struct Quoted {
    guint start, end;
} Quoted;

static guint quoted_pieces(const char *text, guint start, guint end, Quoted *pieces, guint max)
{
    guint n = 0;
    for (guint i = start; i < end && n < max; i++) {
        if (text[i] != '"' && text[i] != '\'')
            continue;
        const char *close = memchr(text + i + 1, text[i], end - i - 1);
        if (close == NULL)
            break;
        pieces[n++] = (Quoted){i + 1, (guint)(close - text)};
        i = (guint)(close - text);
    }
    return n;
}

/* <%= ... %> and {{ ... }}: the name is the first quoted text, or the path before "|"; the default the last one. */
static void read_template(Source *source, guint start, guint end, const char *open, const char *close, bool pipes)
{
    const char *text = source->text;
    for (guint i = start; i + 4 < end;) {
        const char *found = memmem(text + i, end - i, open, strlen(open));
        if (found == NULL)
            return;
        guint from = (guint)(found - text);
        const char *stop = memmem(found, end - from, close, strlen(close));
        if (stop == NULL)
            return;
        guint to = (guint)(stop - text);
        i = to;
        Quoted pieces[4];
        guint n = quoted_pieces(text, from, to, pieces, 4);
        guint whole_end = to + (guint)strlen(close);
        const char *pipe = memmem(found, to - from, "default", strlen("default"));
        if (pipe == NULL)
            pipe = memmem(found, to - from, "||", 2);
        if (n >= 2 && !(pipes && pipe == NULL))
            add_default(source, text + pieces[0].start, pieces[0].end - pieces[0].start, pieces[n - 1].start,
                        pieces[n - 1].end, from, whole_end, true);
        else if (n == 1 && pipes && pipe != NULL) {
            guint name = from + (guint)strlen(open);
            while (name < to && !g_ascii_isalnum(text[name]))
                name++;
            guint at = name;
            while (at < to && is_name_char(text[at], true))
                at++;
            add_default(source, text + name, at - name, pieces[0].start, pieces[0].end, from, whole_end, false);
        }
    }
}

static const char *tag_value(const char *text, gsize length, const char *key, gsize *ret_length)
{
    gsize key_length = strlen(key);
    for (const char *at = text; at < text + length;) {
        at = memmem(at, (gsize)(text + length - at), key, key_length);
        if (at == NULL)
            return NULL;
        const char *value = at + key_length;
        if ((at == text || !g_ascii_isalnum(at[-1])) && value + 2 < text + length && value[0] == ':' &&
            value[1] == '"') {
            const char *close = memchr(value + 2, '"', (gsize)(text + length - value - 2));
            if (close == NULL)
                return NULL;
            *ret_length = (gsize)(close - value - 2);
            return value + 2;
        }
        at = value;
    }
    return NULL;
}

static void read_tags(Source *source, guint start, guint end)
{
    const char *text = source->text + start;
    gsize length = end - start, name_length = 0, value_length = 0;
    if (length > 2000 || memchr(text, ':', length) == NULL)
        return;
    static const char *const NAMES[] = {"env",  "envconfig", "mapstructure", "yaml", "json",
                                        "long", "name",      "koanf",        "toml", NULL};
    static const char *const DEFAULTS[] = {"envDefault", "default", "env-default", NULL};
    const char *value = NULL, *name = NULL;
    for (guint i = 0; DEFAULTS[i] != NULL && value == NULL; i++)
        value = tag_value(text, length, DEFAULTS[i], &value_length);
    for (guint i = 0; NAMES[i] != NULL && name == NULL && value != NULL; i++)
        name = tag_value(text, length, NAMES[i], &name_length);
    if (value == NULL)
        return;
    if (name != NULL) {
        const char *comma = memchr(name, ',', name_length);
        name_length = comma == NULL ? name_length : (gsize)(comma - name);
    }
    guint from = (guint)(value - source->text);
    add_default(source, name == NULL ? "" : name, name == NULL ? 0 : name_length, from, from + (guint)value_length,
                start, end, name != NULL);
}

/* "$NAME:default" of Ktor, at the start of a text. */
static void read_dollar(Source *source, guint start, guint end)
{
    const char *text = source->text;
    if (start < end && (text[start] == '"' || text[start] == '\'')) {
        start++;
        end--;
    }
    if (end - start < 4 || text[start] != '$')
        return;
    guint at = start + 1;
    while (at < end && (g_ascii_isupper(text[at]) || g_ascii_isdigit(text[at]) || text[at] == '_'))
        at++;
    if (at > start + 2 && at < end && text[at] == ':')
        add_default(source, text + start + 1, at - start - 1, at + 1, end, start, end, true);
}

void placeholder_read(Source *source, guint start, guint end)
{
    char **kinds = source->language->placeholders;
    if (kinds[0] == NULL || end - start < 6 || end - start > 100000)
        return;
    if (g_strv_contains((const char *const *)kinds, "shell"))
        read_braces(source, start, end, false);
    if (g_strv_contains((const char *const *)kinds, "spring")) {
        read_braces(source, start, end, true);
        read_dollar(source, start, end);
    }
    if (g_strv_contains((const char *const *)kinds, "erb"))
        read_template(source, start, end, "<%", "%>", false);
    if (g_strv_contains((const char *const *)kinds, "braces"))
        read_template(source, start, end, "{{", "}}", true);
    if (g_strv_contains((const char *const *)kinds, "tags"))
        read_tags(source, start, end);
}

/* Variables in compose files. Defaults count here: the file says with what a container is started. */
#include <string.h>

#include "discover/internal.h"

static gsize name_length(const char *text)
{
    gsize length = 0;
    while (g_ascii_isalpha(text[length]) || text[length] == '_' || (length > 0 && g_ascii_isdigit(text[length])))
        length++;
    return length;
}

static const char *look_up(const char *name, GHashTable *variables)
{
    const char *value = g_getenv(name);
    return value != NULL || variables == NULL ? value : g_hash_table_lookup(variables, name);
}

/* The end of "${...", behind its bracket; NULL when it is not closed. Defaults may hold further variables. */
static const char *find_close(const char *text)
{
    int depth = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '{' && at > text && at[-1] == '$')
            depth++;
        else if (*at == '}' && depth-- == 0)
            return at;
    }
    return NULL;
}

/* What stands between "${" and "}". */
static void append_braced(GString *to, const char *inside, GHashTable *variables)
{
    gsize length = name_length(inside);
    g_autofree char *name = g_strndup(inside, length);
    const char *value = look_up(name, variables);
    const char *rest = inside + length;
    bool empty_counts = *rest == ':';
    const char *sign = empty_counts ? rest + 1 : rest;
    bool given = value != NULL && !(empty_counts && *value == '\0');
    g_autofree char *other = *sign == '-' || *sign == '+' ? compose_interpolate(sign + 1, variables) : g_strdup("");
    if (*sign == '+')
        g_string_append(to, given ? other : "");
    else if (*sign == '-' && !given)
        g_string_append(to, other);
    else
        g_string_append(to, value == NULL ? "" : value);
}

char *compose_interpolate(const char *text, GHashTable *variables)
{
    GString *to = g_string_new(NULL);
    while (*text != '\0') {
        const char *close = g_str_has_prefix(text, "${") ? find_close(text + 2) : NULL;
        gsize length = *text == '$' ? name_length(text + 1) : 0;
        if (g_str_has_prefix(text, "$$")) {
            g_string_append_c(to, '$');
            text += 2;
        } else if (close != NULL) {
            g_autofree char *inside = g_strndup(text + 2, (gsize)(close - text) - 2);
            append_braced(to, inside, variables);
            text = close + 1;
        } else if (length > 0) {
            g_autofree char *name = g_strndup(text + 1, length);
            const char *value = look_up(name, variables);
            g_string_append(to, value == NULL ? "" : value);
            text += 1 + length;
        } else {
            g_string_append_c(to, *text++);
        }
    }
    return g_string_free(to, FALSE);
}

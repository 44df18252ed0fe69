/* NAME=value lines, as shells and the readers of .env files take them. */
#include "docs/env.h"

#include <string.h>

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

void env_assignment_free(gpointer data)
{
    Assignment *one = data;
    g_free(one->head);
    g_free(one->name);
    g_free(one->value);
    g_free(one->comment);
    g_free(one);
}

/* The end of a quoted value that starts at `start`, or NULL. */
static const char *closing_quote(const char *start)
{
    for (const char *at = start + 1; *at != '\0'; at++) {
        if (*at == '\\' && *start == '"' && at[1] != '\0')
            at++;
        else if (*at == *start)
            return at;
    }
    return NULL;
}

static void take_comment(Assignment *one, const char *rest)
{
    const char *sign = strchr(rest, '#');
    if (sign != NULL && *(sign + strspn(sign, "# \t\r\n")) != '\0')
        one->comment = g_strchomp(g_strdup(sign));
}

static void take_plain(Assignment *one, const char *start)
{
    const char *end = start;
    while (*end != '\0' && !(*end == '#' && (end == start || end[-1] == ' ' || end[-1] == '\t')))
        end++;
    one->value = g_strchomp(g_strndup(start, (gsize)(end - start)));
    take_comment(one, end);
}

/* A quotation mark that nothing closes is a letter like others. */
static void take_value(const DocsText *text, Assignment *one, const char *start)
{
    if (*start != '"' && *start != '\'') {
        take_plain(one, start);
        return;
    }
    g_autoptr(GString) joined = g_string_new(start);
    for (guint next = one->at + 1;; next++) {
        const char *end = closing_quote(joined->str);
        if (end != NULL) {
            one->value = g_strndup(joined->str + 1, (gsize)(end - joined->str) - 1);
            one->count = next - one->at;
            take_comment(one, end + 1);
            return;
        }
        if (next >= text->lines->len)
            break;
        g_string_append(joined, docs_text_line(text, next));
    }
    take_plain(one, start);
}

/* NULL where the line is something else. */
static Assignment *read_assignment(const DocsText *text, guint at)
{
    const char *line = docs_text_line(text, at), *name = line + strspn(line, " \t");
    if (g_str_has_prefix(name, "export "))
        name += strlen("export ") + strspn(name + strlen("export "), " \t");
    gsize length = strspn(name, NAME_LETTERS);
    const char *equals = name + length + strspn(name + length, " \t");
    if (length == 0 || *equals != '=')
        return NULL;
    Assignment *one = g_new0(Assignment, 1);
    one->at = at;
    one->count = 1;
    one->head = g_strndup(line, (gsize)(equals - line) + 1);
    one->name = g_strndup(name, length);
    take_value(text, one, equals + 1 + strspn(equals + 1, " \t"));
    return one;
}

void env_read(Env *env)
{
    g_ptr_array_set_size(env->assignments, 0);
    for (guint i = 0; i < env->text->lines->len;) {
        Assignment *one = read_assignment(env->text, i);
        i += one == NULL ? 1 : one->count;
        if (one != NULL)
            g_ptr_array_add(env->assignments, one);
    }
}

static const char *value_of(const Env *env, const char *name)
{
    const char *value = NULL;
    for (guint i = 0; i < env->assignments->len; i++) {
        const Assignment *one = env->assignments->pdata[i];
        if (strcmp(one->name, name) == 0)
            value = one->value;
    }
    return value;
}

/* Appends what $NAME, ${NAME} or ${NAME:-default} at *at stands for, and goes behind it. */
static void append_variable(const Env *env, GString *to, const char **at)
{
    bool braces = (*at)[1] == '{';
    const char *name = *at + 1 + braces;
    gsize length = strspn(name, NAME_LETTERS);
    const char *end = braces ? strchr(name, '}') : name + length;
    if (length == 0 || end == NULL) {
        g_string_append_c(to, *(*at)++);
        return;
    }
    g_autofree char *key = g_strndup(name, length), *rest = g_strndup(name + length, (gsize)(end - name) - length);
    const char *value = value_of(env, key);
    gsize sign = strspn(rest, ":-=");
    if ((value == NULL || *value == '\0') && sign > 0)
        g_string_append(to, rest + sign);
    else if (value != NULL)
        g_string_append(to, value);
    else /* not known here: it is no local host */
        g_string_append_printf(to, "${%s}", key);
    *at = end + braces;
}

char *env_expand(const Env *env, const char *value)
{
    g_autofree char *text = g_strdup(value);
    for (int depth = 0; depth < 5 && strchr(text, '$') != NULL; depth++) {
        GString *next = g_string_new(NULL);
        for (const char *at = text; *at != '\0';) {
            if (*at == '$')
                append_variable(env, next, &at);
            else
                g_string_append_c(next, *at++);
        }
        g_free(text);
        text = g_string_free(next, FALSE);
    }
    return g_steal_pointer(&text);
}

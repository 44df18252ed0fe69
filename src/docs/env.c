/*
 * .env.example: the variable first among those of the database, explained, and no value that leads to a local one. All
 * else stays: order, comments, other variables, line ends.
 */
#include <string.h>

#include "docs/internal.h"

#define OURS "# pgfold docs: "
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* NAME=value, on one line or, in quotation marks, on several. */
typedef struct Assignment {
    guint at, count; /* lines */
    char *head;      /* up to and with the = */
    char *name, *value;
    char *comment; /* behind the value, or NULL */
} Assignment;

typedef struct Env {
    DocsText *text;
    const Config *config;
    GPtrArray *assignments; /* of Assignment* */
} Env;

bool docs_env_is_ours(const char *line)
{
    return g_str_has_prefix(line, OURS);
}

static void assignment_free(gpointer data)
{
    Assignment *one = data;
    g_free(one->head);
    g_free(one->name);
    g_free(one->value);
    g_free(one->comment);
    g_free(one);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

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

static void read_assignments(Env *env)
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

/* With the variables of the same file. Transfer full. */
static char *expand(const Env *env, const char *value)
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

/* --- whose variables they are ---------------------------------------------------------------------------------------
 */

static const char *const HOSTS[] = {"HOST", "HOSTNAME", "HOSTADDR", "SERVER", NULL};
static const char *const EMPTIED[] = {"HOST",     "HOSTNAME", "HOSTADDR", "SERVER", "PORT",
                                      "PASSWORD", "PASS",     "PASSWD",   "PWD",    NULL};
static const char *const KEPT[] = {"USER", "USERNAME", "NAME", "DATABASE", "DB", "DBNAME", "SCHEMA", NULL};
static const char *const ENGINES[] = {"CONNECTION", "ENGINE", "DRIVER", "DIALECT", "CLIENT", "TYPE", "ADAPTER", NULL};

/* DB_HOST has the prefix "DB" and the word "HOST"; PGHOST "PG" and "HOST". *ret_word is a part of name. False where
 * name is none of a database's parts. */
static bool split_part(const Env *env, const char *name, char **ret_prefix, const char **ret_word)
{
    static const char *const PREFIXES[] = {"DB", "DATABASE", "POSTGRES", "POSTGRESQL", "PG", "PSQL", NULL};
    const char *word = strrchr(name, '_');
    g_autofree char *prefix = word == NULL ? NULL : g_strndup(name, (gsize)(word - name));
    if (prefix == NULL && g_str_has_prefix(name, "PG")) {
        prefix = g_strdup("PG");
        word = name + 1; /* as if it were the _ */
    }
    if (prefix == NULL)
        return false;
    word++;
    bool known = g_strv_contains(HOSTS, word) || g_strv_contains(EMPTIED, word) || g_strv_contains(KEPT, word) ||
                 g_strv_contains(ENGINES, word);
    /* JOURNEYS_DB_URL goes with JOURNEYS_DB_HOST. */
    const char *variable = env->config->code.variable, *end = strrchr(variable, '_');
    g_autofree char *stem = g_strndup(variable, end == NULL ? strlen(variable) : (gsize)(end - variable));
    if (!known || !(g_strv_contains(PREFIXES, prefix) || strcmp(stem, prefix) == 0))
        return false;
    *ret_prefix = g_steal_pointer(&prefix);
    *ret_word = word;
    return true;
}

/* What the parts with one prefix say together. */
typedef struct Group {
    bool local, other; /* other: another kind of database */
} Group;

static Group judge_group(const Env *env, const char *wanted)
{
    Group group = {0};
    for (guint i = 0; i < env->assignments->len; i++) {
        const Assignment *one = env->assignments->pdata[i];
        g_autofree char *prefix = NULL;
        const char *word = NULL;
        if (!split_part(env, one->name, &prefix, &word) || strcmp(prefix, wanted) != 0)
            continue;
        g_autofree char *value = expand(env, one->value), *lower = g_ascii_strdown(value, -1);
        bool postgres = strstr(lower, "pg") != NULL || strstr(lower, "postg") != NULL || strstr(lower, "psql") != NULL;
        if (g_strv_contains(ENGINES, word) && *value != '\0' && !postgres)
            group.other = true;
        if (strcmp(word, "PORT") == 0 &&
            (strcmp(value, "3306") == 0 || strcmp(value, "1433") == 0 || strcmp(value, "27017") == 0))
            group.other = true;
        if (g_strv_contains(HOSTS, word) && *value != '\0' && docs_host_is_local(env->config, value))
            group.local = true;
    }
    return group;
}

static bool is_variable(const Env *env, const Assignment *one)
{
    return strcmp(one->name, env->config->code.variable) == 0;
}

/* Whether it is one of the database's, and whether its value has to go. */
static bool judge(const Env *env, const Assignment *one, bool *ret_empty)
{
    g_autofree char *value = expand(env, one->value), *prefix = NULL;
    const char *word = NULL;
    *ret_empty = false;
    if (is_variable(env, one)) {
        *ret_empty = docs_value_is_local(env->config, value);
        return true;
    }
    if (!split_part(env, one->name, &prefix, &word))
        return docs_value_is_postgres(value);
    Group group = judge_group(env, prefix);
    *ret_empty = group.local && !group.other && g_strv_contains(EMPTIED, word) && *one->value != '\0';
    return !group.other;
}

/* --- writing --------------------------------------------------------------------------------------------------------
 */

/* A comment that stood behind the value gets a line of its own: few readers of such files take it for one behind an
 * empty value. */
static void empty(Env *env, const Assignment *one)
{
    g_autofree char *lines = one->comment == NULL ? g_strconcat(one->head, "\n", NULL)
                                                  : g_strconcat(one->comment, "\n", one->head, "\n", NULL);
    bool last = !g_str_has_suffix(docs_text_line(env->text, one->at + one->count - 1), "\n");
    docs_text_remove(env->text, one->at, one->count);
    guint at = one->at + docs_text_insert(env->text, one->at, lines) - 1;
    if (!last)
        return;
    char *content = docs_line_content(docs_text_line(env->text, at));
    g_free(env->text->lines->pdata[at]);
    env->text->lines->pdata[at] = content;
}

/* From the last to the first: those before stay where they are. */
static void empty_local_values(Env *env)
{
    g_autoptr(GArray) local = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < env->assignments->len; i++) {
        bool goes = false;
        if (judge(env, env->assignments->pdata[i], &goes) && goes)
            g_array_append_val(local, i);
    }
    for (guint i = local->len; i > 0; i--)
        empty(env, env->assignments->pdata[g_array_index(local, guint, i - 1)]);
    read_assignments(env);
}

static bool is_comment(const DocsText *text, guint at)
{
    const char *line = docs_text_line(text, at);
    return line[strspn(line, " \t")] == '#';
}

/* The first line of the comment that stands right above a line; the line itself where there is none. */
static guint comment_above(const DocsText *text, guint at)
{
    while (at > 0 && is_comment(text, at - 1))
        at--;
    return at;
}

/* NULL where there is none. */
static const Assignment *find_first(const Env *env, bool of_variable)
{
    for (guint i = 0; i < env->assignments->len; i++) {
        const Assignment *one = env->assignments->pdata[i];
        bool goes = false;
        if (of_variable ? is_variable(env, one) : judge(env, one, &goes))
            return one;
    }
    return NULL;
}

/* Where the variable goes before another one: above its comment, unless that is the head of the file. */
static guint place_before(const DocsText *text, const Assignment *other)
{
    guint at = comment_above(text, other->at);
    return at == 0 ? other->at : at;
}

/* With the comment that is its alone. */
static void move_variable(Env *env, const Assignment *variable, const Assignment *first)
{
    DocsText *text = env->text;
    guint from = comment_above(text, variable->at), end = variable->at + variable->count;
    guint to = place_before(text, first);
    g_autoptr(GString) moved = g_string_new(NULL);
    for (guint i = from; i < end; i++) {
        g_autofree char *line = docs_line_content(docs_text_line(text, i));
        g_string_append_printf(moved, "%s\n", line);
    }
    bool alone = docs_text_is_blank(text, end) && from > 0 && docs_text_is_blank(text, from - 1);
    docs_text_remove(text, from, end - from);
    if (alone) /* of the two blank lines one goes */
        docs_text_remove(text, from - 1, 1);
    docs_text_insert(text, to, moved->str);
}

static void place_variable(Env *env)
{
    const Assignment *variable = find_first(env, true), *first = find_first(env, false);
    g_autofree char *line = g_strdup_printf("%s=\n", env->config->code.variable);
    guint end = env->text->lines->len;
    if (variable != NULL && variable != first)
        move_variable(env, variable, first);
    else if (variable == NULL && first != NULL)
        docs_text_insert(env->text, place_before(env->text, first), line);
    else if (variable == NULL)
        docs_text_insert(
            env->text,
            end > 0 && !docs_text_is_blank(env->text, end - 1) ? end + docs_text_insert(env->text, end, "\n") : end,
            line);
    read_assignments(env);
}

static void explain(Env *env, const DocsFacts *facts)
{
    const Config *config = env->config;
    g_autofree char *tests = g_strndup(facts->tests, strcspn(facts->tests, "\n"));
    g_autofree char *how = facts->ssh_host == NULL ? g_strdup(docs_text_env_plain)
                                                   : docs_fill(docs_text_env_ssh, "host", facts->ssh_host, NULL);
    g_autofree char *text = docs_fill(docs_text_env, "how", how, "tests", tests, "page", config->docs.page, NULL);
    docs_text_insert(env->text, find_first(env, true)->at, text);
}

void docs_env_write(DocsText *text, const DocsFacts *facts)
{
    g_autoptr(GPtrArray) assignments = g_ptr_array_new_with_free_func(assignment_free);
    Env env = {.text = text, .config = facts->config, .assignments = assignments};
    for (guint i = text->lines->len; i > 0; i--) {
        if (docs_env_is_ours(docs_text_line(text, i - 1)))
            docs_text_remove(text, i - 1, 1);
    }
    read_assignments(&env);
    empty_local_values(&env);
    place_variable(&env);
    explain(&env, facts);
}

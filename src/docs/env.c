/*
 * .env.example: the variable first among those of the database, explained, and no value that leads to a local one. All
 * else stays: order, comments, other variables, line ends.
 */
#include "docs/env.h"

#include <string.h>

#define OURS "# pgfold docs: "

bool docs_env_is_ours(const char *line)
{
    return g_str_has_prefix(line, OURS);
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
        g_autofree char *value = env_expand(env, one->value), *lower = g_ascii_strdown(value, -1);
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
    g_autofree char *value = env_expand(env, one->value), *prefix = NULL;
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
    env_read(env);
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
    env_read(env);
}

static void explain(Env *env, const DocsFacts *facts)
{
    const Config *config = env->config;
    g_autofree char *tests = g_strndup(facts->tests, strcspn(facts->tests, "\n"));
    g_autofree char *how =
        facts->ssh_host == NULL ? g_strdup(docs_text_env_plain) : DOCS_FILL(docs_text_env_ssh, "host", facts->ssh_host);
    g_autofree char *text = DOCS_FILL(docs_text_env, "how", how, "tests", tests, "page", config->docs.page);
    docs_text_insert(env->text, find_first(env, true)->at, text);
}

void docs_env_write(DocsText *text, const DocsFacts *facts)
{
    g_autoptr(GPtrArray) assignments = g_ptr_array_new_with_free_func(env_assignment_free);
    Env env = {.text = text, .config = facts->config, .assignments = assignments};
    for (guint i = text->lines->len; i > 0; i--) {
        if (docs_env_is_ours(docs_text_line(text, i - 1)))
            docs_text_remove(text, i - 1, 1);
    }
    env_read(&env);
    empty_local_values(&env);
    place_variable(&env);
    explain(&env, facts);
}

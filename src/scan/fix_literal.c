/* A literal connection string in code that is no test: it becomes a read of the one variable. */
#include <string.h>

#include "scan/connection.h"
#include "scan/fix_place.h"
#include "scan/fix_read.h"

static bool has_holes(const Fix *fix, TSNode node)
{
    g_auto(Value) value = facts_value(fix->facts, node);
    return value.text == NULL || strchr(value.text, CONNECTION_HOLE) != NULL;
}

static bool has_word(const char *name, const char *const *words)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    for (guint i = 0; words[i] != NULL; i++)
        if (strstr(lower, words[i]) != NULL)
            return true;
    return false;
}

/* A name that says where a connection goes; not one that says that it is only a default. */
static bool names_connection(const char *name)
{
    static const char *const NEVER[] = {"default", "example", "sample", "fallback", "local", "dev", "test", NULL};
    static const char *const CONNECTIONS[] = {"conn", "dsn", "database", "postgres", "pg",
                                              "url",  "uri", "backend",  NULL};
    return !has_word(name, NEVER) && has_word(name, CONNECTIONS);
}

/* A function that connects with its first argument. */
static bool connects(const Fix *fix, TSNode arguments)
{
    static const char *const CONNECT[] = {"connect", "engine",   "pool", "client", "sequel", "postgres",
                                          "pg",      "database", "open", "knex",   NULL};
    TSNode call = ts_node_parent(arguments);
    const Fact *fact = facts_of(fix->facts, call);
    if (fact == NULL || fact->kind != FACT_CALL)
        return false;
    g_autofree char *function = facts_function(fix->facts, fact);
    const char *last = function + strlen(function);
    while (last > function && (g_ascii_isalnum(last[-1]) || last[-1] == '_'))
        last--;
    return has_word(last, CONNECT);
}

/* The value of a name, or what a function connects with; not a default in some way of a library. */
static bool is_plain(const Fix *fix, TSNode node)
{
    TSNode parent = ts_node_parent(node);
    const Fact *fact = facts_of(fix->facts, parent);
    if (fact != NULL && fact->kind == FACT_BIND) {
        g_autofree char *name = facts_name(fix->facts, fact->first);
        if (!names_connection(name))
            return false;
    } else if (strstr(ts_node_type(parent), "argument") == NULL || !ts_node_eq(ts_node_named_child(parent, 0), node) ||
               !connects(fix, parent)) {
        return strcmp(ts_node_type(parent), "return_statement") == 0;
    }
    for (guint i = 0; i < 20 && !ts_node_is_null(parent); i++, parent = ts_node_parent(parent)) {
        if (fix_node_in(fix, parent, "lists"))
            return !fix_node_in(fix, ts_node_parent(parent), "hoist");
        if (strstr(ts_node_type(parent), "parameter") != NULL || strstr(ts_node_type(parent), "class_body") != NULL)
            return false;
    }
    return true;
}

static bool needs_more(Fix *fix, const char *variable)
{
    g_autofree char *needs = g_key_file_get_string(fix->rules, "fix", "needs", NULL);
    if (needs == NULL || strstr(fix->source->text, needs) != NULL)
        return false;
    fix_refuse(fix, "it would need `%s` first; then read %s, and fail at start where it is not set", needs, variable);
    return true;
}

bool fix_put_own(Fix *fix, TSNode node, FixWords *words)
{
    const char *variable = fix_own_variable(fix);
    if (needs_more(fix, variable))
        return false;
    char quote[2] = {words->quote, '\0'};
    g_autofree char *name = g_strconcat(quote, variable, quote, NULL);
    words->name = name;
    words->variables = variable;
    g_autofree char *own = fix_template(fix, "own", words), *test = fix_template(fix, "own_test", words);
    if (own == NULL)
        return fix_refuse(fix, "read %s there, and fail at start where it is not set", variable);
    words->test = test;
    words->left = words->read = own;
    g_autofree char *expression = fix_template(fix, "own_expression", words);
    bool guarded = test != NULL && fix_add_guard(fix, words, node);
    words->name = words->test = words->left = words->read = words->variables = NULL;
    if (!guarded && expression == NULL)
        return false;
    fix_edit(fix, ts_node_start_byte(node), ts_node_end_byte(node),
             guarded ? g_steal_pointer(&own) : g_steal_pointer(&expression));
    return true;
}

bool fix_literal(Fix *fix)
{
    const ScanFinding *finding = fix->finding;
    const char *variable = fix_own_variable(fix);
    TSNode node = fix_node_at(fix->source, finding->place.start, finding->place.end);
    const Fact *fact = facts_of(fix->facts, node);
    if (fact == NULL || (fact->kind != FACT_STRING && fact->kind != FACT_CONCAT) ||
        ts_node_start_byte(node) != finding->place.start || ts_node_end_byte(node) != finding->place.end)
        return fix_refuse(fix, "read %s there, and fail at start where it is not set", variable);
    if (has_holes(fix, node))
        return fix_refuse(fix, "it is put together: read the whole connection string from %s", variable);
    if (!is_plain(fix, node))
        return fix_refuse(fix, "it looks like the default of a setting: make the setting required");
    const char *section = fix_environment(fix, node);
    if (section != NULL)
        return fix_refuse(fix, "it is of the section \"%s\" only: read it from %s where that is chosen", section,
                          variable);
    FixWords words = {.left = NULL};
    fix_style(fix, &words, finding->place.start);
    return fix_put_own(fix, node, &words);
}

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

/* An argument says which variable comes first. */
static bool names_variable(const Fix *fix, TSNode arguments)
{
    static const char *const NAMES[] = {"env",  "envvar", "env_var", "alias",   "validation_alias",
                                        "name", "key",    "default", "env_name", NULL};
    for (guint i = 0; i < ts_node_named_child_count(arguments); i++) {
        const Fact *fact = facts_of(fix->facts, ts_node_named_child(arguments, i));
        g_autofree char *name = fact != NULL && fact->kind == FACT_BIND ? facts_name(fix->facts, fact->first) : NULL;
        if (name != NULL && g_strv_contains(NAMES, name))
            return true;
    }
    return false;
}

/* It only takes the place of something that is missing, in a way of the library around it. */
static bool is_default(const Fix *fix, TSNode node)
{
    static const char *const NAMES[] = {"default", "fallback", "default_value", "defaultValue", "initial", NULL};
    TSNode at = node;
    for (guint i = 0; i < 20; i++) {
        TSNode parent = ts_node_parent(at);
        if (ts_node_is_null(parent) || fix_node_in(fix, parent, "lists"))
            return !ts_node_is_null(parent) && fix_node_in(fix, ts_node_parent(parent), "hoist");
        const char *kind = ts_node_type(parent);
        const Fact *fact = facts_of(fix->facts, parent);
        g_autofree char *name = fact != NULL && fact->kind == FACT_BIND ? facts_name(fix->facts, fact->first) : NULL;
        if ((name != NULL && strstr(kind, "argument") != NULL && g_strv_contains(NAMES, name)) ||
            strstr(kind, "tuple") != NULL || strstr(kind, "parameter") != NULL)
            return true;
        /* f(NAME, "postgres://..."), f("postgres://...", env="NAME") */
        if (fact == NULL && strstr(kind, "argument") != NULL && strstr(kind, "keyword") == NULL &&
            ts_node_eq(at, node) &&
            (!ts_node_eq(ts_node_named_child(parent, 0), at) || names_variable(fix, parent)))
            return true;
        at = parent;
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
    if (is_default(fix, node))
        return fix_refuse(fix, "it is the default of a setting: make the setting required");
    if (needs_more(fix, variable))
        return false;
    char quote[2] = {fix->source->text[finding->place.start] == '\'' ? '\'' : '"', '\0'};
    g_autofree char *name = g_strconcat(quote, variable, quote, NULL);
    FixWords words = {.name = name, .variables = variable};
    fix_style(fix, &words, finding->place.start);
    g_autofree char *own = fix_template(fix, "own", &words), *test = fix_template(fix, "own_test", &words);
    if (own == NULL)
        return fix_refuse(fix, "read %s there, and fail at start where it is not set", variable);
    words.test = test;
    words.left = words.read = own;
    g_autofree char *expression = fix_template(fix, "own_expression", &words);
    bool guarded = test != NULL && fix_add_guard(fix, &words, node);
    if (!guarded && expression == NULL)
        return false;
    fix_edit(fix, finding->place.start, finding->place.end, guarded ? g_steal_pointer(&own) : g_steal_pointer(&expression));
    return true;
}

#include "scan/fix_read.h"

#include <string.h>

#include "scan/fix_place.h"
#include "scan/language.h"

void fix_read_clear(FixRead *read)
{
    g_free(read->function);
    g_free(read->name);
    g_free(read->left);
    g_free(read->variable);
    g_free(read->variables);
    *read = (FixRead){0};
}

static char *slice(const Fix *fix, TSNode node)
{
    return source_slice(fix->source, ts_node_start_byte(node), ts_node_end_byte(node));
}

static bool is_comment(TSNode node)
{
    return strstr(ts_node_type(node), "comment") != NULL;
}

/* Parentheses around. */
static TSNode inner(TSNode node)
{
    while (strstr(ts_node_type(node), "parenthesized") != NULL && ts_node_named_child_count(node) == 1)
        node = ts_node_named_child(node, 0);
    return node;
}

/* At most two arguments; *ret_n counts all. The nodes may be wrapped ("argument" of some grammars). */
static void arguments_of(TSNode arguments, TSNode *ret_first, TSNode *ret_second, guint *ret_n)
{
    guint n = ts_node_is_null(arguments) ? 0 : ts_node_named_child_count(arguments);
    *ret_n = 0;
    for (guint i = 0; i < n; i++) {
        TSNode child = ts_node_named_child(arguments, i);
        if (is_comment(child))
            continue;
        if (strstr(ts_node_type(child), "argument") != NULL && ts_node_named_child_count(child) == 1)
            child = ts_node_named_child(child, 0);
        if (*ret_n == 0)
            *ret_first = child;
        else if (*ret_n == 1)
            *ret_second = child;
        (*ret_n)++;
    }
}

static char *variable_of(const Fix *fix, TSNode node)
{
    g_auto(Value) value = facts_value(fix->facts, node);
    return value.text != NULL && value.variable == NULL && !value.several && *value.text != '\0' ? g_strdup(value.text)
                                                                                                 : NULL;
}

static bool is_empty_literal(const Fix *fix, TSNode node)
{
    g_autofree char *text = slice(fix, node);
    static const char *const EMPTY[] = {"\"\"", "''", "None", "nil", "null", "undefined", NULL};
    return g_strv_contains(EMPTY, text);
}

static char *call_text(const char *function, const char *name)
{
    return g_strdup_printf("%s(%s)", function, name);
}

/* FUNCTION("X"): also with a default that is empty. */
static bool plain_call(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    g_autofree char *function = facts_function(fix->facts, fact);
    TSNode first, second;
    guint n;
    arguments_of(fact->second, &first, &second, &n);
    if (!fix_lists(fix, "reads", function) || n < 1 || n > 2 || (n == 2 && !is_empty_literal(fix, second)))
        return false;
    g_autofree char *variable = variable_of(fix, first);
    if (variable == NULL)
        return false;
    ret_read->name = slice(fix, first);
    ret_read->left = n == 1 ? slice(fix, fact->node) : call_text(function, ret_read->name);
    ret_read->function = g_steal_pointer(&function);
    ret_read->variable = g_steal_pointer(&variable);
    return true;
}

static bool plain_index(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    g_autofree char *map = slice(fix, fact->first);
    g_auto(Value) value = facts_value(fix->facts, fact->node);
    if (!g_strv_contains((const char *const *)fix->source->language->env_maps, map) || value.variable == NULL)
        return false;
    ret_read->function = g_steal_pointer(&map);
    ret_read->name = slice(fix, fact->second);
    ret_read->left = slice(fix, fact->node);
    ret_read->variable = g_steal_pointer(&value.variable);
    return true;
}

bool fix_plain_read(const Fix *fix, TSNode node, FixRead *ret_read)
{
    *ret_read = (FixRead){0};
    node = inner(node);
    const Fact *fact = facts_of(fix->facts, node);
    if (fact == NULL)
        return false;
    return fact->kind == FACT_CALL    ? plain_call(fix, fact, ret_read)
           : fact->kind == FACT_INDEX ? plain_index(fix, fact, ret_read)
                                      : false;
}

static bool is_ternary(TSNode node)
{
    return strstr(ts_node_type(node), "ternary") != NULL || strstr(ts_node_type(node), "conditional") != NULL;
}

/* Reads that are joined by "or": the names of all are added. */
static bool only_reads(const Fix *fix, TSNode node, GString *variables, guint *n)
{
    node = inner(node);
    const Fact *fact = facts_of(fix->facts, node);
    if (fact != NULL && fact->kind == FACT_OR && !is_ternary(node) && *n < 5)
        return only_reads(fix, fact->first, variables, n) && only_reads(fix, fact->second, variables, n);
    FixRead read;
    if (!fix_plain_read(fix, node, &read))
        return false;
    g_string_append_printf(variables, "%s%s", *n > 0 ? " or " : "", read.variable);
    fix_read_clear(&read);
    (*n)++;
    return true;
}

/* Without blanks and outer parentheses. Transfer full. */
static char *squeeze(const char *text)
{
    GString *squeezed = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at++)
        if (!g_ascii_isspace(*at))
            g_string_append_c(squeezed, *at == '\'' ? '"' : *at);
    while (squeezed->len >= 2 && squeezed->str[0] == '(' && squeezed->str[squeezed->len - 1] == ')' &&
           strchr(squeezed->str + 1, '(') == NULL) {
        g_string_erase(squeezed, 0, 1);
        g_string_truncate(squeezed, squeezed->len - 1);
    }
    return g_string_free(squeezed, FALSE);
}

/* The condition of a ternary asks for the variable that is read, and nothing else. */
static bool asks_for(const Fix *fix, TSNode condition, const FixRead *read)
{
    static const char *const AFTER[] = {"",        "isnotNone", "!=None",  "!==undefined", "!=undefined", "!=null",
                                        "!==null", "!=\"\"",    "!==\"\"", "!=nil",        NULL};
    g_autofree char *raw = slice(fix, condition), *text = squeeze(raw), *left = squeeze(read->left);
    const char *bare = g_str_has_prefix(text, "!!") ? text + 2 : text;
    if (g_str_has_prefix(bare, left) && g_strv_contains(AFTER, bare + strlen(left)))
        return true;
    g_autofree char *in = g_strdup_printf("%s in %s", read->name, read->function), *squeezed = squeeze(in);
    return strcmp(text, squeezed) == 0;
}

static bool ternary_read(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    TSNode condition = ts_node_child_by_field_name(fact->node, "condition", 9);
    if (ts_node_is_null(condition) && ts_node_named_child_count(fact->node) == 3)
        condition = ts_node_named_child(fact->node, 1); /* Python's */
    if (ts_node_is_null(condition) || !fix_plain_read(fix, fact->first, ret_read))
        return false;
    if (asks_for(fix, inner(condition), ret_read))
        return true;
    fix_read_clear(ret_read);
    return false;
}

static bool or_read(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    if (is_ternary(fact->node))
        return ternary_read(fix, fact, ret_read);
    if (fix_plain_read(fix, fact->first, ret_read))
        return true;
    g_autoptr(GString) variables = g_string_new(NULL);
    guint n = 0;
    if (!only_reads(fix, fact->first, variables, &n) || n < 2)
        return false;
    ret_read->several = true;
    ret_read->left = slice(fix, fact->first);
    ret_read->variable = g_strndup(variables->str, strcspn(variables->str, " "));
    ret_read->variables = g_strdup(variables->str);
    return true;
}

/* FUNCTION("X", DEFAULT) */
static bool call_read(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    g_autofree char *function = facts_function(fix->facts, fact);
    TSNode first, second;
    guint n;
    arguments_of(fact->second, &first, &second, &n);
    /* Ruby: ENV.fetch("X") { "default" } */
    bool block = n == 1 && !ts_node_is_null(ts_node_child_by_field_name(fact->node, "block", 5));
    if (!fix_lists(fix, "reads", function) || (n != 2 && !block))
        return false;
    g_autofree char *variable = variable_of(fix, first);
    if (variable == NULL)
        return false;
    ret_read->name = slice(fix, first);
    ret_read->left = call_text(function, ret_read->name);
    ret_read->function = g_steal_pointer(&function);
    ret_read->variable = g_steal_pointer(&variable);
    return true;
}

/* cmp.Or(os.Getenv("X"), DEFAULT) */
static bool either_read(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    g_autofree char *function = facts_function(fix->facts, fact);
    TSNode first, second;
    guint n;
    arguments_of(fact->second, &first, &second, &n);
    if (n != 2 || !fix_lists(fix, "either", function) || !fix_plain_read(fix, first, ret_read))
        return false;
    /* Its package is named where it is imported, here, and once more: Go refuses an import that is not used. */
    g_autofree char *package = g_strndup(function, strcspn(function, "."));
    if (!g_key_file_get_boolean(fix->rules, "fix", "strict_imports", NULL) || fix_count_word(fix->source, package) > 2)
        return true;
    fix_read_clear(ret_read);
    return false;
}

/* Optional.ofNullable(System.getenv("X")): the read in it. */
static bool wrapped_read(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    g_autofree char *function = facts_function(fix->facts, fact);
    TSNode first, second;
    guint n;
    arguments_of(fact->second, &first, &second, &n);
    if (n != 1 || !fix_lists(fix, "wrappers", function) || !fix_plain_read(fix, first, ret_read))
        return false;
    g_free(ret_read->function);
    ret_read->function = g_steal_pointer(&function);
    return true;
}

/* READ.unwrap_or(DEFAULT) */
static bool method_read(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    guint start = ts_node_start_byte(fact->node);
    guint stop = ts_node_is_null(fact->second) ? ts_node_end_byte(fact->node) : ts_node_start_byte(fact->second);
    for (guint i = 0; i < fix->facts->all->len; i++) {
        const Fact *other = &g_array_index(fix->facts->all, Fact, i);
        guint end = ts_node_end_byte(other->node);
        if (ts_node_start_byte(other->node) != start || end >= stop ||
            (other->kind != FACT_CALL && other->kind != FACT_INDEX))
            continue;
        g_autofree char *between = source_slice(fix->source, end, stop);
        g_autofree char *method = squeeze(between);
        if (!fix_lists(fix, "methods", method))
            continue;
        if (fix_plain_read(fix, other->node, ret_read) ||
            (other->kind == FACT_CALL && wrapped_read(fix, other, ret_read)))
            return true;
    }
    return false;
}

bool fix_read_of(const Fix *fix, const Fact *fact, FixRead *ret_read)
{
    *ret_read = (FixRead){0};
    bool found = fact->kind == FACT_CALL ? call_read(fix, fact, ret_read) || either_read(fix, fact, ret_read) ||
                                               method_read(fix, fact, ret_read)
                                         : or_read(fix, fact, ret_read);
    if (!found)
        return false;
    ret_read->node = fact->node;
    TSNode first = {0}, second = {0};
    guint n = 0;
    if (fact->kind == FACT_CALL)
        arguments_of(fact->second, &first, &second, &n);
    ret_read->otherwise = fact->kind == FACT_OR ? inner(fact->second) : n == 2 ? second : (TSNode){0};
    ret_read->simple = !ret_read->several;
    if (ret_read->variables == NULL)
        ret_read->variables = g_strdup(ret_read->variable);
    const Fact *left = fact->kind == FACT_OR ? facts_of(fix->facts, inner(fact->first)) : NULL;
    ret_read->expression_only =
        left != NULL && left->kind != FACT_INDEX && g_key_file_get_boolean(fix->rules, "fix", "narrows", NULL);
    return true;
}

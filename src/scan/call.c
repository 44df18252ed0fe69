#include <string.h>

#include "scan/connection.h"
#include "scan/names.h"
#include "scan/talk.h"
#include "scan/value.h"

/* The binding of an argument with a name ("default=..."), or NULL. */
static const Fact *named_argument(const Facts *facts, TSNode argument)
{
    const Fact *fact = facts_of(facts, argument);
    bool named = fact != NULL && fact->kind == FACT_BIND && !ts_node_is_null(fact->first);
    return named && kind_says(ts_node_type(argument), "argument") ? fact : NULL;
}

/* One of those without a name, counted from 0. */
static TSNode argument(const Facts *facts, TSNode arguments, guint wanted)
{
    guint seen = 0;
    TSNode none = {0};
    guint n = ts_node_is_null(arguments) ? 0 : MIN(ts_node_named_child_count(arguments), 50u);
    for (guint i = 0; i < n; i++) {
        TSNode child = ts_node_named_child(arguments, i);
        if (!kind_says(ts_node_type(child), "comment") && named_argument(facts, child) == NULL && seen++ == wanted)
            return child;
    }
    return none;
}

/* The value of the argument whose name says that it is a default. */
static TSNode named_default(const Facts *facts, TSNode arguments)
{
    TSNode none = {0};
    guint n = ts_node_is_null(arguments) ? 0 : MIN(ts_node_named_child_count(arguments), 50u);
    for (guint i = 0; i < n; i++) {
        const Fact *fact = named_argument(facts, ts_node_named_child(arguments, i));
        g_autofree char *name = fact == NULL ? NULL : facts_name(facts, fact->first);
        if (name != NULL && name_is_default(name))
            return fact->second;
    }
    return none;
}

static guint argument_count(const Facts *facts, TSNode arguments)
{
    guint n = 0;
    while (n < 6 && !ts_node_is_null(argument(facts, arguments, n)))
        n++;
    return n;
}

static TSNode search_string(const Facts *facts, TSNode node, int depth, guint *left)
{
    TSNode none = {0};
    const Fact *fact = facts_of(facts, node);
    if (fact != NULL && (fact->kind == FACT_STRING || fact->kind == FACT_CONCAT))
        return node;
    guint n = MIN(ts_node_named_child_count(node), 20u);
    for (guint i = 0; i < n && depth < 6 && *left > 0; i++) {
        (*left)--;
        TSNode found = search_string(facts, ts_node_named_child(node, i), depth + 1, left);
        if (!ts_node_is_null(found))
            return found;
    }
    return none;
}

/* The first literal within a node, the body of a lambda or a block, if it is near. */
static TSNode first_string(const Facts *facts, TSNode node)
{
    guint left = 200;
    return search_string(facts, node, 0, &left);
}

void value_take_default(const Facts *facts, Value *value, TSNode node, bool inside, int depth)
{
    if (ts_node_is_null(node))
        return;
    g_auto(Value) found = value_of(facts, node, depth + 1);
    if (found.text == NULL && inside) {
        TSNode inner = first_string(facts, node);
        if (!ts_node_is_null(inner) && !ts_node_eq(inner, node)) {
            value_clear(&found);
            found = value_of(facts, inner, depth + 1);
        }
    }
    if (found.text == NULL)
        return;
    g_free(value->text);
    value->text = g_steal_pointer(&found.text);
    value->start = found.start;
    value->end = found.end;
    value->fallback = true;
}

/* The receiver of a method call: what stands before its last part. */
static TSNode receiver(const Fact *call)
{
    TSNode none = {0};
    if (!ts_node_is_null(call->first))
        return ts_node_named_child_count(call->first) < 1 ? none : ts_node_named_child(call->first, 0);
    static const char *const FIELDS[] = {"object", "receiver", "scope", NULL};
    for (guint i = 0; FIELDS[i] != NULL; i++) {
        TSNode found = ts_node_child_by_field_name(call->node, FIELDS[i], (uint32_t)strlen(FIELDS[i]));
        if (!ts_node_is_null(found))
            return found;
    }
    return none;
}

/* What is called: "os.environ.get". Grammars without a node for it: what stands before the arguments. */
char *facts_function(const Facts *facts, const Fact *call)
{
    if (!ts_node_is_null(call->first))
        return facts_text(facts, call->first);
    guint start = ts_node_start_byte(call->node);
    guint end = ts_node_is_null(call->second) ? ts_node_end_byte(call->node) : ts_node_start_byte(call->second);
    return value_plain_text(facts->source, start, end);
}

static const char *last_word(const char *function)
{
    const char *at = function + strlen(function);
    while (at > function && (g_ascii_isalnum(at[-1]) || at[-1] == '_'))
        at--;
    return at;
}

/* Methods that compare or change a text, and never take the place of a missing one. */
static bool is_other_method(const char *function)
{
    static const char *const OTHERS[] = {
        "replace",  "split",  "startswith", "startsWith", "starts_with", "endswith", "endsWith", "contains",
        "includes", "match",  "equals",     "indexOf",    "format",      "join",     "concat",   "push",
        "append",   "test",   "listen",     "expect",     "unless",      "trim",     "strip",    "StartsWith",
        "Contains", "Equals", "Replace",    "eq",         NULL};
    return g_strv_contains(OTHERS, last_word(function));
}

/* pg.get("host", ...), parser.get("postgres", "host", fallback=...): the section stands before the name. */
static void add_section(const Facts *facts, Value *name, TSNode object, TSNode second, bool named, int depth)
{
    if (name->text == NULL || strlen(name->text) > 60)
        return;
    if (named && !ts_node_is_null(second)) {
        g_auto(Value) option = value_of(facts, second, depth + 1);
        if (option.text != NULL && name_meaning(option.text).role != ROLE_NONE && strlen(option.text) < 40) {
            char *joined = g_strdup_printf("%s.%s", name->text, option.text);
            g_free(name->text);
            name->text = joined;
        }
        return;
    }
    NameMeaning meaning = name_meaning(name->text);
    if (meaning.role == ROLE_NONE || meaning.database || ts_node_is_null(object) || name_is_variable(name->text))
        return;
    g_autofree char *section = facts_name(facts, object);
    if (name_meaning(section).database) {
        char *joined = g_strdup_printf("%s.%s", section, name->text);
        g_free(name->text);
        name->text = joined;
    }
}

static bool is_option_name(const char *text)
{
    gsize length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:/");
    return length > 0 && length < 80 && text[length] == '\0' && strstr(text, "//") == NULL;
}

/* The parts of a call, taken apart once. */
typedef struct Call {
    const Facts *facts;
    char *function;
    guint n;                     /* arguments without a name */
    TSNode first, second, named; /* named: the one that is called a default, or a block */
    TSNode object;               /* before the method */
    int depth;
} Call;

static TSNode default_argument(const Call *call)
{
    return ts_node_is_null(call->named) ? call->second : call->named;
}

/* os.getenv("X", "default") */
static Value read_variable(const Call *call)
{
    Value value = {.text = NULL};
    g_auto(Value) name = value_of(call->facts, call->first, call->depth + 1);
    value.variable = name.text == NULL ? facts_name(call->facts, call->first) : g_steal_pointer(&name.text);
    value_take_default(call->facts, &value, default_argument(call), true, call->depth);
    return value;
}

/* env::var("X").unwrap_or("default"), "text".to_string(). False: the object says nothing. */
static bool read_method(const Call *call, Value *ret_value)
{
    if (ts_node_is_null(call->object) || call->depth >= VALUE_DEPTH_MAX - 4)
        return false;
    Value object = value_of(call->facts, call->object, call->depth + 2);
    bool reads = object.variable != NULL || object.option != NULL;
    if (!reads && (call->n > 0 || object.text == NULL)) {
        value_clear(&object);
        return false;
    }
    if (reads && call->n >= 1 && !is_other_method(call->function))
        value_take_default(call->facts, &object, call->first, true, call->depth);
    *ret_value = object;
    return true;
}

/* getEnv("DB_HOST", "localhost") of the project's own, flag.String("db-url", "..."). False: it is named otherwise. */
static bool read_option(const Call *call, Value *ret_value)
{
    bool named = !ts_node_is_null(call->named);
    if (call->n < 1 || (call->n < 2 && !named))
        return false;
    g_auto(Value) name = value_of(call->facts, call->first, call->depth + 1);
    add_section(call->facts, &name, call->object, call->second, named, call->depth);
    if (name.text == NULL || !is_option_name(name.text) || is_other_method(call->function))
        return false;
    NameMeaning meaning = name_meaning(name.text);
    bool variable = name_is_variable(name.text);
    if (meaning.role == ROLE_NONE || (!meaning.database && !variable))
        return false;
    if (variable)
        ret_value->variable = g_steal_pointer(&name.text);
    else
        ret_value->option = g_steal_pointer(&name.text);
    value_take_default(call->facts, ret_value, default_argument(call), false, call->depth);
    return true;
}

Value call_value(const Facts *facts, const Fact *fact, int depth)
{
    Value value = {.text = NULL};
    g_autofree char *function = facts_function(facts, fact);
    char *generic = strchr(function, '<'); /* configService.get<string>(...) */
    if (generic != NULL)
        *generic = '\0';
    Call call = {.facts = facts, .function = function, .n = argument_count(facts, fact->second), .depth = depth};
    call.first = argument(facts, fact->second, 0);
    call.second = argument(facts, fact->second, 1);
    call.named = named_default(facts, fact->second);
    if (ts_node_is_null(call.named)) /* Ruby: ENV.fetch("X") { "default" } */
        call.named = ts_node_child_by_field_name(fact->node, "block", 5);
    call.object = receiver(fact);
    if (call.n >= 1 && value_is_listed(facts->source->language->env_read, function))
        return read_variable(&call);
    if (read_method(&call, &value) || read_option(&call, &value))
        return value;
    if (call.n == 1 && ts_node_is_null(call.named) && !function_talks(function))
        return value_of(facts, call.first, depth + 1); /* str("..."), String::from("..."), new URL("...") */
    return value;
}

Value facts_argument(const Facts *facts, const Fact *call)
{
    if (argument_count(facts, call->second) != 1)
        return (Value){.text = NULL};
    TSNode only = argument(facts, call->second, 0);
    Value value = value_of(facts, only, 1);
    if (value.text == NULL) {
        TSNode inner = first_string(facts, only);
        if (!ts_node_is_null(inner)) {
            value_clear(&value);
            value = value_of(facts, inner, 1);
        }
    }
    return value;
}

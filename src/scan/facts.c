#include "scan/facts.h"

#include <string.h>

#include "scan/connection.h"
#include "scan/names.h"
#include "scan/talk.h"

#define DEPTH_MAX 12

static Value value_of(const Facts *facts, TSNode node, int depth);

void value_clear(Value *value)
{
    g_clear_pointer(&value->text, g_free);
    g_clear_pointer(&value->variable, g_free);
    g_clear_pointer(&value->option, g_free);
}

const Fact *facts_of(const Facts *facts, TSNode node)
{
    gpointer index = g_hash_table_lookup(facts->by_node, node.id);
    return index == NULL ? NULL : &g_array_index(facts->all, Fact, GPOINTER_TO_UINT(index) - 1);
}

static char *plain_text(const Source *source, guint start, guint end)
{
    end = MIN(end, start + 300);
    GString *text = g_string_new(NULL);
    for (guint i = start; i < end; i++) {
        char c = source->text[i];
        if (!g_ascii_isspace(c) && c != '\0' && c != '?' && c != '!')
            g_string_append_c(text, c);
    }
    return g_string_free(text, FALSE);
}

char *facts_text(const Facts *facts, TSNode node)
{
    return plain_text(facts->source, ts_node_start_byte(node), ts_node_end_byte(node));
}

char *facts_name(const Facts *facts, TSNode node)
{
    char *text = facts_text(facts, node);
    /* x["y"], x.y, x->y, x::y, :y, "y", $y, @y, *y */
    gsize length = strlen(text);
    while (length > 0 && strchr("\"'`])}:;", text[length - 1]) != NULL)
        text[--length] = '\0';
    char *start = text + length;
    while (start > text &&
           (g_ascii_isalnum(start[-1]) || start[-1] == '_' || start[-1] == '-' || (start[-1] & 0x80) != 0))
        start--;
    memmove(text, start, strlen(start) + 1);
    return text;
}

static void add_text(GString *to, const Source *source, guint start, guint end)
{
    g_string_append_len(to, source->text + start, (gssize)(end - start));
}

static void add_escape(GString *to, const Source *source, guint start, guint end)
{
    const char *text = source->text + start;
    if (end - start == 2 && text[0] == '\\')
        g_string_append_c(to, text[1] == 'n' ? '\n' : text[1] == 't' ? '\t' : text[1]);
    else
        add_text(to, source, start, end);
}

static bool kind_says(const char *kind, const char *word)
{
    return strstr(kind, word) != NULL;
}

/* A literal without parts of its own: what stands between its quotes. */
static char *opaque_text(const Source *source, guint start, guint end)
{
    const char *text = source->text;
    while (start < end && g_ascii_isalpha(text[start]) && end - start > 2 && strchr("\"'`#\\", text[start + 1]) != NULL)
        start++;
    while (end - start >= 2 && text[start] == '#' && text[end - 1] == '#') {
        start++;
        end--;
    }
    if (end - start >= 6 && memcmp(text + start, text + end - 3, 3) == 0 && strchr("\"'", text[start]) != NULL &&
        text[start] == text[start + 1])
        return g_strndup(text + start + 3, end - start - 6);
    if (end - start >= 2 && strchr("\"'`", text[start]) != NULL && text[end - 1] == text[start])
        return g_strndup(text + start + 1, end - start - 2);
    return g_strndup(text + start, end - start);
}

static void append_string(const Facts *facts, TSNode node, GString *to, bool *ret_parts, int depth)
{
    const Source *source = facts->source;
    guint n = ts_node_child_count(node);
    if (n > 200)
        n = 200;
    for (guint i = 0; i < n; i++) {
        TSNode child = ts_node_child(node, i);
        if (!ts_node_is_named(child))
            continue;
        const char *kind = ts_node_type(child);
        guint start = ts_node_start_byte(child), end = ts_node_end_byte(child);
        if (kind_says(kind, "content") || kind_says(kind, "fragment") || kind_says(kind, "text") ||
            kind_says(kind, "scalar")) {
            *ret_parts = true;
            guint inner = ts_node_named_child_count(child), at = start;
            for (guint j = 0; j < MIN(inner, 200); j++) {
                TSNode part = ts_node_named_child(child, j);
                add_text(to, source, at, ts_node_start_byte(part));
                add_escape(to, source, ts_node_start_byte(part), ts_node_end_byte(part));
                at = ts_node_end_byte(part);
            }
            add_text(to, source, at, end);
        } else if (kind_says(kind, "escape")) {
            *ret_parts = true;
            add_escape(to, source, start, end);
        } else if (kind_says(kind, "start") || kind_says(kind, "end") || kind_says(kind, "prefix") ||
                   kind_says(kind, "comment")) {
            continue;
        } else {
            *ret_parts = true;
            g_auto(Value) hole = value_of(facts, child, depth + 1);
            if (hole.text != NULL && hole.variable == NULL && hole.option == NULL && !hole.several)
                g_string_append(to, hole.text);
            else
                g_string_append_c(to, CONNECTION_HOLE);
        }
    }
}

static char *string_text(const Facts *facts, TSNode node, int depth)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool parts = false;
    append_string(facts, node, text, &parts, depth);
    guint start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    if (!parts)
        return opaque_text(facts->source, start, end);
    return g_strdup(text->str);
}

static Value concat_value(const Facts *facts, const Fact *fact, int depth)
{
    Value value = {.start = ts_node_start_byte(fact->node), .end = ts_node_end_byte(fact->node)};
    GString *text = g_string_new(NULL);
    guint n = MIN(ts_node_named_child_count(fact->node), 100u);
    for (guint i = 0; i < n; i++) {
        g_auto(Value) part = value_of(facts, ts_node_named_child(fact->node, i), depth + 1);
        if (part.text != NULL && part.variable == NULL && part.option == NULL && !part.several)
            g_string_append(text, part.text);
        else
            g_string_append_c(text, CONNECTION_HOLE);
    }
    value.text = g_string_free(text, FALSE);
    return value;
}

/* The value of a name: the one literal or variable that it is bound to. */
static Value bound_value(const Facts *facts, TSNode node, int depth)
{
    g_autofree char *name = facts_name(facts, node);
    GArray *places = g_hash_table_lookup(facts->bound, name);
    Value found = {.text = NULL};
    guint literals = 0;
    for (guint i = 0; places != NULL && i < MIN(places->len, 8u); i++) {
        const Fact *fact = &g_array_index(facts->all, Fact, g_array_index(places, guint, i));
        if (ts_node_is_null(fact->second) || ts_node_eq(fact->second, node))
            continue;
        g_auto(Value) value = value_of(facts, fact->second, depth + 2);
        if (value.variable != NULL && found.variable == NULL)
            found.variable = g_strdup(value.variable);
        if (value.text == NULL || value.fallback) /* its default is judged where it stands */
            continue;
        if (literals++ == 0) {
            found.text = g_steal_pointer(&value.text);
            found.start = value.start;
            found.end = value.end;
        } else if (strcmp(found.text, value.text) != 0) {
            found.several = true;
        }
    }
    return found;
}

static bool is_listed(char **list, const char *text)
{
    for (guint i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

static bool ends_with_word(char **list, const char *text)
{
    if (is_listed(list, text))
        return true;
    for (guint i = 0; list[i] != NULL; i++)
        if (g_str_has_prefix(list[i], "*") && g_str_has_suffix(text, list[i] + 1))
            return true;
    return false;
}

/* Arguments that are values: those with a name ("default=...") are left out unless name asks for one. */
static TSNode argument(const Facts *facts, TSNode arguments, guint wanted, const char *const *names)
{
    guint seen = 0;
    TSNode none = {0};
    if (ts_node_is_null(arguments))
        return none;
    guint n = MIN(ts_node_named_child_count(arguments), 50u);
    for (guint i = 0; i < n; i++) {
        TSNode child = ts_node_named_child(arguments, i);
        const Fact *fact = facts_of(facts, child);
        const char *kind = ts_node_type(child);
        if (kind_says(kind, "comment"))
            continue;
        if (fact != NULL && fact->kind == FACT_BIND && !ts_node_is_null(fact->first) && kind_says(kind, "argument")) {
            g_autofree char *name = facts_name(facts, fact->first);
            if (names != NULL && g_strv_contains(names, name))
                return fact->second;
            continue;
        }
        if (names == NULL && seen++ == wanted)
            return child;
    }
    return none;
}

static guint argument_count(const Facts *facts, TSNode arguments)
{
    guint n = 0;
    while (n < 6 && !ts_node_is_null(argument(facts, arguments, n, NULL)))
        n++;
    return n;
}

/* The first literal within a node: the body of a lambda or a block. */
static TSNode first_string(const Facts *facts, TSNode node, int depth)
{
    const Fact *fact = facts_of(facts, node);
    if (fact != NULL && (fact->kind == FACT_STRING || fact->kind == FACT_CONCAT))
        return node;
    guint n = MIN(ts_node_named_child_count(node), 20u);
    for (guint i = 0; i < n && depth < 6; i++) {
        TSNode found = first_string(facts, ts_node_named_child(node, i), depth + 1);
        if (!ts_node_is_null(found))
            return found;
    }
    return (TSNode){0};
}

static void take_default(const Facts *facts, Value *value, TSNode node, bool inside, int depth)
{
    if (ts_node_is_null(node))
        return;
    g_auto(Value) found = value_of(facts, node, depth + 1);
    if (found.text == NULL && inside) {
        TSNode inner = first_string(facts, node, 0);
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
    if (!ts_node_is_null(call->first))
        return ts_node_named_child_count(call->first) < 1 ? (TSNode){0} : ts_node_named_child(call->first, 0);
    static const char *const FIELDS[] = {"object", "receiver", "scope", NULL};
    for (guint i = 0; FIELDS[i] != NULL; i++) {
        TSNode found = ts_node_child_by_field_name(call->node, FIELDS[i], (uint32_t)strlen(FIELDS[i]));
        if (!ts_node_is_null(found))
            return found;
    }
    return (TSNode){0};
}

/* What is called: "os.environ.get". Grammars without a node for it: what stands before the arguments. */
char *facts_function(const Facts *facts, const Fact *call)
{
    if (!ts_node_is_null(call->first))
        return facts_text(facts, call->first);
    guint start = ts_node_start_byte(call->node);
    guint end = ts_node_is_null(call->second) ? ts_node_end_byte(call->node) : ts_node_start_byte(call->second);
    return plain_text(facts->source, start, end);
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

static Value call_value(const Facts *facts, const Fact *fact, int depth)
{
    static const char *const DEFAULTS[] = {"default",      "fallback",     "default_value", "defaultValue",   "def",
                                           "DefaultValue", "cast_default", "initial",       "server_default", NULL};
    const Language *language = facts->source->language;
    Value value = {.text = NULL};
    g_autofree char *function = facts_function(facts, fact);
    char *generic = strchr(function, '<'); /* configService.get<string>(...) */
    if (generic != NULL)
        *generic = '\0';
    guint n = argument_count(facts, fact->second);
    TSNode first = argument(facts, fact->second, 0, NULL), second = argument(facts, fact->second, 1, NULL);
    TSNode named = argument(facts, fact->second, 0, DEFAULTS);
    if (ts_node_is_null(named)) /* Ruby: ENV.fetch("X") { "default" } */
        named = ts_node_child_by_field_name(fact->node, "block", 5);
    if (ends_with_word(language->env_read, function) && n >= 1) {
        g_auto(Value) name = value_of(facts, first, depth + 1);
        value.variable = name.text == NULL ? facts_name(facts, first) : g_steal_pointer(&name.text);
        take_default(facts, &value, ts_node_is_null(named) ? second : named, true, depth);
        return value;
    }
    TSNode before = receiver(fact);
    if (!ts_node_is_null(before) && depth < DEPTH_MAX - 4) {
        g_auto(Value) object = value_of(facts, before, depth + 2);
        if (object.variable != NULL || object.option != NULL) {
            value.variable = g_steal_pointer(&object.variable);
            value.option = g_steal_pointer(&object.option);
            value.text = g_steal_pointer(&object.text);
            value.fallback = object.fallback;
            value.start = object.start;
            value.end = object.end;
            value.several = object.several;
            if (n >= 1 && !is_other_method(function))
                take_default(facts, &value, first, true, depth);
            return value;
        }
        if (n == 0 && object.text != NULL) {
            value = object;
            object = (Value){.text = NULL};
            return value;
        }
    }
    if (n >= 1 && (n >= 2 || !ts_node_is_null(named))) {
        g_auto(Value) name = value_of(facts, first, depth + 1);
        add_section(facts, &name, before, second, !ts_node_is_null(named), depth);
        if (name.text != NULL && is_option_name(name.text)) {
            NameMeaning meaning = name_meaning(name.text);
            bool role = meaning.role != ROLE_NONE && (meaning.database || name_is_variable(name.text));
            if (role && !is_other_method(function)) {
                if (name_is_variable(name.text))
                    value.variable = g_steal_pointer(&name.text);
                else
                    value.option = g_steal_pointer(&name.text);
                take_default(facts, &value, ts_node_is_null(named) ? second : named, false, depth);
                return value;
            }
        }
    }
    if (n == 1 && ts_node_is_null(named) && !function_talks(function))
        return value_of(facts, first, depth + 1); /* str("..."), String::from("..."), new URL("...") */
    return value;
}

static Value or_value(const Facts *facts, const Fact *fact, int depth)
{
    g_auto(Value) left = value_of(facts, fact->first, depth + 1);
    if (left.variable == NULL && left.option == NULL) {
        if (left.text != NULL && *left.text != '\0') { /* the literal is on the left: a ternary the other way round */
            g_auto(Value) right = value_of(facts, fact->second, depth + 1);
            if (right.variable != NULL) {
                left.variable = g_steal_pointer(&right.variable);
                left.fallback = true;
            }
            Value found = left;
            left = (Value){.text = NULL};
            return found;
        }
        left.option = facts_name(facts, fact->first);
    }
    take_default(facts, &left, fact->second, true, depth);
    Value value = left;
    left = (Value){.text = NULL};
    return value;
}

static Value index_value(const Facts *facts, const Fact *fact, int depth)
{
    Value value = {.text = NULL};
    g_autofree char *object = facts_text(facts, fact->first);
    if (ends_with_word(facts->source->language->env_maps, object)) {
        const Fact *key = facts_of(facts, fact->second);
        value.variable = key != NULL && key->kind == FACT_STRING ? string_text(facts, fact->second, depth)
                                                                 : facts_name(facts, fact->second);
    } else {
        return bound_value(facts, fact->node, depth);
    }
    return value;
}

static bool is_number(const char *text)
{
    gsize length = strspn(text, "0123456789_");
    return length > 0 && length < 8 && text[length] == '\0';
}

static Value value_of(const Facts *facts, TSNode node, int depth)
{
    Value value = {.text = NULL};
    if (ts_node_is_null(node) || depth > DEPTH_MAX)
        return value;
    const Fact *fact = facts_of(facts, node);
    guint start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    if (fact == NULL) {
        guint children = ts_node_named_child_count(node);
        if (children == 1)
            return value_of(facts, ts_node_named_child(node, 0), depth + 1);
        if (end - start > 120)
            return value;
        if (children == 0) {
            g_autofree char *text = g_strndup(facts->source->text + start, end - start);
            if (is_number(text))
                return (Value){.text = g_steal_pointer(&text), .start = start, .end = end};
        }
        return bound_value(facts, node, depth);
    }
    switch (fact->kind) {
    case FACT_STRING:
        return (Value){.text = string_text(facts, node, depth), .start = start, .end = end};
    case FACT_CONCAT:
        return concat_value(facts, fact, depth);
    case FACT_CALL:
        return call_value(facts, fact, depth);
    case FACT_INDEX:
        return index_value(facts, fact, depth);
    case FACT_OR:
        return or_value(facts, fact, depth);
    case FACT_BIND:
        return value_of(facts, fact->second, depth + 1);
    case FACT_NONE:
    case FACT_COMMENT:
        return value;
    }
    return value;
}

Value facts_argument(const Facts *facts, const Fact *call)
{
    if (argument_count(facts, call->second) != 1)
        return (Value){.text = NULL};
    TSNode only = argument(facts, call->second, 0, NULL);
    Value value = value_of(facts, only, 1);
    if (value.text == NULL) {
        TSNode inner = first_string(facts, only, 0);
        if (!ts_node_is_null(inner))
            value = value_of(facts, inner, 1);
    }
    return value;
}

Value facts_value(const Facts *facts, TSNode node)
{
    return value_of(facts, node, 0);
}

static void bind_name(Facts *facts, const Fact *fact, guint index)
{
    if (fact->kind != FACT_BIND || ts_node_is_null(fact->first) || ts_node_is_null(fact->second))
        return;
    /* Keys and parameters are no names that code refers to. */
    const char *kind = ts_node_type(fact->node);
    if (kind_says(kind, "pair") || kind_says(kind, "argument") || kind_says(kind, "element") ||
        kind_says(kind, "parameter"))
        return;
    char *name = facts_name(facts, fact->first);
    GArray *places = g_hash_table_lookup(facts->bound, name);
    if (places == NULL) {
        places = g_array_new(FALSE, FALSE, sizeof(guint));
        g_hash_table_insert(facts->bound, name, places);
    } else {
        g_free(name);
    }
    g_array_append_val(places, index);
}

static void take_match(Facts *facts, const TSQueryMatch *match, const LanguageCapture *captures)
{
    Fact fact = {.kind = FACT_NONE};
    for (guint i = 0; i < match->capture_count; i++) {
        LanguageCapture capture = captures[match->captures[i].index];
        TSNode node = match->captures[i].node;
        if (capture.role == CAPTURE_WHOLE) {
            fact.kind = capture.kind;
            fact.node = node;
        } else if (capture.role == CAPTURE_FIRST && ts_node_is_null(fact.first)) {
            fact.first = node;
        } else if (capture.role == CAPTURE_SECOND && ts_node_is_null(fact.second)) {
            fact.second = node;
        }
    }
    if (fact.kind == FACT_NONE)
        return;
    if (fact.kind == FACT_BIND && !ts_node_is_null(fact.second)) {
        /* A declaration may bind several names: each is a fact of its own value. */
        gpointer known = g_hash_table_lookup(facts->by_node, fact.node.id);
        g_array_append_val(facts->all, fact);
        if (known == NULL)
            g_hash_table_insert(facts->by_node, (gpointer)fact.node.id, GUINT_TO_POINTER(facts->all->len));
        return;
    }
    if (g_hash_table_contains(facts->by_node, fact.node.id) && fact.kind != FACT_CALL)
        return;
    g_array_append_val(facts->all, fact);
    g_hash_table_insert(facts->by_node, (gpointer)fact.node.id, GUINT_TO_POINTER(facts->all->len));
}

Facts *facts_read(const Source *source)
{
    Facts *facts = g_new0(Facts, 1);
    facts->source = source;
    facts->all = g_array_new(FALSE, FALSE, sizeof(Fact));
    facts->by_node = g_hash_table_new(NULL, NULL);
    facts->bound = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    const LanguageCapture *captures;
    const TSQuery *query = language_query(source->language, &captures);
    TSQueryCursor *cursor = ts_query_cursor_new();
    ts_query_cursor_exec(cursor, query, ts_tree_root_node(source->tree));
    TSQueryMatch match;
    while (ts_query_cursor_next_match(cursor, &match))
        take_match(facts, &match, captures);
    ts_query_cursor_delete(cursor);
    for (guint i = 0; i < facts->all->len; i++)
        bind_name(facts, &g_array_index(facts->all, Fact, i), i);
    return facts;
}

void facts_free(Facts *facts)
{
    if (facts == NULL)
        return;
    g_array_unref(facts->all);
    g_hash_table_unref(facts->by_node);
    g_hash_table_unref(facts->bound);
    g_free(facts);
}

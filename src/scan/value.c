#include <string.h>

#include "scan/connection.h"
#include "scan/names.h"
#include "scan/talk.h"
#include "scan/value.h"

void value_clear(Value *value)
{
    g_clear_pointer(&value->text, g_free);
    g_clear_pointer(&value->variable, g_free);
    g_clear_pointer(&value->option, g_free);
}

static bool is_listed(char **list, const char *text)
{
    for (guint i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

bool value_is_listed(char **list, const char *text)
{
    if (is_listed(list, text))
        return true;
    for (guint i = 0; list[i] != NULL; i++)
        if (g_str_has_prefix(list[i], "*") && g_str_has_suffix(text, list[i] + 1))
            return true;
    return false;
}

static void add_text(GString *to, const Source *source, guint start, guint end)
{
    if (to->len < VALUE_TEXT_MAX)
        g_string_append_len(to, source->text + start, (gssize)MIN(end - start, VALUE_TEXT_MAX));
}

static void add_escape(GString *to, const Source *source, guint start, guint end)
{
    const char *text = source->text + start;
    if (end - start == 2 && text[0] == '\\')
        g_string_append_c(to, text[1] == 'n' ? '\n' : text[1] == 't' ? '\t' : text[1]);
    else
        add_text(to, source, start, end);
}

/* A literal without parts of its own: what stands between its quotes. */
static char *opaque_text(const Source *source, guint start, guint end)
{
    const char *text = source->text;
    end = MIN(end, start + VALUE_TEXT_MAX);
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
    for (guint i = 0; i < n && text->len < VALUE_TEXT_MAX; i++) {
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
    g_autofree char *name = value_bound_name(facts, node);
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

char *facts_variable_elsewhere(const Facts *facts, const Fact *bind)
{
    *facts->steps = 0;
    g_autofree char *name = value_bound_name(facts, bind->first);
    GArray *places = g_hash_table_lookup(facts->bound, name);
    for (guint i = 0; places != NULL && i < MIN(places->len, 8u); i++) {
        const Fact *fact = &g_array_index(facts->all, Fact, g_array_index(places, guint, i));
        if (ts_node_eq(fact->second, bind->second))
            continue;
        g_auto(Value) value = value_of(facts, fact->second, 2);
        if (value.variable != NULL && (value.text == NULL || *value.text == '\0'))
            return g_steal_pointer(&value.variable);
    }
    return NULL;
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
        g_auto(Value) right = value_of(facts, fact->second, depth + 1);
        if (right.variable != NULL) { /* given or os.environ.get("X") */
            Value found = right;
            right = (Value){.text = NULL};
            return found;
        }
        left.option = facts_name(facts, fact->first);
    }
    value_take_default(facts, &left, fact->second, true, depth);
    Value value = left;
    left = (Value){.text = NULL};
    return value;
}

static Value index_value(const Facts *facts, const Fact *fact, int depth)
{
    Value value = {.text = NULL};
    g_autofree char *object = facts_text(facts, fact->first);
    if (value_is_listed(facts->source->language->env_maps, object)) {
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

Value value_of(const Facts *facts, TSNode node, int depth)
{
    Value value = {.text = NULL};
    if (ts_node_is_null(node) || depth > VALUE_DEPTH_MAX || ++*facts->steps > VALUE_STEPS_MAX)
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

Value facts_value(const Facts *facts, TSNode node)
{
    *facts->steps = 0;
    return value_of(facts, node, 0);
}

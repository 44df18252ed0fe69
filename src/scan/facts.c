#include "scan/facts.h"

#include <string.h>

#include "scan/value.h"

#define DEPTH_MAX 1000 /* nodes around a node: deeper ones are no code, and a cursor takes the square of it */

const Fact *facts_of(const Facts *facts, TSNode node)
{
    gpointer index = g_hash_table_lookup(facts->by_node, node.id);
    return index == NULL ? NULL : &g_array_index(facts->all, Fact, GPOINTER_TO_UINT(index) - 1);
}

char *value_plain_text(const Source *source, guint start, guint end)
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
    return value_plain_text(facts->source, ts_node_start_byte(node), ts_node_end_byte(node));
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

char *value_bound_name(const Facts *facts, TSNode node)
{
    char *text = facts_text(facts, node);
    if (g_str_has_prefix(text, "self.") || g_str_has_prefix(text, "this."))
        return text;
    g_free(text);
    return facts_name(facts, node);
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
    char *name = value_bound_name(facts, fact->first);
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

static bool is_late(TSQueryCursorState *state)
{
    return source_is_late(state->payload);
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
    ts_query_cursor_set_max_start_depth(cursor, DEPTH_MAX);
    TSQueryCursorOptions options = {(void *)source, is_late};
    ts_query_cursor_exec_with_options(cursor, query, ts_tree_root_node(source->tree), &options);
    TSQueryMatch match;
    while (!source_is_late(source) && ts_query_cursor_next_match(cursor, &match))
        take_match(facts, &match, captures);
    ts_query_cursor_delete(cursor);
    for (guint i = 0; i < facts->all->len; i++)
        bind_name(facts, &g_array_index(facts->all, Fact, i), i);
    facts->parents = parents_read(source->tree, facts->by_node);
    facts->values = g_hash_table_new_full(NULL, NULL, NULL, value_free);
    facts->names = g_ptr_array_new();
    return facts;
}

void facts_free(Facts *facts)
{
    if (facts == NULL)
        return;
    g_array_unref(facts->all);
    g_hash_table_unref(facts->by_node);
    g_hash_table_unref(facts->bound);
    parents_free(facts->parents);
    g_hash_table_unref(facts->values);
    g_ptr_array_unref(facts->names);
    g_free(facts);
}

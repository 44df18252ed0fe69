#include "scan/context.h"

#include <string.h>

#include "scan/talk.h"

#define CLIMB_MAX 40 /* levels of a tree that are looked up */

static bool says_any(const char *kind, const char *const *words)
{
    for (guint i = 0; words[i] != NULL; i++)
        if (strstr(kind, words[i]) != NULL)
            return true;
    return false;
}

/* Things that hold settings which belong together: a dictionary, the arguments of a call, a mapping of YAML. */
static bool is_container(TSNode node)
{
    static const char *const KINDS[] = {"dict",    "parameter", "token_tree",    "object", "argument",    "map",
                                        "hash",    "array",     "literal_value", "record", "initializer", "table",
                                        "keyword", "body",      "document",      NULL};
    static const char *const NEVER[] = {"type", "function_body", "class_body", "declaration_list", "pair", NULL};
    const char *kind = ts_node_type(node);
    return says_any(kind, KINDS) && !says_any(kind, NEVER);
}

guint context_container(Reader *reader, TSNode node)
{
    gpointer known = g_hash_table_lookup(reader->containers, node.id);
    if (known == NULL) {
        known = GUINT_TO_POINTER(source_container(reader->source, 0));
        g_hash_table_insert(reader->containers, (gpointer)node.id, known);
    }
    return GPOINTER_TO_UINT(known);
}

/* "asyncpg.connect(", "config :app, App.Repo": what stands in front of the first setting. */
static char *owner_text(const Reader *reader, TSNode container)
{
    TSNode parent = parents_of(reader->facts->parents, container);
    if (ts_node_is_null(parent))
        return NULL;
    const char *kind = ts_node_type(parent);
    static const char *const KINDS[] = {"call",      "creation",   "new",       "invocation",  "composite", "struct",
                                        "attribute", "annotation", "arguments", "constructor", NULL};
    if (!says_any(kind, KINDS))
        return NULL;
    if (strstr(kind, "argument") != NULL)
        parent = parents_of(reader->facts->parents, parent);
    guint start = ts_node_start_byte(parent), end = ts_node_start_byte(container);
    if (strstr(ts_node_type(container), "keyword") != NULL || end <= start)
        end = MAX(end, start + 1);
    return source_slice(reader->source, start, MIN(end, start + 100));
}

/* A class whose fields are settings, by its name, what it extends or its annotations. */
static bool is_settings_class(const Reader *reader, TSNode node)
{
    static const char *const WORDS[] = {"Settings", "Config", "Options", "dataclass", "Properties",
                                        "attrs",    "attr.s", "@define", NULL};
    TSNode above = parents_of(reader->facts->parents, node);
    guint start = ts_node_start_byte(node), end = MIN(ts_node_end_byte(node), start + 300);
    if (!ts_node_is_null(above) && strstr(ts_node_type(above), "decorated") != NULL)
        start = ts_node_start_byte(above);
    TSNode body = ts_node_child_by_field_name(node, "body", 4);
    if (!ts_node_is_null(body))
        end = ts_node_start_byte(body);
    g_autofree char *head = source_slice(reader->source, start, MAX(start, end));
    return says_any(head, WORDS);
}

/* A function or class: what stands around it says nothing of what is in it. */
static bool is_scope(const char *kind)
{
    static const char *const KINDS[] = {"function", "method", "class", "lambda", "closure", NULL};
    static const char *const NEVER[] = {"call", "invocation", "arg", "param", "type", NULL};
    return says_any(kind, KINDS) && !says_any(kind, NEVER);
}

/* Names of the bindings around node, the outermost first, joined by "."; the innermost is taken to *ret_name. */
void context_add(Reader *reader, Setting *setting, TSNode node)
{
    g_autoptr(GString) path = g_string_new(NULL);
    bool inner = true;
    guint below = 0;
    TSNode child = node;
    TSNode at = node;
    for (guint i = 0; i < CLIMB_MAX && !ts_node_is_null(at); i++) {
        const Fact *fact = facts_of(reader->facts, at);
        const char *kind = ts_node_type(at);
        g_autofree char *name = NULL;
        if (fact != NULL && fact->kind == FACT_BIND && !ts_node_is_null(fact->second) &&
            !ts_node_is_null(fact->first) && (ts_node_eq(at, node) || !ts_node_eq(child, fact->first)))
            name = facts_name(reader->facts, fact->first);
        else if (strcmp(kind, "table") == 0 || strcmp(kind, "table_array_element") == 0)
            name = facts_text(reader->facts, ts_node_named_child(at, 0));
        if (name != NULL && *name != '\0') {
            if (inner && setting->name == NULL)
                setting->name = g_strdup(name);
            if (path->len > 0)
                g_string_prepend_c(path, '.');
            g_string_prepend(path, name);
            inner = false;
        }
        if (!inner && (i > 0 || strcmp(kind, "token_tree") == 0) &&
            (fact == NULL || fact->kind != FACT_BIND || i == 0) && is_container(at)) {
            guint number = context_container(reader, at);
            if (setting->container == 0) {
                setting->container = number;
                g_free(setting->owner);
                setting->owner = owner_text(reader, at);
            } else if (below != number) {
                g_array_index(reader->source->parents, guint, below) = number;
            }
            below = number;
        }
        if (setting->container == 0 && inner && i > 0 && strstr(kind, "argument") != NULL) {
            setting->owner = setting->owner != NULL ? setting->owner : owner_text(reader, at);
        }
        if (strstr(kind, "class") != NULL || strstr(kind, "struct_item") != NULL ||
            strstr(kind, "record_declaration") != NULL)
            setting->settings_class = is_settings_class(reader, at);
        if (is_scope(kind)) {
            if (setting->scope == 0)
                setting->scope = context_container(reader, at);
            if (setting->owner == NULL && strstr(kind, "class") != NULL)
                setting->owner = source_slice(reader->source, ts_node_start_byte(at),
                                              MIN(ts_node_start_byte(at) + 60, ts_node_start_byte(child)));
            if (strstr(kind, "body") == NULL)
                break;
        }
        child = at;
        at = parents_of(reader->facts->parents, at);
    }
    if (path->len > 0) {
        g_free(setting->path);
        setting->path = g_strdup(path->str);
    }
}

/* A shell's command that only says something. */
static bool is_echo(const Reader *reader, TSNode command)
{
    g_autofree char *name = facts_text(reader->facts, ts_node_named_child(command, 0));
    static const char *const NAMES[] = {"echo", "printf", "die", "warn", "log", "info", "error", "fail", "usage", NULL};
    return g_strv_contains(NAMES, name);
}

/* "${NAME:?message}" */
static bool is_demand(TSNode expansion)
{
    guint n = MIN(ts_node_child_count(expansion), 8u);
    for (guint i = 0; i < n; i++) {
        const char *kind = ts_node_type(ts_node_child(expansion, i));
        if (strcmp(kind, ":?") == 0 || strcmp(kind, "?") == 0)
            return true;
    }
    return false;
}

/* A literal of a message, a comparison, a help text: it leads nowhere. */
bool context_is_prose(const Reader *reader, TSNode node)
{
    TSNode at = node;
    for (guint i = 0; i < 8; i++) {
        TSNode parent = parents_of(reader->facts->parents, at);
        if (ts_node_is_null(parent))
            break;
        const char *kind = ts_node_type(parent);
        if (strcmp(kind, "command") == 0 && is_echo(reader, parent))
            return true;
        if (strcmp(kind, "expansion") == 0 && is_demand(parent))
            return true;
        static const char *const RAISES[] = {
            "raise", "throw",         "comparison", "equality", "assert", "macro_invocation",
            "case",  "match_pattern", "import",     "when",     NULL};
        if (says_any(kind, RAISES) && strstr(kind, "switch_body") == NULL) {
            if (strcmp(kind, "macro_invocation") == 0 || strstr(kind, "case") != NULL) {
                g_autofree char *text = facts_text(reader->facts, ts_node_named_child(parent, 0));
                if (strstr(kind, "case") != NULL ? i == 0 : function_talks(text))
                    return true;
            } else {
                return true;
            }
        }
        if (strstr(kind, "binary") != NULL) {
            TSNode operator= ts_node_child_by_field_name(parent, "operator", 8);
            if (!ts_node_is_null(operator)) {
                const char *sign = ts_node_type(operator);
                if (strcmp(sign, "==") == 0 || strcmp(sign, "!=") == 0 || strcmp(sign, "===") == 0 ||
                    strcmp(sign, "!==") == 0 || strcmp(sign, "=~") == 0 || strcmp(sign, "in") == 0)
                    return true;
            }
        }
        const Fact *fact = facts_of(reader->facts, parent);
        if (fact != NULL && fact->kind == FACT_CALL) {
            g_autofree char *function = facts_function(reader->facts, fact);
            if (function_talks(function))
                return true;
        }
        if (fact != NULL && fact->kind == FACT_BIND && !ts_node_is_null(fact->first)) {
            g_autofree char *name = facts_name(reader->facts, fact->first);
            return name_is_prose(name);
        }
        if (strstr(kind, "block") != NULL || strcmp(kind, "program") == 0 || strcmp(kind, "module") == 0)
            break;
        at = parent;
    }
    return false;
}

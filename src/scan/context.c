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

/* One step up from a setting's own node. */
typedef struct Climb {
    Reader *reader;
    Setting *setting;
    GString *path;    /* names of the bindings so far, the outermost first, joined by "." */
    TSNode node;      /* the setting's own */
    TSNode child, at; /* where we came from, and are */
    guint level;
    guint below; /* the container that was met last; 0: none yet */
    bool named;  /* a binding was met */
} Climb;

static bool binds(const Fact *fact)
{
    return fact != NULL && fact->kind == FACT_BIND && !ts_node_is_null(fact->second) && !ts_node_is_null(fact->first);
}

static void take_name(Climb *climb, const Fact *fact, const char *kind)
{
    g_autofree char *name = NULL;
    if (binds(fact) && (ts_node_eq(climb->at, climb->node) || !ts_node_eq(climb->child, fact->first)))
        name = facts_name(climb->reader->facts, fact->first);
    else if (strcmp(kind, "table") == 0 || strcmp(kind, "table_array_element") == 0)
        name = facts_text(climb->reader->facts, ts_node_named_child(climb->at, 0));
    if (name == NULL || *name == '\0')
        return;
    if (!climb->named && climb->setting->name == NULL)
        climb->setting->name = g_strdup(name);
    if (climb->path->len > 0)
        g_string_prepend_c(climb->path, '.');
    g_string_prepend(climb->path, name);
    climb->named = true;
}

static void take_container(Climb *climb, const Fact *fact, const char *kind)
{
    Setting *setting = climb->setting;
    bool own = climb->level == 0;
    if (climb->named && (!own || strcmp(kind, "token_tree") == 0) && (own || fact == NULL || fact->kind != FACT_BIND) &&
        is_container(climb->at)) {
        guint number = context_container(climb->reader, climb->at);
        if (setting->container == 0) {
            setting->container = number;
            g_free(setting->owner);
            setting->owner = owner_text(climb->reader, climb->at);
        } else if (climb->below != number) {
            g_array_index(climb->reader->source->parents, guint, climb->below) = number;
        }
        climb->below = number;
    } else if (setting->container == 0 && setting->owner == NULL && !climb->named && !own &&
               strstr(kind, "argument") != NULL) {
        setting->owner = owner_text(climb->reader, climb->at);
    }
}

/* True at a function or class: what stands around it says nothing. */
static bool take_scope(Climb *climb, const char *kind)
{
    Setting *setting = climb->setting;
    bool class = strstr(kind, "class") != NULL;
    if (class || strstr(kind, "struct_item") != NULL || strstr(kind, "record_declaration") != NULL)
        setting->settings_class = is_settings_class(climb->reader, climb->at);
    if (!is_scope(kind))
        return false;
    if (setting->scope == 0)
        setting->scope = context_container(climb->reader, climb->at);
    guint start = ts_node_start_byte(climb->at);
    if (setting->owner == NULL && class)
        setting->owner = source_slice(climb->reader->source, start, MIN(start + 60, ts_node_start_byte(climb->child)));
    return strstr(kind, "body") == NULL;
}

void context_add(Reader *reader, Setting *setting, TSNode node)
{
    g_autoptr(GString) path = g_string_new(NULL);
    Climb climb = {.reader = reader, .setting = setting, .path = path, .node = node, .child = node, .at = node};
    for (; climb.level < CLIMB_MAX && !ts_node_is_null(climb.at); climb.level++) {
        const Fact *fact = facts_of(reader->facts, climb.at);
        const char *kind = ts_node_type(climb.at);
        take_name(&climb, fact, kind);
        take_container(&climb, fact, kind);
        if (take_scope(&climb, kind))
            break;
        climb.child = climb.at;
        climb.at = parents_of(reader->facts->parents, climb.at);
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

/* raise, throw, assert, a comparison, a case: by the kind of the node. */
static bool is_raise(const Reader *reader, TSNode node, guint level)
{
    static const char *const KINDS[] = {"raise",         "throw",  "comparison", "equality", "assert",
                                        "match_pattern", "import", "when",       NULL};
    const char *kind = ts_node_type(node);
    if (strcmp(kind, "macro_invocation") == 0) {
        g_autofree char *name = facts_text(reader->facts, ts_node_named_child(node, 0));
        return function_talks(name);
    }
    if (strstr(kind, "case") != NULL)
        return level == 0;
    return says_any(kind, KINDS) && strstr(kind, "switch_body") == NULL;
}

static bool is_comparison(TSNode node)
{
    static const char *const SIGNS[] = {"==", "!=", "===", "!==", "=~", "in", NULL};
    if (strstr(ts_node_type(node), "binary") == NULL)
        return false;
    TSNode sign = ts_node_child_by_field_name(node, "operator", 8);
    return !ts_node_is_null(sign) && g_strv_contains(SIGNS, ts_node_type(sign));
}

static bool call_talks(const Reader *reader, const Fact *fact)
{
    if (fact == NULL || fact->kind != FACT_CALL)
        return false;
    g_autofree char *function = facts_function(reader->facts, fact);
    return function_talks(function);
}

static bool is_message(const Reader *reader, TSNode node, guint level)
{
    const char *kind = ts_node_type(node);
    return (strcmp(kind, "command") == 0 && is_echo(reader, node)) ||
           (strcmp(kind, "expansion") == 0 && is_demand(node)) || is_raise(reader, node, level) ||
           is_comparison(node) || call_talks(reader, facts_of(reader->facts, node));
}

/* A literal of a message, a comparison, a help text: it leads nowhere. */
bool context_is_prose(const Reader *reader, TSNode node)
{
    TSNode at = node;
    for (guint level = 0; level < 8; level++) {
        at = parents_of(reader->facts->parents, at);
        if (ts_node_is_null(at))
            return false;
        if (is_message(reader, at, level))
            return true;
        const char *kind = ts_node_type(at);
        const Fact *fact = facts_of(reader->facts, at);
        if (fact != NULL && fact->kind == FACT_BIND && !ts_node_is_null(fact->first)) {
            g_autofree char *name = facts_name(reader->facts, fact->first);
            return name_is_prose(name);
        }
        if (strstr(kind, "block") != NULL || strcmp(kind, "program") == 0 || strcmp(kind, "module") == 0)
            return false;
    }
    return false;
}

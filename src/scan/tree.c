#include "scan/tree.h"

#include <string.h>

#include "scan/connection.h"
#include "scan/facts.h"
#include "scan/names.h"
#include "scan/placeholder.h"

#define CLIMB_MAX 40

typedef struct Reader {
    Source *source;
    Facts *facts;
    GHashTable *containers; /* id of a node -> number */
} Reader;

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
    static const char *const KINDS[] = {"dict",    "object",        "argument", "map",         "hash",
                                        "array",   "literal_value", "record",   "initializer", "table",
                                        "keyword", "body",          "document", NULL};
    static const char *const NEVER[] = {"type", "function_body", "class_body", "declaration_list", "pair", NULL};
    const char *kind = ts_node_type(node);
    return says_any(kind, KINDS) && !says_any(kind, NEVER);
}

static guint container_number(Reader *reader, TSNode node)
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
    TSNode parent = ts_node_parent(container);
    if (ts_node_is_null(parent))
        return NULL;
    const char *kind = ts_node_type(parent);
    static const char *const KINDS[] = {"call",      "creation",   "new",       "invocation",  "composite", "struct",
                                        "attribute", "annotation", "arguments", "constructor", NULL};
    if (!says_any(kind, KINDS))
        return NULL;
    if (strstr(kind, "argument") != NULL)
        parent = ts_node_parent(parent);
    guint start = ts_node_start_byte(parent), end = ts_node_start_byte(container);
    if (strstr(ts_node_type(container), "keyword") != NULL || end <= start)
        end = MAX(end, start + 1);
    return source_slice(reader->source, start, MIN(end, start + 100));
}

/* Names of the bindings around node, the outermost first, joined by "."; the innermost is taken to *ret_name. */
static void add_context(Reader *reader, Setting *setting, TSNode node)
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
        if (!inner && i > 0 && is_container(at)) {
            guint number = container_number(reader, at);
            if (setting->container == 0) {
                setting->container = number;
                setting->owner = owner_text(reader, at);
            } else if (below != number) {
                g_array_index(reader->source->parents, guint, below) = number;
            }
            below = number;
        }
        if (setting->container == 0 && inner && i > 0 && strstr(kind, "argument") != NULL) {
            setting->owner = setting->owner != NULL ? setting->owner : owner_text(reader, at);
        }
        if (strstr(kind, "statement") != NULL && !inner)
            break;
        if (strstr(kind, "function") != NULL || strstr(kind, "method") != NULL || strstr(kind, "class") != NULL)
            break;
        child = at;
        at = ts_node_parent(at);
    }
    if (path->len > 0)
        setting->path = g_strdup(path->str);
}

static bool is_talk(const char *function)
{
    static const char *const WORDS[] = {"print",
                                        "log",
                                        "warn",
                                        "error",
                                        "info",
                                        "debug",
                                        "fatal",
                                        "panic",
                                        "raise",
                                        "throw",
                                        "exception",
                                        "abort",
                                        "echo",
                                        "puts",
                                        "usage",
                                        "assert",
                                        "expect",
                                        "describe",
                                        "fail",
                                        "exit",
                                        "write_line",
                                        "writeline",
                                        "message",
                                        "startswith",
                                        "starts_with",
                                        "replace",
                                        "contains",
                                        "includes",
                                        "match",
                                        "equals",
                                        "sprintf_message",
                                        "die",
                                        "notice",
                                        "trace",
                                        "secho",
                                        "help",
                                        "warning",
                                        "critical",
                                        NULL};
    g_autofree char *lower = g_ascii_strdown(function, -1);
    char *paren = strchr(lower, '(');
    if (paren != NULL)
        *paren = '\0';
    const char *last = lower + strlen(lower);
    while (last > lower && (g_ascii_isalnum(last[-1]) || last[-1] == '_'))
        last--;
    for (guint i = 0; WORDS[i] != NULL; i++)
        if (g_str_has_prefix(last, WORDS[i]) || g_str_has_suffix(last, WORDS[i]))
            return true;
    return strstr(lower, "logger") != NULL || strstr(lower, "console.") != NULL || g_str_has_suffix(last, "error");
}

/* A literal of a message, a comparison, a help text: it leads nowhere. */
static bool is_prose(const Reader *reader, TSNode node)
{
    static const char *const NAMES[] = {"help",  "description", "desc",  "message",     "msg",   "example", "examples",
                                        "title", "placeholder", "label", "doc",         "docs",  "summary", "usage",
                                        "hint",  "comment",     "text",  "explanation", "error", NULL};
    TSNode at = node;
    for (guint i = 0; i < 8; i++) {
        TSNode parent = ts_node_parent(at);
        if (ts_node_is_null(parent))
            break;
        const char *kind = ts_node_type(parent);
        static const char *const RAISES[] = {
            "raise", "throw",         "comparison", "equality", "assert", "macro_invocation",
            "case",  "match_pattern", "import",     "when",     NULL};
        if (says_any(kind, RAISES) && strstr(kind, "switch_body") == NULL) {
            if (strcmp(kind, "macro_invocation") == 0 || strstr(kind, "case") != NULL) {
                g_autofree char *text = facts_text(reader->facts, ts_node_named_child(parent, 0));
                if (strstr(kind, "case") != NULL ? i == 0 : is_talk(text))
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
        if (fact != NULL && fact->kind == FACT_CALL && !ts_node_is_null(fact->first)) {
            g_autofree char *function = facts_text(reader->facts, fact->first);
            if (is_talk(function))
                return true;
        }
        if (fact != NULL && fact->kind == FACT_BIND && !ts_node_is_null(fact->first)) {
            g_autofree char *name = facts_name(reader->facts, fact->first);
            g_autofree char *lower = g_ascii_strdown(name, -1);
            return g_strv_contains(NAMES, lower);
        }
        if (strstr(kind, "block") != NULL || strcmp(kind, "program") == 0 || strcmp(kind, "module") == 0)
            break;
        at = parent;
    }
    return false;
}

static void finish(Reader *reader, Setting *setting, TSNode node)
{
    setting->whole_start = ts_node_start_byte(node);
    setting->whole_end = ts_node_end_byte(node);
    setting->words = reader->source->language->words;
    add_context(reader, setting, node);
    setting->prose = is_prose(reader, node);
}

static void read_default(Reader *reader, const Fact *fact)
{
    g_auto(Value) value = facts_value(reader->facts, fact->node);
    if (value.text == NULL || !value.fallback || (value.variable == NULL && value.option == NULL))
        return;
    Setting *setting =
        source_add(reader->source, SETTING_DEFAULT, g_steal_pointer(&value.text), value.start, value.end);
    setting->several = value.several;
    setting->variable = g_steal_pointer(&value.variable);
    finish(reader, setting, fact->node);
    if (value.option != NULL) {
        g_free(setting->name);
        setting->name = g_steal_pointer(&value.option);
    }
}

static void read_bind(Reader *reader, const Fact *fact)
{
    if (ts_node_is_null(fact->second) || ts_node_is_null(fact->first))
        return;
    const Fact *inner = facts_of(reader->facts, fact->second);
    g_auto(Value) value = facts_value(reader->facts, fact->second);
    if (value.text == NULL || value.fallback)
        return;
    (void)inner;
    Setting *setting = source_add(reader->source, SETTING_GIVEN, g_steal_pointer(&value.text), value.start, value.end);
    setting->several = value.several;
    g_autofree char *name = facts_name(reader->facts, fact->first);
    finish(reader, setting, fact->node);
    /* The same name is elsewhere what a variable of the environment says: this is its default. */
    g_auto(Value) bound = facts_value(reader->facts, fact->first);
    if (bound.variable != NULL) {
        setting->kind = SETTING_DEFAULT;
        setting->variable = g_steal_pointer(&bound.variable);
    }
    g_free(setting->name);
    setting->name = g_steal_pointer(&name);
    setting->whole_start =
        MAX(setting->whole_start, setting->start < setting->whole_start ? setting->whole_start : setting->whole_start);
}

static void read_string(Reader *reader, const Fact *fact)
{
    TSNode parent = ts_node_parent(fact->node);
    const Fact *above = ts_node_is_null(parent) ? NULL : facts_of(reader->facts, parent);
    if (above != NULL && above->kind == FACT_CONCAT)
        return;
    g_auto(Value) value = facts_value(reader->facts, fact->node);
    if (value.text == NULL)
        return;
    gsize count = reader->source->settings->len;
    placeholder_read(reader->source, ts_node_start_byte(fact->node), ts_node_end_byte(fact->node));
    for (gsize i = count; i < reader->source->settings->len; i++) {
        Setting *setting = reader->source->settings->pdata[i];
        add_context(reader, setting, fact->node);
    }
    Setting *setting = source_add(reader->source, SETTING_TEXT, g_steal_pointer(&value.text), value.start, value.end);
    finish(reader, setting, fact->node);
    g_clear_pointer(&setting->name, g_free);
}

static void read_comment(Reader *reader, const Fact *fact)
{
    ScanSpan *span = g_new(ScanSpan, 1);
    *span = (ScanSpan){ts_node_start_byte(fact->node), ts_node_end_byte(fact->node)};
    g_ptr_array_add(reader->source->comments, span);
}

bool tree_read(Source *source)
{
    source->tree = language_parse(source->language, source->text, source->length);
    if (source->tree == NULL)
        return false;
    source->broken = ts_node_has_error(ts_tree_root_node(source->tree));
    g_autoptr(Facts) facts = facts_read(source);
    Reader reader = {source, facts, g_hash_table_new(NULL, NULL)};
    for (guint i = 0; i < facts->all->len; i++) {
        const Fact *fact = &g_array_index(facts->all, Fact, i);
        switch (fact->kind) {
        case FACT_CALL:
        case FACT_OR:
            read_default(&reader, fact);
            break;
        case FACT_BIND:
            read_bind(&reader, fact);
            break;
        case FACT_STRING:
        case FACT_CONCAT:
            read_string(&reader, fact);
            break;
        case FACT_COMMENT:
            read_comment(&reader, fact);
            break;
        case FACT_INDEX:
        case FACT_NONE:
            break;
        }
    }
    g_hash_table_unref(reader.containers);
    return true;
}

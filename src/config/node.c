#include "config/node.h"

#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 16

typedef struct Tree {
    yaml_parser_t parser;
    const char *source;
    ConfigMistakes *mistakes;
    int depth;
    bool fatal; /* a mistake was told after which the rest cannot be read */
} Tree;

static ConfigNode *read_node(Tree *tree, yaml_event_t *event);

void config_node_free(ConfigNode *node)
{
    if (node == NULL)
        return;
    if (node->text != NULL)
        explicit_bzero(node->text, strlen(node->text));
    g_free(node->text);
    g_clear_pointer(&node->names, g_ptr_array_unref);
    g_clear_pointer(&node->items, g_ptr_array_unref);
    g_free(node);
}

static void node_free(gpointer node)
{
    config_node_free(node);
}

static ConfigPlace place_of(yaml_mark_t mark)
{
    return (ConfigPlace){.line = (int)mark.line + 1, .column = (int)mark.column + 1};
}

static ConfigNode *node_new(ConfigNodeType type, const yaml_event_t *event)
{
    ConfigNode *node = g_new0(ConfigNode, 1);
    node->type = type;
    node->place = place_of(event->start_mark);
    if (type == CONFIG_NODE_MAP)
        node->names = g_ptr_array_new_with_free_func(node_free);
    if (type == CONFIG_NODE_MAP || type == CONFIG_NODE_LIST)
        node->items = g_ptr_array_new_with_free_func(node_free);
    return node;
}

/* end: between two characters of text. */
static ConfigPlace place_at(const char *text, const char *end)
{
    ConfigPlace place = {1, 1};
    for (const char *at = text; at < end; at = g_utf8_next_char(at)) {
        place.column = *at == '\n' ? 1 : place.column + 1;
        place.line += *at == '\n' ? 1 : 0;
    }
    return place;
}

/* libyaml's words, and what a person can do about it. */
static const struct {
    const char *problem, *advice;
} SYNTAX_ADVICE[] = {
    {"found character that cannot start any token",
     "indent with spaces, never tabs, and put values that start with @, ` or % in quotation marks"},
    {"mapping values are not allowed in this context",
     "a second \": \" in one line: put the value in quotation marks, or check the indentation"},
    {"could not find expected ':'", "every key is followed by a colon and a space"},
    {"did not find expected key", "check that this line is indented like its neighbours"},
    {"did not find expected '-' indicator", "check that the items of the list are indented alike"},
    {"did not find expected ',' or ']'", "close the list with ]"},
    {"did not find expected ',' or '}'", "close the mapping with }, and put values with { or , in quotation marks"},
    {"found unexpected end of stream", "a quotation mark is not closed"},
    {"did not find expected alphabetic or numeric character", "put values that start with * or & in quotation marks"},
    {"found undefined tag handle", "put values that start with ! in quotation marks"},
    {"block sequence entries are not allowed in this context", "start the list on a line of its own"},
    {"found unknown escape character", "in \"...\" a backslash starts an escape: write '...' or a double backslash"},
};

static const char *syntax_advice(const char *problem)
{
    for (gsize i = 0; i < G_N_ELEMENTS(SYNTAX_ADVICE); i++) {
        if (strcmp(problem, SYNTAX_ADVICE[i].problem) == 0)
            return SYNTAX_ADVICE[i].advice;
    }
    return NULL;
}

static void tell_syntax(Tree *tree)
{
    tree->fatal = true;
    const char *problem = tree->parser.problem == NULL ? "unreadable" : tree->parser.problem;
    ConfigPlace place = place_of(tree->parser.problem_mark);
    if (tree->parser.error == YAML_READER_ERROR) /* which knows bytes, not lines */
        place = place_at(tree->source, tree->source + tree->parser.problem_offset);
    config_mistakes_add(tree->mistakes, place, syntax_advice(problem), "this is not YAML: %s", problem);
}

static bool next_event(Tree *tree, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&tree->parser, ret_event))
        return true;
    tell_syntax(tree);
    return false;
}

/* What YAML has and a configuration does not need. Returns false where the node cannot be used. */
static bool check_plainness(Tree *tree, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    ConfigPlace place = place_of(event->start_mark);
    if (anchor != NULL)
        config_mistakes_add(tree->mistakes, place, "write the value out where it is used",
                            "anchors (&%s) are not supported", (const char *)anchor);
    if (tag == NULL)
        return true;
    g_autoptr(GString) shown = g_string_new((const char *)tag);
    g_string_replace(shown, "tag:yaml.org,2002:", "!!", 1);
    config_mistakes_add(tree->mistakes, place, "take it out, or put the value in quotation marks",
                        "tags (%s) are not supported", shown->str);
    return false;
}

static ConfigNode *read_scalar(Tree *tree, const yaml_event_t *event)
{
    if (!check_plainness(tree, event, event->data.scalar.anchor, event->data.scalar.tag))
        return node_new(CONFIG_NODE_BROKEN, event);
    const char *value = (const char *)event->data.scalar.value;
    if (strlen(value) != event->data.scalar.length) {
        config_mistakes_add(tree->mistakes, place_of(event->start_mark), NULL, "a value holds a NUL character");
        return node_new(CONFIG_NODE_BROKEN, event);
    }
    ConfigNode *node = node_new(CONFIG_NODE_SCALAR, event);
    node->text = g_strdup(value);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return node;
}

static ConfigNode *read_list(Tree *tree, const yaml_event_t *start)
{
    check_plainness(tree, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
    ConfigNode *node = node_new(CONFIG_NODE_LIST, start);
    while (!tree->fatal) {
        yaml_event_t event;
        if (!next_event(tree, &event))
            break;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!end)
            g_ptr_array_add(node->items, read_node(tree, &event));
        yaml_event_delete(&event);
        if (end)
            break;
    }
    return node;
}

/* Whether a key may stand in its map; tells why not. */
static bool check_name(Tree *tree, const ConfigNode *name, GHashTable *seen)
{
    if (name->type == CONFIG_NODE_BROKEN)
        return false;
    if (name->type != CONFIG_NODE_SCALAR || config_node_is_null(name)) {
        config_mistakes_add(tree->mistakes, name->place, "write a name and a colon", "a key must be text, this is %s",
                            config_node_describe(name));
        return false;
    }
    if (name->text[0] == '\0') {
        config_mistakes_add(tree->mistakes, name->place, "write a name and a colon", "a key is empty");
        return false;
    }
    g_autofree char *shown = config_quote(name->text);
    if (name->plain && strcmp(name->text, "<<") == 0) {
        config_mistakes_add(tree->mistakes, name->place, "write the keys out", "merge keys (<<) are not supported");
        return false;
    }
    const ConfigNode *first = g_hash_table_lookup(seen, name->text);
    if (first != NULL) {
        config_mistakes_add(tree->mistakes, name->place, "remove one of the two", "%s is given twice, first in line %d",
                            shown, first->place.line);
        return false;
    }
    return true;
}

static ConfigNode *read_map(Tree *tree, const yaml_event_t *start)
{
    check_plainness(tree, start, start->data.mapping_start.anchor, start->data.mapping_start.tag);
    ConfigNode *node = node_new(CONFIG_NODE_MAP, start);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    while (!tree->fatal) {
        yaml_event_t event;
        if (!next_event(tree, &event))
            break;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        g_autoptr(ConfigNode) name = end ? NULL : read_node(tree, &event);
        yaml_event_delete(&event);
        if (end || tree->fatal || !next_event(tree, &event))
            break;
        g_autoptr(ConfigNode) value = read_node(tree, &event);
        yaml_event_delete(&event);
        if (tree->fatal || !check_name(tree, name, seen))
            continue;
        g_hash_table_insert(seen, name->text, name);
        g_ptr_array_add(node->names, g_steal_pointer(&name));
        g_ptr_array_add(node->items, g_steal_pointer(&value));
    }
    return node;
}

static ConfigNode *read_nested(Tree *tree, const yaml_event_t *event)
{
    if (tree->depth == DEPTH_MAX) {
        config_mistakes_add(tree->mistakes, place_of(event->start_mark), NULL, "nested deeper than %d levels",
                            DEPTH_MAX);
        tree->fatal = true;
        return node_new(CONFIG_NODE_BROKEN, event);
    }
    tree->depth++;
    ConfigNode *node = event->type == YAML_MAPPING_START_EVENT ? read_map(tree, event) : read_list(tree, event);
    tree->depth--;
    return node;
}

static ConfigNode *read_node(Tree *tree, yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(tree, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_nested(tree, event);
    default:
        /* Inside a document only an alias is left. */
        config_mistakes_add(tree->mistakes, place_of(event->start_mark),
                            "write the value out, or put it in quotation marks if it starts with *",
                            "aliases (*name) are not supported");
        return node_new(CONFIG_NODE_BROKEN, event);
    }
}

static ConfigNode *read_document(Tree *tree)
{
    g_autoptr(ConfigNode) root = NULL;
    int documents = 0;
    for (bool end = false; !end && !tree->fatal;) {
        yaml_event_t event;
        if (!next_event(tree, &event))
            break;
        end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
            config_mistakes_add(tree->mistakes, place_of(event.start_mark), "keep one, and remove the \"---\"",
                                "a second document starts here");
            tree->fatal = true;
        }
        if (root == NULL && (event.type == YAML_SCALAR_EVENT || event.type == YAML_MAPPING_START_EVENT ||
                             event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_ALIAS_EVENT))
            root = read_node(tree, &event);
        yaml_event_delete(&event);
    }
    if (!tree->fatal && (root == NULL || config_node_is_null(root)))
        config_mistakes_add(tree->mistakes, (ConfigPlace){1, 1}, "start with \"version: 1\"", "the file is empty");
    return tree->fatal || (root != NULL && config_node_is_null(root)) ? NULL : g_steal_pointer(&root);
}

/* What is not UTF-8 is looked for beforehand: every message is, then, too. */
static bool check_encoding(const char *text, gsize length, ConfigMistakes *mistakes)
{
    const char *end = NULL;
    if (g_utf8_validate(text, (gssize)length, &end))
        return true;
    config_mistakes_add(mistakes, place_at(text, end), "save the file as UTF-8", "the byte 0x%02x is not UTF-8",
                        (unsigned)(unsigned char)*end);
    return false;
}

ConfigNode *config_node_parse(const char *text, gsize length, ConfigMistakes *mistakes)
{
    if (length > CONFIG_FILE_MAX) {
        config_mistakes_add(mistakes, (ConfigPlace){1, 1}, "is this the right file?", "the file is larger than 1 MiB");
        return NULL;
    }
    if (!check_encoding(text, length, mistakes))
        return NULL;
    Tree tree = {.source = text, .mistakes = mistakes};
    if (!yaml_parser_initialize(&tree.parser))
        g_error("out of memory");
    yaml_parser_set_input_string(&tree.parser, (const yaml_char_t *)text, length);
    ConfigNode *root = read_document(&tree);
    yaml_parser_delete(&tree.parser);
    return root;
}

const ConfigNode *config_node_get(const ConfigNode *map, const char *name)
{
    for (guint i = 0; i < map->names->len; i++) {
        const ConfigNode *node = g_ptr_array_index(map->names, i);
        if (strcmp(node->text, name) == 0)
            return g_ptr_array_index(map->items, i);
    }
    return NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (guint i = 0; words[i] != NULL; i++) {
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

bool config_node_is_null(const ConfigNode *node)
{
    static const char *const WORDS[] = {"", "~", "null", NULL};
    return node->type == CONFIG_NODE_SCALAR && node->plain && is_one_of(node->text, WORDS);
}

const char *config_node_describe(const ConfigNode *node)
{
    static const char *const BOOLEANS[] = {"true", "false", "yes", "no", "on", "off", NULL};
    if (node->type == CONFIG_NODE_LIST)
        return "a list";
    if (node->type == CONFIG_NODE_MAP)
        return "a mapping";
    if (config_node_is_null(node))
        return "nothing";
    if (!node->plain)
        return "text";
    if (is_one_of(node->text, BOOLEANS))
        return "a boolean";
    return strspn(node->text, "0123456789.+-") == strlen(node->text) ? "a number" : "text";
}

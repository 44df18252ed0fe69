/*
 * A YAML file as a tree of nodes with their places. The only file pair that knows libyaml.
 *
 * The tree is made from libyaml's events and not by its document API, which follows aliases and forgets tags before
 * anyone can object. Scalars are never interpreted here: text is what the file says.
 *
 * What a configuration does not need is refused: anchors, aliases, merge keys, tags, keys that are not text, keys
 * given twice, several documents, files over 1 MiB and nesting over 16 levels.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "config/mistakes.h"

#define CONFIG_FILE_MAX ((gsize)1 << 20)

typedef enum ConfigNodeType {
    CONFIG_NODE_SCALAR,
    CONFIG_NODE_LIST,
    CONFIG_NODE_MAP,
    CONFIG_NODE_BROKEN /* a mistake was told already: readers pass over it */
} ConfigNodeType;

typedef struct ConfigNode {
    ConfigNodeType type;
    ConfigPlace place;
    char *text;       /* of a scalar */
    bool plain;       /* a scalar that stands without quotation marks */
    GPtrArray *names; /* of a map: ConfigNode*, scalars, one for each of items */
    GPtrArray *items; /* of a list or map: ConfigNode* */
} ConfigNode;

/* NULL when a mistake ends the reading; others are added to mistakes as well, and leave a broken node or key out. */
ConfigNode *config_node_parse(const char *text, gsize length, ConfigMistakes *mistakes);

void config_node_free(ConfigNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfigNode, config_node_free)

/* The value of a key of a map, or NULL. */
const ConfigNode *config_node_get(const ConfigNode *map, const char *name);

/* A scalar that says nothing: "key:", "key: ~", "key: null". */
bool config_node_is_null(const ConfigNode *node);

/* "a list", "a mapping", "text", "a number", "a boolean", "nothing": what a message says that was found. */
const char *config_node_describe(const ConfigNode *node);

/* What stands around a setting in a syntax tree: the names above it, the container that it shares with others, and
 * whether the text only speaks of a value. For tree.c. */
#pragma once

#include "scan/facts.h"

typedef struct Reader {
    Source *source;
    Facts *facts;
    GHashTable *containers; /* id of a node -> number */
} Reader;

/* Fills name (where it has none), path, container, scope, owner and settings_class of what node is. */
void context_add(Reader *reader, Setting *setting, TSNode node);
/* The number of a container, given once. */
guint context_container(Reader *reader, TSNode node);
/* A literal of a message, a comparison, a help text: it leads nowhere. */
bool context_is_prose(const Reader *reader, TSNode node);

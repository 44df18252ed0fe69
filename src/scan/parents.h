/*
 * The node around a node. tree-sitter's own ts_node_parent() walks down from the root each time: where brackets are
 * nested a hundred thousand deep, or statements stand a hundred thousand in a row, that never ends. One walk over the
 * tree costs a tenth of what parsing it did.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <tree_sitter/api.h>

typedef struct Parents Parents;

/* Of all nodes that are keys of wanted (by their ids), and of those around them. */
Parents *parents_read(const TSTree *tree, GHashTable *wanted);
void parents_free(Parents *parents);
/* A null node at the root. */
TSNode parents_of(const Parents *parents, TSNode node);

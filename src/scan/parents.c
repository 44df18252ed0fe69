#include "scan/parents.h"

struct Parents {
    GHashTable *index; /* id of a node -> index + 1 of its parent */
    GArray *nodes;     /* of TSNode */
};

/* path: the nodes from the root down to the one that is wanted; links what is not linked yet. */
static void link_path(Parents *parents, const GArray *path)
{
    for (guint i = path->len - 1; i > 0; i--) {
        TSNode node = g_array_index(path, TSNode, i), above = g_array_index(path, TSNode, i - 1);
        if (g_hash_table_contains(parents->index, node.id))
            return;
        g_array_append_val(parents->nodes, above);
        g_hash_table_insert(parents->index, (gpointer)node.id, GUINT_TO_POINTER(parents->nodes->len));
    }
}

Parents *parents_read(const TSTree *tree, GHashTable *wanted)
{
    Parents *parents = g_new0(Parents, 1);
    parents->index = g_hash_table_new(NULL, NULL);
    parents->nodes = g_array_new(FALSE, FALSE, sizeof(TSNode));
    GArray *path = g_array_new(FALSE, FALSE, sizeof(TSNode));
    TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
    for (bool down = true; down || path->len > 0;) {
        if (down) {
            TSNode node = ts_tree_cursor_current_node(&cursor);
            g_array_append_val(path, node);
            if (g_hash_table_contains(wanted, node.id))
                link_path(parents, path);
            if (ts_tree_cursor_goto_first_child(&cursor))
                continue;
        }
        g_array_set_size(path, path->len - 1);
        down = ts_tree_cursor_goto_next_sibling(&cursor);
        if (!down && !ts_tree_cursor_goto_parent(&cursor))
            break;
    }
    ts_tree_cursor_delete(&cursor);
    g_array_unref(path);
    return parents;
}

void parents_free(Parents *parents)
{
    if (parents == NULL)
        return;
    g_hash_table_unref(parents->index);
    g_array_unref(parents->nodes);
    g_free(parents);
}

TSNode parents_of(const Parents *parents, TSNode node)
{
    guint index = GPOINTER_TO_UINT(g_hash_table_lookup(parents->index, node.id));
    TSNode none = {0};
    return index == 0 ? none : g_array_index(parents->nodes, TSNode, index - 1);
}

/* Whole folders: copied and removed. Symbolic links are never followed. For this room and backup. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Copies a folder of plain files to a path that does not exist yet (0700 folders, 0600 files). Blocks of zeros become
 * holes, and on a file system with reflinks the blocks are shared. A half-made copy is left for the caller to remove.
 */
bool tree_copy(const char *from, const char *to, GError **error);

/* Removes path and all that is below. What vanishes meanwhile is fine, and so is a path that does not exist. */
bool tree_remove(const char *path, GError **error);

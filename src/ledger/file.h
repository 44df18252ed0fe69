/* Files of the state folder: private (0600, folders 0700), whole or not there at all, and on the disk when it says so.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Temporary names start with this; file_remove_leftovers() takes them away. */
#define FILE_TEMP_PREFIX ".new-"

/* Makes the folder where it is missing (not its parents) and gives it mode 0700. */
bool file_make_folder(const char *path, GError **error);

/* Writes folder/name at once: temporary file, fsync, rename, fsync of the folder. Replaces nothing: a file of that name
 * is PGF_ERROR_INTERNAL. PGF_ERROR_MIDWAY when it cannot be written; nothing is left then. */
bool file_write_new(const char *folder, const char *name, const char *text, gsize length, GError **error);

/* Removes what a killed file_write_new() left. */
void file_remove_leftovers(const char *folder);

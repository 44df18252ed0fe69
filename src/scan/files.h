/* Files, and the lines of them that changed. */
#pragma once

#include "scan/scan.h"

/* file -> GArray of guint pairs (first and last changed line), by git diff. NULL with an error. */
GHashTable *changed_lines(const ScanOptions *options, GError **error);
bool line_is_changed(GHashTable *changed, const char *file, guint first, guint last);
/* file -> GString: what of the changed files stands in git's index; not those with more than max bytes. NULL with an
 * error. */
GHashTable *staged_texts(const ScanOptions *options, GHashTable *changed, gsize max, GError **error);

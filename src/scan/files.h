/* Files, and the lines of them that changed. */
#pragma once

#include "scan/scan.h"

/* file -> GArray of guint pairs (first and last changed line), by git diff. NULL with an error. */
GHashTable *changed_lines(const ScanOptions *options, GError **error);
/* What is staged of each of these files (GBytes), as git has it; files that are staged to go are left out. Main thread.
 * NULL with an error. */
GHashTable *staged_texts(const ScanOptions *options, GHashTable *changed, GError **error);
bool line_is_changed(GHashTable *changed, const char *file, guint first, guint last);

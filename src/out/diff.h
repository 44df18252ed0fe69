/*
 * The difference between two texts as a unified diff, byte for byte: what `git apply` and `patch -p1` take, whatever
 * line ends, marks at the start or bytes that are not UTF-8 the texts hold. Needs no git.
 */
#pragma once

#include <glib.h>

#include "out/out.h"

/* path: relative, with slashes. old_text NULL: the file is new; new_text NULL: it is removed (as one of mode 0644; git
 * warns of another). Empty where both are the same. Transfer full. */
GString *out_unified_diff(const char *path, const char *old_text, const char *new_text);

/* A patch as a result: as it is, or on a terminal in colours, and so that no file can drive that. */
void out_patch(Out *out, const char *patch);

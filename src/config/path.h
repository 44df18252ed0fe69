/* Paths and patterns of paths. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* An absolute path with every symbolic link of it resolved, also where its end does not exist (yet). Transfer full. */
char *path_resolve(const char *absolute);

/* Whether the components of a path, below some folder, are matched by those of a pattern, or lie in what it matches.
 * "" matches everything; "**" any number of components, none included. */
bool path_matches(const char *pattern, const char *relative);

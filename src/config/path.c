#include "config/path.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS_MAX = 40 }; /* as many as the kernel follows */

static char *resolve(const char *absolute, int links)
{
    char *real = realpath(absolute, NULL);
    if (real != NULL || strcmp(absolute, "/") == 0) {
        char *copy = g_strdup(real != NULL ? real : absolute);
        free(real);
        return copy;
    }
    g_autofree char *folder = g_path_get_dirname(absolute);
    g_autofree char *link = links > 0 ? g_file_read_link(absolute, NULL) : NULL;
    if (link != NULL) { /* to something that does not exist: whoever writes there makes that */
        g_autofree char *target = g_canonicalize_filename(link, folder);
        return resolve(target, links - 1);
    }
    g_autofree char *name = g_path_get_basename(absolute);
    g_autofree char *above = resolve(folder, links);
    return g_build_filename(above, name, NULL);
}

char *path_resolve(const char *absolute)
{
    return resolve(absolute, LINKS_MAX);
}

/* Both end with NULL. */
static bool match_parts(char *const *pattern, char *const *path)
{
    if (*pattern == NULL)
        return true;
    if (strcmp(*pattern, "**") != 0)
        return *path != NULL && (strcmp(*pattern, *path) == 0 || fnmatch(*pattern, *path, 0) == 0) &&
               match_parts(pattern + 1, path + 1);
    for (;; path++) {
        if (match_parts(pattern + 1, path))
            return true;
        if (*path == NULL)
            return false;
    }
}

/* Without empty components. */
static char **split(const char *path)
{
    char **parts = g_strsplit(path, "/", -1);
    guint n = 0;
    for (guint i = 0; parts[i] != NULL; i++) {
        if (*parts[i] != '\0')
            parts[n++] = parts[i];
        else
            g_free(parts[i]);
    }
    parts[n] = NULL;
    return parts;
}

bool path_matches(const char *pattern, const char *relative)
{
    g_auto(GStrv) patterns = split(pattern), parts = split(relative);
    return match_parts(patterns, parts);
}

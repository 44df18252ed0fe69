/* Which pgfold.yaml is meant. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "config/config.h"

static const char *const NAMES[] = {"pgfold.yaml", "pgfold.yml"};

/* *ret_path: the file in folder, or NULL; having both is an error. */
static bool find_in(const char *folder, char **ret_path, GError **error)
{
    *ret_path = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        g_autofree char *path = g_build_filename(folder, NAMES[i], NULL);
        if (access(path, F_OK) != 0)
            continue;
        if (*ret_path != NULL) {
            g_clear_pointer(ret_path, g_free);
            pgf_error_set(error, PGF_ERROR_USAGE, "remove one, or choose with --config FILE",
                          "%s has both pgfold.yaml and pgfold.yml", folder);
            return false;
        }
        *ret_path = g_steal_pointer(&path);
    }
    return true;
}

static char *real_path(const char *path)
{
    char *resolved = realpath(path, NULL);
    char *copy = g_strdup(resolved);
    free(resolved); /* from malloc(3) */
    return copy;
}

static bool has_git(const char *folder)
{
    g_autofree char *git = g_build_filename(folder, ".git", NULL);
    return access(git, F_OK) == 0;
}

/* How far up a file may be: a project's root or the home directory. Further up, and in folders that others can write
 * to, such as /tmp, a file would be somebody else's. NULL: no further than start. Transfer full. */
static char *find_limit(const char *start)
{
    g_autofree char *home = real_path(g_get_home_dir());
    g_autofree char *folder = g_strdup(start);
    while (strcmp(folder, "/") != 0) {
        if (has_git(folder) || g_strcmp0(folder, home) == 0)
            return g_steal_pointer(&folder);
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
    return NULL;
}

static bool find_upwards(const char *start, char **ret_path, GError **error)
{
    g_autofree char *limit = find_limit(start);
    g_autofree char *folder = g_strdup(start);
    while (limit != NULL && strcmp(folder, limit) != 0) {
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
        if (!find_in(folder, ret_path, error))
            return false;
        if (*ret_path != NULL)
            return true;
    }
    return true;
}

bool config_find_from(const char *folder, char **ret_path, GError **error)
{
    if (!find_in(folder, ret_path, error))
        return false;
    return *ret_path != NULL || find_upwards(folder, ret_path, error);
}

bool config_find(const char *given, char **ret_path, GError **error)
{
    *ret_path = NULL;
    if (given != NULL) {
        if (access(given, F_OK) != 0) {
            pgf_error_set(error, PGF_ERROR_USAGE, "check the path after --config", "%s: %s", given, g_strerror(errno));
            return false;
        }
        *ret_path = g_strdup(given);
        return true;
    }
    if (!find_in(".", ret_path, error))
        return false;
    if (*ret_path != NULL) {
        /* "pgfold.yaml" reads better than "./pgfold.yaml". */
        char *name = g_path_get_basename(*ret_path);
        g_free(*ret_path);
        *ret_path = name;
        return true;
    }
    g_autofree char *start = real_path(".");
    if (start == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "change to a folder that exists", "the current folder cannot be read: %s",
                      g_strerror(errno));
        return false;
    }
    return find_upwards(start, ret_path, error);
}

/*
 * Private folders of this room: the one of a running cluster, and the cache. Internal to this room.
 *
 * A cluster's folder is <base>/pgfold-<uid>/<random>, mode 0700. Its owner, the keeper, holds a lock (flock) on the
 * folder itself for as long as it lives; so a folder whose lock is free was left behind, and may be removed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Folder {
    char *path;
    int lock;
} Folder;

/* A new, locked folder in base (absolute), or where that is NULL in /dev/shm (if in_memory and it has room), $TMPDIR or
 * /tmp. */
Folder *folder_new(const char *base, bool in_memory, GError **error);

/* Removes it with all that is in it, and frees. */
void folder_remove(Folder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Folder, folder_remove)

/* Removes what keepers that were killed have left beside this folder and in the usual places. Best effort. */
void folder_sweep(const Folder *folder);

/* Whether a keeper lives that holds this folder. */
bool folder_held(const char *path);

/* Makes path (and its parents) if need be; false where it is not a folder of ours that nobody else may enter. */
bool folder_private(const char *path, GError **error);

/* pgfold/<leaf> in the first of $XDG_CACHE_HOME, ~/.cache and /var/tmp in which it can be had. Transfer full. */
char *folder_of_user(const char *leaf, GError **error);

#include "testdb/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "testdb/tree.h"

#define MEMORY "/dev/shm"
#define MEMORY_NEEDED ((guint64)1 << 30)
/* sockaddr_un.sun_path is 108 bytes with its NUL. */
#define LONGEST_SOCKET "/.s.PGSQL.65535"
enum { SOCKET_PATH_MAX = 107 };

bool folder_private(const char *path, GError **error)
{
    struct stat st;
    if (g_mkdir_with_parents(path, 0700) != 0) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot make the folder %s: %s", path, g_strerror(errno));
        return false;
    }
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Remove it, or give it to this user with mode 0700.",
                      "%s is not a private folder of this user", path);
        return false;
    }
    return true;
}

static char *ours_in(const char *base)
{
    return g_strdup_printf("%s/pgfold-%u", base, (unsigned)geteuid());
}

char *folder_of_user(const char *leaf, GError **error)
{
    const char *xdg = g_getenv("XDG_CACHE_HOME");
    g_autofree char *named = xdg == NULL || *xdg != '/' ? NULL : g_build_filename(xdg, "pgfold", leaf, NULL);
    g_autofree char *home = g_build_filename(g_get_home_dir(), ".cache/pgfold", leaf, NULL);
    g_autofree char *common = g_strdup_printf("/var/tmp/pgfold-cache-%u", (unsigned)geteuid());
    g_autofree char *last = g_build_filename(common, leaf, NULL);
    if (named != NULL && folder_private(named, NULL))
        return g_steal_pointer(&named);
    if (folder_private(home, NULL))
        return g_steal_pointer(&home);
    /* Anybody can make folders in /var/tmp: the upper one must be ours, too. */
    if (!folder_private(common, error) || !folder_private(last, error))
        return NULL;
    return g_steal_pointer(&last);
}

/* Locks the folder that a path leads to, unless it was removed or replaced in between: then EAGAIN. -1 on failure. */
static int open_locked(const char *path, bool wait)
{
    struct stat held, now;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    int rc;
    do
        rc = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    while (rc != 0 && errno == EINTR);
    if (rc == 0 && fstat(fd, &held) == 0 && lstat(path, &now) == 0 && held.st_ino == now.st_ino &&
        held.st_dev == now.st_dev)
        return fd;
    close(fd);
    errno = EAGAIN;
    return -1;
}

static bool new_in(const char *parent, Folder *folder, GError **error)
{
    int guard;
    /* The last one to go removes the parent, so it may have to be made again. */
    do {
        if (!folder_private(parent, error))
            return false;
        guard = open_locked(parent, true);
    } while (guard < 0 && (errno == EAGAIN || errno == ENOENT));
    g_autofree char *path = g_build_filename(parent, "XXXXXX", NULL);
    if (guard >= 0 && mkdtemp(path) != NULL) {
        folder->lock = open_locked(path, true);
        folder->path = g_steal_pointer(&path);
    }
    int saved = errno;
    if (guard >= 0)
        close(guard);
    if (folder->path != NULL && folder->lock >= 0)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot make a folder in %s: %s", parent, g_strerror(saved));
    return false;
}

static bool short_enough(const char *parent)
{
    return strlen(parent) + strlen("/XXXXXX" LONGEST_SOCKET) <= SOCKET_PATH_MAX;
}

static bool memory_has_room(void)
{
    struct statvfs fs;
    return statvfs(MEMORY, &fs) == 0 && (guint64)fs.f_bavail * fs.f_frsize >= MEMORY_NEEDED &&
           access(MEMORY, W_OK) == 0;
}

static bool new_in_named(const char *base, Folder *folder, GError **error)
{
    g_autofree char *parent = ours_in(base);
    if (!short_enough(parent)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "The path of a unix socket has at most 107 bytes: choose a shorter one.",
                      "the path of %s is too long", base);
        return false;
    }
    if (access(base, W_OK | X_OK) != 0) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Name an existing folder in which the server's user may make another.",
                      "cannot write to %s: %s", base, g_strerror(errno));
        return false;
    }
    return new_in(parent, folder, error);
}

static bool new_anywhere(bool in_memory, Folder *folder, GError **error)
{
    const char *tmpdir = g_getenv("TMPDIR");
    const char *bases[] = {in_memory && memory_has_room() ? MEMORY : NULL,
                           tmpdir != NULL && *tmpdir == '/' ? tmpdir : NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(bases); i++) {
        g_autofree char *parent = bases[i] == NULL ? NULL : ours_in(bases[i]);
        if (parent != NULL && short_enough(parent) && access(bases[i], W_OK | X_OK) == 0 &&
            new_in(parent, folder, NULL))
            return true;
    }
    g_autofree char *parent = ours_in("/tmp");
    return new_in(parent, folder, error);
}

Folder *folder_new(const char *base, bool in_memory, GError **error)
{
    Folder folder = {.lock = -1};
    bool ok = base != NULL ? new_in_named(base, &folder, error) : new_anywhere(in_memory, &folder, error);
    if (!ok) {
        g_free(folder.path);
        return NULL;
    }
    return g_memdup2(&folder, sizeof folder);
}

static void remove_parent(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    int guard = open_locked(parent, true);
    if (guard < 0)
        return;
    /* Refuses, rightly, while another cluster is in it. */
    (void)rmdir(parent);
    close(guard);
}

void folder_remove(Folder *folder)
{
    if (folder == NULL)
        return;
    tree_remove(folder->path, NULL);
    remove_parent(folder->path);
    close(folder->lock);
    g_free(folder->path);
    g_free(folder);
}

static void sweep_in(const char *parent)
{
    struct stat st;
    if (lstat(parent, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return;
    int guard = open_locked(parent, false);
    DIR *dir = guard < 0 ? NULL : opendir(parent);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (*entry->d_name == '.')
            continue;
        g_autofree char *path = g_build_filename(parent, entry->d_name, NULL);
        int lock = open_locked(path, false);
        if (lock >= 0) {
            tree_remove(path, NULL);
            close(lock);
        }
    }
    if (dir != NULL)
        closedir(dir);
    if (guard < 0)
        return;
    (void)rmdir(parent); /* if nothing lives in it */
    close(guard);
}

void folder_sweep(const Folder *folder)
{
    g_autofree char *beside = g_path_get_dirname(folder->path);
    g_autofree char *memory = ours_in(MEMORY);
    g_autofree char *common = ours_in("/tmp");
    sweep_in(beside);
    if (!g_str_equal(memory, beside))
        sweep_in(memory);
    if (!g_str_equal(common, beside))
        sweep_in(common);
}

bool folder_held(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}

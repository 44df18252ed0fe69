#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "tunnel/internal.h"

#define PREFIX "pgfold-tunnel-"
#define LOG_NAME "ssh.log"

enum { BASE_MAX = 60, LOG_MAX = 64 << 10 }; /* a path in it fits sockaddr_un (108 bytes) */

/* Only ours, and short enough; ssh takes a colon for the end of a path. */
static bool is_private(const char *folder)
{
    struct stat st;
    return folder != NULL && *folder == '/' && strlen(folder) < BASE_MAX && strpbrk(folder, ":%$\\ ") == NULL &&
           stat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

static const char *base_folder(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    return is_private(runtime) ? runtime : "/tmp";
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name = dir == NULL ? NULL : g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        (void)unlink(file);
    }
    (void)rmdir(path);
}

/* A folder whose log nobody holds belongs to processes that are gone. */
static void sweep_one(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return;
    g_autofree char *log = g_build_filename(path, LOG_NAME, NULL);
    int fd = open(log, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        remove_tree(path);
    close(fd);
}

static void sweep(const char *base)
{
    g_autoptr(GDir) dir = g_dir_open(base, 0, NULL);
    for (const char *name = dir == NULL ? NULL : g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        if (!g_str_has_prefix(name, PREFIX))
            continue;
        g_autofree char *path = g_build_filename(base, name, NULL);
        sweep_one(path);
    }
}

/* The log gets its name when it is locked, so that no sweep finds it free. */
static int make_log(const char *folder)
{
    g_autofree char *unnamed = g_build_filename(folder, "new.log", NULL);
    g_autofree char *named = g_build_filename(folder, LOG_NAME, NULL);
    int fd = open(unnamed, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || (flock(fd, LOCK_EX | LOCK_NB) == 0 && rename(unnamed, named) == 0))
        return fd;
    close(fd);
    return -1;
}

bool tunnel_folder_make(TunnelFolder *ret_folder, GError **error)
{
    const char *base = base_folder();
    sweep(base);
    g_autofree char *path = g_strdup_printf("%s/" PREFIX "XXXXXX", base);
    *ret_folder = (TunnelFolder){.log_fd = -1};
    if (g_mkdtemp_full(path, 0700) == NULL) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot make a folder in %s: %s", base, g_strerror(errno));
        return false;
    }
    ret_folder->path = g_steal_pointer(&path);
    ret_folder->log_fd = make_log(ret_folder->path);
    if (ret_folder->log_fd >= 0)
        return true;
    pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot write in %s: %s", ret_folder->path, g_strerror(errno));
    tunnel_folder_remove(ret_folder);
    return false;
}

void tunnel_folder_remove(TunnelFolder *folder)
{
    if (folder->path != NULL)
        remove_tree(folder->path);
    if (folder->log_fd >= 0)
        close(folder->log_fd);
    folder->log_fd = -1;
    g_clear_pointer(&folder->path, g_free);
}

void tunnel_folder_empty_log(const TunnelFolder *folder)
{
    int ignored = ftruncate(folder->log_fd, 0);
    (void)ignored;
}

char *tunnel_folder_log(const TunnelFolder *folder)
{
    struct stat st;
    off_t size = fstat(folder->log_fd, &st) == 0 ? st.st_size : 0;
    g_autofree char *text = g_malloc0(LOG_MAX + 1);
    ssize_t n = pread(folder->log_fd, text, LOG_MAX, size > LOG_MAX ? size - LOG_MAX : 0);
    if (n <= 0)
        return g_strdup("");
    for (ssize_t i = 0; i < n; i++)
        if (text[i] == '\r' || text[i] == '\0')
            text[i] = '\n';
    return g_utf8_make_valid(text, n);
}

#include "testdb/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"

enum { CHUNK = 256 * 1024, HOLE = 64 * 1024 };

typedef struct Copy {
    char *buffer;
    bool reflinks; /* until the file system says no */
} Copy;

static bool fail(GError **error, const char *doing, const char *name)
{
    int saved = errno;
    pgf_error_set(error, PGF_ERROR_USAGE,
                  saved == ENOSPC ? "Make room there, or choose another folder with --dir DIR." : NULL,
                  "cannot %s %s: %s", doing, name, g_strerror(saved));
    return false;
}

static bool is_zero(const char *block, gsize len)
{
    return len == 0 || (block[0] == 0 && memcmp(block, block + 1, len - 1) == 0);
}

/* Whole blocks of zeros are skipped: a fresh WAL segment is 16 MB of almost nothing. */
static bool write_sparse(int fd, const char *data, gsize len)
{
    for (gsize at = 0; at < len; at += HOLE) {
        gsize n = MIN((gsize)HOLE, len - at);
        if (n == HOLE && is_zero(data + at, n)) {
            if (lseek(fd, HOLE, SEEK_CUR) < 0)
                return false;
        } else if (!io_write_all(fd, data + at, n)) {
            return false;
        }
    }
    return true;
}

static bool copy_bytes(Copy *copy, int from, int to)
{
    off_t total = 0;
    for (;;) {
        ssize_t n = read(from, copy->buffer, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || !write_sparse(to, copy->buffer, (gsize)n))
            return false;
        total += n;
        if (n < CHUNK)
            break;
    }
    /* A file that ends in a hole has its length only by this; others have it already. */
    return total < HOLE || ftruncate(to, total) == 0;
}

static bool copy_file(Copy *copy, int from_dir, int to_dir, const char *name)
{
    int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return false;
    int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = to >= 0;
    if (ok && copy->reflinks)
        copy->reflinks = ioctl(to, FICLONE, from) == 0;
    if (ok && !copy->reflinks)
        ok = copy_bytes(copy, from, to);
    int saved = errno;
    close(from);
    if (to >= 0 && close(to) != 0 && ok)
        return false;
    errno = saved;
    return ok;
}

static bool is_dot(const char *name)
{
    return g_str_equal(name, ".") || g_str_equal(name, "..");
}

static bool is_folder(int dir, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static DIR *open_folder(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    DIR *dir = fdopendir(fd);
    if (dir == NULL)
        close(fd);
    return dir;
}

static bool copy_folder(Copy *copy, int from_parent, const char *from, int to_parent, const char *to, GError **error);

static bool copy_entry(Copy *copy, DIR *from, int to, const struct dirent *entry, GError **error)
{
    const char *name = entry->d_name;
    if (is_dot(name))
        return true;
    if (is_folder(dirfd(from), entry))
        return copy_folder(copy, dirfd(from), name, to, name, error);
    return copy_file(copy, dirfd(from), to, name) || fail(error, "copy", name);
}

static bool copy_entries(Copy *copy, DIR *from, int to, GError **error)
{
    const struct dirent *entry;
    while ((entry = readdir(from)) != NULL)
        if (!cancel_check(error) || !copy_entry(copy, from, to, entry, error))
            return false;
    return true;
}

static bool copy_folder(Copy *copy, int from_parent, const char *from, int to_parent, const char *to, GError **error)
{
    if (mkdirat(to_parent, to, 0700) != 0)
        return fail(error, "make the folder", to);
    DIR *source = open_folder(from_parent, from);
    if (source == NULL)
        return fail(error, "open", from);
    int target = openat(to_parent, to, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = target < 0 ? fail(error, "open", to) : copy_entries(copy, source, target, error);
    closedir(source);
    if (target >= 0)
        close(target);
    return ok;
}

bool tree_copy(const char *from, const char *to, GError **error)
{
    g_autofree char *buffer = g_malloc(CHUNK);
    Copy copy = {.buffer = buffer, .reflinks = true};
    return copy_folder(&copy, AT_FDCWD, from, AT_FDCWD, to, error);
}

static bool remove_folder(int parent, const char *name, GError **error)
{
    DIR *dir = open_folder(parent, name);
    if (dir == NULL)
        return errno == ENOENT || fail(error, "open", name);
    const struct dirent *entry;
    bool ok = true;
    while (ok && (entry = readdir(dir)) != NULL) {
        if (is_dot(entry->d_name))
            continue;
        if (is_folder(dirfd(dir), entry))
            ok = remove_folder(dirfd(dir), entry->d_name, error);
        else
            ok = unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT || fail(error, "remove", entry->d_name);
    }
    closedir(dir);
    if (!ok)
        return false;
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT || fail(error, "remove the folder", name);
}

bool tree_remove(const char *path, GError **error)
{
    return remove_folder(AT_FDCWD, path, error);
}

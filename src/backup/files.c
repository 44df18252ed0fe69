/* The files of an archive, each with its size and hash. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/internal.h"
#include "base/cancel.h"

enum { BUFFER = 256 * 1024 };

void backup_files_clear(BackupFiles *files)
{
    g_clear_pointer(&files->list, json_decref);
}

static bool cannot(GError **error, const char *what, const char *path)
{
    pgf_error_set(error, PGF_ERROR_MIDWAY, NULL, "cannot %s %s: %s", what, path, g_strerror(errno));
    return false;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of what is in a folder, in byte order. */
static GPtrArray *names_in(const char *folder, GError **error)
{
    g_autoptr(GError) cause = NULL;
    GDir *dir = g_dir_open(folder, 0, &cause);
    if (dir == NULL) {
        pgf_error_set(error, PGF_ERROR_MIDWAY, NULL, "cannot read the folder %s: %s", folder, cause->message);
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir))
        g_ptr_array_add(names, g_strdup(name));
    g_dir_close(dir);
    g_ptr_array_sort(names, by_name);
    return names;
}

static bool hash_open_file(int fd, const char *path, guint64 *ret_size, char **ret_sha256, GError **error)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guchar *buffer = g_malloc(BUFFER);
    *ret_size = 0;
    for (;;) {
        ssize_t n = read(fd, buffer, BUFFER);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot(error, "read", path);
        if (n == 0)
            break;
        if (!cancel_check(error))
            return false;
        g_checksum_update(sum, buffer, n);
        *ret_size += (guint64)n;
    }
    *ret_sha256 = g_strdup(g_checksum_get_string(sum));
    return true;
}

static bool hash_file(const char *path, bool make_private, guint64 *ret_size, char **ret_sha256, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return cannot(error, "open", path);
    bool ok = !make_private || fchmod(fd, 0600) == 0 || cannot(error, "change the mode of", path);
    ok = ok && hash_open_file(fd, path, ret_size, ret_sha256, error);
    close(fd);
    return ok;
}

static bool add_file(const char *path, const char *relative, bool make_private, BackupFiles *files, GError **error)
{
    g_autofree char *sha256 = NULL;
    guint64 size = 0;
    if (!hash_file(path, make_private, &size, &sha256, error))
        return false;
    json_array_append_new(files->list,
                          json_pack("{s:s, s:I, s:s}", "path", relative, "size", (json_int_t)size, "sha256", sha256));
    files->bytes += size;
    files->count++;
    return true;
}

/* pg_dump makes plain files in one folder. Anything else there is not of its making. */
bool backup_files_read(const char *path, bool make_private, BackupFiles *ret_files, GError **error)
{
    g_autofree char *archive = g_build_filename(path, BACKUP_ARCHIVE, NULL);
    g_auto(BackupFiles) files = {.list = json_array()};
    g_autoptr(GPtrArray) names = names_in(archive, error);
    if (names == NULL)
        return false;
    for (guint i = 0; i < names->len; i++) {
        struct stat st;
        g_autofree char *file = g_build_filename(archive, names->pdata[i], NULL);
        g_autofree char *relative = g_build_filename(BACKUP_ARCHIVE, names->pdata[i], NULL);
        if (lstat(file, &st) != 0)
            return cannot(error, "look at", file);
        if (!S_ISREG(st.st_mode)) {
            pgf_error_set(error, PGF_ERROR_DIFFERS, NULL, "%s is not a plain file: no part of a backup", file);
            return false;
        }
        if (!add_file(file, relative, make_private, &files, error))
            return false;
    }
    *ret_files = files;
    files = (BackupFiles){0};
    return true;
}

static bool write_and_sync(int fd, const char *text, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        length -= (gsize)n;
    }
    return fsync(fd) == 0;
}

bool backup_manifest_write(const char *path, const json_t *document, char **ret_sha256, GError **error)
{
    g_autofree char *file = g_build_filename(path, BACKUP_MANIFEST, NULL);
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (text == NULL) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "the manifest cannot be written as JSON");
        return false;
    }
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    free(text);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return cannot(error, "write", file);
    bool ok = write_and_sync(fd, line, strlen(line));
    if (!ok)
        cannot(error, "write", file);
    close(fd);
    if (ok)
        *ret_sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, line, -1);
    return ok;
}

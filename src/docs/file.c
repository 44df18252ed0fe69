/* Files of the project: read, and replaced as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "config/path.h"
#include "docs/internal.h"

enum { LARGEST = 4 << 20 };

void docs_file_clear(DocsFile *file)
{
    g_clear_pointer(&file->path, g_free);
    g_clear_pointer(&file->content, g_free);
}

bool docs_file_exists(const Config *config, const char *path)
{
    g_autofree char *whole = g_build_filename(config->folder, path, NULL);
    struct stat status;
    return lstat(whole, &status) == 0;
}

/* Of the file itself, where links lead; the path as given where that is elsewhere. */
static char *settle(const Config *config, const char *path, bool *ret_outside)
{
    g_autofree char *whole = g_canonicalize_filename(path, config->folder);
    g_autofree char *real = path_resolve(whole), *folder = path_resolve(config->folder);
    gsize length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    *ret_outside = strncmp(real, folder, length) != 0 || real[length] != '/';
    return g_strdup(*ret_outside ? path : real + length + 1);
}

static bool read_content(const char *whole, DocsFile *file, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gsize length = 0;
    if (!g_file_get_contents(whole, &file->content, &length, &cause)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "pgfold must be allowed to read it.", "cannot read %s", cause->message);
        return false;
    }
    if (memchr(file->content, '\0', length) != NULL)
        file->odd = "is not text";
    return true;
}

bool docs_file_read(const Config *config, const char *path, DocsFile *ret_file, GError **error)
{
    DocsFile *file = ret_file;
    *file = (DocsFile){0};
    file->path = settle(config, path, &file->outside);
    g_autofree char *whole = g_build_filename(config->folder, file->path, NULL);
    struct stat status;
    if (stat(whole, &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return true;
        pgf_error_set(error, PGF_ERROR_USAGE, "pgfold must be allowed to read it.", "cannot read %s: %s", path,
                      g_strerror(errno));
        return false;
    }
    file->mode = status.st_mode & 07777;
    if (!S_ISREG(status.st_mode))
        file->odd = S_ISDIR(status.st_mode) ? "is a folder" : "is not a file";
    else if (status.st_size > LARGEST)
        file->odd = "is larger than 4 MiB";
    return file->odd != NULL || read_content(whole, file, error);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

typedef struct Pending {
    char *temporary, *path; /* absolute */
} Pending;

static void pending_free(gpointer data)
{
    Pending *pending = data;
    if (pending->temporary != NULL)
        unlink(pending->temporary);
    g_free(pending->temporary);
    g_free(pending->path);
    g_free(pending);
}

static bool set_failed(const DocsChange *change, int cause, GError **error)
{
    pgf_error_set(error, PGF_ERROR_USAGE, "pgfold must be allowed to write there.", "cannot write %s: %s", change->path,
                  g_strerror(cause));
    return false;
}

/* What was decided on is what is there. */
static bool check_unchanged(const Config *config, const DocsChange *change, GError **error)
{
    g_auto(DocsFile) now = {0};
    if (!docs_file_read(config, change->path, &now, error))
        return false;
    if (!now.outside && g_strcmp0(now.path, change->path) == 0 && g_strcmp0(now.content, change->old_text) == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Run the command again.", "%s was changed by somebody else meanwhile",
                  change->path);
    return false;
}

static bool write_beside(const Config *config, const DocsChange *change, mode_t mask, GPtrArray *pending,
                         GError **error)
{
    Pending *one = g_new0(Pending, 1);
    g_ptr_array_add(pending, one);
    one->path = g_build_filename(config->folder, change->path, NULL);
    g_autofree char *folder = g_path_get_dirname(one->path);
    mode_t ours = umask(mask);
    int made = g_mkdir_with_parents(folder, 0777), cause = errno;
    umask(ours);
    if (made != 0)
        return set_failed(change, cause, error);
    char *temporary = g_strdup_printf("%s/.pgfold-docs-XXXXXX", folder);
    int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
        cause = errno;
        g_free(temporary);
        return set_failed(change, cause, error);
    }
    one->temporary = temporary;
    mode_t mode = change->old_text == NULL ? 0666 & ~mask : change->mode;
    bool good = io_write_all(fd, change->new_text, strlen(change->new_text)) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    cause = errno;
    if (close(fd) != 0 && good) {
        good = false;
        cause = errno;
    }
    return good || set_failed(change, cause, error);
}

bool docs_change_is_needed(const DocsChange *change)
{
    return g_strcmp0(change->old_text, change->new_text) != 0;
}

static bool rename_all(GPtrArray *pending, GError **error)
{
    for (guint i = 0; i < pending->len; i++) {
        Pending *one = pending->pdata[i];
        if (rename(one->temporary, one->path) != 0) {
            pgf_error_set(error, i == 0 ? PGF_ERROR_USAGE : PGF_ERROR_MIDWAY, "Run the command again.",
                          "cannot write %s: %s", one->path, g_strerror(errno));
            if (i > 0 && error != NULL)
                pgf_error_set_state(*error, "%u of %u files were written", i, pending->len);
            return false;
        }
        g_clear_pointer(&one->temporary, g_free);
    }
    return true;
}

bool docs_write(const Config *config, const GPtrArray *changes, mode_t umask_of_caller, GError **error)
{
    g_autoptr(GPtrArray) pending = g_ptr_array_new_with_free_func(pending_free);
    for (guint i = 0; i < changes->len; i++) {
        const DocsChange *change = changes->pdata[i];
        if (docs_change_is_needed(change) &&
            !(check_unchanged(config, change, error) && write_beside(config, change, umask_of_caller, pending, error)))
            return false;
    }
    return rename_all(pending, error);
}

#include "ledger/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"

#define ROOM_HINT "free room on that disk or see who owns the folder, then run the same command again"

bool file_make_folder(const char *path, GError **error)
{
    struct stat info;
    int code = mkdir(path, 0700) == 0 ? 0 : errno;
    if (code == EEXIST)
        code = stat(path, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
    else if (code == 0)
        return true;
    if (code == 0 && ((info.st_mode & 077) == 0 || chmod(path, 0700) == 0))
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "run pgfold in a folder that you may write to, as the user who owns it",
                  "cannot use the folder %s: %s", path, g_strerror(code == 0 ? errno : code));
    return false;
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool file_write_new(const char *folder, const char *name, const char *text, gsize length, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *temp = g_build_filename(folder, FILE_TEMP_PREFIX "XXXXXX", NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "%s exists already", path);
        return false;
    }
    int fd = g_mkstemp_full(temp, O_RDWR | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && io_write_all(fd, text, length) && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        code = errno;
    }
    if (ok && rename(temp, path) != 0) {
        ok = false;
        code = errno;
    }
    if (!ok) {
        if (fd >= 0)
            unlink(temp);
        pgf_error_set(error, PGF_ERROR_MIDWAY, ROOM_HINT, "cannot write %s: %s", path, g_strerror(code));
        return false;
    }
    if (!sync_folder(folder)) {
        pgf_error_set(error, PGF_ERROR_MIDWAY, ROOM_HINT, "cannot flush %s to the disk: %s", folder, g_strerror(errno));
        return false;
    }
    return true;
}

void file_remove_leftovers(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL)
        return;
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_prefix(name, FILE_TEMP_PREFIX))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        unlink(path);
    }
}

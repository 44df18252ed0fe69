#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backup/internal.h"
#include "base/spawn.h"
#include "base/wipe.h"
#include "config/config.h"
#include "testdb/tree.h"

/* gzip makes a hundredth of the most monotonous tables; below that there is surely not enough room. */
enum { BEST_COMPRESSION = 100 };
enum { MIB = 1 << 20 };

#define PARTIAL ".partial"

/* A folder that is being filled. The lock on it tells the next backup that we are alive. */
typedef struct Partial {
    char *path; /* FOLDER/.NAME.partial */
    char *final;
    int fd;
} Partial;

static void partial_clear(Partial *partial)
{
    if (partial->fd >= 0)
        close(partial->fd);
    if (partial->path != NULL)
        (void)tree_remove(partial->path, NULL);
    g_free(partial->path);
    g_free(partial->final);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Partial, partial_clear)

static bool cannot(GError **error, const char *what, const char *path)
{
    const char *hint =
        errno == ENOSPC ? "Free some room, or choose another folder (--output; --backup-dir of `pgfold fold`)." : NULL;
    pgf_error_set(error, PGF_ERROR_MIDWAY, hint, "cannot %s %s: %s", what, path, g_strerror(errno));
    return false;
}

static bool make_folder(const char *folder, char **ret_absolute, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(folder, NULL);
    if (g_mkdir_with_parents(absolute, 0700) != 0 || access(absolute, W_OK | X_OK) != 0) {
        pgf_error_set(error, PGF_ERROR_USAGE,
                      "Name a folder that you may write to (--output; --backup-dir of `pgfold fold`).",
                      "backups cannot be kept in %s: %s", absolute, g_strerror(errno));
        return false;
    }
    *ret_absolute = g_steal_pointer(&absolute);
    return true;
}

static int lock_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What killed processes left: no one holds its lock. */
static void sweep(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL)
        return;
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        if (name[0] != '.' || !g_str_has_suffix(name, PARTIAL))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        int fd = lock_folder(path);
        if (fd < 0)
            continue;
        (void)tree_remove(path, NULL);
        close(fd);
    }
    g_dir_close(dir);
}

/* True once the folder is there and ours; false with errno, EEXIST where the name is taken. */
static bool claim(Partial *partial, const char *folder, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/.%s" PARTIAL, folder, name);
    g_autofree char *final = g_build_filename(folder, name, NULL);
    errno = EEXIST;
    if (g_file_test(final, G_FILE_TEST_EXISTS) || g_mkdir(path, 0700) != 0)
        return false;
    partial->fd = lock_folder(path);
    if (partial->fd < 0) {
        errno = EEXIST; /* swept by another one between the two calls */
        return false;
    }
    partial->path = g_steal_pointer(&path);
    partial->final = g_steal_pointer(&final);
    return true;
}

static bool partial_open(Partial *partial, const char *folder, const char *source_name, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *source = config_file_name(source_name);
    for (int n = 1; n < 100; n++) {
        g_autofree char *name =
            n == 1 ? g_strdup_printf("%s-%s", source, time) : g_strdup_printf("%s-%s-%d", source, time, n);
        if (claim(partial, folder, name))
            return true;
        if (errno != EEXIST)
            break;
    }
    return cannot(error, "make a folder in", folder);
}

static bool sync_folder(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return cannot(error, "open", path);
    bool ok = fsync(fd) == 0 || cannot(error, "write", path);
    close(fd);
    return ok;
}

/* From here on the backup has its name. */
static bool partial_finish(Partial *partial, const char *folder, GError **error)
{
    if (!sync_folder(partial->path, error))
        return false;
    if (g_rename(partial->path, partial->final) != 0)
        return cannot(error, "rename", partial->path);
    g_free(partial->path);
    partial->path = g_strdup(partial->final); /* to be removed, if it does not get onto the disk */
    if (!sync_folder(folder, error))
        return false;
    g_clear_pointer(&partial->path, g_free);
    return true;
}

static bool check_room(const char *folder, guint64 database_bytes, GError **error)
{
    struct statvfs fs;
    if (statvfs(folder, &fs) != 0)
        return cannot(error, "look at the room in", folder);
    guint64 room = (guint64)fs.f_bavail * fs.f_frsize;
    guint64 least = database_bytes / BEST_COMPRESSION + MIB;
    if (room >= least)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "Free some room, or choose another folder (--output; --backup-dir of `pgfold fold`).",
                  "%s has %" G_GUINT64_FORMAT " MiB left; the backup of a database of %" G_GUINT64_FORMAT
                  " MiB needs at least %" G_GUINT64_FORMAT " MiB",
                  folder, room / MIB, database_bytes / MIB, least / MIB);
    return false;
}

static bool pg_dump_failed(const SpawnResult *result, GError **error)
{
    g_autofree char *message = dump_program_message(result->err);
    PgfErrorCode code = dump_program_code(result->err);
    const char *hint = NULL;
    if (strstr(message, "No space left on device") != NULL)
        hint = "Free some room, or choose another folder (--output; --backup-dir of `pgfold fold`).";
    else if (code == PGF_ERROR_REFUSED)
        hint =
            "pg_dump must be allowed to read and lock every table: connect as the owner of the database, or as a role "
            "that may.";
    pgf_error_set(error, code, hint, "pg_dump failed (exit status %d):\n%s", result->status, message);
    return false;
}

static bool run_pg_dump(const BackupSpec *spec, const Backup *backup, const char *path, GError **error)
{
    g_auto(WipedStrv) env = pg_conn_child_environment(spec->source);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_strv_builder_addv(builder, (const char **)env);
    g_strv_builder_add(builder, "LC_ALL=C"); /* messages that we can read */
    g_auto(WipedStrv) all = g_strv_builder_end(builder);
    /* The server's own encoding: an archive of SQL_ASCII must not claim to be UTF-8. */
    g_autofree char *encoding = g_strconcat("--encoding=", backup->encoding, NULL);
    g_autofree char *file = g_strconcat("--file=", path, "/" BACKUP_ARCHIVE, NULL);
    g_autofree char *jobs = g_strdup_printf("--jobs=%d", spec->jobs);
    g_autofree char *snapshot = spec->snapshot == NULL ? NULL : g_strconcat("--snapshot=", spec->snapshot, NULL);
    /* Level 1: two to three times as fast as the default, for a tenth more room. */
    const char *argv[] = {spec->tools->pg_dump,
                          "--format=directory",
                          "--compress=1",
                          "--no-password",
                          "--lock-wait-timeout=60000",
                          encoding,
                          file,
                          jobs,
                          snapshot,
                          NULL};
    SpawnSpec child = {.argv = argv, .setenv = (const char *const *)all, .out = SPAWN_DISCARD, .err = SPAWN_CAPTURE};
    g_auto(SpawnResult) result = {0};
    /* How long the data decides; a cancel ends it. */
    if (!spawn_run(&child, DEADLINE_NONE, &result, error))
        return false;
    return result.status == 0 || pg_dump_failed(&result, error);
}

static bool describe(Backup *backup, const char *path, json_t *document, GError **error)
{
    g_auto(BackupFiles) files = {0};
    if (!backup_files_read(path, true, &files, error))
        return false;
    json_object_set(document, "files", files.list);
    backup->bytes = files.bytes;
    backup->files = files.count;
    return backup_manifest_write(path, document, &backup->manifest_sha256, error);
}

static bool make(const BackupSpec *spec, const char *folder, json_t *document, Backup *backup, GError **error)
{
    g_auto(Partial) partial = {.fd = -1};
    if (!partial_open(&partial, folder, spec->source_name, error) || !run_pg_dump(spec, backup, partial.path, error) ||
        !describe(backup, partial.path, document, error) || !partial_finish(&partial, folder, error))
        return false;
    backup->path = g_strdup(partial.final);
    backup->restore_line = backup_restore_line(backup->path, spec->jobs);
    return true;
}

Backup *backup_make(const BackupSpec *spec, GError **error)
{
    g_assert(spec->source_name[0] != '.' && spec->jobs >= 1);
    g_autoptr(Backup) backup = g_new0(Backup, 1);
    g_autofree char *folder = NULL;
    json_t *document = NULL;
    bool ok = make_folder(spec->folder, &folder, error) && backup_about(spec, backup, &document, error);
    if (ok)
        sweep(folder);
    ok = ok && check_room(folder, backup->database_bytes, error) && make(spec, folder, document, backup, error);
    json_decref(document);
    if (ok)
        return g_steal_pointer(&backup);
    g_prefix_error(error, "%s: backup: ", pg_conn_label(spec->source));
    if (error != NULL)
        pgf_error_set_state(*error, "neither source nor target was changed, and no unfinished backup is left");
    return NULL;
}

void backup_free(Backup *backup)
{
    if (backup == NULL)
        return;
    g_free(backup->path);
    g_free(backup->manifest_sha256);
    g_free(backup->restore_line);
    g_free(backup->database);
    g_free(backup->encoding);
    g_free(backup->collate);
    g_free(backup->ctype);
    g_strfreev(backup->roles);
    g_strfreev(backup->extensions);
    g_free(backup);
}

void backup_discard(const Backup *backup)
{
    (void)tree_remove(backup->path, NULL);
}

/* A backup that was made before: read its manifest, and see whether it is still what it was. */
#include <string.h>

#include "backup/internal.h"

static bool differs(GError **error, const char *path, const char *what)
{
    pgf_error_set(error, PGF_ERROR_DIFFERS, "Do not rely on this backup: make a new one.",
                  "the backup %s was changed: %s", path, what);
    return false;
}

/* sha256: what the file must have, or NULL. New reference; NULL with an error. */
static json_t *manifest_read(const char *path, const char *sha256, char **ret_sha256, GError **error)
{
    g_autofree char *file = g_build_filename(path, BACKUP_MANIFEST, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    json_error_t why;
    gsize length = 0;
    if (!g_file_get_contents(file, &text, &length, &cause)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Name a folder that `pgfold backup` made.", "not a backup: %s",
                      cause->message);
        return NULL;
    }
    g_autofree char *actual = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, (gssize)length);
    if (sha256 != NULL && strcmp(actual, sha256) != 0) {
        differs(error, path, "its " BACKUP_MANIFEST " has another SHA-256");
        return NULL;
    }
    json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (document == NULL)
        pgf_error_set(error, PGF_ERROR_DIFFERS, NULL, "%s: line %d: %s", file, why.line, why.text);
    else if (ret_sha256 != NULL)
        *ret_sha256 = g_steal_pointer(&actual);
    return document;
}

Backup *backup_open(const char *path, GError **error)
{
    g_autoptr(Backup) backup = g_new0(Backup, 1);
    backup->path = g_canonicalize_filename(path, NULL);
    json_t *document = manifest_read(backup->path, NULL, &backup->manifest_sha256, error);
    if (document == NULL)
        return NULL;
    bool ok = backup_from_document(document, backup, error);
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(document, "files"), i, file)
    {
        backup->bytes += (guint64)json_integer_value(json_object_get(file, "size"));
        backup->files++;
    }
    json_decref(document);
    backup->restore_line = backup_restore_line(backup->path, 2);
    if (!ok)
        g_prefix_error(error, "%s: ", path);
    return ok ? g_steal_pointer(&backup) : NULL;
}

static const char *path_of(const json_t *file)
{
    const char *path = json_string_value(json_object_get(file, "path"));
    return path == NULL ? "" : path;
}

/* Both lists are in the byte order of their paths. The first difference, as a sentence, or NULL. Transfer full. */
static char *first_difference(const json_t *listed, const json_t *found)
{
    size_t n_listed = json_array_size(listed), n_found = json_array_size(found);
    for (size_t i = 0; i < n_listed || i < n_found; i++) {
        const json_t *a = json_array_get(listed, i), *b = json_array_get(found, i);
        int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(path_of(a), path_of(b));
        if (order < 0)
            return g_strdup_printf("%s is missing", path_of(a));
        if (order > 0)
            return g_strdup_printf("%s is not in its list of files", path_of(b));
        if (!json_equal(json_object_get(a, "size"), json_object_get(b, "size")))
            return g_strdup_printf("%s has another size", path_of(a));
        if (!json_equal(json_object_get(a, "sha256"), json_object_get(b, "sha256")))
            return g_strdup_printf("%s has another SHA-256", path_of(a));
    }
    return NULL;
}

/* Beside the archive and the manifest there is nothing. */
static char *stray_file(const char *path)
{
    char *stray = NULL;
    GDir *dir = g_dir_open(path, 0, NULL);
    if (dir == NULL)
        return g_strdup("its folder cannot be read");
    for (const char *name = g_dir_read_name(dir); name != NULL && stray == NULL; name = g_dir_read_name(dir))
        if (strcmp(name, BACKUP_ARCHIVE) != 0 && strcmp(name, BACKUP_MANIFEST) != 0)
            stray = g_strdup_printf("%s is not in its list of files", name);
    g_dir_close(dir);
    return stray;
}

bool backup_verify_manifest(const char *path, const char *sha256, GError **error)
{
    g_auto(BackupFiles) files = {0};
    json_t *document = manifest_read(path, sha256, NULL, error);
    if (document == NULL)
        return false;
    bool ok = backup_files_read(path, false, &files, error);
    if (ok) {
        g_autofree char *stray = stray_file(path);
        g_autofree char *difference = first_difference(json_object_get(document, "files"), files.list);
        if (difference != NULL || stray != NULL)
            ok = differs(error, path, difference != NULL ? difference : stray);
    }
    json_decref(document);
    return ok;
}

/* Between the files of this room. */
#pragma once

#include "backup/backup.h"

#define BACKUP_ARCHIVE "dump"
#define BACKUP_MANIFEST "manifest.json"

/* What the manifest says beside its list of files; becomes the document that is written. Reads the source's catalogs.
 */
bool backup_about(const BackupSpec *spec, Backup *backup, json_t **ret_document, GError **error);
/* Fills backup from a manifest, as backup_about() did. */
bool backup_from_document(const json_t *document, Backup *backup, GError **error);
/* As --create wants it: into a new database of the old name. Transfer full. */
char *backup_restore_line(const char *path, int jobs);

typedef struct BackupFiles {
    json_t *list; /* [{path, size, sha256}], by path in byte order */
    guint64 bytes;
    guint count;
} BackupFiles;

void backup_files_clear(BackupFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BackupFiles, backup_files_clear)

/* Reads every file below path/dump. make_private: gives them mode 0600 first. */
bool backup_files_read(const char *path, bool make_private, BackupFiles *ret_files, GError **error);
/* Writes path/manifest.json and puts it on the disk. Transfer full: the hash. */
bool backup_manifest_write(const char *path, const json_t *document, char **ret_sha256, GError **error);

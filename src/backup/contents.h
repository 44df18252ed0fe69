/* What a backup must hold: the digests of the source at the snapshot, from its audit. */
#pragma once

#include "audit/audit.h"
#include "backup/backup.h"

/* {"relations": [{schema, name, rows, digest}...], "large_objects": {...}} for the manifest. New reference. */
json_t *backup_contents(const Audit *audit);

/* A BackupCompare; data: const Audit*. Every table of the source is in the restored database with the same digest, and
 * so are the large objects. PGF_ERROR_DIFFERS names the first that is not. */
bool backup_compare(PgConn *restored, const char *url, gpointer data, GError **error);

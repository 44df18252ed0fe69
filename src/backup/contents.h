/*
 * Compares a restored backup with an audit of its source under the same snapshot: for backup_prove().
 *
 * Every relation that the audit digested must have the same digest and number of rows; so must large objects. Sequences
 * must stand where they stood, or later (they do not follow snapshots), and no kind of object may be fewer; default
 * privileges are not counted, since they are not restored.
 */
#pragma once

#include "audit/audit.h"
#include "backup/backup.h"

typedef struct BackupExpected {
    const Audit *audit;    /* its source's side */
    guint jobs;            /* connections that compare */
    PoolObserver observer; /* or NULL; jobs of kind "digest" */
    gpointer observer_data;
    /* Results: */
    guint relations; /* that were compared */
    guint64 rows;
} BackupExpected;

/* A BackupCompare; data: BackupExpected. PGF_ERROR_DIFFERS names what differs, ten things at most. */
bool backup_compare(PgConn *restored, const char *url, gpointer data, GError **error);

/* For BackupSpec.contents: {"relations": [{schema, name, rows, digest}...], "large_objects": {rows, digest}}. New
 * reference. docs/backup.md. */
json_t *backup_contents(const Audit *audit);

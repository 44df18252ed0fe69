/* The backup behind a receipt: its own, that of an earlier receipt of the same rows, or one that `pgfold backup` made.
 */
#include <string.h>

#include "backup/backup.h"
#include "base/error.h"
#include "cmd/retire_job.h"

/* Digest and rows of one relation somewhere else; false: it is not known there. */
typedef bool (*Lookup)(const void *in, const char *schema, const char *name, const char **ret_digest, gint64 *ret_rows);

static bool look_in_receipt(const void *in, const char *schema, const char *name, const char **ret_digest,
                            gint64 *ret_rows)
{
    const Receipt *receipt = in;
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *one = receipt->relations->pdata[i];
        if (strcmp(one->schema, schema) != 0 || strcmp(one->name, name) != 0)
            continue;
        *ret_digest = one->digest;
        *ret_rows = one->rows;
        return one->digest != NULL;
    }
    return false;
}

/* In the contents of a backup's manifest (docs/backup.md). */
static bool look_in_contents(const void *in, const char *schema, const char *name, const char **ret_digest,
                             gint64 *ret_rows)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(in, "relations"), i, one)
    {
        if (g_strcmp0(json_string_value(json_object_get(one, "schema")), schema) != 0 ||
            g_strcmp0(json_string_value(json_object_get(one, "name")), name) != 0)
            continue;
        *ret_digest = json_string_value(json_object_get(one, "digest"));
        *ret_rows = json_integer_value(json_object_get(one, "rows"));
        return *ret_digest != NULL;
    }
    return false;
}

/* Whether every relation of the receipt is there with the same rows. Tables that were skipped are not in a receipt's
 * proof. */
static bool holds_all(const Receipt *receipt, Lookup lookup, const void *in)
{
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *one = receipt->relations->pdata[i];
        const char *digest = NULL;
        gint64 rows = 0;
        if (one->digest == NULL)
            continue;
        if (!lookup(in, one->schema, one->name, &digest, &rows) || strcmp(digest, one->digest) != 0 ||
            rows != one->rows)
            return false;
    }
    return true;
}

static bool same_large_objects(const Receipt *receipt, const char *digest)
{
    return receipt->large_objects.digest == NULL || g_strcmp0(receipt->large_objects.digest, digest) == 0;
}

static bool is_proven(const Receipt *receipt)
{
    return receipt->backup.made && receipt->backup.proven && receipt->backup.path != NULL;
}

static bool is_same_source(const Receipt *a, const Receipt *b)
{
    return g_strcmp0(a->source.name, b->source.name) == 0 &&
           g_strcmp0(a->source.system_identifier, b->source.system_identifier) == 0 &&
           g_strcmp0(a->source.database, b->source.database) == 0;
}

/* An earlier receipt whose backup holds the same rows: the last fold of a source that was fenced often moves nothing,
 * and makes none. Transfer full. */
static Receipt *find_earlier(const Retirement *r, const Receipt *receipt)
{
    g_autofree char *file = g_strdup(receipt->previous_file);
    while (file != NULL) {
        g_autofree char *path = g_build_filename(ledger_receipts_dir(r->ledger), file, NULL);
        g_autoptr(Receipt) one = receipt_read(path, NULL);
        if (one == NULL)
            return NULL;
        if (is_same_source(one, receipt) && is_proven(one) && holds_all(receipt, look_in_receipt, one) &&
            same_large_objects(receipt, one->large_objects.digest))
            return g_steal_pointer(&one);
        g_free(file);
        file = g_strdup(one->previous_file);
    }
    return NULL;
}

/* Its folder, where `pgfold backup` has made and proven one of the same rows. Transfer full. */
static char *find_by_itself(const Retirement *r, const RetireJob *job)
{
    g_autoptr(GPtrArray) marks = ledger_marks(r->ledger, NULL);
    for (guint i = 0; marks != NULL && i < marks->len; i++) {
        const LedgerMark *mark = marks->pdata[i];
        if (strcmp(mark->source_name, job->source->name) != 0 || mark->stage != LEDGER_BACKED_UP || !mark->good ||
            mark->file == NULL)
            continue;
        g_autofree char *path = g_build_filename(mark->file, "manifest.json", NULL);
        json_t *manifest = json_load_file(path, 0, NULL);
        const json_t *contents = json_object_get(manifest, "contents");
        const json_t *objects = json_object_get(contents, "large_objects");
        bool holds = contents != NULL && holds_all(job->receipt, look_in_contents, contents) &&
                     same_large_objects(job->receipt, json_string_value(json_object_get(objects, "digest")));
        json_decref(manifest);
        if (holds)
            return g_strdup(mark->file);
    }
    return NULL;
}

static bool refuse_without(const RetireJob *job, GError **error)
{
    const ReceiptBackup *backup = &job->receipt->backup;
    const char *name = job->source->name;
    return retire_refuse(error, g_strdup_printf("pgfold backup %s makes one and proves it; then run this again.", name),
                         "source %s: no proven backup holds what its receipt (%s) says%s%s%s", name, job->receipt_file,
                         backup->reason == NULL ? "" : " (none was made then: ",
                         backup->reason == NULL ? "" : backup->reason, backup->reason == NULL ? "" : ")");
}

bool retire_gate_backup(Retirement *r, RetireJob *job, GError **error)
{
    const char *name = job->source->name;
    g_autoptr(Receipt) earlier = is_proven(job->receipt) ? NULL : find_earlier(r, job->receipt);
    const ReceiptBackup *backup = earlier != NULL ? &earlier->backup : &job->receipt->backup;
    bool from_receipt = earlier != NULL || is_proven(job->receipt);
    g_autofree char *path = from_receipt ? g_strdup(backup->path) : find_by_itself(r, job);
    g_autoptr(GError) cause = NULL;
    if (path == NULL)
        return refuse_without(job, error);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return retire_refuse(
            error, g_strdup_printf("Put it back there, or pgfold backup %s makes another one and proves it.", name),
            "source %s: its backup is not at %s any more", name, path);
    if (!backup_verify_manifest(path, from_receipt ? backup->sha256 : NULL, &cause))
        return retire_refuse(error,
                             g_strdup_printf("Move it away; pgfold backup %s makes another one and proves it.", name),
                             "source %s: its backup is not what it was: %s", name, cause->message);
    checklist_add(r->lines, "backup", RETIRE_YES, name, "a backup is there, proven and unchanged",
                  g_strdup_printf("%s; every file has the SHA-256 of its manifest%s%s", path,
                                  from_receipt && backup->how != NULL ? "; " : "",
                                  from_receipt && backup->how != NULL ? backup->how : ""));
    return true;
}

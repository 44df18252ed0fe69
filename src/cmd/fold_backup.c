#include "cmd/fold_backup.h"

#include "base/error.h"

bool fold_backup(const Ends *ends, const DumpTools *tools, const Audit *audit, const char *folder, Out *out,
                 ReceiptBackup *ret_backup, GError **error)
{
    g_autofree char *standard = g_build_filename(ends->config->state, "backups", NULL);
    json_t *contents = backup_contents(audit);
    BackupSpec spec = {.tools = tools,
                       .source = ends->source,
                       .source_name = ends->source_config->name,
                       .snapshot = ends->snapshot->id,
                       .lsn = ends->snapshot->lsn,
                       .folder = folder == NULL ? standard : folder,
                       .jobs = ends->config->fold.jobs,
                       .contents = contents};
    out_notice(out, "Backing up %s...", ends->source_config->name);
    g_autoptr(Backup) backup = backup_make(&spec, error);
    json_decref(contents);
    if (backup == NULL)
        return false;
    g_auto(BackupProof) proof = {0};
    BackupExpected expected = {.audit = audit, .jobs = (guint)ends->config->fold.jobs};
    out_notice(out, "Restoring the backup into an ephemeral server to prove it...");
    g_autoptr(GError) cause = NULL;
    if (!backup_prove(backup, tools, ends->config->fold.jobs, backup_compare, &expected, &proof, &cause)) {
        if (g_error_matches(cause, PGF_ERROR, PGF_ERROR_CANCELLED))
            backup_discard(backup);
        else
            g_prefix_error(&cause, "the backup %s is not proven: ", backup->path);
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    g_autofree char *rows = out_count(audit_rows(audit));
    g_autofree char *size = out_bytes(backup->bytes);
    g_autofree char *how =
        g_strdup_printf("restored into PostgreSQL %s and compared: %s rows", proof.server_version, rows);
    ret_backup->made = true;
    ret_backup->proven = true;
    ret_backup->at = g_get_real_time();
    receipt_text(&ret_backup->path, backup->path);
    receipt_text(&ret_backup->sha256, backup->manifest_sha256);
    receipt_text(&ret_backup->how, how);
    out_notice(out, "Backed up to %s (%s), proven: %s.", backup->path, size, how);
    out_notice(out, "  To restore it: %s", backup->restore_line);
    return true;
}

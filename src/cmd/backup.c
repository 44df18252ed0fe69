/* pgfold backup: an archive of each source that the stock pg_restore reads, proven by restoring it. */
#include <string.h>

#include "backup/backup.h"
#include "backup/contents.h"
#include "base/error.h"
#include "cmd/databases.h"
#include "cmd/shared.h"
#include "cmd/show.h"
#include "config/protect.h"

static const CommandOption options[] = {
    {"source", 0, OPTION_STRING, "URL", "back this database up, without a pgfold.yaml"},
    {"output", 'o', OPTION_STRING, "DIR", "where backups are kept (default: backups in the state folder, .pgfold)"},
    {"jobs", 'j', OPTION_INT, "N", "connections that work at once (1 to 64; 4 unless pgfold.yaml says)"},
    CONTAINERS_OPTION,
    {"no-prove", 0, OPTION_FLAG, NULL, "do not restore the backup to prove it, nor read the rows for digests"},
    {"check", 0, OPTION_STRING, "DIR", "make none: see whether every file of the backup DIR is still what it was"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold backup", "Every source of pgfold.yaml, each proven by restoring it"},
    {"pgfold backup laptop --output /mnt/backups", "One source, kept elsewhere"},
    {"pgfold backup --source postgresql://localhost/app", "A database, without a pgfold.yaml"},
    {"pgfold backup --check .pgfold/backups/laptop-20260102T030405Z", "Is it still unchanged?"},
    {NULL},
};

/* One source on its way. */
typedef struct Job {
    Out *out;
    const Config *config;
    const ConfigSource *source;
    const char *folder;
    bool prove;
    Comparison *comparison; /* without a target */
    DumpTools tools;
    Audit *audit;   /* NULL without a proof */
    char *snapshot; /* as long as it stood */
    char *lsn;
    Backup *backup;
    BackupProof proof;
    BackupExpected expected;
} Job;

static void job_clear(Job *job)
{
    audit_free(job->audit);
    comparison_free(job->comparison);
    dump_tools_clear(&job->tools);
    backup_proof_clear(&job->proof);
    backup_free(job->backup);
    g_free(job->snapshot);
    g_free(job->lsn);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

static bool connect_source(Job *job, GError **error)
{
    job->comparison = g_new0(Comparison, 1);
    job->comparison->jobs = (guint)job->config->fold.jobs;
    job->comparison->ends = ends_open(job->config, job->source, false, error);
    if (job->comparison->ends == NULL ||
        !dump_tools_find(pg_conn_identity(job->comparison->ends->source)->version, &job->tools, error) ||
        !ends_snapshot(job->comparison->ends, error))
        return false;
    job->snapshot = g_strdup(job->comparison->ends->snapshot->id);
    job->lsn = g_strdup(job->comparison->ends->snapshot->lsn);
    return true;
}

/* What the backup must hold: everything, also tables that a fold would skip. */
static bool digest_source(Job *job, Watch *watch, GError **error)
{
    g_autoptr(GPtrArray) findings = comparison_check(job->comparison, error);
    if (findings == NULL || !comparison_staff(job->comparison, error))
        return false;
    AuditSpec spec = comparison_spec(job->comparison, watch);
    spec.rename = NULL; /* a backup has the source's own names */
    spec.skip = NULL;
    job->audit = audit_run(&spec, error);
    g_clear_pointer(&job->comparison->sources, g_ptr_array_unref);
    if (job->audit != NULL && job->audit->empty_source)
        out_notice(job->out, "%s does not hold a single row: only definitions are backed up.", job->source->name);
    return job->audit != NULL;
}

/* The state folder is private and ignored by git: rows must not get into a repository. The ledger makes it so, also
 * where nothing is recorded because there is no pgfold.yaml. */
static bool make_state_folder(const Job *job, GError **error)
{
    g_autoptr(Ledger) ledger = ledger_open(job->config->state, error);
    return ledger != NULL;
}

static bool make_backup(Job *job, GError **error)
{
    g_autofree char *standard = g_build_filename(job->config->state, "backups", NULL);
    if (job->folder == NULL && !make_state_folder(job, error))
        return false;
    json_t *contents = job->audit == NULL ? NULL : backup_contents(job->audit);
    BackupSpec spec = {.tools = &job->tools,
                       .source = job->comparison->ends->source,
                       .source_name = job->source->name,
                       .snapshot = job->snapshot,
                       .lsn = job->lsn,
                       .folder = job->folder == NULL ? standard : job->folder,
                       .jobs = job->config->fold.jobs,
                       .contents = contents};
    out_notice(job->out, "Backing up %s...", job->source->name);
    job->backup = backup_make(&spec, error);
    json_decref(contents);
    /* The source can vacuum again: what follows does not need it. */
    return job->backup != NULL && ends_release_snapshot(job->comparison->ends, error);
}

static bool prove_backup(Job *job, Watch *watch, GError **error)
{
    job->expected = (BackupExpected){
        .audit = job->audit, .jobs = (guint)job->config->fold.jobs, .observer = watch_observe, .observer_data = watch};
    out_notice(job->out, "Restoring it into an ephemeral server...");
    return backup_prove(job->backup, &job->tools, job->config->fold.jobs, backup_compare, &job->expected, &job->proof,
                        error);
}

static void print_backup(const Job *job)
{
    Out *out = job->out;
    const Backup *backup = job->backup;
    g_autofree char *name = out_styled(out, OUT_BOLD, job->source->name);
    g_autofree char *size = out_bytes(backup->bytes);
    g_autofree char *files = show_count(backup->files, "file");
    g_autofree char *path = out_styled(out, OUT_PLAIN, backup->path);
    g_autofree char *restore = out_styled(out, OUT_NAME, backup->restore_line);
    out_line(out, "%s: %s", name, path);
    out_line(out, "  size      %s in %s", size, files);
    out_line(out, "  manifest  SHA-256 %s", backup->manifest_sha256);
    if (job->prove) {
        g_autofree char *good = out_styled(out, OUT_GOOD, "proven");
        g_autofree char *tables = show_count(job->expected.relations, "table");
        g_autofree char *rows = show_count(job->expected.rows, "row");
        g_autofree char *time = out_duration(job->proof.seconds);
        out_line(out, "  proof     %s: restored into PostgreSQL %s, %s with %s are the same (%s)", good,
                 job->proof.server_version, tables, rows, time);
    } else {
        g_autofree char *none = out_styled(out, OUT_WARN, "not proven");
        out_line(out, "  proof     %s (--no-prove)", none);
    }
    out_line(out, "  restore   %s", restore);
    out_notice(out, "            (onto a server that has its roles, as a database of the name it had)");
}

static json_t *backup_json(const Job *job)
{
    const Backup *backup = job->backup;
    json_t *proof = json_null();
    if (job->prove)
        proof = json_pack("{s:s, s:i, s:I, s:f}", "server_version", job->proof.server_version, "relations",
                          (int)job->expected.relations, "rows", (json_int_t)job->expected.rows, "took_seconds",
                          job->proof.seconds);
    json_t *document =
        json_pack("{s:s, s:o, s:I, s:i, s:s, s:s, s:s, s:b, s:o, s:o}", "source", job->source->name, "path",
                  out_json_string(backup->path), "bytes", (json_int_t)backup->bytes, "files", (int)backup->files,
                  "manifest_sha256", backup->manifest_sha256, "snapshot", job->snapshot, "lsn", job->lsn, "proven",
                  job->prove, "proof", proof, "restore", out_json_string(backup->restore_line));
    json_object_set_new(document, "server", show_end_json(job->comparison->ends->source));
    return document;
}

static bool back_up_connected(Job *job, Record *record, GError **error)
{
    g_autoptr(Watch) watch = watch_new(job->out);
    record_identify(record, job->comparison);
    if (job->prove && !digest_source(job, watch, error))
        return false;
    return make_backup(job, error) && (!job->prove || prove_backup(job, watch, error));
}

/* Notes the backup with its folder, which `pgfold status` shows. */
static void record_backup(const Job *job, Record *record)
{
    g_autoptr(GError) problem = NULL;
    if (record->ledger != NULL &&
        !ledger_mark(record->ledger, record->run, job->source->name, LEDGER_BACKED_UP, job->prove,
                     job->prove ? "proven" : "not proven", job->backup->path, &problem))
        out_warning(job->out, "the ledger does not know of this backup: %s", problem->message);
    record_done_quietly(record);
}

static bool back_up(Job *job, json_t *backups, GError **error)
{
    Record record;
    GError *failure = NULL;
    record_begin(&record, job->out, job->config, "backup", job->source->name);
    if (!connect_source(job, &failure) || !back_up_connected(job, &record, &failure)) {
        record_failed(&record, job->config, failure);
        g_propagate_error(error, failure);
        return false;
    }
    record_backup(job, &record);
    print_backup(job);
    json_array_append_new(backups, backup_json(job));
    return true;
}

/* --source stands for a whole pgfold.yaml. */
static bool choose(const CommandArgs *args, Out *out, Choice *ret_choice, GError **error)
{
    const char *url = args_string(args, "source");
    int jobs = 0;
    if (url != NULL && (args_config(args) != NULL || args_words(args)[0] != NULL)) {
        pgf_error_set(
            error, PGF_ERROR_USAGE, "Leave out one of the two.",
            "--source stands for a whole pgfold.yaml: it goes with neither --config nor the name of a source");
        return false;
    }
    ret_choice->config =
        url != NULL ? config_new_adhoc(url, NULL) : config_open(args_config(args), CONFIG_CONNECTS, error);
    if (ret_choice->config == NULL)
        return false;
    for (guint i = 0; i < ret_choice->config->warnings->len; i++)
        out_warning(out, "%s", (const char *)ret_choice->config->warnings->pdata[i]);
    if (args_int(args, "jobs", &jobs) && (jobs < 1 || jobs > CONFIG_JOBS_MAX)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--jobs is from 1 to %d, not %d", CONFIG_JOBS_MAX, jobs);
        return false;
    }
    if (jobs > 0)
        ret_choice->config->fold.jobs = jobs;
    ret_choice->sources = config_choose_sources(ret_choice->config, args_words(args), error);
    return ret_choice->sources != NULL;
}

static int run_check(const CommandArgs *args, Out *out, GError **error)
{
    const char *path = args_string(args, "check");
    if (args_words(args)[0] != NULL || args_string(args, "source") != NULL || args_string(args, "output") != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL,
                      "--check DIR makes no backup: it goes with no source and no --output");
        return 0;
    }
    g_autoptr(Backup) backup = backup_open(path, error);
    if (backup == NULL || !backup_verify_manifest(backup->path, backup->manifest_sha256, error))
        return 0;
    json_t *document = out_json_new("backup-check");
    json_object_set_new(document, "path", out_json_string(backup->path));
    json_object_set_new(document, "files", json_integer((json_int_t)backup->files));
    json_object_set_new(document, "bytes", json_integer((json_int_t)backup->bytes));
    json_object_set_new(document, "manifest_sha256", json_string(backup->manifest_sha256));
    json_object_set_new(document, "restore", out_json_string(backup->restore_line));
    g_autofree char *size = out_bytes(backup->bytes);
    g_autofree char *files = show_count(backup->files, "file");
    g_autofree char *good = out_styled(out, OUT_GOOD, "unchanged");
    g_autofree char *shown = out_styled(out, OUT_PLAIN, backup->path);
    out_line(out, "%s: %s, %s in %s", shown, good, size, files);
    out_line(out, "  manifest  SHA-256 %s", backup->manifest_sha256);
    if (out->json)
        out_json(out, document);
    else
        json_decref(document);
    return 0;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_auto(Choice) choice = {0};
    if (args_string(args, "check") != NULL)
        return run_check(args, out, error);
    if (!choose(args, out, &choice, error) ||
        !containers_begin(out, choice.config, choice.sources, args_flag(args, "start"), &choice.containers, error) ||
        !databases_find(out, choice.config, choice.sources, error))
        return 0;
    const char *folder = args_string(args, "output");
    if (folder != NULL && !config_check_protected_path(choice.config, "the backup folder", folder, error))
        return 0;
    json_t *document = out_json_new("backup");
    json_t *backups = json_array();
    json_object_set_new(document, "backups", backups);
    bool ok = true;
    g_auto(DatabaseFailures) failures;
    database_failures_init(&failures);
    for (guint i = 0; i < choice.sources->len && ok; i++) {
        g_auto(Job) job = {.out = out,
                           .config = choice.config,
                           .source = choice.sources->pdata[i],
                           .folder = args_string(args, "output"),
                           .prove = !args_flag(args, "no-prove")};
        GError *failure = NULL;
        ok = back_up(&job, backups, &failure) || databases_go_on(out, &choice, i, &failures, failure);
        if (!ok)
            g_propagate_error(error, failure);
    }
    ok = ok && databases_settle(&choice, choice.sources->len, &failures, error);
    if (ok && out->json)
        out_json(out, document);
    else
        json_decref(document);
    return 0;
}

const Command command_backup = {
    .name = "backup",
    .summary = "back the sources up, and prove each backup by restoring it",
    .synopsis = "[SOURCE...]",
    .description =
        "Makes a backup of every source, or of those named, in PostgreSQL's own archive format: with pg_dump, in "
        "parallel, under one snapshot. The stock pg_restore reads it; the line that does so is printed.\n\n"
        "Each backup is a folder of its own, with a manifest that lists every file with its SHA-256. It gets its name "
        "only when all of it is on the disk; whatever fails or is interrupted leaves nothing.\n\n"
        "A backup is then proven: it is restored into an ephemeral server of this machine, and the digest of every "
        "table, computed there, is compared with the source's under the same snapshot. --no-prove leaves that out, for "
        "a machine without a server.\n\n"
        "Roles are not in a backup of one database: the server that it is restored onto must have them.",
    .options = options,
    .examples = examples,
    .exit_codes = "1 when a backup does not restore to what the source holds, or --check finds a change. 4 when "
                  "the source, or the folder for the backup, is protected.",
    .run = run,
};

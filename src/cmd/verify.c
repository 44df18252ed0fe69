/* pgfold verify: is everything of the sources in the target? Down to the rows that are not. */
#include "backup/backup.h"
#include "base/error.h"
#include "cmd/databases.h"
#include "cmd/shared.h"
#include "cmd/verify_view.h"
#include "cmd/verifying.h"

enum { DEFAULT_ROWS = 20, MOST_ROWS = 100000 };

static const CommandOption options[] = {
    SHARED_OPTIONS,
    FILTER_OPTIONS,
    {"rows", 'n', OPTION_INT, "N", "how many differing rows of each table to describe (20 unless given)"},
    {"receipt", 0, OPTION_STRING, "FILE", "check a receipt and the chain that it stands in; connects to nothing"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold verify", "Every source of pgfold.yaml"},
    {"pgfold verify laptop --rows 200", "One source, with up to 200 rows of each table that differs"},
    {"pgfold verify --receipt .pgfold/receipts/20260131T101500Z-3-laptop.json", "Was this receipt changed?"},
    {"pgfold verify --quiet || echo \"do not drop anything\"", "In a script"},
    {NULL},
};

static bool verify_source(const Config *config, const ConfigSource *source, guint max_rows, const VerifyView *view,
                          bool *ret_contained, GError **error)
{
    Record record;
    GError *failure = NULL;
    record_begin(&record, view->out, config, "verify", source->name);
    g_autoptr(Comparison) comparison = comparison_open(config, source, &failure);
    g_autoptr(Verification) verification =
        comparison == NULL ? NULL : verifying_run(comparison, &record, view->out, max_rows, &failure);
    if (verification == NULL) {
        record_failed(&record, config, failure);
        g_propagate_error(error, failure);
        return false;
    }
    g_autofree char *outcome = verify_outcome(verification);
    verify_show(view, comparison->ends, verification, outcome);
    record_done(&record, LEDGER_VERIFIED, verification->contained, outcome);
    *ret_contained = verification->contained;
    return true;
}

static int verify_databases(const CommandArgs *args, Out *out, guint max_rows, GError **error)
{
    g_auto(Choice) choice = {0};
    if (!shared_choose(args, out, &choice, error) || !shared_narrow(args, &choice, error))
        return 0;
    if (choice.config->target.url == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Give --target as well.", "there is no target to verify");
        return 0;
    }
    json_t *document = out_json_new("verify");
    VerifyView view = {.out = out, .sources = json_array()};
    json_object_set_new(document, "sources", view.sources);
    json_object_set_new(document, "contained", json_false());
    json_object_set_new(document, "failed", json_null());
    bool all_contained = true;
    g_auto(DatabaseFailures) failures;
    database_failures_init(&failures);
    for (guint i = 0; i < choice.sources->len; i++) {
        bool contained = false;
        if (i > 0)
            out_line(out, "%s", "");
        GError *failure = NULL;
        if (!verify_source(choice.config, choice.sources->pdata[i], max_rows, &view, &contained, &failure)) {
            if (databases_go_on(out, &choice, i, &failures, failure)) {
                all_contained = false;
                continue;
            }
            shared_print_failed(out, document, &choice, i, failure);
            g_propagate_error(error, failure);
            return 0;
        }
        all_contained = all_contained && contained;
    }
    if (!databases_settle(&choice, choice.sources->len, &failures, error))
        shared_put_failed(document, &choice, failures.index, failures.worst);
    json_object_set_new(document, "contained", json_boolean(all_contained));
    if (out->json)
        out_json(out, document);
    else
        json_decref(document);
    return all_contained ? 0 : PGF_ERROR_DIFFERS;
}

/* The backup that a receipt names: every file as it was when it was proven. NULL when all is well, or there is none;
 * else what is not, as a sentence. Transfer full. */
static char *backup_problem(const Receipt *receipt)
{
    const ReceiptBackup *backup = &receipt->backup;
    g_autoptr(GError) error = NULL;
    if (!backup->made || backup->path == NULL)
        return NULL;
    if (!g_file_test(backup->path, G_FILE_TEST_EXISTS))
        return g_strdup_printf("the backup is not at %s any more: moved or deleted", backup->path);
    return backup_verify_manifest(backup->path, backup->sha256, &error) ? NULL : g_strdup(error->message);
}

static int verify_receipt(const char *path, Out *out, GError **error)
{
    guint chain = 0;
    g_autoptr(Receipt) receipt = NULL;
    if (!receipt_check(path, &chain, error) || (receipt = receipt_read(path, error)) == NULL)
        return 0;
    g_autofree char *problem = backup_problem(receipt);
    verify_show_receipt(out, path, receipt, chain, problem);
    if (problem != NULL)
        out_warning(out, "%s", problem);
    return receipt->contained && problem == NULL ? 0 : PGF_ERROR_DIFFERS;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    const char *receipt = args_string(args, "receipt");
    int rows = DEFAULT_ROWS;
    if (args_int(args, "rows", &rows) && (rows < 0 || rows > MOST_ROWS)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--rows is from 0 to %d, not %d", MOST_ROWS, rows);
        return 0;
    }
    if (receipt == NULL)
        return verify_databases(args, out, (guint)rows, error);
    if (args_words(args)[0] != NULL || args_string(args, "source") != NULL || args_string(args, "target") != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--receipt checks a file: it goes with no source and no target");
        return 0;
    }
    return verify_receipt(receipt, out, error);
}

const Command command_verify = {
    .name = "verify",
    .summary = "prove that everything of the sources is in the target, row by row",
    .synopsis = "[SOURCE...]",
    .description = "Compares the digests of every table, both servers at work at once, each under one snapshot. Where "
                   "they differ, it "
                   "goes down through ranges of the key to the rows: missing (only in the source), different (the same "
                   "key with another "
                   "value; both values are shown), extra (only in the target).\n\n"
                   "A source is contained when the target has every row of it with the same value, every sequence "
                   "stands where the "
                   "source's stands or beyond, no kind of object is less often, and the large objects are the same. "
                   "What the target "
                   "has beside that does not count. Where rows were merged, they are looked for under the key that "
                   "they got, and rows that "
                   "lost against the target's by a rule count as settled, as long as they are unchanged in the source "
                   "(docs/merge.md). Nothing is written to either side.\n\n"
                   "--receipt checks the file of an earlier fold instead: that it was not changed, that its verdict "
                   "follows from what "
                   "it says, the chain of receipts before it, and every file of the backup that it names.",
    .options = options,
    .examples = examples,
    .exit_codes = "0 only when everything is contained; 1 when anything is missing or different.",
    .run = run,
};

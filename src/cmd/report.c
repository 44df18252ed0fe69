/* pgfold report: a receipt as a page for people, or as JSON. */
#include <string.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/report_page.h"
#include "config/protect.h"
#include "ledger/memory.h"
#include "ledger/receipt.h"

static const CommandOption options[] = {
    {"markdown", 'm', OPTION_FLAG, NULL, "print Markdown on a terminal too"},
    {"output", 'o', OPTION_STRING, "FILE", "write to FILE instead of standard output"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold report", "The newest fold, for reading on the terminal"},
    {"pgfold report laptop --output docs/fold-laptop.md", "The newest fold of one source, as Markdown for the project"},
    {"pgfold report --json | jq '.relations[] | select(.verdict != \"contained\")'", "What a program wants to know"},
    {NULL},
};

static Config *open_config(const CommandArgs *args, GError **error)
{
    g_autofree char *path = NULL;
    if (!config_find(args_config(args), &path, error))
        return NULL;
    return path == NULL ? config_new_adhoc(NULL, NULL) : config_load(path, CONFIG_OFFLINE, error);
}

static void set_no_receipt(const char *state, const char *word, GError **error)
{
    if (word == NULL)
        pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold fold` writes a receipt when it is done",
                      "there is no receipt yet in %s", state);
    else
        pgf_error_set(error, PGF_ERROR_USAGE, "name a receipt file, or a source that was folded (`pgfold status`)",
                      "\"%s\" is neither a file nor a source with a receipt in %s", word, state);
}

/* word: a path, a file name in the receipts folder, the name of a source, or NULL for the newest of all. */
static char *choose_receipt(const Config *config, const char *word, GError **error)
{
    if (word != NULL && g_file_test(word, G_FILE_TEST_IS_REGULAR))
        return g_canonicalize_filename(word, NULL);
    g_autoptr(Ledger) ledger = NULL;
    if (!ledger_open_existing(config->state, &ledger, error))
        return NULL;
    if (ledger != NULL && word != NULL) {
        g_autofree char *path = g_build_filename(ledger_receipts_dir(ledger), word, NULL);
        if (strchr(word, '/') == NULL && g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&path);
    }
    g_autoptr(GError) failed = NULL;
    char *newest = ledger == NULL ? NULL : receipt_newest(ledger, word, &failed);
    if (failed != NULL)
        g_propagate_error(error, g_steal_pointer(&failed));
    else if (newest == NULL)
        set_no_receipt(config->state, word, error);
    return newest;
}

/* A receipt stays what it was. Whether its fold was taken back since is in the ledger that it belongs to. */
static char *find_undone(const Config *config, const char *path, const Receipt *receipt)
{
    g_autoptr(Ledger) ledger = NULL;
    if (!ledger_open_existing(config->state, &ledger, NULL) || ledger == NULL)
        return NULL;
    g_autofree char *own = receipt_of_run(ledger, receipt->run, NULL);
    g_autoptr(LedgerMerge) merge = ledger_merge_of(ledger, receipt->run, NULL);
    if (g_strcmp0(own, path) != 0 || merge == NULL || merge->state != LEDGER_MERGE_UNDONE)
        return NULL;
    return g_strdup_printf("yes: `pgfold undo %" G_GINT64_FORMAT "` took this fold out of the target again",
                           receipt->run);
}

static bool write_file(const char *path, const char *text, GError **error)
{
    g_autoptr(GError) failed = NULL;
    GFileSetContentsFlags flags = G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE;
    if (g_file_set_contents_full(path, text, -1, flags, 0644, &failed))
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "name a file in a folder that exists and that you may write to",
                  "cannot write %s", failed->message);
    return false;
}

static char *json_text(const Receipt *receipt)
{
    json_t *document = receipt_to_json(receipt);
    char *text = json_dumps(document, JSON_INDENT(2));
    char *line = g_strconcat(text, "\n", NULL);
    free(text);
    json_decref(document);
    return line;
}

static bool print_report(const CommandArgs *args, const Config *config, const ReportFacts *facts, Out *out,
                         GError **error)
{
    const char *file = args_string(args, "output");
    if (file != NULL && strcmp(file, "-") != 0) {
        if (!config_check_protected_path(config, "the report", file, error))
            return false;
        g_autofree char *text = out->json ? json_text(facts->receipt) : report_markdown(facts);
        if (!write_file(file, text, error))
            return false;
        out_notice(out, "wrote %s", file);
        return true;
    }
    if (out->json) {
        out_json(out, receipt_to_json(facts->receipt));
        return true;
    }
    bool page = out->results_tty && !args_flag(args, "markdown");
    g_autofree char *text = page ? report_terminal(facts, out->color_results, out->width) : report_markdown(facts);
    out_raw(out, text);
    return true;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    const char *const *words = args_words(args);
    if (words[0] != NULL && words[1] != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "one receipt at a time: what is \"%s\"?", words[1]);
        return PGF_ERROR_USAGE;
    }
    g_autoptr(Config) config = open_config(args, error);
    if (config == NULL)
        return PGF_ERROR_USAGE;
    g_autofree char *path = choose_receipt(config, words[0], error);
    g_autoptr(Receipt) receipt = path == NULL ? NULL : receipt_read(path, error);
    if (receipt == NULL)
        return PGF_ERROR_USAGE;
    /* A receipt that is itself sound is shown even where the ones before it are not, and says so. */
    g_autoptr(GError) broken = NULL;
    g_autofree char *undone = find_undone(config, path, receipt);
    ReportFacts facts = {.receipt = receipt, .path = path, .undone = undone};
    if (!receipt_check(path, &facts.chain, &broken)) {
        facts.chain_problem = broken->message;
        out_warning(out, "%s", broken->message);
    }
    if (!print_report(args, config, &facts, out, error))
        return PGF_ERROR_USAGE;
    return receipt->contained && broken == NULL ? 0 : PGF_ERROR_DIFFERS;
}

const Command command_report = {
    .name = "report",
    .summary = "show a receipt: what a fold moved, and how that was proven",
    .synopsis = "[RECEIPT|SOURCE]",
    .description =
        "Shows the newest receipt, the newest of one source, or the one in a file. On a terminal as a page to read, "
        "elsewhere (and with --markdown or --output) as Markdown, with --json as the receipt's own document "
        "(docs/receipt.md).\n\n"
        "The receipt's hash is checked first, and the chain of receipts before it.",
    .options = options,
    .examples = examples,
    .exit_codes =
        "1 when the receipt says \"not contained\", was changed, or the chain of receipts before it is broken. 4 "
        "when --output leads into a protected path.",
    .run = run,
};

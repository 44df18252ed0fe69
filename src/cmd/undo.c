/* pgfold undo: takes a committed fold out of the target again. */
#include "fold/undo.h"
#include "base/error.h"
#include "cmd/shared.h"

static const CommandOption options[] = {
    {"forget", 0, OPTION_FLAG, NULL, "keep the fold, and drop what undo would need"},
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"dry-run", 'n', OPTION_FLAG, NULL, "say what would be taken out, and change nothing"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold undo 12", "Take run 12 out again; `pgfold status` and the receipt tell the number"},
    {"pgfold undo 12 --yes", "Without being asked"},
    {"pgfold undo --forget 12", "Run 12 stays for good: drop the schema that undo needs from the target"},
    {NULL},
};

static bool parse_run(const CommandArgs *args, gint64 *ret_run, GError **error)
{
    const char *const *words = args_words(args);
    char *end = NULL;
    if (words[0] != NULL && words[1] == NULL) {
        *ret_run = g_ascii_strtoll(words[0], &end, 10);
        if (end != words[0] && *end == '\0' && *ret_run > 0)
            return true;
    }
    pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold report` shows the number of the last fold: pgfold undo 12",
                  "one number of a run is wanted");
    return false;
}

static LedgerMerge *find_merge(Ledger *ledger, gint64 run, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(LedgerMerge) merge = ledger_merge_of(ledger, run, &cause);
    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    static const char HINT[] = "`pgfold report --json` has the number of the last fold (run).";
    if (merge == NULL)
        pgf_error_set(error, PGF_ERROR_USAGE, HINT,
                      "run %" G_GINT64_FORMAT " is no fold that could be taken back: it changed nothing, or was not a fold", run);
    else if (merge->state == LEDGER_MERGE_UNDONE)
        pgf_error_set(error, PGF_ERROR_REFUSED, HINT, "run %" G_GINT64_FORMAT " was taken back already", run);
    else if (merge->state == LEDGER_MERGE_FORGOTTEN)
        pgf_error_set(error, PGF_ERROR_REFUSED, "The backup of the source and the receipts are still there.",
                      "run %" G_GINT64_FORMAT " can no longer be taken back: what that needs was dropped (--forget)", run);
    else if (merge->state == LEDGER_MERGE_ABANDONED)
        pgf_error_set(error, PGF_ERROR_REFUSED, HINT, "run %" G_GINT64_FORMAT " was never committed", run);
    else
        return g_steal_pointer(&merge);
    return NULL;
}

/* What the ledger knows of a fold that was stopped between its commit and its receipt. */
static Receipt *stand_in(const LedgerMerge *merge)
{
    Receipt *receipt = receipt_new();
    receipt->run = merge->run;
    receipt_text(&receipt->source.name, merge->source_name);
    receipt_text(&receipt->target.system_identifier, merge->target.system_identifier);
    receipt_text(&receipt->target.database, merge->target.database);
    receipt->target.database_oid = merge->target.database_oid;
    return receipt;
}

static Receipt *find_receipt(Ledger *ledger, const LedgerMerge *merge, bool forget, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = receipt_of_run(ledger, merge->run, &cause);
    if (path != NULL)
        return receipt_read(path, error);
    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    if (forget || merge->drop_sql == NULL || *merge->drop_sql == '\0')
        return stand_in(merge);
    char *hint = g_strdup_printf("Keep what it brought: `pgfold undo --forget %" G_GINT64_FORMAT "`.", merge->run);
    pgf_error_take_hint(error, PGF_ERROR_REFUSED, hint,
                        "run %" G_GINT64_FORMAT
                        " cannot be taken back: it was stopped before it wrote its receipt, so nobody "
                        "knows whether the tables that it made were written to since",
                        merge->run);
    return NULL;
}

static bool confirm(const CommandArgs *args, Out *out, const UndoSpec *spec, GError **error)
{
    const char *what = spec->forget ? "Drop what undo needs for run" : "Take out run";
    if (out_confirm(out, args_flag(args, "yes"), "%s %" G_GINT64_FORMAT " (%s into %s)?", what, spec->merge->run,
                    spec->receipt->source.name, spec->receipt->target.database))
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Answer y, or give --yes where nobody can be asked.",
                  "not confirmed: nothing was changed");
    return false;
}

static void show(Out *out, const UndoSpec *spec, const char *outcome)
{
    bool is_known = spec->receipt->relations->len > 0;
    gint64 inserted = 0, overwritten = 0;
    for (guint i = 0; i < spec->receipt->relations->len; i++) {
        const ReceiptRelation *r = spec->receipt->relations->pdata[i];
        inserted += r->action == RECEIPT_NEW ? MAX(r->rows, 0) : MAX(r->inserted, 0);
        overwritten += MAX(r->overwritten, 0);
    }
    if (out->json) {
        json_t *document = out_json_new("undo");
        json_object_set_new(document, "run", json_integer(spec->merge->run));
        json_object_set_new(document, "source", json_string(spec->receipt->source.name));
        json_object_set_new(document, "outcome", json_string(outcome));
        json_object_set_new(document, "deleted", is_known ? json_integer(inserted) : json_null());
        json_object_set_new(document, "put_back", is_known ? json_integer(overwritten) : json_null());
        out_json(out, document);
        return;
    }
    g_autofree char *deleted = out_count((guint64)inserted);
    g_autofree char *back = out_count((guint64)overwritten);
    if (is_known)
        out_line(out, "Run %" G_GINT64_FORMAT ": %s: %s rows that it brought, %s that it had overwritten.",
                 spec->merge->run, outcome, deleted, back);
    else
        out_line(out, "Run %" G_GINT64_FORMAT ": %s.", spec->merge->run, outcome);
}

static bool undo(const CommandArgs *args, Out *out, const UndoSpec *spec, GError **error)
{
    if (args_flag(args, "dry-run")) {
        show(out, spec, spec->forget ? "would be kept for good" : "would be taken out");
        return true;
    }
    if (!confirm(args, out, spec, error))
        return false;
    gint64 run = 0;
    if (!ledger_run_begin(spec->ledger, "undo", spec->receipt->source.name, &run, error))
        return false;
    g_autoptr(GError) failure = NULL;
    g_autofree char *outcome = g_strdup_printf("taken back by run %" G_GINT64_FORMAT, run);
    bool ok = undo_run(spec, &failure) &&
              (spec->forget || (ledger_mark(spec->ledger, run, spec->receipt->source.name, LEDGER_FOLDED, false, outcome, NULL,
                                            &failure) &&
                                ledger_mark(spec->ledger, run, spec->receipt->source.name, LEDGER_VERIFIED, false, outcome,
                                            NULL, &failure)));
    g_autofree char *message = ok ? NULL : config_redact(spec->config, failure->message);
    (void)ledger_run_finish(spec->ledger, run, ok ? LEDGER_DONE : LEDGER_FAILED, message, NULL);
    if (!ok) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    show(out, spec, spec->forget ? "kept for good" : "taken out");
    return true;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    gint64 wanted = 0;
    if (!parse_run(args, &wanted, error))
        return 0;
    g_autoptr(Config) config = config_open(args_config(args), CONFIG_CONNECTS, error);
    g_autoptr(Ledger) ledger = config == NULL ? NULL : ledger_open(config->state, error);
    if (ledger == NULL || !ledger_lock(ledger, "undo", error))
        return 0;
    g_autoptr(LedgerMerge) merge = find_merge(ledger, wanted, error);
    g_autoptr(Receipt) receipt = merge == NULL ? NULL : find_receipt(ledger, merge, args_flag(args, "forget"), error);
    if (receipt == NULL)
        return 0;
    UndoSpec spec = {.config = config,
                     .ledger = ledger,
                     .merge = merge,
                     .receipt = receipt,
                     .forget = args_flag(args, "forget")};
    (void)undo(args, out, &spec, error);
    return 0;
}

const Command command_undo = {
    .name = "undo",
    .summary = "take a committed fold out of the target again",
    .synopsis = "RUN",
    .description =
        "Deletes the rows that a fold has inserted, puts back those that it has overwritten, and drops what it has created: all "
        "of it, in one transaction, or nothing. Where a later change would be lost, it refuses and names the rows: a row "
        "that was changed since, a row that others refer to by now, a new table with other rows than the fold brought, an object that "
        "something else depends on.\n\n"
        "What undo needs is kept in the target, in a schema named pgfold_undo_..., until --forget.",
    .options = options,
    .examples = examples,
    .exit_codes = "4 when a later change would be lost: nothing was changed.",
    .run = run,
};

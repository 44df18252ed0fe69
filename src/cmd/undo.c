/* pgfold undo: takes a committed fold out of the target again. */
#include "fold/undo.h"
#include "base/error.h"
#include "cmd/shared.h"

static const CommandOption options[] = {
    {"forget", 0, OPTION_FLAG, NULL, "keep the fold, and drop what undo would need"},
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"dry-run", 'n', OPTION_FLAG, NULL, "do all of it in the target and roll it back: whether it would go through"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold undo 12", "Take the fold of run 12 back; `pgfold status` tells the number"},
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
    pgf_error_set(error, PGF_ERROR_USAGE, "`pgfold status` names the folds that can be taken back: pgfold undo 12",
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
    static const char HINT[] = "`pgfold status` names the folds that can be taken back.";
    if (merge == NULL)
        pgf_error_set(
            error, PGF_ERROR_USAGE, HINT,
            "run %" G_GINT64_FORMAT " is no fold that could be taken back: it changed nothing, or was not a fold", run);
    else if (merge->state == LEDGER_MERGE_UNDONE)
        pgf_error_set(error, PGF_ERROR_REFUSED, HINT, "run %" G_GINT64_FORMAT " was taken back already", run);
    else if (merge->state == LEDGER_MERGE_FORGOTTEN)
        pgf_error_set(error, PGF_ERROR_REFUSED, "The backup of the source and the receipts are still there.",
                      "run %" G_GINT64_FORMAT " can no longer be taken back: what that needs was dropped (--forget)",
                      run);
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
    const char *what = spec->forget ? "Drop what undo needs for run" : "Take back run";
    if (out_confirm(out, args_flag(args, "yes"), "%s %" G_GINT64_FORMAT " (%s into %s)?", what, spec->merge->run,
                    spec->receipt->source.name, spec->receipt->target.database))
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Answer y, or give --yes where nobody can be asked.",
                  "not confirmed: nothing was changed");
    return false;
}

typedef struct Counts {
    gint64 deleted, put_back;
    bool database; /* the fold made the whole database: it goes */
    bool known;    /* false: the fold was stopped before it wrote its receipt */
} Counts;

static Counts count(const UndoSpec *spec)
{
    Counts counts = {.database = g_strcmp0(spec->merge->drop_sql, UNDO_WHOLE_DATABASE) == 0,
                     .known = spec->receipt->relations->len > 0};
    for (guint i = 0; i < spec->receipt->relations->len; i++) {
        const ReceiptRelation *r = spec->receipt->relations->pdata[i];
        counts.deleted += r->action == RECEIPT_NEW ? MAX(r->rows, 0) : MAX(r->inserted, 0);
        counts.put_back += MAX(r->overwritten, 0);
    }
    return counts;
}

static void show_json(Out *out, const UndoSpec *spec, bool dry_run, const Counts *counts)
{
    json_t *document = out_json_new("undo");
    json_object_set_new(document, "run", json_integer(spec->merge->run));
    json_object_set_new(document, "source", out_json_string(spec->receipt->source.name));
    json_object_set_new(document, "target_database", out_json_string(spec->receipt->target.database));
    json_object_set_new(document, "action", json_string(spec->forget ? "forget" : "undo"));
    json_object_set_new(document, "dry_run", json_boolean(dry_run));
    json_object_set_new(document, "outcome", json_string(dry_run ? "ready" : spec->forget ? "forgotten" : "undone"));
    json_object_set_new(document, "database", json_boolean(counts->database));
    json_object_set_new(document, "deleted",
                        counts->known ? json_integer(spec->forget ? 0 : counts->deleted) : json_null());
    json_object_set_new(document, "put_back",
                        counts->known ? json_integer(spec->forget ? 0 : counts->put_back) : json_null());
    out_json(out, document);
}

static char *rows_text(const Counts *counts, bool dry_run)
{
    g_autofree char *deleted = out_count((guint64)counts->deleted), *back = out_count((guint64)counts->put_back);
    const char *is = dry_run ? "would be" : counts->deleted == 1 ? "is" : "are";
    const char *has = dry_run ? "would get" : counts->put_back == 1 ? "has" : "have";
    GString *text = g_string_new(NULL);
    if (!counts->known) {
        g_string_append(text, "what it had brought is gone, what it had overwritten is as before");
        return g_string_free(text, FALSE);
    }
    g_string_append_printf(text, "%s row%s that it had brought %s gone", deleted, counts->deleted == 1 ? "" : "s", is);
    if (counts->put_back > 0)
        g_string_append_printf(text, ", %s that it had overwritten %s the old value again", back, has);
    return g_string_free(text, FALSE);
}

static void show(Out *out, const UndoSpec *spec, bool dry_run)
{
    Counts counts = count(spec);
    if (out->json) {
        show_json(out, spec, dry_run, &counts);
        return;
    }
    g_autofree char *fold = g_strdup_printf("Run %" G_GINT64_FORMAT " (%s into %s)", spec->merge->run,
                                            spec->receipt->source.name, spec->receipt->target.database);
    if (spec->forget) {
        out_line(out, "%s %s for good: what undo needs %s dropped from the target.", fold,
                 dry_run ? "would stay" : "stays", dry_run ? "would be" : "is");
        return;
    }
    g_autofree char *rows = rows_text(&counts, dry_run);
    out_line(out, "%s %s taken back: %s%s.", fold, dry_run ? "would be" : "is", rows,
             counts.database ? ", and so is the database, which it had made" : "");
    if (dry_run)
        out_line(out, "Nothing stands against it; nothing was changed.");
}

static bool undo(const CommandArgs *args, Out *out, const UndoSpec *spec, GError **error)
{
    if (spec->rehearse) {
        if (!undo_run(spec, error))
            return false;
        show(out, spec, true);
        return true;
    }
    if (!confirm(args, out, spec, error))
        return false;
    gint64 run = 0;
    if (!ledger_run_begin(spec->ledger, "undo", spec->receipt->source.name, &run, error))
        return false;
    g_autoptr(GError) failure = NULL;
    g_autofree char *outcome = g_strdup_printf("taken back by run %" G_GINT64_FORMAT, run);
    bool ok =
        undo_run(spec, &failure) &&
        (spec->forget ||
         (ledger_mark(spec->ledger, run, spec->receipt->source.name, LEDGER_FOLDED, false, outcome, NULL, &failure) &&
          ledger_mark(spec->ledger, run, spec->receipt->source.name, LEDGER_VERIFIED, false, outcome, NULL, &failure)));
    g_autofree char *message = ok ? NULL : config_redact(spec->config, failure->message);
    (void)ledger_run_finish(spec->ledger, run, ok ? LEDGER_DONE : LEDGER_FAILED, message, NULL);
    if (!ok) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    show(out, spec, false);
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
                     .forget = args_flag(args, "forget"),
                     .rehearse = args_flag(args, "dry-run")};
    (void)undo(args, out, &spec, error);
    return 0;
}

const Command command_undo = {
    .name = "undo",
    .summary = "take a fold out of the target again, whole or not at all",
    .synopsis = "RUN",
    .description = "Deletes the rows that a fold has inserted, gives those that it has overwritten their old values, "
                   "and drops what it "
                   "has created: in one transaction. Where a later change would be lost, it refuses and names the "
                   "rows: a row that was "
                   "changed since, a row that others refer to by now, a new table with other rows than the fold "
                   "brought, an object that "
                   "something else depends on. A database that the fold has made is dropped.\n\n"
                   "Sequences are not set back, and columns that `pgfold fold --add-columns` has added stay. Folds are "
                   "taken back from the "
                   "newest: `pgfold status` names it.\n\n"
                   "What undo needs is kept in the target, in a schema named pgfold_undo_..., until it is used or "
                   "dropped with --forget "
                   "(docs/merge.md).",
    .options = options,
    .examples = examples,
    .exit_codes = "4 when a later change would be lost: nothing was changed.",
    .run = run,
};

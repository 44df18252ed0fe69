#include "base/error.h"
#include "cmd/fold_job.h"
#include "cmd/show.h"
#include "fold/evidence.h"
#include "out/table.h"

/* Rows that were copied into new tables are in the column of rows; of others there is more to say. */
static void add_relation(Table *table, const ReceiptRelation *r, bool merged)
{
    table_addf(table, OUT_NAME, "%s.%s", r->schema, r->name);
    table_add(table, OUT_PLAIN, receipt_action_text(r->action));
    table_add_count(table, OUT_PLAIN, (guint64)MAX(r->rows, 0));
    table_add_count(table, OUT_PLAIN, (guint64)MAX(r->target_rows, 0));
    if (!merged)
        table_addf(table, OUT_DIM, "%.8s", r->digest == NULL ? "" : r->digest + 16);
    table_add(table,
              r->verdict == RECEIPT_CONTAINED ? OUT_GOOD
              : r->verdict == RECEIPT_SKIPPED ? OUT_DIM
                                              : OUT_BAD,
              receipt_verdict_text(r->verdict));
    if (merged) {
        g_autofree char *text = receipt_merge_text(r);
        table_add(table, OUT_PLAIN, text);
    }
    if (r->verdict == RECEIPT_CONTAINED && r->action != RECEIPT_MERGE)
        table_usual(table);
}

static void print_relations(const Job *job, bool merged)
{
    static const TableColumn columns[] = {{"TABLE", TABLE_LEFT, true},   {"ACTION", TABLE_LEFT, false},
                                          {"ROWS", TABLE_RIGHT, false},  {"IN TARGET", TABLE_RIGHT, false},
                                          {"DIGEST", TABLE_LEFT, false}, {"VERDICT", TABLE_LEFT, false},
                                          {NULL, TABLE_LEFT, false}};
    /* The source's digest says little about a table that has other rows as well. */
    static const TableColumn merge_columns[] = {{"TABLE", TABLE_LEFT, true},    {"ACTION", TABLE_LEFT, false},
                                                {"ROWS", TABLE_RIGHT, false},   {"IN TARGET", TABLE_RIGHT, false},
                                                {"VERDICT", TABLE_LEFT, false}, {"MERGED", TABLE_LEFT, true},
                                                {NULL, TABLE_LEFT, false}};
    g_autoptr(Table) table = table_new(merged ? merge_columns : columns);
    for (guint i = 0; i < job->receipt->relations->len; i++)
        if (g_strcmp0(((const ReceiptRelation *)job->receipt->relations->pdata[i])->reason, PLAN_LEFT_OUT) != 0)
            add_relation(table, job->receipt->relations->pdata[i], merged);
    table_print(table, job->out);
}

static guint64 overwritten_rows(const Receipt *receipt)
{
    guint64 rows = 0;
    for (guint i = 0; i < receipt->relations->len; i++)
        rows += (guint64)MAX(((const ReceiptRelation *)receipt->relations->pdata[i])->overwritten, 0);
    return rows;
}

static bool has_merged(const Receipt *receipt)
{
    for (guint i = 0; i < receipt->relations->len; i++)
        if (((const ReceiptRelation *)receipt->relations->pdata[i])->action == RECEIPT_MERGE)
            return true;
    return false;
}

static void print_receipt(const Job *job, const FoldResult *result, const char *path)
{
    const Receipt *receipt = job->receipt;
    guint64 changed = overwritten_rows(receipt);
    print_relations(job, has_merged(receipt));
    g_autofree char *rows = show_count(result->rows, "row");
    g_autofree char *over = out_count(changed);
    g_autofree char *overwritten = changed == 0 ? g_strdup("") : g_strdup_printf(", %s overwritten", over);
    g_autofree char *time = out_duration((double)(receipt->finished - receipt->started) / G_USEC_PER_SEC);
    out_line(job->out, "\n%s%s is contained in the target: %s %s%s and proven in %s.",
             receipt->filter == NULL ? "" : "What was folded of ", job->source->name, rows,
             result->merged ? "brought there" : "copied", overwritten, time);
    g_autofree char *there = show_count(result->rows_there, "row");
    g_autofree char *tables = show_count(result->tables_there, "table");
    if (job->unfinished.run != 0 && result->anew == NULL)
        out_line(job->out, "Of run %" G_GINT64_FORMAT ", which had died, %s of %s were there already; proven again.",
                 job->unfinished.run, there, tables);
    else if (result->anew != NULL)
        out_line(job->out, "What run %" G_GINT64_FORMAT " had left was made anew: %s.", job->unfinished.run,
                 result->anew);
    if (receipt->filter != NULL)
        out_line(job->out, "The rest was left out: %s", receipt->filter);
    if (result->archive != NULL)
        out_line(job->out, "Rows that lost, and keys that changed: %s", result->archive);
    g_autoptr(LedgerMerge) note = ledger_merge_of(job->ledger, job->run, NULL);
    if (note != NULL && note->state == LEDGER_MERGE_COMMITTED)
        out_line(job->out, "To take it back: pgfold undo %" G_GINT64_FORMAT, job->run);
    fold_protect_show(job);
    out_line(job->out, "Receipt: %s", path);
}

/* Of the run that this one went on from. */
static void note_what_was_there(const Job *job, const FoldResult *result)
{
    g_autofree char *rows = show_count(result->rows_there, "row");
    g_autofree char *tables = show_count(result->tables_there, "table");
    if (job->unfinished.run != 0 && result->anew == NULL)
        receipt_add_note(job->receipt,
                         "goes on from run %" G_GINT64_FORMAT ", which had died: %s of %s were there, and "
                         "have the digests of this run's snapshot",
                         job->unfinished.run, rows, tables);
    if (result->anew != NULL)
        receipt_add_note(job->receipt, "what run %" G_GINT64_FORMAT " had left was made anew: %s", job->unfinished.run,
                         result->anew);
}

bool fold_tell_definitions(Job *job)
{
    out_line(job->out, "%s: its definitions are in the target, and no rows (--schema-only): nothing is contained yet.",
             job->source->name);
    g_autoptr(LedgerMerge) note = ledger_merge_of(job->ledger, job->run, NULL);
    if (note != NULL && note->state == LEDGER_MERGE_COMMITTED)
        out_line(job->out, "To take it back: pgfold undo %" G_GINT64_FORMAT, job->run);
    json_object_set_new(job->json, "outcome", json_string("definitions"));
    return true;
}

/* What was left out, in the words in which it was asked for. Transfer full. */
static char *left_out_text(const Job *job)
{
    const Filter *filter = job->comparison->ends->filter;
    g_autofree char *patterns = filter == NULL ? NULL : filter_text(filter);
    if (!args_flag(job->args, "data-only"))
        return g_steal_pointer(&patterns);
    return patterns == NULL ? g_strdup("--data-only") : g_strdup_printf("--data-only; %s", patterns);
}

bool fold_write_receipt(Job *job, const FoldSpec *spec, const FoldResult *result, GError **error)
{
    Receipt *receipt = job->receipt;
    g_autofree char *path = NULL;
    fold_evidence(spec, result, receipt);
    g_autofree char *left_out = left_out_text(job);
    receipt_text(&receipt->filter, left_out);
    fold_protect_after(job);
    note_what_was_there(job, result);
    receipt->finished = g_get_real_time();
    g_autoptr(GPtrArray) warnings = checks_warnings(job->analysis->findings);
    for (guint i = 0; i < warnings->len; i++)
        receipt_add_note(receipt, "%s", (const char *)warnings->pdata[i]);
    for (guint i = 0; i < job->analysis->plan->notices->len; i++)
        receipt_add_note(receipt, "%s", (const char *)job->analysis->plan->notices->pdata[i]);
    if (spec->no_owner)
        receipt_add_note(receipt, "--no-owner: owners were not kept");
    if (spec->no_privileges)
        receipt_add_note(receipt, "--no-privileges: privileges were not kept");
    bool contained = receipt_judge(receipt);
    const char *outcome = !contained ? "not contained" : left_out == NULL ? "contained" : LEDGER_IN_PART;
    /* The digests of the target that a fold ends with are a verification as well. */
    if (!receipt_write(receipt, job->ledger, &path, error) ||
        !ledger_mark(job->ledger, job->run, job->source->name, LEDGER_FOLDED, contained, outcome, path, error) ||
        !ledger_mark(job->ledger, job->run, job->source->name, LEDGER_VERIFIED, contained, outcome, path, error)) {
        if (error != NULL && *error != NULL)
            pgf_error_set_state(
                *error,
                "the fold itself is complete in the target; only its receipt is missing: fold again to get one");
        return false;
    }
    if (!contained && result->merged) {
        pgf_error_set(
            error, PGF_ERROR_DIFFERS,
            "`pgfold verify` names the rows; `pgfold fold` brings them, `pgfold undo` takes this fold back.",
            "%s was merged, but not all of it is in the target: somebody else has changed rows there meanwhile: %s",
            job->source->name, path);
        pgf_error_set_state(*error, "the merge is committed; the receipt says which tables differ");
        return false;
    }
    if (!contained) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, "Please report this, with the receipt.",
                      "the fold was proven, but its receipt says that not all is contained: %s", path);
        return false;
    }
    print_receipt(job, result, path);
    json_object_set_new(job->json, "outcome", json_string("contained"));
    json_object_set_new(job->json, "receipt", json_string(path));
    json_object_set_new(job->json, "contents", receipt_to_json(receipt));
    return true;
}

/* pgfold status: where each source stands on its way, and what to type next. Connects to nothing. */
#include <string.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/status_view.h"
#include "config/config.h"
#include "ledger/receipt.h"
#include "out/table.h"

static const CommandExample examples[] = {
    {"pgfold status", "Where every source stands, and what to type next"},
    {"pgfold status laptop", "One source only"},
    {"pgfold status --json | jq -r '.sources[] | select(.state != \"contained\") | .name'", "Which are not done yet"},
    {NULL},
};

static Config *open_config(const CommandArgs *args, GError **error)
{
    g_autofree char *path = NULL;
    if (!config_find(args_config(args), &path, error))
        return NULL;
    return path == NULL ? config_new_adhoc(NULL, NULL) : config_load(path, CONFIG_OFFLINE, error);
}

/* A difference that a later fold has settled is history, not alarm. */
static OutStyle mark_style(const StatusSource *source, const LedgerMark *mark)
{
    const LedgerMark *fold = source->marks[LEDGER_FOLDED];
    if (source->undone && mark != NULL && mark->run == fold->run)
        return OUT_DIM;
    if (mark == NULL || (!mark->good && fold != NULL && fold->good && mark->at < fold->at))
        return OUT_DIM;
    return mark->good ? OUT_GOOD : OUT_BAD;
}

static void print_sources(const StatusView *view, Out *out)
{
    static const TableColumn columns[] = {{"SOURCE", TABLE_LEFT, false}, {"AUDIT", TABLE_LEFT, false},
                                          {"BACKUP", TABLE_LEFT, false}, {"FOLD", TABLE_LEFT, false},
                                          {"VERIFY", TABLE_LEFT, false}, {"STATE", TABLE_LEFT, true},
                                          {"NEXT", TABLE_LEFT, false},   {NULL, TABLE_LEFT, false}};
    g_autoptr(Table) table = table_new(columns);
    for (guint i = 0; i < view->sources->len; i++) {
        const StatusSource *source = view->sources->pdata[i];
        table_add(table, OUT_NAME, source->name);
        for (int stage = 0; stage < LEDGER_RETIRED; stage++) { /* that stands in STATE */
            g_autofree char *cell = status_mark_text(source, (LedgerStage)stage, view->now);
            table_add(table, mark_style(source, source->marks[stage]), cell);
        }
        table_add(table, source->style, source->state_text);
        table_add(table, OUT_PLAIN, source->next);
    }
    table_print(table, out);
}

static void print_fences(const StatusView *view, Out *out)
{
    for (guint i = 0; i < view->sources->len; i++) {
        const StatusSource *source = view->sources->pdata[i];
        if (source->fence == NULL)
            continue;
        g_autofree char *age = status_age(source->fence->since, view->now);
        if (source->fence->standing)
            out_line(out, "\n%s was fenced %s (run %" G_GINT64_FORMAT "). `pgfold fence %s --lift` opens it.",
                     source->name, age, source->fence->run, source->name);
        else
            out_line(out,
                     "\nThe fence of %s was interrupted %s (run %" G_GINT64_FORMAT "): `pgfold fence %s` goes on, "
                     "`pgfold fence %s --lift` goes back.",
                     source->name, age, source->fence->run, source->name, source->name);
    }
}

static void print_undoable(const StatusView *view, Out *out)
{
    for (guint i = 0; i < view->sources->len; i++) {
        const StatusSource *source = view->sources->pdata[i];
        if (source->undoable == NULL)
            continue;
        gint64 run = source->undoable->run;
        g_autofree char *age = status_age(source->undoable->at, view->now);
        out_line(out,
                 "\nThe fold of %s (run %" G_GINT64_FORMAT ", %s) can be taken back: `pgfold undo %" G_GINT64_FORMAT
                 "`.",
                 source->name, run, age, run);
        if (*source->undoable->undo_schema != '\0')
            out_line(out, "The target keeps schema %s for that; `pgfold undo --forget %" G_GINT64_FORMAT "` drops it.",
                     source->undoable->undo_schema, run);
    }
}

static void print_unfinished(const StatusView *view, Out *out)
{
    for (guint i = 0; i < view->unfinished->len; i++) {
        const StatusUnfinished *left = view->unfinished->pdata[i];
        const LedgerRun *run = left->run;
        g_autofree char *age = status_age(run->started, view->now);
        out_line(out, "\nRun %" G_GINT64_FORMAT " (%s of %s, %s) %s and left in the target:", run->id, run->command,
                 run->source_name == NULL ? "all sources" : run->source_name, age,
                 run->state == LEDGER_FAILED ? "failed" : "was interrupted");
        for (guint j = 0; j < left->objects->len; j++) {
            const LedgerObject *object = left->objects->pdata[j];
            out_line(out, "  %s %s", object->kind, object->name);
        }
        out_line(out, "`pgfold fold%s%s` goes on from that, or takes it away and starts again.",
                 run->source_name == NULL ? "" : " ", run->source_name == NULL ? "" : run->source_name);
    }
}

static void print_view(const StatusView *view, Out *out)
{
    if (view->sources->len > 0)
        print_sources(view, out);
    else if (view->config->path == NULL)
        out_line(out, "There is no pgfold.yaml here, and the ledger knows of no source.");
    else
        out_line(out, "There is no source in %s.", view->config->path);
    print_fences(view, out);
    print_undoable(view, out);
    print_unfinished(view, out);
    for (guint i = 0; i < view->containers->len; i++)
        out_line(out, "\n%s", (const char *)view->containers->pdata[i]);
    if (view->busy)
        out_line(out, "\n`pgfold %s` is running now (process %" G_GINT64_FORMAT ").",
                 view->holder.command == NULL ? "..." : view->holder.command, view->holder.pid);
    if (view->receipts_problem != NULL)
        out_warning(out, "the receipts cannot be relied on: %s", view->receipts_problem);
    else if (view->receipts > 0)
        out_line(out, "\n%u receipt%s, unbroken. Newest: %s", view->receipts, view->receipts == 1 ? "" : "s",
                 view->newest_receipt);
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_autoptr(Config) config = open_config(args, error);
    if (config == NULL)
        return PGF_ERROR_USAGE;
    g_autoptr(StatusView) view = status_view_read(config, args_words(args), error);
    if (view == NULL)
        return PGF_ERROR_USAGE;
    if (out->json)
        out_json(out, status_view_json(view));
    else
        print_view(view, out);
    return view->receipts_problem != NULL ? PGF_ERROR_DIFFERS : 0;
}

const Command command_status = {
    .name = "status",
    .summary = "where each source stands: audited, backed up, folded, verified",
    .synopsis = "[SOURCE...]",
    .description =
        "Shows, for each source, when it was last audited, backed up, folded and verified, with what result, and what "
        "to "
        "type next. It reads pgfold.yaml and the ledger only and connects to no database, so it shows what pgfold did, "
        "not what others have done since: `pgfold verify` tells that.\n\n"
        "Below the table stand the fences that are up, the newest fold of each source that `pgfold undo` can take "
        "back, and "
        "what a fold that was killed has left in the target. All receipts are checked.",
    .examples = examples,
    .exit_codes = "1 when a receipt is missing or was changed; otherwise 0, whatever state the sources are in.",
    .run = run,
};

/* pgfold plan: what a fold would do. */
#include "base/error.h"
#include "cmd/analysis.h"
#include "cmd/databases.h"
#include "cmd/plan_view.h"

enum { DEFAULT_ROWS = 10, MOST_ROWS = 100000 };

static const CommandOption options[] = {
    SHARED_OPTIONS,
    FILTER_OPTIONS,
    {"no-owner", 0, OPTION_FLAG, NULL, "plan for objects that belong to the role of the target's URL"},
    {"schema-only", 0, OPTION_FLAG, NULL, "plan for objects without rows"},
    {"data-only", 0, OPTION_FLAG, NULL, "plan for rows alone, into tables that are there"},
    {"rows", 0, OPTION_INT, "N", "how many rows in conflict to show of each table (10 unless given)"},
    {"no-privileges", 0, OPTION_FLAG, NULL, "plan without GRANT and REVOKE"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold plan", "What `pgfold fold` would do with every source"},
    {"pgfold plan laptop --verbose", "One source, with each object that would be created"},
    {"pgfold plan laptop --rows 500", "With up to 500 rows in conflict of each table"},
    {"pgfold plan --json | jq -r '.sources[].blocks[]'", "What stands against it, for a script"},
    {NULL},
};

static bool plan_connected(Comparison *comparison, const AnalysisOptions *how, const PlanView *view, bool *ret_may_fold,
                           GError **error)
{
    g_autoptr(Analysis) analysis = analysis_make(comparison, how, view->out, error);
    if (analysis == NULL)
        return false;
    g_autoptr(GPtrArray) blocks = analysis_blocks(analysis);
    plan_show(view, analysis, blocks);
    *ret_may_fold = blocks->len == 0 && analysis->plan->rows_stopped == 0;
    return true;
}

static bool plan_source(const Config *config, const ConfigSource *source, const AnalysisOptions *how,
                        const PlanView *view, bool *ret_may_fold, GError **error)
{
    Record record;
    GError *failure = NULL;
    record_begin(&record, view->out, config, "plan", source->name);
    g_autoptr(Comparison) comparison = comparison_open(config, source, &failure);
    AnalysisOptions with_ledger = *how;
    with_ledger.ledger = record.ledger;
    if (comparison != NULL)
        record_identify(&record, comparison);
    if (comparison != NULL && plan_connected(comparison, &with_ledger, view, ret_may_fold, &failure)) {
        record_done_quietly(&record);
        return true;
    }
    record_failed(&record, config, failure);
    g_propagate_error(error, failure);
    return false;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_auto(Choice) choice = {0};
    if (!shared_choose(args, out, &choice, error) || !shared_narrow(args, &choice, error))
        return 0;
    if (choice.config->target.url == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Give --target as well.", "there is no target to plan for");
        return 0;
    }
    int rows = DEFAULT_ROWS;
    if (args_int(args, "rows", &rows) && (rows < 0 || rows > MOST_ROWS)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--rows is from 0 to %d, not %d", MOST_ROWS, rows);
        return 0;
    }
    AnalysisOptions how = {.conflicts = (guint)rows,
                           .no_owner = args_flag(args, "no-owner"),
                           .no_privileges = args_flag(args, "no-privileges")};
    if (!analysis_take_only(args, &how, error))
        return 0;
    json_t *document = out_json_new("plan");
    PlanView view = {.out = out, .sources = json_array()};
    json_object_set_new(document, "sources", view.sources);
    json_object_set_new(document, "may_fold", json_false());
    json_object_set_new(document, "failed", json_null());
    bool all = true;
    g_auto(DatabaseFailures) failures;
    database_failures_init(&failures);
    for (guint i = 0; i < choice.sources->len; i++) {
        bool may_fold = false;
        if (i > 0)
            out_line(out, "%s", "");
        GError *failure = NULL;
        if (!plan_source(choice.config, choice.sources->pdata[i], &how, &view, &may_fold, &failure)) {
            if (databases_go_on(out, &choice, i, &failures, failure)) {
                all = false;
                continue;
            }
            shared_print_failed(out, document, &choice, i, failure);
            g_propagate_error(error, failure);
            return 0;
        }
        all = all && may_fold;
    }
    if (!databases_settle(&choice, choice.sources->len, &failures, error))
        shared_put_failed(document, &choice, failures.index, failures.worst);
    json_object_set_new(document, "may_fold", json_boolean(all));
    if (out->json)
        out_json(out, document);
    else
        json_decref(document);
    return all ? 0 : PGF_ERROR_DIFFERS;
}

const Command command_plan = {
    .name = "plan",
    .summary = "show what `pgfold fold` would do to each table; change nothing",
    .synopsis = "[SOURCE...]",
    .description = "Compares source and target as `pgfold verify` does, reads with pg_dump what objects both have, and "
                   "shows what a "
                   "fold would do:\n\n"
                   "  new      the target has no such table: it is created, its rows are copied\n"
                   "  same     every row is there already: nothing to do\n"
                   "  merge    both have it: rows that are missing or differ are brought there\n"
                   "  skip     left out by the configuration, or without rows of its own\n"
                   "  blocked  something stands against it; the reason is shown\n\n"
                   "Of tables to merge it says what becomes of each row, and shows rows in conflict from both sides, "
                   "with the rule that "
                   "settles them or `stop`: nothing does, and a fold would stop (docs/merge.md). To find that out, "
                   "rows go into temporary "
                   "tables of the target, which end with the session.\n\n"
                   "Then the objects that would be created, the roles, every reason why a fold would refuse, and what "
                   "the checks of "
                   "docs/audit.md found.",
    .options = options,
    .examples = examples,
    .exit_codes =
        "0 when a fold may go on; 1 when something is blocked, or rows are in conflict and no rule settles them.",
    .run = run,
};

/* pgfold audit: every table of every source beside the target. */
#include "base/error.h"
#include "cmd/audit_view.h"
#include "cmd/databases.h"
#include "cmd/shared.h"

static const CommandOption options[] = {
    SHARED_OPTIONS,
    FILTER_OPTIONS,
    {"only-differences", 'd', OPTION_FLAG, NULL, "leave out the tables that are the same"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold audit", "Every source of pgfold.yaml beside the target"},
    {"pgfold audit laptop --only-differences", "One source, and only what is not the same"},
    {"pgfold audit --source postgresql://localhost/app --target service=vps", "Two databases, without a pgfold.yaml"},
    {"pgfold audit --json | jq '.sources[].relations[] | select(.result != \"same\")'", "For a script"},
    {NULL},
};

static AuditReport *audit_connected(Comparison *comparison, Record *record, Out *out, GError **error)
{
    g_autoptr(AuditReport) report = g_new0(AuditReport, 1);
    g_autoptr(Watch) watch = watch_new(out);
    record_identify(record, comparison);
    report->comparison = comparison;
    report->findings = comparison_check(comparison, error);
    if (report->findings == NULL || !comparison_staff(comparison, error))
        return NULL;
    AuditSpec spec = comparison_spec(comparison, watch);
    spec.everything = true;
    report->audit = audit_run(&spec, error);
    if (report->audit == NULL)
        return NULL;
    GPtrArray *of_rows = checks_run_rows(&spec, report->audit, error);
    if (of_rows == NULL)
        return NULL;
    checks_merge(report->findings, of_rows);
    return g_steal_pointer(&report);
}

/* One source. *ret_same: nothing differs, and no check says that a fold would refuse. */
static bool audit_source(const Config *config, const ConfigSource *source, const AuditView *view, bool *ret_same,
                         GError **error)
{
    Record record;
    GError *failure = NULL;
    record_begin(&record, view->out, config, "audit", source->name);
    g_autoptr(Comparison) comparison = comparison_open(config, source, &failure);
    g_autoptr(AuditReport) report =
        comparison == NULL ? NULL : audit_connected(comparison, &record, view->out, &failure);
    if (report == NULL) {
        record_failed(&record, config, failure);
        g_propagate_error(error, failure);
        return false;
    }
    g_autofree char *outcome = audit_outcome(report);
    *ret_same = audit_is_good(report);
    audit_show(view, report, outcome);
    record_done(&record, LEDGER_AUDITED, *ret_same, outcome);
    return true;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_auto(Choice) choice = {0};
    if (!shared_choose(args, out, &choice, error) || !shared_narrow(args, &choice, error))
        return 0;
    json_t *document = out_json_new("audit");
    AuditView view = {.out = out, .only_differences = args_flag(args, "only-differences"), .sources = json_array()};
    json_object_set_new(document, "sources", view.sources);
    json_object_set_new(document, "same", json_false());
    json_object_set_new(document, "failed", json_null());
    bool all_same = true;
    g_auto(DatabaseFailures) failures;
    database_failures_init(&failures);
    for (guint i = 0; i < choice.sources->len; i++) {
        bool same = false;
        if (i > 0)
            out_line(out, "%s", "");
        GError *failure = NULL;
        if (!audit_source(choice.config, choice.sources->pdata[i], &view, &same, &failure)) {
            if (databases_go_on(out, &choice, i, &failures, failure)) {
                all_same = false;
                continue;
            }
            shared_print_failed(out, document, &choice, i, failure);
            g_propagate_error(error, failure);
            return 0;
        }
        all_same = all_same && same;
    }
    if (!databases_settle(&choice, choice.sources->len, &failures, error))
        shared_put_failed(document, &choice, failures.index, failures.worst);
    json_object_set_new(document, "same", json_boolean(all_same));
    if (out->json)
        out_json(out, document);
    else
        json_decref(document);
    return all_same ? 0 : PGF_ERROR_DIFFERS;
}

const Command command_audit = {
    .name = "audit",
    .summary = "compare every table of the sources with the target; change nothing",
    .synopsis = "[SOURCE...]",
    .description = "Reads every table of every source, and its partner in the target, once: exact rows, bytes, and a "
                   "digest of their "
                   "contents that is computed inside the servers. Shows which tables differ, in rows or in definition, "
                   "and sequences, "
                   "extensions, large objects and kinds of objects that are not the same on both sides.\n\n"
                   "Runs the checks of docs/audit.md on both ends: what would stop a fold (errors), what is likely to "
                   "be a surprise "
                   "(warnings), and what is good to know (notices), each with what to do about it.\n\n"
                   "Each side is read under one snapshot, so the audit shows one moment of each. Where the target "
                   "database does not "
                   "exist yet, or none is given, the source alone is audited.",
    .options = options,
    .examples = examples,
    .exit_codes =
        "0 when both sides are the same and no check found an error; 1 otherwise. Without any target, 0 unless a "
        "check found an error.",
    .run = run,
};

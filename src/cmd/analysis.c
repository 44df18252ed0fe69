#include "cmd/analysis.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "fence/fence.h"

/* pg_dump must be able to read both databases; one that is not there yet is not read. */
static bool find_tools(Analysis *analysis, GError **error)
{
    const Ends *ends = analysis->comparison->ends;
    int version = pg_conn_identity(ends->source)->version;
    dump_tools_clear(&analysis->tools);
    if (ends->target_missing == NULL)
        version = MAX(version, pg_conn_identity(ends->target)->version);
    if (analysis->comparison->renamed != NULL)
        version = MAX(version, analysis->comparison->renamed->version * 10000);
    return dump_tools_find(version, &analysis->tools, error);
}

static bool make_scratch(Analysis *analysis, const char *folder, GError **error)
{
    g_autofree char *template =
        g_build_filename(folder != NULL ? folder : g_get_tmp_dir(), ANALYSIS_SCRATCH "XXXXXX", NULL);
    if (g_mkdtemp(template) == NULL) {
        pgf_error_set(error, PGF_ERROR_MIDWAY, "Is the disk full, or the folder read-only?",
                      "cannot make the folder %s: %s", template, g_strerror(errno));
        return false;
    }
    analysis->scratch = g_steal_pointer(&template);
    return true;
}

/* Both pg_dumps run while rows are compared. */
static bool begin_dumps(Analysis *analysis, GError **error)
{
    const Comparison *comparison = analysis->comparison;
    PgConn *target = comparison_target(comparison);
    bool renames = comparison->ends->source_config->into_schema != NULL; /* then the comparison brings them */
    if (!renames) {
        analysis->source_reading = dump_begin(&analysis->tools, comparison->ends->source,
                                              comparison->ends->snapshot->id, analysis->scratch, error);
        if (analysis->source_reading == NULL)
            return false;
    }
    if (target == NULL)
        return true;
    analysis->target_reading =
        dump_begin(&analysis->tools, target, comparison->target_snapshot->id, analysis->scratch, error);
    return analysis->target_reading != NULL;
}

static bool end_dumps(Analysis *analysis, const AnalysisOptions *options, Out *out, GError **error)
{
    analysis->source_dump = analysis->source_reading == NULL
                                ? analysis->comparison->renamed->dump
                                : dump_end(g_steal_pointer(&analysis->source_reading), error);
    if (analysis->source_dump == NULL)
        return false;
    for (guint i = 0; i < analysis->source_dump->warnings->len; i++)
        out_warning(out, "%s", (const char *)analysis->source_dump->warnings->pdata[i]);
    if (analysis->target_reading == NULL)
        return true;
    analysis->target_dump = dump_end(g_steal_pointer(&analysis->target_reading), error);
    if (analysis->target_dump != NULL && options->hidden != NULL)
        dump_take_out(analysis->target_dump, false, plan_hides, (gpointer)options->hidden);
    return analysis->target_dump != NULL;
}

static bool verify(Analysis *analysis, const AnalysisOptions *options, Out *out, GError **error)
{
    Comparison *comparison = analysis->comparison;
    analysis->findings = comparison_check(comparison, error);
    if (analysis->findings == NULL || !begin_dumps(analysis, error) || !comparison_staff(comparison, error))
        return false;
    g_autoptr(Watch) watch = watch_new(out);
    AuditSpec spec = comparison_spec(comparison, watch);
    spec.rows_only = options->data_only;
    spec.hidden = options->hidden;
    analysis->verification = verify_digests(&spec, error);
    if (analysis->verification == NULL)
        return false;
    GPtrArray *of_rows = checks_run_rows(&spec, analysis->verification->audit, error);
    if (of_rows == NULL)
        return false;
    checks_merge(analysis->findings, of_rows);
    return true;
}

/* In a session of its own: the stage lives as long as that, and a fold commits in it. */
static bool merge(Analysis *analysis, const AnalysisOptions *options, GError **error)
{
    const Comparison *comparison = analysis->comparison;
    const Ends *ends = comparison->ends;
    if (comparison_target(comparison) == NULL)
        return true;
    if (options->ledger != NULL &&
        (analysis->memory = merge_recall(options->ledger, ends->source, ends->target, error)) == NULL)
        return false;
    analysis->stage = ends_target_connections(ends, NULL, 1, error);
    if (analysis->stage == NULL)
        return false;
    MergeSpec spec = {.source = ends->source,
                      .reader = comparison->targets->pdata[0],
                      .target = analysis->stage->pdata[0],
                      .verification = analysis->verification,
                      .config = ends->config,
                      .source_config = ends->source_config,
                      .memory = analysis->memory,
                      .max_conflicts = options->conflicts};
    analysis->merge = merge_new(&spec, error);
    if (analysis->merge == NULL)
        return false;
    return analysis->merge->blocks->len > 0 ||
           (merge_stage(analysis->merge, false, error) && merge_judge(analysis->merge, MERGE_PREVIEW, error));
}

static bool ask_for_fence(PgConn *source, Ledger *ledger, GPtrArray *undo_sql, GPtrArray *undo_roles, GError **error)
{
    g_autoptr(GPtrArray) rows = fence_standing(source, ledger, error);
    return rows != NULL && fence_undo_elsewhere(source, rows, undo_sql, undo_roles, error);
}

/* A connection for questions that only a statement answers which is not allowed in the transaction of a snapshot. */
static bool open_prober(Analysis *analysis, GError **error)
{
    const Ends *ends = analysis->comparison->ends;
    bool labels = false;
    for (guint i = 0; i < analysis->source_dump->entries->len; i++) {
        const DumpEntry *entry = analysis->source_dump->entries->pdata[i];
        labels = labels || g_str_equal(entry->type, "SECURITY LABEL");
    }
    if (!labels)
        return true;
    const char *database = ends->target_missing == NULL ? NULL : pg_conn_identity(ends->target)->database;
    analysis->prober = ends_target_connections(ends, database, 1, error);
    return analysis->prober != NULL;
}

static bool make_plan(Analysis *analysis, const AnalysisOptions *options, GError **error)
{
    const Ends *ends = analysis->comparison->ends;
    g_autoptr(GPtrArray) undo_sql = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) undo_roles = g_ptr_array_new_with_free_func(g_free);
    if (options->ledger != NULL && !ask_for_fence(ends->source, options->ledger, undo_sql, undo_roles, error))
        return false;
    if (!open_prober(analysis, error))
        return false;
    PlanSpec spec = {.source = ends->source,
                     .target = ends->target,
                     .target_missing = ends->target_missing != NULL,
                     .verification = analysis->verification,
                     .merge = analysis->merge,
                     .source_dump = analysis->source_dump,
                     .target_dump = analysis->target_dump,
                     .config = ends->config,
                     .source_config = ends->source_config,
                     .filter = ends->filter,
                     .hidden = options->hidden,
                     .into_schema = ends->source_config->into_schema,
                     .no_owner = options->no_owner,
                     .no_privileges = options->no_privileges,
                     .rows_only = options->data_only,
                     .undo_sql = undo_sql,
                     .undo_roles = undo_roles,
                     .prober = analysis->prober == NULL ? NULL : analysis->prober->pdata[0]};
    analysis->plan = plan_make(&spec, error);
    g_clear_pointer(&analysis->prober, g_ptr_array_unref);
    const Renamed *renamed = analysis->comparison->renamed;
    for (guint i = 0; analysis->plan != NULL && renamed != NULL && i < renamed->blocks->len; i++)
        g_ptr_array_add(analysis->plan->blocks, g_strdup(renamed->blocks->pdata[i]));
    return analysis->plan != NULL;
}

bool analysis_take_only(const CommandArgs *args, AnalysisOptions *options, GError **error)
{
    options->schema_only = args_flag(args, "schema-only");
    options->data_only = args_flag(args, "data-only");
    if (!options->schema_only || !options->data_only)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "Leave both out to fold both.",
                  "--schema-only and --data-only do not go together");
    return false;
}

Analysis *analysis_make(Comparison *comparison, const AnalysisOptions *options, Out *out, GError **error)
{
    g_autoptr(Analysis) analysis = g_new0(Analysis, 1);
    analysis->comparison = comparison;
    comparison->ends->definitions_only = options->schema_only;
    if (!find_tools(analysis, error) || !make_scratch(analysis, options->folder, error) ||
        !verify(analysis, options, out, error) || !find_tools(analysis, error) || !merge(analysis, options, error) ||
        !end_dumps(analysis, options, out, error) || !make_plan(analysis, options, error))
        return NULL;
    return g_steal_pointer(&analysis);
}

void analysis_free(Analysis *analysis)
{
    if (analysis == NULL)
        return;
    plan_free(analysis->plan);
    merge_free(analysis->merge);
    g_clear_pointer(&analysis->stage, g_ptr_array_unref);
    g_clear_pointer(&analysis->prober, g_ptr_array_unref);
    ledger_memory_free(analysis->memory);
    dump_reading_free(analysis->source_reading);
    dump_reading_free(analysis->target_reading);
    if (analysis->comparison->renamed == NULL)
        dump_free(analysis->source_dump);
    dump_free(analysis->target_dump);
    dump_tools_clear(&analysis->tools);
    verification_free(analysis->verification);
    g_clear_pointer(&analysis->findings, g_ptr_array_unref);
    if (analysis->scratch != NULL)
        g_rmdir(analysis->scratch);
    g_free(analysis->scratch);
    g_free(analysis);
}

GPtrArray *analysis_blocks(const Analysis *analysis)
{
    GPtrArray *blocks = checks_blocks(analysis->findings);
    for (guint i = 0; i < analysis->plan->blocks->len; i++)
        g_ptr_array_add(blocks, g_strdup(analysis->plan->blocks->pdata[i]));
    return blocks;
}

static char *conflict_text(const MergeRelation *r, const MergeConflict *c)
{
    if (g_str_equal(c->kind, "unique"))
        return g_strdup_printf("%s %s: %s is taken in the target by another row: source %s, target %s",
                               r->source->label, c->key, c->detail, c->source, c->target);
    if (g_str_equal(c->kind, "parent"))
        return g_strdup_printf("%s %s: the row that %s refers to is not in the target: source %s", r->source->label,
                               c->key, c->detail, c->source);
    return g_strdup_printf("%s %s: other values in the target (%s): source %s, target %s", r->source->label, c->key,
                           c->detail, c->source, c->target);
}

GPtrArray *analysis_conflicts(const Analysis *analysis)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; analysis->merge != NULL && i < analysis->merge->relations->len; i++) {
        const MergeRelation *r = analysis->merge->relations->pdata[i];
        for (guint k = 0; k < r->conflicts->len; k++) {
            const MergeConflict *c = r->conflicts->pdata[k];
            if (g_str_equal(c->action, "stop"))
                g_ptr_array_add(texts, conflict_text(r, c));
        }
    }
    return texts;
}

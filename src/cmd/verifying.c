#include "cmd/verifying.h"

#include "base/error.h"
#include "merge/merge.h"

/* Rows that an earlier merge gave other keys, or that lost by a rule, are looked for in a session of its own. */
static bool verify_merged(const Comparison *comparison, const Record *record, guint max_rows,
                          Verification *verification, GError **error)
{
    const Ends *ends = comparison->ends;
    if (record->ledger == NULL || comparison_target(comparison) == NULL)
        return true;
    g_autoptr(LedgerMemory) memory = merge_recall(record->ledger, ends->source, ends->target, error);
    if (memory == NULL)
        return false;
    if (ledger_memory_is_empty(memory))
        return true;
    g_autoptr(GPtrArray) stage = ends_target_connections(ends, NULL, 1, error);
    if (stage == NULL)
        return false;
    MergeSpec spec = {.source = ends->source,
                      .reader = comparison->targets->pdata[0],
                      .target = stage->pdata[0],
                      .verification = verification,
                      .config = ends->config,
                      .source_config = ends->source_config,
                      .memory = memory,
                      .max_conflicts = max_rows};
    return merge_verify(&spec, verification, error);
}

Verification *verifying_run(Comparison *comparison, Record *record, Out *out, guint max_rows, GError **error)
{
    record_identify(record, comparison);
    if (comparison_target(comparison) == NULL) {
        pgf_error_set(error, PGF_ERROR_DIFFERS, "`pgfold fold` creates it.",
                      "the target has no database \"%s\": nothing of source %s is there",
                      comparison->ends->target_database, comparison->ends->source_config->name);
        return NULL;
    }
    g_autoptr(GPtrArray) findings = comparison_check(comparison, error);
    if (findings == NULL || !comparison_staff(comparison, error))
        return NULL;
    g_autoptr(Watch) watch = watch_new(out);
    AuditSpec spec = comparison_spec(comparison, watch);
    g_autoptr(Verification) verification = verify_digests(&spec, error);
    if (verification == NULL || !verify_merged(comparison, record, max_rows, verification, error) ||
        !verify_rows(verification, &spec, max_rows, error))
        return NULL;
    return g_steal_pointer(&verification);
}

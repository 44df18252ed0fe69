/* The merge's part of a fold: new tables that it fills, the commit, and a last look from both servers. */
#include "base/error.h"
#include "fold/internal.h"
#include "fold/undo.h"
#include "testdb/tree.h"

bool fold_merges(const Fold *fold)
{
    return fold->spec->merge != NULL && merge_has_work(fold->spec->merge);
}

bool fold_is_merged(const Fold *fold, const char *quoted)
{
    for (guint i = 0; fold_merges(fold) && i < fold->spec->merge->relations->len; i++)
        if (g_str_equal(((const MergeRelation *)fold->spec->merge->relations->pdata[i])->source->quoted, quoted))
            return true;
    return false;
}

bool fold_prepare_merge(Fold *fold, GError **error)
{
    return merge_stage(fold->spec->merge, true, error);
}

bool fold_commit_merge(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    MergeCommit commit = {.undo_schema = fold->undo,
                          .lock_timeout = spec->ends->config->fold.lock_timeout,
                          .archive = spec->archive,
                          .run = spec->run,
                          .ledger = spec->ledger};
    if (!ledger_merge_begin(spec->ledger, spec->run, fold->undo, fold->drop_sql, spec->archive, error) ||
        !merge_commit(spec->merge, &commit, error))
        return false;
    for (guint i = 0; i < spec->merge->relations->len; i++)
        fold->result->rows += ((const MergeRelation *)spec->merge->relations->pdata[i])->counts.inserted;
    fold->result->merged = true;
    return true;
}

/* Rolled back, or in doubt: then the next run finds out by the undo schema (merge_recall). */
void fold_abandon_merge(const Fold *fold)
{
    const FoldSpec *spec = fold->spec;
    g_autoptr(LedgerMerge) merge = ledger_merge_of(spec->ledger, spec->run, NULL);
    if (merge == NULL || fold->in_doubt)
        return;
    (void)ledger_merge_set_state(spec->ledger, spec->run, LEDGER_MERGE_ABANDONED, NULL);
    if (spec->archive != NULL && g_file_test(spec->archive, G_FILE_TEST_IS_DIR))
        (void)tree_remove(spec->archive, NULL);
}

static const MergeRelation *merged(const Fold *fold, const char *quoted)
{
    for (guint i = 0; i < fold->spec->merge->relations->len; i++) {
        const MergeRelation *r = fold->spec->merge->relations->pdata[i];
        if (g_str_equal(r->source->quoted, quoted))
            return r;
    }
    return NULL;
}

/* Of a table that was staged whole, every row was compared under the lock of the commit. Of the others, only those that
 * differed: the rest is looked at once more. */
static bool is_proven(const char *schema, const char *name, gpointer fold)
{
    g_autofree char *quoted = pg_quote_qualified(schema, name);
    const MergeRelation *r = merged(fold, quoted);
    return r == NULL || r->whole;
}

static FoldProof *proof_of(const Fold *fold, const VerifyRelation *verified)
{
    for (guint i = 0; i < fold->result->proofs->len; i++) {
        FoldProof *proof = fold->result->proofs->pdata[i];
        const CatalogRelation *source = proof->relation->verify->audit->source;
        if (proof->relation->merge != NULL && g_str_equal(source->quoted, verified->audit->source->quoted))
            return proof;
    }
    return NULL;
}

static void take_verdicts(const Fold *fold, const Verification *verification)
{
    for (guint i = 0; i < verification->relations->len; i++) {
        const VerifyRelation *verified = verification->relations->pdata[i];
        FoldProof *proof = proof_of(fold, verified);
        if (proof == NULL || verified->verdict == VERIFY_SKIPPED)
            continue;
        proof->good = verified->verdict == VERIFY_SAME || verified->verdict == VERIFY_CONTAINED;
        proof->digested = verified->audit->target_digested;
        proof->target = verified->audit->target_digest;
    }
}

/* For the receipt. */
static bool digest_whole(const Fold *fold, GError **error)
{
    for (guint i = 0; i < fold->result->proofs->len; i++) {
        FoldProof *proof = fold->result->proofs->pdata[i];
        const MergeRelation *r = proof->relation->merge;
        if (r == NULL || !r->whole)
            continue;
        const CatalogRelation there = catalog_in_target(r->source);
        g_autofree char *sql = digest_relation_sql(&there, NULL, fold->spec->plan->verification->audit->text);
        g_autoptr(PgResult) result = pg_query(fold->main, sql, DEADLINE_NONE, error);
        if (result == NULL || !digest_from_row(result, 0, 0, &proof->target, error))
            return false;
        proof->digested = true;
    }
    return true;
}

static bool verify(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    AuditSpec audit = {.source = spec->ends->source,
                       .target = fold->main,
                       .sources = spec->sources,
                       .targets = fold->targets,
                       .skip = is_proven,
                       .skip_data = fold,
                       .filter = spec->ends->filter,
                       .key = ends_key,
                       .key_data = spec->ends,
                       .rename = spec->rename,
                       .rename_data = spec->rename_data};
    g_autoptr(Verification) verification = verify_digests(&audit, error);
    g_autoptr(LedgerMemory) memory = verification == NULL
                                         ? NULL
                                         : ledger_memory_load(spec->ledger, pg_conn_identity(spec->ends->source),
                                                              pg_conn_identity(fold->main), error);
    if (memory == NULL)
        return false;
    MergeSpec merge = {.source = spec->ends->source,
                       .reader = fold->targets->pdata[0],
                       .target = fold->main,
                       .verification = verification,
                       .config = spec->ends->config,
                       .source_config = spec->ends->source_config,
                       .memory = memory};
    if (!pg_exec(fold->main, "DISCARD TEMP", deadline_in_ms(PG_CATALOG_MS), error) ||
        !merge_verify(&merge, verification, error) || !verify_rows(verification, &audit, 0, error))
        return false;
    take_verdicts(fold, verification);
    return digest_whole(fold, error);
}

static bool join_snapshot(const Fold *fold, GError **error)
{
    for (guint i = 0; i < fold->spec->sources->len; i++)
        if (!pg_snapshot_join(fold->spec->sources->pdata[i], fold->spec->ends->snapshot, error))
            return false;
    return true;
}

bool fold_check_merge(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    if (spec->archive != NULL && g_file_test(spec->archive, G_FILE_TEST_IS_DIR))
        fold->result->archive = g_strdup(spec->archive);
    return ledger_merge_set_state(spec->ledger, spec->run, LEDGER_MERGE_COMMITTED, error) &&
           join_snapshot(fold, error) && verify(fold, error) && ends_release_snapshot(spec->ends, error);
}

/* A note that cannot be written costs the possibility to undo, and nothing else. */
void fold_note_for_undo(const Fold *fold)
{
    const FoldSpec *spec = fold->spec;
    const char *drop_sql = fold->own_database ? UNDO_WHOLE_DATABASE : fold->drop_sql;
    if (drop_sql != NULL && *drop_sql != '\0' && ledger_merge_begin(spec->ledger, spec->run, "", drop_sql, NULL, NULL))
        (void)ledger_merge_set_state(spec->ledger, spec->run, LEDGER_MERGE_COMMITTED, NULL);
}

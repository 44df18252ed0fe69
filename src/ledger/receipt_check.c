#include <string.h>

#include "base/error.h"
#include "ledger/internal.h"
#include "ledger/receipt_internal.h"

/* NULL when a "contained" follows from what both sides hold. */
static const char *relation_problem(const ReceiptRelation *relation)
{
    if ((relation->verdict == RECEIPT_SKIPPED) != (relation->action == RECEIPT_SKIP))
        return "is skipped in one place and not in the other";
    if (relation->verdict == RECEIPT_SKIPPED)
        return relation->reason == NULL ? "was skipped without a reason" : NULL;
    if (relation->verdict == RECEIPT_DIFFERENT)
        return NULL;
    if (relation->rows == RECEIPT_UNKNOWN || relation->digest == NULL || relation->digest[0] == '\0')
        return "is called contained without a count and a digest";
    if (relation->action == RECEIPT_MERGE) {
        if (relation->inserted == RECEIPT_UNKNOWN || relation->kept == RECEIPT_UNKNOWN ||
            relation->settled == RECEIPT_UNKNOWN || relation->target_rows == RECEIPT_UNKNOWN)
            return "is called contained without saying what became of its rows";
        return relation->target_rows < relation->rows - relation->kept - relation->settled
                   ? "is called contained, but the target has too few rows"
                   : NULL;
    }
    if (relation->target_rows > relation->rows)
        return relation->reason == NULL ? "is called contained, with more rows in the target and no word on them"
                                        : NULL;
    if (relation->rows != relation->target_rows)
        return "is called contained, but the target has fewer rows";
    return g_strcmp0(relation->digest, relation->target_digest) == 0 ? NULL
                                                                     : "is called contained, but the digests differ";
}

static const char *sequence_problem(const ReceiptSequence *sequence)
{
    if (sequence->verdict == RECEIPT_SKIPPED)
        return sequence->reason == NULL ? "was skipped without a reason" : NULL;
    if (sequence->verdict == RECEIPT_DIFFERENT || !sequence->source.used)
        return NULL;
    if (!sequence->target.used)
        return "is called contained, but was never used in the target";
    bool behind = sequence->increment < 0 ? sequence->target.value > sequence->source.value
                                          : sequence->target.value < sequence->source.value;
    return behind ? "is called contained, but the target is behind the source" : NULL;
}

static const char *objects_problem(const ReceiptObjects *objects)
{
    if (objects->verdict == RECEIPT_SKIPPED)
        return objects->reason == NULL ? "were skipped without a reason" : NULL;
    if (objects->verdict == RECEIPT_CONTAINED && objects->target < objects->source)
        return "are called contained, but the target has fewer";
    return NULL;
}

static const char *large_objects_problem(const ReceiptLargeObjects *large)
{
    if (large->verdict == RECEIPT_SKIPPED)
        return large->reason == NULL ? "were skipped without a reason" : NULL;
    if (large->verdict == RECEIPT_DIFFERENT)
        return NULL;
    if (large->count == RECEIPT_UNKNOWN)
        return "are called contained without a count";
    if (large->count == 0)
        return NULL;
    if (large->digest == NULL || g_strcmp0(large->digest, large->target_digest) != 0)
        return "are called contained, but the digests differ";
    return large->count == large->target_count ? NULL : "are called contained, but their counts differ";
}

/* NULL when its verdict follows from the two fingerprints. */
static const char *protected_problem(const ReceiptProtected *item)
{
    bool equal = g_strcmp0(item->before, item->after) == 0;
    if (strcmp(item->verdict, "same") == 0)
        return item->before != NULL && equal ? NULL : "is called the same without two equal fingerprints";
    if (strcmp(item->verdict, "changed") == 0)
        return equal ? "is called changed, with equal fingerprints" : NULL;
    if (strcmp(item->verdict, "absent") == 0)
        return item->before == NULL && item->after == NULL ? NULL : "is called absent, with a fingerprint";
    if (strcmp(item->verdict, "unreadable") == 0)
        return item->reason != NULL ? NULL : "is called unreadable without a reason";
    return "has a verdict that is none";
}

static char *lists_problem(const Receipt *receipt)
{
    const char *problem;
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *relation = receipt->relations->pdata[i];
        if ((problem = relation_problem(relation)) != NULL)
            return g_strdup_printf("%s %s.%s %s", relation->kind, relation->schema, relation->name, problem);
    }
    for (guint i = 0; i < receipt->sequences->len; i++) {
        const ReceiptSequence *sequence = receipt->sequences->pdata[i];
        if ((problem = sequence_problem(sequence)) != NULL)
            return g_strdup_printf("sequence %s.%s %s", sequence->schema, sequence->name, problem);
    }
    for (guint i = 0; i < receipt->objects->len; i++) {
        const ReceiptObjects *objects = receipt->objects->pdata[i];
        if ((problem = objects_problem(objects)) != NULL)
            return g_strdup_printf("objects of kind %s %s", objects->kind, problem);
    }
    for (guint i = 0; i < receipt->protected->len; i++) {
        const ReceiptProtected *item = receipt->protected->pdata[i];
        if ((problem = protected_problem(item)) != NULL)
            return g_strdup_printf("protected %s %s %s", item->kind, item->name, problem);
    }
    problem = large_objects_problem(&receipt->large_objects);
    return problem == NULL ? NULL : g_strdup_printf("large objects %s", problem);
}

static char *verdict_problem(const Receipt *receipt)
{
    Receipt judged = *receipt; /* receipt_judge() only reads the lists */
    if (receipt_judge(&judged) == receipt->contained)
        return NULL;
    return g_strdup_printf("the verdict is \"%s\", its parts say otherwise",
                           receipt->contained ? "contained" : "not contained");
}

char *receipt_contradiction(const Receipt *receipt)
{
    char *problem = lists_problem(receipt);
    if (problem != NULL)
        return problem;
    if (receipt->finished < receipt->started)
        return g_strdup("it finished before it started");
    if (receipt->source.database_oid == receipt->target.database_oid &&
        strcmp(receipt->source.system_identifier, receipt->target.system_identifier) == 0)
        return g_strdup("source and target are the same database");
    return verdict_problem(receipt);
}

static bool differs(GError **error, const char *path, const char *problem)
{
    pgf_error_set(error, PGF_ERROR_DIFFERS,
                  "do not rely on it: restore the receipts from a copy, or fold again for a new one", "%s: %s", path,
                  problem);
    return false;
}

/* The file under its own name, sound and without contradictions. */
static Receipt *read_link(const char *path, GError **error)
{
    g_autoptr(Receipt) receipt = receipt_read(path, error);
    if (receipt == NULL)
        return NULL;
    g_autofree char *problem = receipt_contradiction(receipt);
    if (problem != NULL) {
        differs(error, path, problem);
        return NULL;
    }
    return g_steal_pointer(&receipt);
}

static bool check_name(const char *path, const Receipt *receipt, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *own_name = receipt_file_name(receipt);
    if (strcmp(name, own_name) == 0)
        return true;
    g_autofree char *problem = g_strdup_printf("holds the receipt that belongs into %s", own_name);
    return differs(error, path, problem);
}

/* The receipt before, or NULL: with an error, or without one at the first of the chain. */
static Receipt *read_previous_link(const char *path, const Receipt *receipt, char **ret_path, GError **error)
{
    if (receipt->previous_file == NULL)
        return NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *previous_path = g_build_filename(folder, receipt->previous_file, NULL);
    if (!g_file_test(previous_path, G_FILE_TEST_EXISTS)) {
        g_autofree char *problem = g_strdup_printf("is missing, but %s follows it", path);
        differs(error, previous_path, problem);
        return NULL;
    }
    g_autoptr(GError) failed = NULL;
    g_autoptr(Receipt) previous = read_link(previous_path, &failed);
    if (previous == NULL) {
        /* The chain says that it was a receipt once, so whatever is wrong with it now is a difference. */
        pgf_error_set_code(failed, PGF_ERROR_DIFFERS);
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    if (strcmp(previous->sha256, receipt->previous_sha256) != 0) {
        g_autofree char *problem = g_strdup_printf("has SHA-256 %s, but %s follows one with %s", previous->sha256, path,
                                                   receipt->previous_sha256);
        differs(error, previous_path, problem);
        return NULL;
    }
    *ret_path = g_steal_pointer(&previous_path);
    return g_steal_pointer(&previous);
}

bool receipt_check(const char *path, guint *ret_chain, GError **error)
{
    g_autoptr(Receipt) receipt = read_link(path, error);
    if (receipt == NULL || !check_name(path, receipt, error))
        return false;
    /* A hash cannot hold itself: a chain of hashes has no loop, so this ends. */
    g_autofree char *at = g_strdup(path);
    guint count = 1;
    while (receipt->previous_file != NULL) {
        g_autofree char *previous_path = NULL;
        Receipt *previous = read_previous_link(at, receipt, &previous_path, error);
        if (previous == NULL)
            return false;
        receipt_free(receipt);
        receipt = previous;
        g_free(at);
        at = g_steal_pointer(&previous_path);
        count++;
    }
    if (ret_chain != NULL)
        *ret_chain = count;
    return true;
}

/* Each listed file: there, and the one that was listed. */
static bool check_listed(Ledger *ledger, guint *ret_count, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt = db_query(ledger->db, error, "SELECT file, sha256 FROM receipt ORDER BY id DESC", "");
    bool row = false;
    *ret_count = 0;
    while (stmt != NULL && db_next(stmt, &row, error)) {
        if (!row)
            return true;
        const char *file = (const char *)sqlite3_column_text(stmt, 0);
        g_autofree char *path = g_build_filename(ledger->receipts_dir, file, NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return differs(error, path, "is missing, but the ledger lists it");
        g_autoptr(GError) failed = NULL;
        g_autoptr(Receipt) receipt = read_link(path, &failed);
        if (receipt == NULL) {
            pgf_error_set_code(failed, PGF_ERROR_DIFFERS);
            g_propagate_error(error, g_steal_pointer(&failed));
            return false;
        }
        if (g_strcmp0(receipt->sha256, (const char *)sqlite3_column_text(stmt, 1)) != 0)
            return differs(error, path, "is not the receipt that the ledger lists under that name");
        (*ret_count)++;
    }
    return false;
}

bool receipt_check_all(Ledger *ledger, guint *ret_count, GError **error)
{
    guint count = 0;
    if (!check_listed(ledger, &count, error))
        return false;
    if (ret_count != NULL)
        *ret_count = count;
    if (count == 0)
        return true;
    g_autofree char *newest = receipt_newest(ledger, NULL, error);
    return newest != NULL && receipt_check(newest, NULL, error);
}

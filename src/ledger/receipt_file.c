#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ledger/file.h"
#include "ledger/internal.h"
#include "ledger/receipt_internal.h"

#define FILE_MAX ((gsize)1 << 30) /* more than a receipt over a million relations */

char *receipt_file_name(const Receipt *receipt)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(receipt->finished / G_USEC_PER_SEC);
    g_autofree char *time = at == NULL ? g_strdup("unknown") : g_date_time_format(at, "%Y%m%dT%H%M%SZ");
    g_autofree char *source = g_strdup(receipt->source.name);
    g_strcanon(source, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '_');
    return g_strdup_printf("%s-%06" G_GINT64_FORMAT "-%s.json", time, receipt->run, source);
}

static bool read_text(const char *path, char **ret_text, gsize *ret_length, GError **error)
{
    g_autoptr(GError) failed = NULL;
    if (g_file_get_contents(path, ret_text, ret_length, &failed) && *ret_length < FILE_MAX)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "receipts are in .pgfold/receipts; `pgfold status` names the newest",
                  "cannot read the receipt %s: %s", path, failed == NULL ? "too large" : failed->message);
    return false;
}

static json_t *read_json(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    if (!read_text(path, &text, &length, error))
        return NULL;
    json_error_t problem;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL)
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s:%d:%d: not JSON: %s", path, problem.line, problem.column,
                      problem.text);
    return root;
}

/* Asked before the form: a changed file shall be called changed, not ill-formed. */
static bool check_hash(const char *path, json_t *root, GError **error)
{
    if (g_strcmp0(json_string_value(json_object_get(root, "schema")), "pgfold.receipt") != 0 ||
        !receipt_version_known(json_object_get(root, "version")))
        return true; /* receipt_from_json() says so */
    const char *said = json_string_value(json_object_get(root, "sha256"));
    g_autofree char *hash = receipt_hash(root);
    if (g_strcmp0(hash, said) == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_DIFFERS,
                  "the file was changed after it was written: take it from a copy, or fold again for a new receipt",
                  "%s does not match its own SHA-256: it says %s, its contents give %s", path,
                  said == NULL ? "none" : said, hash);
    return false;
}

Receipt *receipt_read(const char *path, GError **error)
{
    json_t *root = read_json(path, error);
    if (root == NULL)
        return NULL;
    Receipt *receipt = NULL;
    if (check_hash(path, root, error)) {
        receipt = receipt_from_json(root, error);
        if (receipt == NULL)
            g_prefix_error(error, "%s: ", path);
    }
    json_decref(root);
    return receipt;
}

/* What cannot be read back, or contradicts itself, must not become evidence. */
static bool check_before_writing(json_t *root, GError **error)
{
    g_autoptr(Receipt) again = receipt_from_json(root, error);
    g_autofree char *problem = again == NULL ? NULL : receipt_contradiction(again);
    if (again != NULL && problem == NULL)
        return true;
    if (problem != NULL)
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "the receipt contradicts itself: %s", problem);
    else if (error != NULL)
        pgf_error_set_code(*error, PGF_ERROR_INTERNAL);
    return false;
}

static bool chain_to_newest(Receipt *receipt, Ledger *ledger, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt =
        db_query(ledger->db, error, "SELECT file, sha256 FROM receipt ORDER BY id DESC LIMIT 1", "");
    bool row = false;
    if (stmt == NULL || !db_next(stmt, &row, error))
        return false;
    receipt_text(&receipt->previous_file, row ? (const char *)sqlite3_column_text(stmt, 0) : NULL);
    receipt_text(&receipt->previous_sha256, row ? (const char *)sqlite3_column_text(stmt, 1) : NULL);
    return true;
}

static bool write_document(const Ledger *ledger, const char *name, json_t *root, GError **error)
{
    char *text = json_dumps(root, JSON_INDENT(2));
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    free(text);
    return file_write_new(ledger->receipts_dir, name, line, strlen(line), error);
}

bool receipt_write(Receipt *receipt, Ledger *ledger, char **ret_path, GError **error)
{
    if (!ledger->has_lock || ledger->in_batch) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "a receipt needs the lock of its ledger, and no open batch");
        return false;
    }
    if (!file_make_folder(ledger->receipts_dir, error))
        return false;
    file_remove_leftovers(ledger->receipts_dir);
    if (!receipt_chain_repair(ledger, error) || !chain_to_newest(receipt, ledger, error))
        return false;
    receipt_text(&receipt->sha256, NULL);
    json_t *root = receipt_to_json(receipt);
    receipt->sha256 = receipt_hash(root);
    json_object_set_new(root, "sha256", json_string(receipt->sha256));
    g_autofree char *name = NULL;
    bool ok = check_before_writing(root, error);
    if (ok) {
        name = receipt_file_name(receipt);
        ok = write_document(ledger, name, root, error);
    }
    json_decref(root);
    if (!ok || !receipt_chain_repair(ledger, error))
        return false;
    if (ret_path != NULL)
        *ret_path = g_build_filename(ledger->receipts_dir, name, NULL);
    return true;
}

#include "ledger/ledger.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ledger/file.h"
#include "ledger/internal.h"

static bool write_gitignore(const char *dir, GError **error)
{
    /* Rows of the source (backups) lie in this folder: it must never be committed by accident. */
    g_autofree char *path = g_build_filename(dir, ".gitignore", NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    g_autoptr(GError) failed = NULL;
    if (file_write_new(dir, ".gitignore", "*\n", 2, &failed) || g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    g_propagate_error(error, g_steal_pointer(&failed));
    return false;
}

static bool open_parts(Ledger *ledger, GError **error)
{
    g_autofree char *path = g_build_filename(ledger->dir, "ledger.db", NULL);
    if (!lock_open(ledger, error))
        return false;
    ledger->db = db_open(path, error);
    return ledger->db != NULL && schema_migrate(ledger->db, schema_steps, error) && run_reap(ledger, error) &&
           receipt_chain_repair(ledger, error);
}

static Ledger *ledger_new(const char *state_dir, GError **error)
{
    g_autoptr(Ledger) ledger = g_new0(Ledger, 1);
    ledger->dir = g_canonicalize_filename(state_dir, NULL);
    ledger->receipts_dir = g_build_filename(ledger->dir, "receipts", NULL);
    ledger->lock_fd = -1;
    ledger->alive = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return open_parts(ledger, error) ? g_steal_pointer(&ledger) : NULL;
}

Ledger *ledger_open(const char *state_dir, GError **error)
{
    if (!file_make_folder(state_dir, error) || !write_gitignore(state_dir, error))
        return NULL;
    return ledger_new(state_dir, error);
}

bool ledger_open_existing(const char *state_dir, Ledger **ret_ledger, GError **error)
{
    *ret_ledger = NULL;
    g_autofree char *db = g_build_filename(state_dir, "ledger.db", NULL);
    g_autofree char *receipts = g_build_filename(state_dir, "receipts", NULL);
    if (!g_file_test(db, G_FILE_TEST_EXISTS) && !g_file_test(receipts, G_FILE_TEST_EXISTS))
        return true;
    *ret_ledger = ledger_new(state_dir, error);
    return *ret_ledger != NULL;
}

void ledger_close(Ledger *ledger)
{
    if (ledger == NULL)
        return;
    sqlite3_finalize(ledger->add_key);
    sqlite3_finalize(ledger->add_lost);
    sqlite3_close(ledger->db);
    if (ledger->lock_fd >= 0)
        close(ledger->lock_fd);
    g_hash_table_unref(ledger->alive);
    g_free(ledger->receipts_dir);
    g_free(ledger->dir);
    g_free(ledger);
}

const char *ledger_state_dir(const Ledger *ledger)
{
    return ledger->dir;
}

const char *ledger_receipts_dir(const Ledger *ledger)
{
    return ledger->receipts_dir;
}

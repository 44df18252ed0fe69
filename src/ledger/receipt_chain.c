/*
 * Which receipts there are and which is the newest. The files are the truth, the table is a list of them: a receipt
 * whose writer was killed before it could be listed, or all of them after ledger.db was lost, are listed at the next
 * opening.
 */
#include <string.h>

#include "ledger/file.h"
#include "ledger/internal.h"
#include "ledger/receipt_internal.h"

static bool is_listed(Ledger *ledger, const char *file, bool *ret_listed, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt = db_query(ledger->db, error, "SELECT 1 FROM receipt WHERE file = ?", "t", file);
    return stmt != NULL && db_next(stmt, ret_listed, error);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of receipt files that are not listed, sorted: by time, as the name starts with it. */
static GPtrArray *find_unlisted(Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(ledger->receipts_dir, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        bool listed = false;
        if (!g_str_has_suffix(name, ".json") || name[0] == '.')
            continue;
        if (!is_listed(ledger, name, &listed, error))
            return NULL;
        if (!listed)
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    return g_steal_pointer(&names);
}

/* NULL for what is no sound receipt under its own name (a copy, a note): it must not become a link of the chain.
 * Checking tells about it where the chain needs it. */
static Receipt *read_sound(Ledger *ledger, const char *name)
{
    g_autofree char *path = g_build_filename(ledger->receipts_dir, name, NULL);
    g_autoptr(Receipt) receipt = receipt_read(path, NULL);
    if (receipt == NULL)
        return NULL;
    g_autofree char *own_name = receipt_file_name(receipt);
    return strcmp(own_name, name) == 0 ? g_steal_pointer(&receipt) : NULL;
}

static bool list_receipt(Ledger *ledger, const char *name, const Receipt *receipt, GError **error)
{
    return db_run(
        ledger->db, error,
        "INSERT INTO receipt (file, sha256, previous, source_name, run_id, finished) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (file) DO NOTHING",
        "ttttii", name, receipt->sha256, receipt->previous_file, receipt->source.name, receipt->run, receipt->finished);
}

typedef struct Unlisted {
    GPtrArray *names;
    GHashTable *receipts; /* name -> Receipt*; what is listed is taken out */
} Unlisted;

/* A receipt comes after the one it names, whatever the clock said when they were written. */
static bool list_with_previous(Ledger *ledger, Unlisted *unlisted, const char *name, GError **error)
{
    g_autoptr(GPtrArray) path = g_ptr_array_new();
    while (name != NULL && g_hash_table_contains(unlisted->receipts, name) && path->len < unlisted->names->len) {
        g_ptr_array_add(path, (gpointer)name);
        name = ((Receipt *)g_hash_table_lookup(unlisted->receipts, name))->previous_file;
    }
    for (guint i = path->len; i > 0; i--) {
        const char *link = path->pdata[i - 1];
        Receipt *receipt = g_hash_table_lookup(unlisted->receipts, link);
        if (receipt != NULL && !list_receipt(ledger, link, receipt, error))
            return false;
    }
    for (guint i = 0; i < path->len; i++)
        g_hash_table_steal(unlisted->receipts, path->pdata[i]);
    return true;
}

static bool list_all(Ledger *ledger, GPtrArray *names, GError **error)
{
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func((GDestroyNotify)receipt_free);
    g_autoptr(GHashTable) receipts = g_hash_table_new(g_str_hash, g_str_equal);
    Unlisted unlisted = {.names = names, .receipts = receipts};
    for (guint i = 0; i < names->len; i++) {
        Receipt *receipt = read_sound(ledger, names->pdata[i]);
        if (receipt == NULL)
            continue;
        g_ptr_array_add(owned, receipt);
        g_hash_table_insert(receipts, names->pdata[i], receipt);
    }
    for (guint i = 0; i < names->len; i++) {
        if (!list_with_previous(ledger, &unlisted, names->pdata[i], error))
            return false;
    }
    return true;
}

bool receipt_chain_repair(Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) names = find_unlisted(ledger, error);
    if (names == NULL)
        return false;
    if (names->len == 0)
        return true;
    bool own;
    if (!db_begin(ledger, &own, error))
        return false;
    return db_end(ledger, own, list_all(ledger, names, error), error);
}

char *receipt_newest(Ledger *ledger, const char *source_name, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt = db_query(
        ledger->db, error, "SELECT file FROM receipt WHERE ?1 IS NULL OR source_name = ?1 ORDER BY id DESC LIMIT 1",
        "t", source_name);
    bool row = false;
    if (stmt == NULL || !db_next(stmt, &row, error) || !row)
        return NULL;
    return g_build_filename(ledger->receipts_dir, (const char *)sqlite3_column_text(stmt, 0), NULL);
}

char *receipt_of_run(Ledger *ledger, gint64 run, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt =
        db_query(ledger->db, error, "SELECT file FROM receipt WHERE run_id = ? ORDER BY id DESC LIMIT 1", "i", run);
    bool row = false;
    if (stmt == NULL || !db_next(stmt, &row, error) || !row)
        return NULL;
    return g_build_filename(ledger->receipts_dir, (const char *)sqlite3_column_text(stmt, 0), NULL);
}

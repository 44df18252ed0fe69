/* Shared inside src/ledger only: the open ledger and its SQLite helpers. */
#pragma once

#include <sqlite3.h>

#include "ledger/ledger.h"

struct Ledger {
    sqlite3 *db;
    char *dir;          /* absolute */
    char *receipts_dir; /* absolute */
    int lock_fd;
    bool has_lock;
    bool in_batch;
    sqlite3_stmt *add_key, *add_lost; /* of merges: prepared once, for there may be a million of them */
    GHashTable *alive;                /* ids (gint64 *) of runs that this process began and has not finished */
};

/* --- db.c --------------------------------------------------------------------------------------------------------- */

/* Opens or makes the file (0600) and sets what durability needs. */
sqlite3 *db_open(const char *path, GError **error);

/* Values are described by one letter each: i = gint64, t = const char * (NULL is SQL NULL, made UTF-8 where it is not).
 */
sqlite3_stmt *db_query(sqlite3 *db, GError **error, const char *sql, const char *types, ...);
/* One row forward. True with *ret_row false at the end. */
bool db_next(sqlite3_stmt *stmt, bool *ret_row, GError **error);
/* A statement without rows, to its end. */
bool db_run(sqlite3 *db, GError **error, const char *sql, const char *types, ...);
/* As db_run(); no row changed is a bug of the caller: PGF_ERROR_INTERNAL "what is not there". */
bool db_run_one(sqlite3 *db, GError **error, const char *what, const char *sql, const char *types, ...);

char *db_text(sqlite3_stmt *stmt, int column); /* NULL for SQL NULL. Transfer full. */

/* BEGIN IMMEDIATE, unless a batch is open already (then *ret_own is false and db_end() does nothing). */
bool db_begin(Ledger *ledger, bool *ret_own, GError **error);
/* COMMIT when ok, ROLLBACK otherwise or when the COMMIT fails. Returns whether all is stored. */
bool db_end(Ledger *ledger, bool own, bool ok, GError **error);

static inline void db_stmt_free(sqlite3_stmt *stmt)
{
    sqlite3_finalize(stmt);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, db_stmt_free)

/* --- schema.c ----------------------------------------------------------------------------------------------------- */

/* Brings the tables from whatever version the file has to the newest, in one transaction. steps is NULL-terminated;
 * step n leads from version n to n + 1 (PRAGMA user_version). */
bool schema_migrate(sqlite3 *db, const char *const *steps, GError **error);
extern const char *const schema_steps[];

/* --- lock.c ------------------------------------------------------------------------------------------------------- */

bool lock_open(Ledger *ledger, GError **error);
/* A run's own lock, held as long as it lives. */
bool lock_run(Ledger *ledger, gint64 run, GError **error);
void lock_release_run(Ledger *ledger, gint64 run);
bool lock_run_is_held(Ledger *ledger, gint64 run);

/* --- run.c -------------------------------------------------------------------------------------------------------- */

/* Runs recorded as running whose process is gone become interrupted. */
bool run_reap(Ledger *ledger, GError **error);
void run_read_end(sqlite3_stmt *stmt, int first_column, LedgerEnd *end);
void run_clear_end(LedgerEnd *end);

/* --- receipt_chain.c ---------------------------------------------------------------------------------------------- */

/* Registers files in the receipts folder that the ledger does not know, oldest first. */
bool receipt_chain_repair(Ledger *ledger, GError **error);

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/error.h"
#include "ledger/internal.h"

enum {
    BUSY_MS = 10000, /* how long another process may hold the file for one transaction */
    RETRY_MS = 5
};

static void set_error(sqlite3 *db, GError **error)
{
    int code = sqlite3_errcode(db);
    const char *hint = "see whether the disk is full or the folder is read-only, then run the same command again";
    PgfErrorCode kind = PGF_ERROR_MIDWAY;
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
        kind = PGF_ERROR_USAGE;
        hint =
            "move ledger.db, ledger.db-wal and ledger.db-shm away: receipts and backups are files of their own, stay "
            "valid, and a new ledger finds them";
    } else if (code == SQLITE_BUSY) {
        hint = "another pgfold holds the ledger: wait until it has ended";
    } else if (code == SQLITE_CONSTRAINT || code == SQLITE_ERROR || code == SQLITE_MISUSE) {
        kind = PGF_ERROR_INTERNAL;
        hint = NULL;
    }
    const char *file = sqlite3_db_filename(db, NULL);
    pgf_error_set(error, kind, hint, "the ledger %s: %s", file == NULL ? "" : file, sqlite3_errmsg(db));
}

static bool make_file(const char *path, GError **error)
{
    /* SQLite would make it readable for the group; its -wal and -shm files take over the mode of this one. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && fchmod(fd, 0600) == 0) {
        close(fd);
        return true;
    }
    pgf_error_set(error, PGF_ERROR_USAGE, "see who owns the file, and run pgfold as that user", "cannot open %s: %s",
                  path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return false;
}

/* For this one statement SQLite does not wait for others by itself: several processes that open a new ledger at once
 * would fail but for one. */
static bool set_journal_mode(sqlite3 *db, bool *ret_wal, GError **error)
{
    Deadline deadline = deadline_in_ms(BUSY_MS);
    for (;;) {
        g_autoptr(GError) failed = NULL;
        g_autoptr(sqlite3_stmt) stmt = db_query(db, &failed, "PRAGMA journal_mode = WAL", "");
        bool row = false;
        if (stmt != NULL && db_next(stmt, &row, &failed)) {
            *ret_wal = row && g_strcmp0((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
            return true;
        }
        if (sqlite3_errcode(db) != SQLITE_BUSY || deadline_poll_ms(deadline) == 0) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return false;
        }
        sqlite3_sleep(RETRY_MS);
    }
}

static bool set_pragmas(sqlite3 *db, GError **error)
{
    bool wal;
    if (!set_journal_mode(db, &wal, error))
        return false;
    /* Where the file system cannot share memory SQLite stays with a rollback journal. That one is safe against a power
     * cut only with EXTRA (the folder is flushed too); a WAL with FULL flushes at every commit. */
    return db_run(db, error, wal ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = EXTRA", "") &&
           db_run(db, error, "PRAGMA fullfsync = ON", "") && db_run(db, error, "PRAGMA foreign_keys = ON", "") &&
           db_run(db, error, "PRAGMA trusted_schema = OFF", "");
}

sqlite3 *db_open(const char *path, GError **error)
{
    if (!make_file(path, error))
        return NULL;
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK || db == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot open %s: %s", path,
                      db == NULL ? "out of memory" : sqlite3_errmsg(db));
    } else {
        sqlite3_busy_timeout(db, BUSY_MS);
        if (set_pragmas(db, error))
            return db;
    }
    sqlite3_close(db);
    return NULL;
}

static int bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    if (text == NULL || g_utf8_validate(text, -1, NULL))
        return sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT);
    return sqlite3_bind_text(stmt, index, g_utf8_make_valid(text, -1), -1, g_free);
}

static sqlite3_stmt *prepare(sqlite3 *db, GError **error, const char *sql, const char *types, va_list args)
{
    g_autoptr(sqlite3_stmt) stmt = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    for (int i = 0; code == SQLITE_OK && types[i] != '\0'; i++) {
        if (types[i] == 'i')
            code = sqlite3_bind_int64(stmt, i + 1, va_arg(args, gint64));
        else
            code = bind_text(stmt, i + 1, va_arg(args, const char *));
    }
    if (code == SQLITE_OK)
        return g_steal_pointer(&stmt);
    set_error(db, error);
    return NULL;
}

sqlite3_stmt *db_query(sqlite3 *db, GError **error, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *stmt = prepare(db, error, sql, types, args);
    va_end(args);
    return stmt;
}

bool db_next(sqlite3_stmt *stmt, bool *ret_row, GError **error)
{
    int code = sqlite3_step(stmt);
    *ret_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return true;
    set_error(sqlite3_db_handle(stmt), error);
    return false;
}

static bool run_to_end(sqlite3_stmt *stmt, GError **error)
{
    bool row = stmt != NULL;
    while (row) {
        if (!db_next(stmt, &row, error))
            return false;
    }
    return stmt != NULL;
}

bool db_run(sqlite3 *db, GError **error, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    g_autoptr(sqlite3_stmt) stmt = prepare(db, error, sql, types, args);
    va_end(args);
    return run_to_end(stmt, error);
}

bool db_run_one(sqlite3 *db, GError **error, const char *what, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    g_autoptr(sqlite3_stmt) stmt = prepare(db, error, sql, types, args);
    va_end(args);
    if (!run_to_end(stmt, error))
        return false;
    if (sqlite3_changes(db) == 1)
        return true;
    pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "the ledger has no such %s", what);
    return false;
}

char *db_text(sqlite3_stmt *stmt, int column)
{
    return g_strdup((const char *)sqlite3_column_text(stmt, column));
}

bool db_begin(Ledger *ledger, bool *ret_own, GError **error)
{
    *ret_own = !ledger->in_batch;
    return ledger->in_batch || db_run(ledger->db, error, "BEGIN IMMEDIATE", "");
}

bool db_end(Ledger *ledger, bool own, bool ok, GError **error)
{
    if (!own)
        return ok;
    if (ok && db_run(ledger->db, error, "COMMIT", ""))
        return true;
    db_run(ledger->db, NULL, "ROLLBACK", "");
    return false;
}

bool ledger_batch_begin(Ledger *ledger, GError **error)
{
    if (ledger->in_batch) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "a batch of ledger records is open already");
        return false;
    }
    ledger->in_batch = db_run(ledger->db, error, "BEGIN IMMEDIATE", "");
    return ledger->in_batch;
}

bool ledger_batch_commit(Ledger *ledger, GError **error)
{
    bool own = ledger->in_batch;
    ledger->in_batch = false;
    return db_end(ledger, own, true, error);
}

#include "base/error.h"
#include "ledger/internal.h"

/* Never change a step that was released: add one. docs/ledger.md describes the tables. */
const char *const schema_steps[] = {
    "CREATE TABLE run (\n"
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
    "    command TEXT NOT NULL,\n"
    "    source_name TEXT,\n"
    "    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),\n"
    "    started INTEGER NOT NULL,\n"
    "    finished INTEGER NOT NULL DEFAULT 0,\n"
    "    pid INTEGER NOT NULL,\n"
    "    host TEXT NOT NULL,\n"
    "    snapshot TEXT,\n"
    "    error TEXT,\n"
    "    source_system TEXT, source_database TEXT, source_oid INTEGER, source_version INTEGER,\n"
    "    source_role TEXT, source_address TEXT,\n"
    "    target_system TEXT, target_database TEXT, target_oid INTEGER, target_version INTEGER,\n"
    "    target_role TEXT, target_address TEXT\n"
    ") STRICT;\n"
    "CREATE INDEX run_running ON run (id) WHERE state = 'running';\n"
    "CREATE TABLE step (\n"
    "    id INTEGER PRIMARY KEY,\n"
    "    run_id INTEGER NOT NULL REFERENCES run (id),\n"
    "    name TEXT NOT NULL,\n"
    "    item TEXT,\n"
    "    state TEXT NOT NULL CHECK (state IN ('started', 'done', 'failed')),\n"
    "    started INTEGER NOT NULL,\n"
    "    finished INTEGER NOT NULL DEFAULT 0,\n"
    "    detail TEXT,\n"
    "    error TEXT\n"
    ") STRICT;\n"
    "CREATE INDEX step_run ON step (run_id);\n"
    "CREATE TABLE object (\n"
    "    id INTEGER PRIMARY KEY,\n"
    "    run_id INTEGER NOT NULL REFERENCES run (id),\n"
    "    kind TEXT NOT NULL,\n"
    "    name TEXT NOT NULL,\n"
    "    database TEXT,\n"
    "    cleanup_sql TEXT NOT NULL,\n"
    "    state TEXT NOT NULL CHECK (state IN ('owned', 'released', 'removed'))\n"
    ") STRICT;\n"
    "CREATE INDEX object_owned ON object (run_id) WHERE state = 'owned';\n"
    "CREATE TABLE mark (\n"
    "    source_name TEXT NOT NULL,\n"
    "    stage INTEGER NOT NULL,\n"
    "    run_id INTEGER NOT NULL REFERENCES run (id),\n"
    "    at INTEGER NOT NULL,\n"
    "    good INTEGER NOT NULL,\n"
    "    outcome TEXT NOT NULL,\n"
    "    file TEXT,\n"
    "    PRIMARY KEY (source_name, stage)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE receipt (\n"
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
    "    file TEXT NOT NULL UNIQUE,\n"
    "    sha256 TEXT NOT NULL,\n"
    "    previous TEXT,\n"
    "    source_name TEXT NOT NULL,\n"
    "    run_id INTEGER NOT NULL,\n"
    "    finished INTEGER NOT NULL\n"
    ") STRICT;\n",
    "CREATE TABLE fence (\n"
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
    "    run_id INTEGER NOT NULL REFERENCES run (id),\n"
    "    source_name TEXT NOT NULL,\n"
    "    system TEXT NOT NULL,\n"
    "    database TEXT NOT NULL,\n"
    "    oid INTEGER NOT NULL,\n"
    "    state TEXT NOT NULL CHECK (state IN ('started', 'standing', 'lifted', 'void')),\n"
    "    since INTEGER NOT NULL,\n"
    "    xid TEXT NOT NULL,\n"
    "    server_time INTEGER NOT NULL DEFAULT 0,\n"
    "    before TEXT NOT NULL,\n"
    "    ended INTEGER NOT NULL DEFAULT 0\n"
    ") STRICT;\n"
    "CREATE INDEX fence_open ON fence (system, oid) WHERE state IN ('started', 'standing');\n",
    "CREATE TABLE merge (\n"
    "    run_id INTEGER PRIMARY KEY REFERENCES run (id),\n"
    "    state TEXT NOT NULL CHECK (state IN ('pending', 'committed', 'undoing', 'undone', "
    "'forgetting', 'forgotten', 'abandoned')),\n"
    "    undo_schema TEXT NOT NULL,\n"
    "    drop_sql TEXT,\n"
    "    archive TEXT,\n"
    "    at INTEGER NOT NULL\n"
    ") STRICT;\n"
    "CREATE TABLE merge_key (\n"
    "    run_id INTEGER NOT NULL REFERENCES run (id),\n"
    "    relation TEXT NOT NULL,\n"
    "    old_key TEXT NOT NULL,\n"
    "    new_key TEXT NOT NULL,\n"
    "    PRIMARY KEY (run_id, relation, old_key)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE merge_lost (\n"
    "    run_id INTEGER NOT NULL REFERENCES run (id),\n"
    "    relation TEXT NOT NULL,\n"
    "    key TEXT NOT NULL,\n"
    "    hash INTEGER NOT NULL,\n"
    "    PRIMARY KEY (run_id, relation, key, hash)\n"
    ") STRICT, WITHOUT ROWID;\n",
    "ALTER TABLE object ADD COLUMN becomes TEXT;\n",
    "ALTER TABLE object ADD COLUMN made TEXT;\n",
    NULL,
};

static bool get_version(sqlite3 *db, gint64 *ret_version, GError **error)
{
    g_autoptr(sqlite3_stmt) stmt = db_query(db, error, "PRAGMA user_version", "");
    bool row;
    if (stmt == NULL || !db_next(stmt, &row, error))
        return false;
    *ret_version = sqlite3_column_int64(stmt, 0);
    return true;
}

static bool run_steps(sqlite3 *db, const char *const *steps, gint64 from, gint64 to, GError **error)
{
    for (gint64 i = from; i < to; i++) {
        char *message = NULL;
        if (sqlite3_exec(db, steps[i], NULL, NULL, &message) != SQLITE_OK) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL,
                          "cannot bring the ledger from version %" G_GINT64_FORMAT " to the next: %s", i, message);
            sqlite3_free(message);
            return false;
        }
    }
    g_autofree char *sql = g_strdup_printf("PRAGMA user_version = %" G_GINT64_FORMAT, to);
    return db_run(db, error, sql, "");
}

static bool refuse_newer(gint64 version, gint64 newest, GError **error)
{
    pgf_error_set(error, PGF_ERROR_USAGE, "use the pgfold that wrote it, or a newer one",
                  "the ledger was written by a newer pgfold (version %" G_GINT64_FORMAT
                  ", this one knows %" G_GINT64_FORMAT ")",
                  version, newest);
    return false;
}

bool schema_migrate(sqlite3 *db, const char *const *steps, GError **error)
{
    gint64 newest = (gint64)g_strv_length((char **)steps);
    gint64 version;
    if (!get_version(db, &version, error))
        return false;
    if (version == newest)
        return true;
    /* Asked again inside the transaction: another process may have been quicker. */
    if (!db_run(db, error, "BEGIN IMMEDIATE", ""))
        return false;
    bool ok = get_version(db, &version, error);
    if (ok && version > newest)
        ok = refuse_newer(version, newest, error);
    if (ok && version < newest)
        ok = run_steps(db, steps, version, newest, error);
    if (ok && db_run(db, error, "COMMIT", ""))
        return true;
    db_run(db, NULL, "ROLLBACK", "");
    return false;
}

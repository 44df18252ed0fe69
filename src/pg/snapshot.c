#include "pg/snapshot.h"

#include "pg/pg_sql.h"

static const char BEGIN_READ[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

PgSnapshot *pg_snapshot_export(PgConn *holder, GError **error)
{
    g_autofree char *sql = g_strconcat(BEGIN_READ, "; ", PG_SNAPSHOT_SQL, NULL);
    g_autoptr(PgResult) r = pg_query(holder, sql, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL) {
        g_prefix_error(error, "exporting a snapshot: ");
        return NULL;
    }
    PgSnapshot *snapshot = g_new0(PgSnapshot, 1);
    snapshot->holder = holder;
    snapshot->id = g_strdup(pg_result_get(r, 0, 0));
    snapshot->lsn = g_strdup(pg_result_get(r, 0, 1));
    return snapshot;
}

bool pg_snapshot_join(PgConn *conn, const PgSnapshot *snapshot, GError **error)
{
    g_autofree char *id = pg_quote_literal(snapshot->id);
    return pg_execf(conn, deadline_in_ms(PG_CATALOG_MS), error, "%s; SET TRANSACTION SNAPSHOT %s", BEGIN_READ, id);
}

static bool exec_inside(PgConn *conn, const char *sql, GError **error)
{
    return conn == NULL || !pg_conn_in_transaction(conn) || pg_exec(conn, sql, deadline_in_ms(PG_CATALOG_MS), error);
}

bool pg_snapshot_mark_locks(PgConn *conn, GError **error)
{
    return exec_inside(conn, "SAVEPOINT pgfold_reads", error);
}

bool pg_snapshot_let_go_of_locks(PgConn *conn, GError **error)
{
    return exec_inside(conn, "ROLLBACK TO SAVEPOINT pgfold_reads", error);
}

bool pg_snapshot_leave(PgConn *conn, GError **error)
{
    return pg_exec(conn, "ROLLBACK", deadline_in_ms(PG_CATALOG_MS), error);
}

void pg_snapshot_free(PgSnapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    g_free(snapshot->id);
    g_free(snapshot->lsn);
    g_free(snapshot);
}

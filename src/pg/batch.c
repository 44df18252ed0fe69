#include "pg/batch.h"

#include "base/wait.h"
#include "pg/internal.h"

/* libpq's pipeline: a synchronisation point behind each statement, so that one that fails takes no other with it. */
static bool send_all(PgConn *conn, const PgBatchItem *items, guint n, GError **error)
{
    for (guint i = 0; i < n; i++) {
        const PgBatchItem *item = &items[i];
        if (PQsendQueryParams(conn->pg, item->sql, (int)item->n, NULL, item->values, NULL, NULL, 0) == 0 ||
            PQpipelineSync(conn->pg) == 0) {
            pg_set_error(conn, NULL, error);
            return false;
        }
    }
    return true;
}

static bool next_result(PgConn *conn, Deadline deadline, PGresult **ret_res, GError **error)
{
    if (!pg_flush(conn, deadline, error) || !pg_wait_result(conn, deadline, error))
        return false;
    *ret_res = PQgetResult(conn->pg);
    if (*ret_res != NULL || PQstatus(conn->pg) == CONNECTION_OK)
        return true;
    pg_set_error(conn, NULL, error);
    return false;
}

static void keep(PgConn *conn, PgBatchItem *item, PGresult *res)
{
    if (PQresultStatus(res) == PGRES_TUPLES_OK || PQresultStatus(res) == PGRES_COMMAND_OK) {
        item->result = g_new(PgResult, 1);
        item->result->res = res;
        return;
    }
    if (item->error == NULL)
        pg_set_error(conn, res, &item->error);
    PQclear(res);
}

/* The results of one statement, its end (NULL) and the synchronisation point. */
static bool receive_item(PgConn *conn, PgBatchItem *item, Deadline deadline, GError **error)
{
    PGresult *res = NULL;
    for (;;) {
        if (!next_result(conn, deadline, &res, error))
            return false;
        if (res == NULL)
            continue;
        if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            return true;
        }
        keep(conn, item, res);
    }
}

bool pg_batch(PgConn *conn, PgBatchItem *items, guint n, Deadline deadline, GError **error)
{
    if (PQenterPipelineMode(conn->pg) == 0) {
        pg_set_error(conn, NULL, error);
        return false;
    }
    bool ok = send_all(conn, items, n, error);
    for (guint i = 0; ok && i < n; i++)
        ok = receive_item(conn, &items[i], deadline, error);
    return PQexitPipelineMode(conn->pg) != 0 && ok;
}

void pg_batch_clear(PgBatchItem *items, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_clear_pointer(&items[i].result, pg_result_free);
        g_clear_error(&items[i].error);
    }
}

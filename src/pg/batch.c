#include "pg/batch.h"

#include "base/error.h"
#include "pg/internal.h"

static bool send_all(PgConn *conn, const PgStatement *statements, guint n, bool alone, Deadline deadline,
                     GError **error)
{
    conn->sqlstate[0] = '\0';
    bool good = PQenterPipelineMode(conn->pg) == 1;
    for (guint i = 0; good && i < n; i++)
        good = PQsendQueryParams(conn->pg, statements[i].sql, (int)statements[i].n, NULL, statements[i].values, NULL,
                                 NULL, 0) == 1 &&
               (!(alone || i + 1 == n) || PQpipelineSync(conn->pg) == 1);
    if (!good) {
        pg_set_error(conn, NULL, error);
        return false;
    }
    return pg_flush(conn, deadline, error);
}

/* Takes res. False when the statement failed; PGRES_PIPELINE_ABORTED: one before it did, which is known by then. */
static bool take(PgConn *conn, PGresult *res, const PgStatement *statement, PgResult **ret_result, GError **error)
{
    PgResult row = {.res = res};
    bool good = false;
    switch (PQresultStatus(res)) {
    case PGRES_SINGLE_TUPLE:
        g_assert(statement->func != NULL); /* receive() asks for single rows only for it */
        good = statement->func(&row, statement->data, error);
        break;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        if (statement->func != NULL) { /* no row: the end of them */
            PQclear(res);
            return true;
        }
        *ret_result = g_new(PgResult, 1);
        (*ret_result)->res = res;
        return true;
    default:
        pg_set_error(conn, res, error);
        break;
    }
    PQclear(res);
    return good;
}

/* All results of one statement. */
static bool receive(PgConn *conn, const PgStatement *statement, PgResult **ret_result, Deadline deadline,
                    GError **error)
{
    if (statement->func != NULL)
        PQsetSingleRowMode(conn->pg);
    for (;;) {
        if (!pg_wait_result(conn, deadline, error))
            return false;
        PGresult *res = PQgetResult(conn->pg);
        if (res == NULL)
            return true;
        g_autoptr(GError) cause = NULL;
        if (take(conn, res, statement, ret_result, &cause))
            continue;
        if (statement->ret_error == NULL || PQstatus(conn->pg) != CONNECTION_OK) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        g_clear_error(statement->ret_error);
        *statement->ret_error = g_steal_pointer(&cause);
    }
}

/* A synchronisation point: the end of a transaction, or of all. */
static bool receive_sync(PgConn *conn, Deadline deadline, GError **error)
{
    if (!pg_wait_result(conn, deadline, error))
        return false;
    PGresult *res = PQgetResult(conn->pg);
    bool good = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
    PQclear(res);
    if (!good)
        pg_set_error(conn, NULL, error);
    return good;
}

bool pg_batch(PgConn *conn, const PgStatement *statements, guint n, PgResult **ret_results, guint *ret_failed,
              Deadline deadline, GError **error)
{
    g_autofree PgResult **results = g_new0(PgResult *, n + 1);
    bool alone = !pg_conn_in_transaction(conn);
    bool good = n == 0 || send_all(conn, statements, n, alone, deadline, error);
    guint done = good ? 0 : n;
    while (good && done < n) {
        good = receive(conn, &statements[done], &results[done], deadline, error) &&
               (!(alone || done + 1 == n) || receive_sync(conn, deadline, error));
        done += good ? 1 : 0;
    }
    if (good)
        (void)PQexitPipelineMode(conn->pg);
    else
        pg_leave_batch(conn);
    for (guint i = 0; i < n; i++)
        if (good && ret_results != NULL)
            ret_results[i] = results[i];
        else
            pg_result_free(results[i]);
    if (ret_failed != NULL)
        *ret_failed = done;
    return good;
}

#include "pg/batch.h"

#include "base/error.h"
#include "pg/internal.h"

static bool send_all(PgConn *conn, const PgStatement *statements, guint n, Deadline deadline, GError **error)
{
    conn->sqlstate[0] = '\0';
    bool good = PQenterPipelineMode(conn->pg) == 1;
    for (guint i = 0; good && i < n; i++)
        good = PQsendQueryParams(conn->pg, statements[i].sql, (int)statements[i].n, NULL, statements[i].values, NULL,
                                 NULL, 0) == 1;
    if (!good || PQpipelineSync(conn->pg) != 1) {
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
        if (!take(conn, res, statement, ret_result, error))
            return false;
    }
}

/* The synchronisation point after the last statement. */
static bool finish(PgConn *conn, Deadline deadline, GError **error)
{
    if (!pg_wait_result(conn, deadline, error))
        return false;
    PGresult *res = PQgetResult(conn->pg);
    bool good = PQresultStatus(res) == PGRES_PIPELINE_SYNC && PQexitPipelineMode(conn->pg) == 1;
    PQclear(res);
    if (!good)
        pg_set_error(conn, NULL, error);
    return good;
}

bool pg_batch(PgConn *conn, const PgStatement *statements, guint n, PgResult **ret_results, guint *ret_failed,
              Deadline deadline, GError **error)
{
    g_autofree PgResult **results = g_new0(PgResult *, n + 1);
    guint done = 0;
    bool good = send_all(conn, statements, n, deadline, error);
    if (!good)
        done = n;
    while (good && done < n) {
        good = receive(conn, &statements[done], &results[done], deadline, error);
        done += good ? 1 : 0;
    }
    good = good && finish(conn, deadline, error);
    if (good && ret_results != NULL)
        for (guint i = 0; i < n; i++)
            ret_results[i] = g_steal_pointer(&results[i]);
    for (guint i = 0; i < n; i++)
        pg_result_free(results[i]);
    if (!good)
        pg_leave_batch(conn);
    if (ret_failed != NULL)
        *ret_failed = done;
    return good;
}

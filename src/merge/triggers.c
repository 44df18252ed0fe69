/* Triggers of the users, while rows are written for them. */
#include "merge/internal.h"
#include "merge/merge_sql.h"

PgResult *triggers_read(PgConn *conn, const char *there, GError **error)
{
    return pg_query_params(conn, MERGE_TRIGGERS_SQL, 1, &there, deadline_in_ms(PG_CATALOG_MS), error);
}

bool triggers_silence(PgConn *conn, const char *there, GPtrArray *restore, GError **error)
{
    g_autoptr(PgResult) triggers = triggers_read(conn, there, error);
    if (triggers == NULL)
        return false;
    for (int row = 0; row < pg_result_rows(triggers); row++) {
        if (!pg_result_bool(triggers, row, 3))
            continue; /* it fires; the plan said so */
        if (!pg_exec(conn, pg_result_get(triggers, row, 1), DEADLINE_NONE, error))
            return false;
        g_ptr_array_add(restore, g_strdup(pg_result_get(triggers, row, 2)));
    }
    return true;
}

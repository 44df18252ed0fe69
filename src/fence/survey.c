#include "base/error.h"
#include "fence/fence_sql.h"
#include "fence/internal.h"

enum { COMMIT_MS = 20000 };

/* --- what stands -------------------------------------------------------------------------------------------------- */

/* "committed", "aborted"; NULL in *ret_state: nobody knows any more. */
static bool transaction_state(PgConn *conn, const char *transaction, char **ret_state, GError **error)
{
    Deadline deadline = deadline_in_ms(COMMIT_MS);
    const char *values[] = {transaction};
    for (;;) {
        g_autoptr(PgResult) r = pg_query_params(conn, FENCE_TRANSACTION_STATE_SQL, 1, values, fence_soon(), error);
        if (r == NULL)
            return false;
        *ret_state = g_strdup(pg_result_get(r, 0, 0));
        if (g_strcmp0(*ret_state, "in progress") != 0)
            return true;
        g_clear_pointer(ret_state, g_free);
        if (deadline_poll_ms(deadline) == 0) {
            pgf_error_set(error, PGF_ERROR_REFUSED, "Run the same command again in a moment.",
                          "%s: an earlier run is still changing this database (transaction %s)", pg_conn_label(conn),
                          transaction);
            return false;
        }
        if (!pg_exec(conn, "SELECT pg_catalog.pg_sleep(0.02)", fence_soon(), error))
            return false;
    }
}

/* False in *ret_stands: its transaction never was, and it is void now. One that is too old to be known was committed: a
 * run that was killed before its commit did not leave more than that record, and opening what is open does no harm. */
static bool settle(PgConn *conn, Ledger *ledger, const LedgerFence *fence, bool *ret_stands, GError **error)
{
    g_autofree char *state = NULL;
    *ret_stands = true;
    if (fence->standing)
        return true;
    if (!transaction_state(conn, fence->transaction, &state, error))
        return false;
    *ret_stands = g_strcmp0(state, "aborted") != 0;
    return *ret_stands ? ledger_fence_stands(ledger, fence->id, 0, error) : ledger_fence_void(ledger, fence->id, error);
}

GPtrArray *fence_standing(PgConn *conn, Ledger *ledger, GError **error)
{
    g_autoptr(GPtrArray) fences = ledger_fences(ledger, pg_conn_identity(conn), error);
    if (fences == NULL)
        return NULL;
    for (guint i = fences->len; i > 0; i--) {
        bool stands = false;
        if (!settle(conn, ledger, fences->pdata[i - 1], &stands, error))
            return NULL;
        if (!stands)
            g_ptr_array_remove_index(fences, i - 1);
    }
    return g_steal_pointer(&fences);
}

/* --- everything else ---------------------------------------------------------------------------------------------- */

static void obstacle_free(gpointer data)
{
    FenceObstacle *obstacle = data;
    g_free(obstacle->what);
    g_free(obstacle->statement);
    g_free(obstacle);
}

static void opening_free(gpointer data)
{
    FenceOpening *opening = data;
    g_free(opening->role);
    g_free(opening->why);
    g_free(opening);
}

static bool add_obstacles(GPtrArray *obstacles, PgConn *conn, const char *sql, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, sql, fence_soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        FenceObstacle *obstacle = g_new0(FenceObstacle, 1);
        obstacle->what = g_strdup(pg_result_get(r, i, 0));
        obstacle->statement = g_strdup(pg_result_get(r, i, 1));
        g_ptr_array_add(obstacles, obstacle);
    }
    return r != NULL;
}

GPtrArray *fence_obstacles(PgConn *conn, GError **error)
{
    g_autoptr(GPtrArray) obstacles = g_ptr_array_new_with_free_func(obstacle_free);
    if (!add_obstacles(obstacles, conn, FENCE_PREPARED_SQL, error) ||
        !add_obstacles(obstacles, conn, FENCE_SUBSCRIPTIONS_SQL, error))
        return NULL;
    return g_steal_pointer(&obstacles);
}

static bool read_openings(FenceSurvey *survey, PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FENCE_OPENINGS_SQL, fence_soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        FenceOpening *opening = g_new0(FenceOpening, 1);
        opening->role = g_strdup(pg_result_get(r, i, 0));
        opening->why = g_strdup(pg_result_get(r, i, 1));
        g_ptr_array_add(survey->openings, opening);
    }
    return r != NULL;
}

static bool read_slots(FenceSurvey *survey, PgConn *conn, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FENCE_SLOTS_SQL, fence_soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++)
        g_ptr_array_add(survey->slots, g_strdup(pg_result_get(r, i, 0)));
    return r != NULL;
}

static bool read_database(FenceSurvey *survey, PgConn *conn, GError **error)
{
    g_autoptr(FenceDatabase) database = fence_database_read(conn, error);
    if (database == NULL)
        return false;
    g_autoptr(FenceChange) change = fence_change_make(database);
    survey->may_alter = database->may_alter;
    survey->owner = g_strdup(database->owner_name);
    survey->statements = g_ptr_array_ref(change->statements);
    survey->warnings = g_ptr_array_ref(change->warnings);
    return true;
}

void fence_survey_free(FenceSurvey *survey)
{
    if (survey == NULL)
        return;
    g_free(survey->owner);
    g_clear_pointer(&survey->rows, g_ptr_array_unref);
    g_clear_pointer(&survey->statements, g_ptr_array_unref);
    g_clear_pointer(&survey->warnings, g_ptr_array_unref);
    g_clear_pointer(&survey->sessions, g_ptr_array_unref);
    g_clear_pointer(&survey->obstacles, g_ptr_array_unref);
    g_ptr_array_unref(survey->openings);
    g_ptr_array_unref(survey->slots);
    g_free(survey);
}

FenceSurvey *fence_survey(PgConn *conn, Ledger *ledger, GError **error)
{
    g_autoptr(FenceSurvey) survey = g_new0(FenceSurvey, 1);
    survey->openings = g_ptr_array_new_with_free_func(opening_free);
    survey->slots = g_ptr_array_new_with_free_func(g_free);
    survey->rows = fence_standing(conn, ledger, error);
    if (survey->rows == NULL || !read_database(survey, conn, error) || !read_openings(survey, conn, error) ||
        !read_slots(survey, conn, error) || (survey->obstacles = fence_obstacles(conn, error)) == NULL)
        return NULL;
    if (survey->rows->len > 0 && survey->statements->len == 0)
        survey->since = ((const LedgerFence *)survey->rows->pdata[0])->server_time;
    survey->sessions = fence_sessions(conn, survey->since, error);
    return survey->sessions == NULL ? NULL : g_steal_pointer(&survey);
}

/* --- may we? ------------------------------------------------------------------------------------------------------ */

static bool only_for_superusers(const FenceSurvey *survey, const FenceSession *session)
{
    for (guint i = 0; i < survey->openings->len; i++) {
        const FenceOpening *opening = survey->openings->pdata[i];
        if (g_str_equal(opening->role, session->role) && g_str_equal(opening->why, "superuser"))
            return true;
    }
    return *session->role == '\0';
}

static void refuse_sessions(GString *text, const FenceSurvey *survey, const char *quoted)
{
    for (guint i = 0; i < survey->sessions->len; i++) {
        const FenceSession *session = survey->sessions->pdata[i];
        const char *role = *session->role == '\0' ? "the server" : session->role;
        if (session->may_end)
            continue;
        if (only_for_superusers(survey, session))
            g_string_append_printf(text,
                                   "\n- process %d of %s: only a superuser may end it: do that by hand, or connect as "
                                   "one",
                                   session->pid, role);
        else
            g_string_append_printf(text, "\n- process %d of %s may not be ended: GRANT pg_signal_backend TO %s;",
                                   session->pid, role, quoted);
    }
}

static void refuse_role(GString *text, const FenceSurvey *survey, const PgIdentity *identity)
{
    g_autofree char *role = pg_quote_ident(identity->role);
    g_autofree char *owner = pg_quote_ident(survey->owner);
    g_autofree char *database = pg_quote_ident(identity->database);
    if (!survey->may_alter)
        g_string_append_printf(text,
                               "\n- role %s does not own database %s, nor is it a member of its owner: GRANT %s TO "
                               "%s; or ALTER DATABASE %s OWNER TO %s;",
                               identity->role, identity->database, owner, role, database, role);
}

static bool refuse(const PgConn *conn, const char *what, const char *state, const GString *text, GError **error)
{
    if (text->len == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Run the statements above, then this again.", "%s cannot be %s:%s",
                  pg_conn_label(conn), what, text->str);
    if (error != NULL)
        pgf_error_set_state(*error, "%s", state);
    return false;
}

bool fence_gate_lift(const FenceSurvey *survey, const PgConn *conn, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    refuse_role(text, survey, pg_conn_identity(conn));
    return refuse(conn, "opened", "the fence stands as before", text, error);
}

bool fence_gate(const FenceSurvey *survey, const PgConn *conn, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *role = pg_quote_ident(pg_conn_identity(conn)->role);
    refuse_role(text, survey, pg_conn_identity(conn));
    for (guint i = 0; i < survey->obstacles->len; i++) {
        const FenceObstacle *obstacle = survey->obstacles->pdata[i];
        g_string_append_printf(text, "\n- %s: %s", obstacle->what, obstacle->statement);
    }
    refuse_sessions(text, survey, role);
    return refuse(conn, "fenced", "nothing was changed", text, error);
}

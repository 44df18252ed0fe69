#include "fold/undo.h"

#include "base/error.h"
#include "catalog/catalog.h"
#include "config/protect.h"
#include "fold/undo_gate.h"
#include "merge/merge.h"
#include "reconcile/digest.h"

/* Whether the connection leads to the database that the fold wrote to. */
static bool check_identity(const UndoSpec *spec, PgConn *conn, GError **error)
{
    const PgIdentity *identity = pg_conn_identity(conn);
    const ReceiptEnd *target = &spec->receipt->target;
    if (g_str_equal(identity->system_identifier, target->system_identifier) &&
        (gint64)identity->database_oid == target->database_oid)
        return true;
    pgf_error_set(error, PGF_ERROR_CONNECT, "Check where target.url of pgfold.yaml leads.",
                  "the target is not the database that run %" G_GINT64_FORMAT " folded into (%s, oid %" G_GINT64_FORMAT
                  " in cluster %s)",
                  spec->merge->run, target->database, target->database_oid, target->system_identifier);
    return false;
}

static bool digest_is(PgConn *conn, const CatalogRelation *relation, DigestText text, const ReceiptRelation *wanted,
                      bool *ret_same, GError **error)
{
    Digest digest = {0};
    g_autofree char *sql = digest_relation_sql(relation, NULL, text);
    g_autoptr(PgResult) result = pg_query(conn, sql, DEADLINE_NONE, error);
    if (result == NULL || !digest_from_row(result, 0, 0, &digest, error))
        return false;
    g_autofree char *found = digest_text(&digest);
    *ret_same = (gint64)digest.rows == wanted->target_rows && g_strcmp0(found, wanted->target_digest) == 0;
    return true;
}

static bool refuse(GError **error, const char *label, const char *what)
{
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "Take that change back first, or keep the fold: `pgfold undo --forget RUN`.",
                  "a later change would be lost: %s %s", label, what);
    return false;
}

/* A table that the fold made must hold what its receipt says. The digest was taken in one of two ways (docs/digest.md).
 */
static bool check_new_table(PgConn *conn, const Catalog *catalog, const ReceiptRelation *wanted, GError **error)
{
    const CatalogRelation *relation = catalog_find(catalog, wanted->schema, wanted->name);
    bool same = false;
    if (wanted->action != RECEIPT_NEW || relation == NULL || wanted->target_digest == NULL)
        return true;
    if (!digest_is(conn, relation, DIGEST_TEXT_NATIVE, wanted, &same, error) ||
        (!same && !digest_is(conn, relation, DIGEST_TEXT_UTF8, wanted, &same, error)))
        return false;
    return same || refuse(error, relation->label, "holds other rows than the fold brought");
}

static bool check_new_tables(const UndoSpec *spec, PgConn *conn, GError **error)
{
    g_autoptr(Catalog) catalog = catalog_read(conn, NULL, error);
    for (guint i = 0; catalog != NULL && i < spec->receipt->relations->len; i++)
        if (!check_new_table(conn, catalog, spec->receipt->relations->pdata[i], error))
            return false;
    return catalog != NULL;
}

static bool is_in_receipt(const Receipt *receipt, const CatalogRelation *relation)
{
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *r = receipt->relations->pdata[i];
        if (g_str_equal(r->schema, relation->schema) && g_str_equal(r->name, relation->name))
            return true;
    }
    return false;
}

/* The whole database is the fold's: it must hold no table that it did not make. */
static bool check_no_other_tables(const UndoSpec *spec, PgConn *conn, GError **error)
{
    g_autoptr(Catalog) catalog = catalog_read(conn, NULL, error);
    for (guint i = 0; catalog != NULL && i < catalog->relations->len; i++) {
        const CatalogRelation *relation = catalog->relations->pdata[i];
        if (catalog_has_rows(relation) && !is_in_receipt(spec->receipt, relation))
            return refuse(error, relation->label, "was not made by the fold");
    }
    return catalog != NULL;
}

static PgConn *open_target(const UndoSpec *spec, GError **error)
{
    g_autoptr(PgConn) conn = pg_conn_open("target", spec->config->target.url, spec->receipt->target.database,
                                          deadline_in_ms(PG_CONNECT_MS), error);
    return conn != NULL && check_identity(spec, conn, error) &&
                   config_check_protected_role(spec->config, "target", pg_conn_identity(conn)->role, error)
               ? g_steal_pointer(&conn)
               : NULL;
}

static bool drop_database(const UndoSpec *spec, GError **error)
{
    g_autofree char *missing = NULL;
    g_autofree char *quoted = pg_quote_ident(spec->receipt->target.database);
    {
        g_autoptr(PgConn) conn = open_target(spec, error);
        if (conn == NULL || !check_new_tables(spec, conn, error) || !check_no_other_tables(spec, conn, error))
            return false;
    }
    if (spec->rehearse)
        return true;
    g_autoptr(PgConn) other =
        pg_conn_open("target", spec->config->target.url,
                     g_str_equal(spec->receipt->target.database, "postgres") ? "template1" : "postgres",
                     deadline_in_ms(PG_CONNECT_MS), error);
    if (other == NULL)
        return false;
    if (pg_execf(other, DEADLINE_NONE, error, "DROP DATABASE %s", quoted))
        return true;
    if (error != NULL && g_str_equal(pg_conn_sqlstate(other), "55006"))
        pgf_error_set_code(*error, PGF_ERROR_REFUSED);
    return false;
}

/* What depends on the fold's objects by now keeps them: the statements have no CASCADE. */
static bool drop_objects(const UndoSpec *spec, PgConn *conn, GError **error)
{
    if (spec->merge->drop_sql == NULL || *spec->merge->drop_sql == '\0' ||
        pg_exec(conn, spec->merge->drop_sql, DEADLINE_NONE, error))
        return true;
    if (error != NULL && g_str_equal(pg_conn_sqlstate(conn), "2BP01")) {
        pgf_error_set_code(*error, PGF_ERROR_REFUSED);
        pgf_error_set_hint(*error, "Drop that first, or keep the fold: `pgfold undo --forget RUN`.");
        g_prefix_error(error, "something else depends by now on what the fold has made: ");
    }
    return false;
}

static bool roll_back(PgConn *conn, GError **error)
{
    return pg_exec(conn, "ROLLBACK", deadline_in_ms(PG_CATALOG_MS), error);
}

/* The last statement: where nobody has heard how it ended, the next look at the target tells (merge_settle). */
static bool commit(PgConn *conn, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (pg_exec(conn, "COMMIT", DEADLINE_NONE, &cause))
        return true;
    if (cause->code == PGF_ERROR_CONNECT || cause->code == PGF_ERROR_CANCELLED) {
        pgf_error_set_state(cause,
                            "it ended at the last step, and the server did not say how: all of it is done, or nothing");
        pgf_error_set_hint(cause, "Run the same command again: that finds out.");
        pgf_error_set_code(cause, PGF_ERROR_MIDWAY);
    }
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static bool take_back(const UndoSpec *spec, PgConn *conn, GError **error)
{
    const char *schema = spec->merge->undo_schema;
    bool has_rows = *schema != '\0';
    return pg_exec(conn, "BEGIN ISOLATION LEVEL READ COMMITTED", deadline_in_ms(PG_CATALOG_MS), error) &&
           (!has_rows || merge_undo_check(conn, schema, spec->config->fold.lock_timeout, error)) &&
           check_new_tables(spec, conn, error) && drop_objects(spec, conn, error) &&
           (!has_rows || merge_undo_rows(conn, schema, error)) &&
           (spec->rehearse ? roll_back(conn, error) : commit(conn, error));
}

static bool forget(const UndoSpec *spec, PgConn *conn, GError **error)
{
    return pg_exec(conn, "BEGIN ISOLATION LEVEL READ COMMITTED", deadline_in_ms(PG_CATALOG_MS), error) &&
           merge_undo_forget(conn, spec->merge->undo_schema, error) &&
           (spec->rehearse ? roll_back(conn, error) : commit(conn, error));
}

/* What an earlier try, or the fold itself, came to before it was stopped. *ret_done: there is nothing left to do. */
static bool look_first(const UndoSpec *spec, PgConn *conn, bool *ret_done, GError **error)
{
    *ret_done = false;
    if (*spec->merge->undo_schema == '\0')
        return true;
    g_autoptr(LedgerMerge) merge =
        merge_settle(spec->ledger, conn, error) ? ledger_merge_of(spec->ledger, spec->merge->run, error) : NULL;
    if (merge == NULL)
        return false;
    *ret_done = merge->state == (spec->forget ? LEDGER_MERGE_FORGOTTEN : LEDGER_MERGE_UNDONE);
    bool is_there = merge->state == LEDGER_MERGE_COMMITTED || merge->state == LEDGER_MERGE_UNDOING ||
                    merge->state == LEDGER_MERGE_FORGETTING;
    if (is_there || *ret_done)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "`pgfold verify` says what of the source is in the target.",
                  "run %" G_GINT64_FORMAT
                  " cannot be taken back: it was never committed, or was taken back or kept for good already",
                  merge->run);
    return false;
}

static bool run_in_target(const UndoSpec *spec, PgConn *conn, GError **error)
{
    bool has_rows = *spec->merge->undo_schema != '\0', done = false;
    if (!look_first(spec, conn, &done, error))
        return false;
    if (done || (spec->forget && !has_rows))
        return true;
    if (!undo_gate_target(spec, conn, error))
        return false;
    /* Recorded before: whoever finds the schema gone knows why. */
    LedgerMergeState state = spec->forget ? LEDGER_MERGE_FORGETTING : LEDGER_MERGE_UNDOING;
    if (has_rows && !spec->rehearse && !ledger_merge_set_state(spec->ledger, spec->merge->run, state, error))
        return false;
    return spec->forget ? forget(spec, conn, error) : take_back(spec, conn, error);
}

bool undo_run(const UndoSpec *spec, GError **error)
{
    if (!undo_gate_known(spec, error))
        return false;
    if (!spec->forget && g_strcmp0(spec->merge->drop_sql, UNDO_WHOLE_DATABASE) == 0) {
        if (!drop_database(spec, error))
            return false;
    } else {
        g_autoptr(PgConn) conn = open_target(spec, error);
        g_autoptr(GError) failure = NULL;
        if (conn == NULL || !run_in_target(spec, conn, conn == NULL ? NULL : &failure)) {
            if (failure != NULL && pgf_error_state(failure) == NULL)
                pgf_error_set_state(failure, "nothing was changed in the target");
            if (failure != NULL)
                g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
    return spec->rehearse || ledger_merge_set_state(spec->ledger, spec->merge->run,
                                                    spec->forget ? LEDGER_MERGE_FORGOTTEN : LEDGER_MERGE_UNDONE, error);
}

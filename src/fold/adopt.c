/*
 * Going on where a run died that was making a new database: what is there, and is what the source holds now, stays.
 *
 * Nothing is taken on trust. The ledger only says whose the database is; what it holds is asked of itself: its
 * definitions, by pg_dump, must be the source's, and a table's rows stay only if their digest is that of the source in
 * this run's snapshot. Whatever does not fit in is made again, and where that would not be simple, all of it is.
 */
#include <string.h>

#include "base/error.h"
#include "fold/internal.h"

/* What is known of the database that was left, as far as it was looked at. */
typedef struct Remains {
    Fold *fold;
    char *reason;         /* why it is of no use; NULL: it is */
    bool has_later;       /* triggers, views, privileges...: they come after all rows, and might change them */
    GPtrArray *tables;    /* of LookTask* */
    GPtrArray *different; /* of LookTask*: those whose rows are not the source's */
} Remains;

typedef struct LookTask {
    const PlanRelation *relation;
    DigestText text;
    Digest digest;
} LookTask;

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

static const LedgerObject *find_database(const GPtrArray *objects)
{
    for (guint i = 0; i < objects->len; i++) {
        const LedgerObject *object = objects->pdata[i];
        if (object->becomes != NULL)
            return object;
    }
    return NULL;
}

static bool is_of_source(Ledger *ledger, gint64 run, const PgIdentity *source, bool *ret_is, GError **error)
{
    g_autoptr(GPtrArray) runs = ledger_runs(ledger, 0, error);
    if (runs == NULL)
        return false;
    *ret_is = false;
    for (guint i = 0; i < runs->len; i++) {
        const LedgerRun *r = runs->pdata[i];
        if (r->id == run)
            *ret_is = g_strcmp0(r->source.system_identifier, source->system_identifier) == 0 &&
                      r->source.database_oid == source->database_oid;
    }
    return true;
}

bool fold_find_unfinished(Ledger *ledger, const Ends *ends, gint64 *ret_run, GError **error)
{
    *ret_run = 0;
    if (ends->target_missing == NULL)
        return true;
    g_autoptr(GPtrArray) objects =
        ledger_owned_objects(ledger, 0, pg_conn_identity(ends->target)->system_identifier, error);
    if (objects == NULL)
        return false;
    for (guint i = 0; i < objects->len && *ret_run == 0; i++) {
        const LedgerObject *object = objects->pdata[i];
        bool is = false;
        if (g_strcmp0(object->becomes, ends->target_missing) != 0)
            continue;
        if (!is_of_source(ledger, object->run, pg_conn_identity(ends->source), &is, error))
            return false;
        *ret_run = is ? object->run : 0;
    }
    return true;
}

/* What a database is given just before its name (commit.c): its rows are all there then, but what this run would give
 * it may be something else. A limit of -2 is a DROP DATABASE that was cut off. */
static bool look_at_database(Fold *fold, PgConn *conn, GError **error)
{
    static const char SQL[] =
        "SELECT d.datallowconn AND d.datconnlimit = -1 AND d.datacl IS NULL AND NOT d.datistemplate "
        "AND d.datdba = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER) "
        "AND pg_catalog.shobj_description(d.oid, 'pg_database') IS NULL "
        "AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid) "
        "FROM pg_catalog.pg_database d WHERE d.datname = $1";
    const char *values[] = {fold->stage};
    g_autoptr(PgResult) r = pg_query_params(conn, SQL, 1, values, soon(), error);
    if (r == NULL)
        return false;
    fold->stage_exists = pg_result_rows(r) > 0 && pg_result_bool(r, 0, 0);
    if (!fold->stage_exists)
        fold->result->anew = g_strdup(pg_result_rows(r) > 0 ? "its database had its settings, or another owner, already"
                                                            : "its database is not there any more");
    return true;
}

/* The marker is the name of the database, and the comment of the roles that the dead run has made. */
bool fold_take_over(Fold *fold, GError **error)
{
    const FoldSpec *spec = fold->spec;
    PgConn *conn = spec->ends->target;
    g_autoptr(GPtrArray) objects =
        ledger_owned_objects(spec->ledger, spec->resume, pg_conn_identity(conn)->system_identifier, error);
    const LedgerObject *database = objects == NULL ? NULL : find_database(objects);
    if (objects == NULL || !ledger_objects_take_over(spec->ledger, spec->resume, spec->run, error))
        return false;
    if (database == NULL)
        return true;
    g_free(fold->marker);
    g_free(fold->stage);
    fold->marker = g_strdup(database->name);
    fold->stage = g_strdup(database->name);
    fold->taken_over = database->id;
    return fold_end_backends(conn, fold->stage, error) && look_at_database(fold, conn, error);
}

/* --- definitions -------------------------------------------------------------------------------------------------- */

/* It was made by the statement that would make one now. */
static bool check_database(Remains *remains, GError **error)
{
    const Fold *fold = remains->fold;
    g_autofree char *statement = plan_database_statement(fold->main, fold->main, NULL, NULL, error);
    if (statement == NULL)
        return false;
    if (!g_str_equal(statement, fold->spec->plan->create_database_sql))
        remains->reason = g_strdup("the source's encoding or locale is another one now");
    return true;
}

static bool comes_after_rows(const DumpEntry *entry)
{
    static const char *const WITH_ROWS[] = {"INDEX", "CONSTRAINT", "INDEX ATTACH", "FK CONSTRAINT", NULL};
    /* A constraint that is not valid holds for rows that come later, and not for those that the source has. */
    bool not_valid = g_str_equal(entry->type, "CONSTRAINT") && strstr(entry->sql, "NOT VALID") != NULL;
    return entry->section != DUMP_PRE_DATA && (not_valid || !g_strv_contains(WITH_ROWS, entry->type));
}

static char *reason_of_present(const Fold *fold, const PlanEntry *p)
{
    bool forced = g_str_equal(p->entry->type, "ROW SECURITY") && !pg_conn_identity(fold->main)->superuser;
    if (p->action != PLAN_NEW && *p->entry->sql != '\0')
        return g_strdup_printf("%s %s is there, and is left out by now", p->entry->type, p->entry->name);
    if (forced || fold_is_final(p->entry))
        return g_strdup("what acts on others (row security, publications, event triggers) is there already");
    return NULL;
}

static char *reason_of_absent(const Fold *fold, const PlanEntry *p)
{
    bool wanted = p->entry->section == DUMP_PRE_DATA && fold_makes(fold, p) && !fold_is_final(p->entry);
    return wanted ? g_strdup("it died before all tables were made") : NULL;
}

/* With --no-owner all is to belong to the role that connects. */
static char *reason_of_owner(const Fold *fold, const Dump *stage)
{
    const char *role = pg_conn_identity(fold->main)->role;
    for (guint i = 0; fold->spec->no_owner && i < stage->entries->len; i++) {
        const DumpEntry *entry = stage->entries->pdata[i];
        if (entry->owner != NULL && *entry->owner != '\0' && !g_str_equal(entry->owner, role))
            return g_strdup_printf("%s %s belongs to %s, and owners are left out by now", entry->type, entry->name,
                                   entry->owner);
    }
    return NULL;
}

static bool check_definitions(Remains *remains, GError **error)
{
    Fold *fold = remains->fold;
    const Plan *plan = fold->spec->plan;
    guint more = 0;
    g_autoptr(Dump) dump = dump_read(fold->spec->tools, fold->main, NULL, fold->spec->scratch, error);
    if (dump == NULL)
        return false;
    fold->there = plan_entries_in(plan, dump, fold->spec->no_owner, fold_not_valid_sql, &more);
    remains->reason = more > 0 ? g_strdup_printf("%u of its objects are not, or not so, in the source", more)
                               : reason_of_owner(fold, dump);
    for (guint i = 0; i < plan->entries->len && remains->reason == NULL; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        bool there = fold_presence(fold, p->entry) != PLAN_ABSENT;
        remains->reason = there ? reason_of_present(fold, p) : reason_of_absent(fold, p);
        remains->has_later = remains->has_later || (there && comes_after_rows(p->entry));
        /* It may show what has changed without a trace here: foreign tables, large objects, the time. */
        if (there && g_str_equal(p->entry->type, "MATERIALIZED VIEW DATA"))
            g_hash_table_remove(fold->there, p->entry);
    }
    return true;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static bool run_look(PoolWorker *worker, gpointer data, GError **error)
{
    LookTask *task = data;
    return fold_digest_target(worker->target, task->relation->verify->audit->source, task->text, &task->digest, error);
}

/* A table that is to be empty, because the configuration leaves it out by now, must be empty. */
static bool is_as_wanted(const Fold *fold, const LookTask *task)
{
    const AuditRelation *audit = task->relation->verify->audit;
    return fold_copies(fold, task->relation) ? digest_equal(&task->digest, &audit->source_digest)
                                             : task->digest.rows == 0;
}

static bool look_at_rows(Remains *remains, GError **error)
{
    Fold *fold = remains->fold;
    const Plan *plan = fold->spec->plan;
    g_autoptr(Pool) pool = pool_new(fold->targets->len, NULL, (PgConn *const *)fold->targets->pdata);
    for (guint i = 0; i < plan->relations->len; i++) {
        const PlanRelation *r = plan->relations->pdata[i];
        const CatalogRelation *source = r->verify->audit->source;
        /* What belongs to an extension came with it, and what is left out is not there at all. */
        if (source->kind != 'r' || source->extension_member || source->left_out)
            continue;
        LookTask *task = g_new0(LookTask, 1);
        task->relation = r;
        task->text = plan->verification->audit->text;
        g_ptr_array_add(remains->tables, task);
        pool_add(pool, "digest", source->label, source->bytes, run_look, task);
    }
    if (!fold_pool_run(fold, pool, error))
        return false;
    for (guint i = 0; i < remains->tables->len; i++)
        if (!is_as_wanted(fold, remains->tables->pdata[i]))
            g_ptr_array_add(remains->different, remains->tables->pdata[i]);
    if (remains->different->len > 0 && remains->has_later)
        remains->reason = g_strdup("the source has changed since, and triggers or views are there already");
    return true;
}

/* They would keep their tables from being emptied. */
static bool drop_foreign_keys(Fold *fold, GError **error)
{
    const Plan *plan = fold->spec->plan;
    for (guint i = 0; i < plan->entries->len; i++) {
        const DumpEntry *entry = ((const PlanEntry *)plan->entries->pdata[i])->entry;
        const CatalogForeignKey *key = fold_foreign_key_of(fold, entry);
        if (key == NULL || !g_hash_table_remove(fold->there, entry))
            continue;
        g_autofree char *name = pg_quote_ident(key->name);
        if (!pg_execf(fold->main, soon(), error, "ALTER TABLE %s DROP CONSTRAINT %s", key->child, name))
            return false;
    }
    return true;
}

static bool empty_what_differs(const Remains *remains, GError **error)
{
    for (guint i = 0; i < remains->different->len; i++) {
        const LookTask *task = remains->different->pdata[i];
        if (task->digest.rows > 0 && !pg_execf(remains->fold->main, soon(), error, "TRUNCATE ONLY %s",
                                               task->relation->verify->audit->source->quoted))
            return false;
    }
    return true;
}

static void keep_the_rest(const Remains *remains)
{
    Fold *fold = remains->fold;
    g_autoptr(GHashTable) different = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < remains->different->len; i++)
        g_hash_table_add(different, remains->different->pdata[i]);
    GHashTable *kept = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < remains->tables->len; i++) {
        LookTask *task = remains->tables->pdata[i];
        if (g_hash_table_contains(different, task) || !fold_copies(fold, task->relation))
            continue;
        g_hash_table_add(kept, (gpointer)task->relation);
        fold->result->rows_there += task->digest.rows;
        fold->result->tables_there++;
    }
    fold->rows_there = kept;
}

/* --- the decision ------------------------------------------------------------------------------------------------- */

static bool look(Remains *remains, GError **error)
{
    if (!check_database(remains, error) || (remains->reason == NULL && !check_definitions(remains, error)) ||
        (remains->reason == NULL && !look_at_rows(remains, error)))
        return false;
    if (remains->reason != NULL)
        return true;
    if (remains->different->len > 0 && !drop_foreign_keys(remains->fold, error))
        return false;
    /* They are made, and brought, in one go. */
    if (!empty_what_differs(remains, error) || !fold_remove_large_objects(remains->fold, error))
        return false;
    keep_the_rest(remains);
    return true;
}

bool fold_adopt(Fold *fold, GError **error)
{
    Remains remains = {.fold = fold, .tables = g_ptr_array_new_with_free_func(g_free), .different = g_ptr_array_new()};
    bool ok = look(&remains, error);
    fold->result->anew = g_steal_pointer(&remains.reason);
    if (fold->result->anew != NULL)
        g_clear_pointer(&fold->there, g_hash_table_unref);
    g_ptr_array_unref(remains.tables);
    g_ptr_array_unref(remains.different);
    return ok;
}

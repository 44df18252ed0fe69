/*
 * Going on where a run died: what it has made, and is what the source holds now, stays.
 *
 * Nothing is taken on trust. The ledger only says whose the database is, or which objects of it; what they are is asked
 * of the database: their definitions, by pg_dump, must be the source's, and a table's rows stay only if their digest is
 * that of the source in this run's snapshot. Whatever does not fit in is made again, and where that would not be
 * simple, all of it is.
 */
#include <string.h>

#include "base/error.h"
#include "fold/internal.h"

/* What is known of what was left, as far as it was looked at. */
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
    if (!wanted)
        return NULL;
    return fold->own_database ? g_strdup("it died before all tables were made")
                              : g_strdup_printf("%s %s is not there", p->entry->type, p->entry->name);
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

/* In a database that exists the rest is not the run's. It has made one of each name (own.c): of two, one is not. */
static char *leave_others(const Fold *fold, Dump *dump)
{
    if (fold->own_database)
        return NULL;
    g_autoptr(Hidden) seen = hidden_new("");
    dump_take_out(dump, true, plan_hides, (gpointer)fold->spec->hidden);
    for (guint i = 0; i < dump->entries->len; i++) {
        const DumpEntry *entry = dump->entries->pdata[i];
        if (!hidden_add(seen, entry->type, entry->schema, entry->name))
            return g_strdup_printf("there are two of %s %s", entry->type, entry->name);
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
    remains->reason = leave_others(fold, dump);
    if (remains->reason != NULL)
        return true;
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

/* In a database that exists: source oids (a set) of the tables that the dead run has made, and that are there. All
 * others are somebody else's, and are not even looked at. */
static GHashTable *list_tables(const Fold *fold)
{
    GHashTable *oids = g_hash_table_new(g_direct_hash, g_direct_equal);
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, fold->there);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const DumpEntry *entry = key;
        if (g_str_equal(entry->type, "TABLE") && plan_hides(entry, (gpointer)fold->spec->hidden))
            g_hash_table_add(oids, GUINT_TO_POINTER(entry->oid));
    }
    return oids;
}

static bool look_at_rows(Remains *remains, GError **error)
{
    Fold *fold = remains->fold;
    const Plan *plan = fold->spec->plan;
    g_autoptr(GHashTable) ours = list_tables(fold);
    g_autoptr(Pool) pool = pool_new(fold->targets->len, NULL, (PgConn *const *)fold->targets->pdata);
    for (guint i = 0; i < plan->relations->len; i++) {
        const PlanRelation *r = plan->relations->pdata[i];
        const CatalogRelation *source = r->verify->audit->source;
        /* What belongs to an extension came with it, and what is left out is not there at all. */
        if (source->kind != 'r' || source->extension_member || source->left_out ||
            (!fold->own_database && !g_hash_table_contains(ours, GUINT_TO_POINTER(source->oid))))
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

/* They would keep their tables from being emptied, and rows from coming before those of a merge. */
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
    Fold *fold = remains->fold;
    if ((fold->own_database && !check_database(remains, error)) ||
        (remains->reason == NULL && !check_definitions(remains, error)) ||
        (remains->reason == NULL && !look_at_rows(remains, error)))
        return false;
    if (remains->reason != NULL)
        return true;
    if ((remains->different->len > 0 || fold_merges(fold)) && !drop_foreign_keys(fold, error))
        return false;
    /* Large objects are made, and brought, in one go. Of a database that exists some are not ours: the list of those
     * that are was worked off before (cleanup.c). */
    if (!empty_what_differs(remains, error) || (fold->own_database && !fold_remove_large_objects(fold, error)))
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

#include <string.h>

#include "base/error.h"
#include "fold/internal.h"

/* Statements of one entry, run in a worker. */
typedef struct EntryTask {
    const DumpEntry *entry;
    const PoolJob *job;
} EntryTask;

typedef struct TableTask {
    char *sql;
} TableTask;

static bool run_entry(PoolWorker *worker, gpointer data, GError **error)
{
    const EntryTask *task = data;
    /* One transaction, as are all statements that are sent together. */
    if (pg_execf(worker->target, DEADLINE_NONE, error, "%s%s",
                 task->job->crowded ? "SET LOCAL max_parallel_maintenance_workers = 0; " : "", task->entry->sql))
        return true;
    g_prefix_error(error, "creating %s %s: ", task->entry->type, task->entry->name);
    return false;
}

static bool run_table(PoolWorker *worker, gpointer data, GError **error)
{
    const TableTask *task = data;
    return pg_exec(worker->target, task->sql, DEADLINE_NONE, error);
}

static bool is_index(const DumpEntry *entry)
{
    return g_str_equal(entry->type, "INDEX") || g_str_equal(entry->type, "CONSTRAINT");
}

static GHashTable *entries_by_id(const Dump *dump)
{
    GHashTable *table = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < dump->entries->len; i++) {
        DumpEntry *entry = dump->entries->pdata[i];
        g_hash_table_insert(table, GINT_TO_POINTER(entry->id), entry);
    }
    return table;
}

static guint64 table_bytes(const Fold *fold, guint32 oid)
{
    const GPtrArray *relations = fold->spec->plan->verification->audit->source->relations;
    for (guint i = 0; i < relations->len; i++) {
        const CatalogRelation *r = relations->pdata[i];
        if (r->oid == oid)
            return r->bytes;
    }
    return 0;
}

/* Waits for the rows of the tables that the entry depends on, and for indexes among its dependencies. An index shares
 * its table with other indexes; a constraint wants it alone. */
static void add_index(Fold *fold, Pool *pool, const DumpEntry *entry, GHashTable *table_jobs, GHashTable *by_id,
                      GHashTable *index_jobs)
{
    EntryTask *task = g_new0(EntryTask, 1);
    task->entry = entry;
    g_ptr_array_add(fold->tasks, task);
    /* pg_dump adds CLUSTER ON and REPLICA IDENTITY to an index as ALTER TABLE. */
    bool exclusive = !g_str_equal(entry->type, "INDEX") || strstr(entry->sql, "ALTER TABLE") != NULL;
    PoolJob *job = pool_add(pool, exclusive ? "constraint" : "index", entry->name, 0, run_entry, task);
    task->job = job;
    g_hash_table_insert(index_jobs, GINT_TO_POINTER(entry->id), job);
    for (guint i = 0; i < entry->depends->len; i++) {
        int id = g_array_index(entry->depends, int, i);
        const DumpEntry *other = g_hash_table_lookup(by_id, GINT_TO_POINTER(id));
        PoolJob *other_job = g_hash_table_lookup(index_jobs, GINT_TO_POINTER(id));
        if (other_job != NULL && other_job != job)
            pool_after(job, other_job);
        if (other == NULL || other->class_oid != 1259 || !g_str_has_suffix(other->type, "TABLE"))
            continue;
        job->lock = other->oid;
        job->exclusive = exclusive;
        job->weight = table_bytes(fold, other->oid);
        const GPtrArray *copies = g_hash_table_lookup(table_jobs, GUINT_TO_POINTER(other->oid));
        for (guint k = 0; copies != NULL && k < copies->len; k++)
            pool_after(job, copies->pdata[k]);
    }
}

static bool depends_on_late(const Fold *fold, const DumpEntry *entry)
{
    for (guint i = 0; i < entry->depends->len; i++)
        if (g_hash_table_contains(fold->late, GINT_TO_POINTER(g_array_index(entry->depends, int, i))))
            return true;
    return false;
}

/* Relations that pg_dump could only make after the rows (a materialized view that groups by a key), and all that hangs
 * on them, are made in fold_rest(). */
static void find_late(Fold *fold)
{
    for (guint i = 0; i < fold->spec->plan->entries->len; i++) {
        const PlanEntry *p = fold->spec->plan->entries->pdata[i];
        if (fold_makes(fold, p) && p->entry->section == DUMP_POST_DATA &&
            (!is_index(p->entry) || depends_on_late(fold, p->entry)))
            g_hash_table_add(fold->late, GINT_TO_POINTER(p->entry->id));
    }
}

void fold_add_indexes(Fold *fold, Pool *pool, GHashTable *table_jobs)
{
    g_autoptr(GHashTable) by_id = entries_by_id(fold->spec->plan->dump);
    g_autoptr(GHashTable) index_jobs = g_hash_table_new(g_direct_hash, g_direct_equal);
    find_late(fold);
    for (guint i = 0; i < fold->spec->plan->entries->len; i++) {
        const PlanEntry *p = fold->spec->plan->entries->pdata[i];
        if (fold_makes(fold, p) && p->entry->section == DUMP_POST_DATA && is_index(p->entry) &&
            !g_hash_table_contains(fold->late, GINT_TO_POINTER(p->entry->id)))
            add_index(fold, pool, p->entry, table_jobs, by_id, index_jobs);
    }
}

static bool is_attach(const DumpEntry *entry)
{
    return g_str_equal(entry->type, "INDEX ATTACH");
}

static bool is_foreign_key(const DumpEntry *entry)
{
    return g_str_equal(entry->type, "FK CONSTRAINT");
}

static bool exec_entry(Fold *fold, const DumpEntry *entry, const char *sql, GError **error)
{
    if (pg_exec(fold->main, sql, DEADLINE_NONE, error))
        return true;
    g_prefix_error(error, "creating %s %s: ", entry->type, entry->name);
    return false;
}

const CatalogForeignKey *fold_foreign_key_of(const Fold *fold, const DumpEntry *entry)
{
    const GPtrArray *keys = fold->spec->plan->verification->audit->source->foreign_keys;
    for (guint i = 0; is_foreign_key(entry) && i < keys->len; i++) {
        const CatalogForeignKey *key = keys->pdata[i];
        if (key->oid == entry->oid)
            return key;
    }
    return NULL;
}

/* The entry's statement with NOT VALID before its last semicolon. */
char *fold_not_valid_sql(const DumpEntry *entry)
{
    const char *end = is_foreign_key(entry) ? strrchr(entry->sql, ';') : NULL;
    return end == NULL ? NULL : g_strdup_printf("%.*s NOT VALID%s", (int)(end - entry->sql), entry->sql, end);
}

static guint32 child_lock(const Fold *fold, const CatalogForeignKey *key)
{
    const CatalogRelation *child =
        g_hash_table_lookup(fold->spec->plan->verification->audit->source->by_name, key->child);
    return child == NULL ? key->oid : child->oid;
}

/* Adds the key without looking at the rows, and a job that looks at them. Orphans make that job fail. */
static bool add_foreign_key(Fold *fold, Pool *pool, const DumpEntry *entry, GError **error)
{
    const CatalogForeignKey *key = fold_foreign_key_of(fold, entry);
    if (key == NULL || key->partitioned || !key->validated)
        return exec_entry(fold, entry, entry->sql, error);
    g_autofree char *sql = fold_not_valid_sql(entry);
    if (fold_presence(fold, entry) == PLAN_ABSENT && !exec_entry(fold, entry, sql, error))
        return false;
    g_autofree char *name = pg_quote_ident(key->name);
    TableTask *task = g_new0(TableTask, 1);
    task->sql = g_strdup_printf("ALTER TABLE %s VALIDATE CONSTRAINT %s", key->child, name);
    g_ptr_array_add(fold->tasks, task);
    g_ptr_array_add(fold->tasks, task->sql);
    PoolJob *job = pool_add(pool, "validate", entry->name, table_bytes(fold, child_lock(fold, key)), run_table, task);
    job->lock = child_lock(fold, key);
    job->exclusive = true;
    return true;
}

/* Foreign keys of tables whose rows, or whose parents' rows, come with the merge; views that show such rows. */
bool fold_waits_for_merge(const Fold *fold, const DumpEntry *entry)
{
    if (!fold_merges(fold))
        return false;
    if (g_str_equal(entry->type, "MATERIALIZED VIEW DATA"))
        return true;
    const CatalogForeignKey *key = fold_foreign_key_of(fold, entry);
    return key != NULL && (fold_is_merged(fold, key->child) || fold_is_merged(fold, key->parent));
}

bool fold_after_merge(Fold *fold, GError **error)
{
    const GPtrArray *entries = fold->spec->plan->entries;
    for (guint i = 0; i < entries->len; i++) {
        const PlanEntry *p = entries->pdata[i];
        if (fold_makes(fold, p) && p->entry->section == DUMP_POST_DATA && fold_waits_for_merge(fold, p->entry) &&
            !exec_entry(fold, p->entry, p->entry->sql, error))
            return false;
    }
    return true;
}

bool fold_foreign_keys(Fold *fold, Pool *pool, GError **error)
{
    const GPtrArray *entries = fold->spec->plan->entries;
    for (guint i = 0; i < entries->len; i++) {
        const PlanEntry *p = entries->pdata[i];
        if (fold_makes(fold, p) && p->entry->section == DUMP_POST_DATA && is_attach(p->entry) &&
            !exec_entry(fold, p->entry, p->entry->sql, error))
            return false;
    }
    for (guint i = 0; i < entries->len; i++) {
        const PlanEntry *p = entries->pdata[i];
        if (fold_makes(fold, p) && p->entry->section == DUMP_POST_DATA && is_foreign_key(p->entry) &&
            !fold_waits_for_merge(fold, p->entry) && !add_foreign_key(fold, pool, p->entry, error))
            return false;
    }
    return true;
}

void fold_add_analyze(Fold *fold, Pool *pool)
{
    const GPtrArray *relations = fold->spec->plan->relations;
    for (guint i = 0; i < relations->len; i++) {
        const PlanRelation *r = relations->pdata[i];
        const CatalogRelation *relation = r->verify->audit->source;
        if (r->action != PLAN_NEW || !catalog_has_rows(relation))
            continue;
        TableTask *task = g_new0(TableTask, 1);
        task->sql = g_strdup_printf("ANALYZE %s", relation->quoted);
        g_ptr_array_add(fold->tasks, task);
        g_ptr_array_add(fold->tasks, task->sql);
        PoolJob *job = pool_add(pool, "analyze", relation->label, relation->bytes / 10, run_table, task);
        job->lock = relation->oid;
        job->exclusive = true;
    }
}

/* Everything after the rows that is neither index nor foreign key, in pg_dump's order: triggers, rules, policies,
 * materialized views (refreshed here), statistics, privileges. Publications and event triggers come last (commit.c). */
bool fold_rest(Fold *fold, GError **error)
{
    const GPtrArray *entries = fold->spec->plan->entries;
    if (!fold_find_refreshes(fold, error))
        return false;
    for (guint i = 0; i < entries->len; i++) {
        const PlanEntry *p = entries->pdata[i];
        const DumpEntry *entry = p->entry;
        bool is_early_index = is_index(entry) && !g_hash_table_contains(fold->late, GINT_TO_POINTER(entry->id));
        if (!fold_makes(fold, p) || entry->section == DUMP_PRE_DATA || is_early_index || is_attach(entry) ||
            is_foreign_key(entry) || fold_is_final(entry) || fold_waits_for_merge(fold, entry) ||
            fold_refreshes_late(fold, p))
            continue;
        g_autofree char *sql = dump_entry_sql(entry, fold->spec->no_owner);
        if (!exec_entry(fold, entry, sql, error))
            return false;
    }
    return true;
}

#include <string.h>

#include "base/error.h"
#include "catalog/lock.h"
#include "fold/internal.h"
#include "pg/copy.h"

enum { MAX_PARTS = 16 };

/* One table, or one range of its blocks. */
typedef struct CopyTask {
    Fold *fold;
    const CatalogRelation *relation;
    char *columns; /* "(a, b)", or "" for a table without columns of its own */
    bool binary;
    bool whole;
    guint64 first_block, end_block; /* end 0: to the end */
    PgCopyProgress progress;
} CopyTask;

static char *column_list(const CatalogRelation *relation)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < relation->columns->len; i++) {
        const CatalogColumn *column = relation->columns->pdata[i];
        if (column->generated)
            continue;
        g_autofree char *quoted = pg_quote_ident(column->name);
        g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", quoted);
    }
    return list->len == 0 ? g_strdup("") : g_strdup_printf("(%s)", list->str);
}

static char *copy_out_sql(const CopyTask *task)
{
    const char *format = task->binary ? "binary" : "text";
    if (task->whole)
        return g_strdup_printf("COPY %s %s TO STDOUT (FORMAT %s)", task->relation->read_from, task->columns, format);
    g_autofree char *end =
        task->end_block == 0
            ? g_strdup("")
            : g_strdup_printf(" AND ctid < '(%" G_GUINT64_FORMAT ",0)'::pg_catalog.tid", task->end_block);
    /* "(a, b)" without its parentheses is a select list. */
    g_autofree char *list =
        *task->columns == '\0' ? g_strdup("") : g_strndup(task->columns + 1, strlen(task->columns) - 2);
    return g_strdup_printf("COPY (SELECT %s FROM ONLY %s WHERE ctid >= '(%" G_GUINT64_FORMAT
                           ",0)'::pg_catalog.tid%s) TO STDOUT (FORMAT %s)",
                           list, task->relation->read_from, task->first_block, end, format);
}

/* The table is the run's own and empty; if somebody else wrote into it meanwhile, their rows are not thrown away. */
static bool prepare_target(PgConn *target, const CopyTask *task, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("BEGIN; LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE; SELECT EXISTS (SELECT FROM ONLY %s)",
                        task->relation->quoted, task->relation->quoted);
    g_autoptr(PgResult) r = pg_query(target, sql, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return false;
    if (pg_result_bool(r, 0, 0)) {
        pgf_error_set(error, PGF_ERROR_MIDWAY, "Find out who writes to the target, then fold again.",
                      "somebody else has written into the new table");
        return false;
    }
    /* FREEZE wants a table that was made or truncated in the same transaction (COPY). */
    return pg_execf(target, deadline_in_ms(PG_CATALOG_MS), error, "TRUNCATE ONLY %s", task->relation->quoted);
}

static bool copy_rows(PoolWorker *worker, CopyTask *task, guint64 *ret_rows, GError **error)
{
    g_autofree char *out = copy_out_sql(task);
    g_autofree char *in = g_strdup_printf("COPY %s %s FROM STDIN (FORMAT %s%s)", task->relation->quoted, task->columns,
                                          task->binary ? "binary" : "text", task->whole ? ", FREEZE" : "");
    if (task->whole && !prepare_target(worker->target, task, error))
        return false;
    if (!pg_copy(worker->source, out, worker->target, in, &task->progress, ret_rows, error))
        return false;
    return !task->whole || pg_exec(worker->target, "COMMIT", DEADLINE_NONE, error);
}

/* Where both databases have one encoding, rows travel in it and nothing is converted. Everything else that pgfold sends
 * is UTF8, but to SQL_ASCII, which takes bytes as they are (pg/conn.h). */
static bool set_encoding(PoolWorker *worker, bool own, GError **error)
{
    const char *source = pg_conn_identity(worker->source)->encoding;
    const char *target = pg_conn_identity(worker->target)->encoding;
    if (!g_str_equal(source, target) || g_str_equal(source, "UTF8") || g_str_equal(source, "SQL_ASCII"))
        return true;
    g_autofree char *name = pg_quote_literal(own ? source : "UTF8");
    return pg_execf(worker->source, deadline_in_ms(PG_CATALOG_MS), error, "SET client_encoding = %s", name) &&
           pg_execf(worker->target, deadline_in_ms(PG_CATALOG_MS), error, "SET client_encoding = %s", name);
}

/* Joins the snapshot for this one copy: a worker that builds an index afterwards holds nothing back on the source. */
static bool run_copy(PoolWorker *worker, gpointer data, GError **error)
{
    CopyTask *task = data;
    guint64 rows = 0;
    if (!set_encoding(worker, true, error) ||
        !pg_snapshot_join(worker->source, task->fold->spec->ends->snapshot, error) ||
        !catalog_bound_waits(worker->source, error))
        return false;
    if (!copy_rows(worker, task, &rows, error)) {
        g_prefix_error(error, "copying %s: ", task->relation->label);
        return false;
    }
    return pg_snapshot_leave(worker->source, error) && set_encoding(worker, false, error);
}

static PoolJob *add_job(Fold *fold, Pool *pool, const CatalogRelation *relation, const CopyTask *part, guint parts)
{
    CopyTask *task = g_new0(CopyTask, 1);
    task->fold = fold;
    task->relation = relation;
    task->columns = part->columns;
    task->binary = part->binary;
    task->whole = part->whole;
    task->first_block = part->first_block;
    task->end_block = part->end_block;
    g_ptr_array_add(fold->tasks, task);
    PoolJob *job = pool_add(pool, "copy", relation->label, relation->table_bytes / parts + G_MAXUINT32, run_copy, task);
    job->progress = &task->progress;
    fold->copies_left++;
    return job;
}

/* A table is split only where it alone would keep one worker longer than all the others: parts cannot be written
 * frozen, and their rows are written once more when they are read. Block ranges are read through TID range scans, which
 * servers have since 14; before, each part would read it all. */
static guint parts_of(const Fold *fold, const CatalogRelation *relation, const char *columns)
{
    const FoldSpec *spec = fold->spec;
    guint workers = spec->sources->len;
    if (workers < 2 || relation->table_bytes <= spec->split_above || *columns == '\0' ||
        pg_conn_identity(spec->ends->source)->version < 140000)
        return 1;
    guint64 share = fold->copy_bytes / workers + 1;
    return (guint)CLAMP((relation->table_bytes + share / 2) / share, 1, MIN(workers, MAX_PARTS));
}

static void add_table(Fold *fold, Pool *pool, const CatalogRelation *relation, GPtrArray *jobs)
{
    char *columns = column_list(relation);
    g_ptr_array_add(fold->tasks, columns);
    guint parts = parts_of(fold, relation, columns);
    guint64 blocks = relation->pages / parts + 1;
    CopyTask part = {.columns = columns, .binary = catalog_travels_binary(relation, false), .whole = parts == 1};
    for (guint i = 0; i < parts; i++) {
        part.first_block = i * blocks;
        part.end_block = i + 1 == parts ? 0 : (i + 1) * blocks;
        g_ptr_array_add(jobs, add_job(fold, pool, relation, &part, parts));
    }
}

bool fold_copies(const Fold *fold, const PlanRelation *r)
{
    const AuditRelation *audit = r->verify->audit;
    return r->action == PLAN_NEW && r->merge == NULL && audit->source_digested && audit->source_digest.rows > 0 &&
           (fold->rows_there == NULL || !g_hash_table_contains(fold->rows_there, r));
}

void fold_add_copies(Fold *fold, Pool *pool, GHashTable *table_jobs)
{
    const GPtrArray *relations = fold->spec->plan->relations;
    fold->copy_bytes = 0;
    for (guint i = 0; i < relations->len; i++) {
        const PlanRelation *r = relations->pdata[i];
        if (fold_copies(fold, r))
            fold->copy_bytes += r->verify->audit->source->table_bytes;
    }
    for (guint i = 0; i < relations->len; i++) {
        const PlanRelation *r = relations->pdata[i];
        const AuditRelation *audit = r->verify->audit;
        if (!fold_copies(fold, r))
            continue;
        GPtrArray *jobs = g_ptr_array_new();
        g_hash_table_insert(table_jobs, GUINT_TO_POINTER(audit->source->oid), jobs);
        add_table(fold, pool, audit->source, jobs);
    }
    if (fold->spec->plan->verification->audit->source->large_objects > 0) {
        const Audit *audit = fold->spec->plan->verification->audit;
        if (audit->target == NULL || audit->target->large_objects == 0) {
            pool_add(pool, "large objects", "large objects", G_MAXUINT32, fold_copy_large_objects, fold);
            fold->copies_left++;
        }
    }
}

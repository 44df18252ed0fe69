#include "base/error.h"
#include "fold/fold_sql.h"
#include "fold/internal.h"

/* Many small objects travel in one query; a large one goes on in chunks. What is in memory is a batch, never more. */
enum { HEAD_BYTES = 16384, CHUNK_BYTES = 1 << 20 };

static bool copy_tail(PoolWorker *worker, const char *oid, GError **error)
{
    for (gint64 offset = HEAD_BYTES;; offset += CHUNK_BYTES) {
        g_autofree char *from = g_strdup_printf("%" G_GINT64_FORMAT, offset);
        g_autofree char *length = g_strdup_printf("%d", CHUNK_BYTES);
        const char *get[] = {oid, from, length};
        g_autoptr(PgResult) r =
            pg_query_params(worker->source,
                            "SELECT d, pg_catalog.length(d) FROM (SELECT pg_catalog.lo_get($1::pg_catalog.oid, "
                            "$2::pg_catalog.int8, $3::pg_catalog.int4)) s (d)",
                            3, get, DEADLINE_NONE, error);
        if (r == NULL)
            return false;
        gint64 got = pg_result_int(r, 0, 1);
        const char *put[] = {oid, from, pg_result_get(r, 0, 0)};
        g_autoptr(PgResult) w =
            got == 0 ? NULL
                     : pg_query_params(
                           worker->target,
                           "SELECT pg_catalog.lo_put($1::pg_catalog.oid, $2::pg_catalog.int8, $3::pg_catalog.bytea)", 3,
                           put, DEADLINE_NONE, error);
        if (got > 0 && w == NULL)
            return false;
        if (got < CHUNK_BYTES)
            return true;
    }
}

/* They are there already, and empty (fold_create_large_objects). */
static bool put_heads(PgConn *target, const PgResult *heads, GError **error)
{
    g_autoptr(GString) oids = g_string_new("{");
    g_autoptr(GString) data = g_string_new("{");
    for (int i = 0; i < pg_result_rows(heads); i++) {
        g_string_append_printf(oids, "%s%s", i > 0 ? "," : "", pg_result_get(heads, i, 0));
        /* bytea_output is hex: "\x00ff", whose backslash is doubled inside an array. */
        g_string_append_printf(data, "%s\"\\%s\"", i > 0 ? "," : "", pg_result_get(heads, i, 1));
    }
    g_string_append_c(oids, '}');
    g_string_append_c(data, '}');
    const char *values[] = {oids->str, data->str};
    g_autoptr(PgResult) r =
        pg_query_params(target,
                        "SELECT count(*) FROM (SELECT pg_catalog.lo_put(o.oid, 0, o.data) FROM "
                        "unnest($1::pg_catalog.oid[], $2::pg_catalog.bytea[]) o (oid, data) OFFSET 0) s",
                        2, values, DEADLINE_NONE, error);
    return r != NULL;
}

static bool copy_all(PoolWorker *worker, GError **error)
{
    g_autofree char *after = g_strdup("0");
    g_autofree char *bytes = g_strdup_printf("%d", HEAD_BYTES);
    for (;;) {
        const char *values[] = {after, bytes};
        g_autoptr(PgResult) heads =
            pg_query_params(worker->source, FOLD_LARGE_OBJECT_HEADS_SQL, 2, values, DEADLINE_NONE, error);
        if (heads == NULL)
            return false;
        int n = pg_result_rows(heads);
        if (n == 0)
            return true;
        if (!put_heads(worker->target, heads, error))
            return false;
        for (int i = 0; i < n; i++)
            if (pg_result_bool(heads, i, 2) && !copy_tail(worker, pg_result_get(heads, i, 0), error))
                return false;
        g_free(after);
        after = g_strdup(pg_result_get(heads, n - 1, 0));
    }
}

static bool set_owners(PoolWorker *worker, const FoldSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(worker->source, FOLD_LARGE_OBJECT_OWNERS_SQL, DEADLINE_NONE, error);
    if (r == NULL)
        return false;
    g_autoptr(GString) sql = g_string_new(NULL);
    for (int i = 0; i < pg_result_rows(r); i++) {
        char kind = *pg_result_get(r, i, 0);
        if ((kind == 'o' && !spec->no_owner) || (kind == 'p' && !spec->no_privileges) || kind == 'c')
            g_string_append_printf(sql, "%s;\n", pg_result_get(r, i, 1));
        /* Each altered object is locked until the end of its transaction: a thousand at a time. */
        if (sql->len > 65536 || i + 1 == pg_result_rows(r)) {
            if (sql->len > 0 && !pg_exec(worker->target, sql->str, DEADLINE_NONE, error))
                return false;
            g_string_truncate(sql, 0);
        }
    }
    return true;
}

/* As array literals of at most so many numbers each. */
static GPtrArray *list_oids(PgConn *source, GError **error)
{
    g_autoptr(PgResult) r = pg_query(source, FOLD_LARGE_OBJECT_OIDS_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (r == NULL)
        return NULL;
    GPtrArray *lists = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < pg_result_rows(r); i++)
        g_ptr_array_add(lists, g_strdup(pg_result_get(r, i, 0)));
    return lists;
}

/* In a database that exists they are taken away again list by list, each in a transaction of its own, as long as the
 * marker stands. */
static bool own_list(Fold *fold, const char *oids, GError **error)
{
    g_autofree char *marker = pg_quote_literal(fold->marker);
    g_autofree char *cleanup =
        g_strdup_printf("SELECT count(pg_catalog.lo_unlink(m.oid)) FROM pg_catalog.pg_largeobject_metadata m WHERE "
                        "m.oid = ANY ('%s'::pg_catalog.oid[]) "
                        "AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s)",
                        oids, marker);
    gint64 object = 0;
    return ledger_object_own(fold->spec->ledger, fold->spec->run, "large objects", "new large objects", fold->stage,
                             cleanup, &object, error);
}

static bool create_list(Fold *fold, const char *oids, GError **error)
{
    const char *values[] = {oids};
    g_autoptr(PgResult) r = pg_query_params(
        fold->main, "SELECT count(pg_catalog.lo_create(o.oid)) FROM unnest($1::pg_catalog.oid[]) o (oid)", 1, values,
        DEADLINE_NONE, error);
    return r != NULL;
}

bool fold_remove_large_objects(Fold *fold, GError **error)
{
    g_autoptr(GPtrArray) lists = list_oids(fold->main, error);
    for (guint i = 0; lists != NULL && i < lists->len; i++) {
        const char *values[] = {lists->pdata[i]};
        g_autoptr(PgResult) r = pg_query_params(
            fold->main, "SELECT count(pg_catalog.lo_unlink(o.oid)) FROM unnest($1::pg_catalog.oid[]) o (oid)", 1,
            values, DEADLINE_NONE, error);
        if (r == NULL)
            return false;
    }
    return lists != NULL;
}

bool fold_create_large_objects(Fold *fold, GError **error)
{
    const Audit *audit = fold->spec->plan->verification->audit;
    if (audit->source->large_objects == 0 || (audit->target != NULL && audit->target->large_objects > 0))
        return true;
    g_autoptr(GPtrArray) lists = list_oids(fold->spec->ends->source, error);
    for (guint i = 0; lists != NULL && i < lists->len; i++)
        if ((!fold->own_database && !own_list(fold, lists->pdata[i], error)) ||
            !create_list(fold, lists->pdata[i], error)) {
            g_prefix_error(error, "creating large objects: ");
            return false;
        }
    return lists != NULL;
}

bool fold_copy_large_objects(PoolWorker *worker, gpointer data, GError **error)
{
    Fold *fold = data;
    if (pg_snapshot_join(worker->source, fold->spec->ends->snapshot, error) && copy_all(worker, error) &&
        set_owners(worker, fold->spec, error) && pg_snapshot_leave(worker->source, error))
        return true;
    g_prefix_error(error, "copying large objects: ");
    return false;
}

#include "backup/contents.h"

#include <string.h>

enum { NAMED_MAX = 10 };

/* What differs, as phrases. */
typedef struct Differences {
    GString *text;
    guint count;
} Differences;

typedef struct Task {
    const AuditRelation *relation;
    DigestText text;
    Digest restored;
} Task;

static void differ(Differences *differences, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void differ(Differences *differences, const char *format, ...)
{
    va_list args;
    if (++differences->count > NAMED_MAX)
        return;
    g_string_append(differences->text, "\n  ");
    va_start(args, format);
    g_string_append_vprintf(differences->text, format, args);
    va_end(args);
}

static bool run_digest(PoolWorker *worker, gpointer data, GError **error)
{
    Task *task = data;
    g_autofree char *sql = digest_relation_sql(task->relation->source, NULL, task->text);
    g_autoptr(PgResult) r = pg_query(worker->source, sql, DEADLINE_NONE, error);
    if (r != NULL && digest_from_row(r, 0, 0, &task->restored, error))
        return true;
    g_prefix_error(error, "%s: ", task->relation->source->label);
    return false;
}

static GPtrArray *open_workers(const char *url, guint n, GError **error)
{
    g_autoptr(GPtrArray) conns = g_ptr_array_new_with_free_func((GDestroyNotify)pg_conn_close);
    for (guint i = 0; i < n; i++) {
        PgConn *conn = pg_conn_open("restored backup", url, NULL, deadline_in_ms(PG_CONNECT_MS), error);
        if (conn == NULL)
            return NULL;
        g_ptr_array_add(conns, conn);
    }
    return g_steal_pointer(&conns);
}

static void judge_relations(BackupExpected *expected, const Task *tasks, guint n, Differences *differences)
{
    for (guint i = 0; i < n; i++) {
        const Digest *source = &tasks[i].relation->source_digest, *restored = &tasks[i].restored;
        const char *label = tasks[i].relation->source->label;
        if (source->rows != restored->rows)
            differ(differences, "%s: %" G_GUINT64_FORMAT " rows in the source, %" G_GUINT64_FORMAT " restored", label,
                   source->rows, restored->rows);
        else if (!digest_equal(source, restored))
            differ(differences, "%s: other values in its %" G_GUINT64_FORMAT " rows", label, source->rows);
        expected->rows += restored->rows;
    }
    expected->relations = n;
}

static bool compare_relations(BackupExpected *expected, const char *url, Differences *differences, GError **error)
{
    const Audit *audit = expected->audit;
    g_autoptr(GPtrArray) conns = open_workers(url, MAX(expected->jobs, 1), error);
    if (conns == NULL)
        return false;
    g_autoptr(Pool) pool = pool_new(conns->len, (PgConn *const *)conns->pdata, NULL);
    g_autofree Task *tasks = g_new0(Task, audit->relations->len + 1);
    guint n = 0;
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *relation = audit->relations->pdata[i];
        if (!relation->source_digested)
            continue;
        tasks[n] = (Task){.relation = relation, .text = audit->text};
        pool_add(pool, "digest", relation->source->label, relation->source->bytes, run_digest, &tasks[n]);
        n++;
    }
    if (!pool_run(pool, expected->observer, expected->observer_data, error))
        return false;
    judge_relations(expected, tasks, n, differences);
    return true;
}

static bool compare_large_objects(const Audit *audit, PgConn *restored, Differences *differences, GError **error)
{
    Digest digest;
    if (!audit->large_objects_digested)
        return true;
    if (!audit_large_objects(restored, &digest, error))
        return false;
    if (!digest_equal(&audit->source_large_objects, &digest))
        differ(differences, "large objects: %" G_GUINT64_FORMAT " in the source, %" G_GUINT64_FORMAT " restored%s",
               audit->source_large_objects.rows, digest.rows,
               audit->source_large_objects.rows == digest.rows ? ", with other contents" : "");
    return true;
}

static guint64 count_of(const Catalog *catalog, const char *kind)
{
    for (guint i = 0; i < catalog->counts->len; i++) {
        const CatalogPair *pair = catalog->counts->pdata[i];
        if (strcmp(pair->name, kind) == 0)
            return g_ascii_strtoull(pair->value, NULL, 10);
    }
    return 0;
}

static void compare_catalogs(const Catalog *source, const Catalog *restored, Differences *differences)
{
    for (guint i = 0; i < source->sequences->len; i++) {
        const CatalogSequence *sequence = source->sequences->pdata[i];
        const CatalogSequence as_read = {.quoted = sequence->read_from,
                                         .increment = sequence->increment,
                                         .last_value = sequence->last_value,
                                         .is_called = sequence->is_called};
        if (!audit_sequence_reached(&as_read, restored))
            differ(differences, "%s: the sequence is missing or behind", sequence->label);
    }
    for (guint i = 0; i < source->counts->len; i++) {
        const CatalogPair *pair = source->counts->pdata[i];
        guint64 there = count_of(restored, pair->name);
        if (there < g_ascii_strtoull(pair->value, NULL, 10))
            differ(differences, "objects of kind %s: %s in the source, %" G_GUINT64_FORMAT " restored", pair->name,
                   pair->value, there);
    }
}

bool backup_compare(PgConn *restored, const char *url, gpointer data, GError **error)
{
    BackupExpected *expected = data;
    g_autoptr(GString) text = g_string_new(NULL);
    Differences differences = {.text = text};
    g_autoptr(Catalog) catalog = catalog_read(restored, NULL, error);
    if (catalog == NULL || !compare_relations(expected, url, &differences, error) ||
        !compare_large_objects(expected->audit, restored, &differences, error))
        return false;
    compare_catalogs(expected->audit->source, catalog, &differences);
    if (differences.count == 0)
        return true;
    if (differences.count > NAMED_MAX)
        g_string_append_printf(text, "\n  and %u more", differences.count - NAMED_MAX);
    pgf_error_set(error, PGF_ERROR_DIFFERS, "Do not rely on this backup: make a new one.",
                  "the restored backup is not what the source holds:%s", text->str);
    return false;
}

static json_t *digest_json(const Digest *digest)
{
    g_autofree char *text = digest_text(digest);
    return json_pack("{s:I, s:s}", "rows", (json_int_t)digest->rows, "digest", text);
}

json_t *backup_contents(const Audit *audit)
{
    json_t *relations = json_array();
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        if (!r->source_digested)
            continue;
        json_t *relation = digest_json(&r->source_digest);
        json_object_set_new(relation, "schema", json_string(r->source->schema));
        json_object_set_new(relation, "name", json_string(r->source->name));
        json_array_append_new(relations, relation);
    }
    json_t *contents = json_pack("{s:o}", "relations", relations);
    if (audit->large_objects_digested)
        json_object_set_new(contents, "large_objects", digest_json(&audit->source_large_objects));
    return contents;
}

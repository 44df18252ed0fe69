/* What a merge has written is taken out again, unless somebody has built on it since. */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"
#include "merge/merge_sql.h"

enum { NAMED_ROWS = 5 /* in a message */ };

/* One table of the undo schema. */
typedef struct Written {
    int n;
    char *there, *label;
    char **key;          /* names of columns; NULL: a multiset */
    char *hash, *second; /* SQL over the whole row, as when it was written */
    bool created;
    guint32 oid; /* 0: it is not there any more */
} Written;

typedef struct Undo {
    PgConn *conn;
    char *schema;       /* quoted */
    GPtrArray *tables;  /* of Written*, parents first */
    GPtrArray *restore; /* of char*: statements for the end */
} Undo;

static void written_free(gpointer data)
{
    Written *w = data;
    g_free(w->there);
    g_free(w->label);
    g_strfreev(w->key);
    g_free(w->hash);
    g_free(w->second);
    g_free(w);
}

static void undo_clear(Undo *undo)
{
    g_free(undo->schema);
    g_clear_pointer(&undo->tables, g_ptr_array_unref);
    g_clear_pointer(&undo->restore, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Undo, undo_clear)

/* Names of the key's columns; NULL in *ret_names where there are none. */
static bool read_key(const Undo *undo, int n, char ***ret_names, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT k.name FROM %s.tables t, pg_catalog.unnest(t.key) WITH ORDINALITY AS k (name, i) "
                        "WHERE t.n = %d ORDER BY k.i",
                        undo->schema, n);
    g_autoptr(PgResult) result = pg_query(undo->conn, sql, deadline_in_ms(PG_CATALOG_MS), error);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (int row = 0; result != NULL && row < pg_result_rows(result); row++)
        g_ptr_array_add(names, g_strdup(pg_result_get(result, row, 0)));
    if (names->len == 0)
        return result != NULL;
    g_ptr_array_add(names, NULL);
    *ret_names = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return true;
}

static bool undo_init(Undo *undo, PgConn *conn, const char *schema, GError **error)
{
    undo->conn = conn;
    undo->schema = pg_quote_ident(schema);
    undo->tables = g_ptr_array_new_with_free_func(written_free);
    undo->restore = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *sql = g_strdup_printf("SELECT n, there, label, hash, second, created, "
                                           "pg_catalog.to_regclass(there)::pg_catalog.oid FROM %s.tables ORDER BY n",
                                           undo->schema);
    g_autoptr(PgResult) result = pg_query(conn, sql, deadline_in_ms(PG_CATALOG_MS), error);
    if (result == NULL)
        return false;
    for (int row = 0; row < pg_result_rows(result); row++) {
        Written *w = g_new0(Written, 1);
        w->n = (int)pg_result_int(result, row, 0);
        w->there = g_strdup(pg_result_get(result, row, 1));
        w->label = g_strdup(pg_result_get(result, row, 2));
        w->hash = g_strdup(pg_result_get(result, row, 3));
        w->second = g_strdup(pg_result_get(result, row, 4));
        w->created = pg_result_bool(result, row, 5);
        w->oid = (guint32)pg_result_int(result, row, 6);
        g_ptr_array_add(undo->tables, w);
        if (!read_key(undo, w->n, &w->key, error))
            return false;
    }
    return true;
}

/* "(t.a, t.b)" */
static char *row_of(const char *alias, char *const *key)
{
    g_autofree char *list = sql_list(alias, (const char *const *)key);
    return g_strconcat("(", list, ")", NULL);
}

/* "id=5, b=x" of a row under alias. */
static char *people_of(const char *alias, char *const *key)
{
    return sql_key_for_people(alias, (const char *const *)key);
}

/* The rows that a query names stand against it. */
static bool refuse_rows(const Undo *undo, const Written *w, const char *sql, const char *what, GError **error)
{
    g_autofree char *limited = g_strdup_printf("%s LIMIT %d", sql, NAMED_ROWS + 1);
    g_autoptr(PgResult) result = pg_query(undo->conn, limited, DEADLINE_NONE, error);
    if (result == NULL || pg_result_rows(result) == 0)
        return result != NULL;
    g_autoptr(GString) names = g_string_new(NULL);
    for (int row = 0; row < MIN(pg_result_rows(result), NAMED_ROWS); row++)
        g_string_append_printf(names, "%s%s", row > 0 ? "; " : "", pg_result_get(result, row, 0));
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "Take that change back first, or keep the fold: `pgfold undo --forget RUN`.",
                  "a later change would be lost: %s: %s: %s%s", w->label, what, names->str,
                  pg_result_rows(result) > NAMED_ROWS ? "; and more" : "");
    return false;
}

/* A row that is gone is no change that could be lost. */
static bool check_unchanged(const Undo *undo, const Written *w, GError **error)
{
    if (w->key == NULL)
        return true;
    g_autofree char *there = row_of("t", w->key), *written = row_of("w", w->key), *people = people_of("t", w->key);
    g_autofree char *sql =
        g_strdup_printf("SELECT %s FROM %s.written_%d w JOIN (SELECT *, %s AS pgfold_h FROM ONLY %s) t ON %s = %s "
                        "WHERE t.pgfold_h IS DISTINCT FROM w.pgfold_hash ORDER BY 1",
                        people, undo->schema, w->n, w->hash, w->there, there, written);
    return refuse_rows(undo, w, sql, "rows that the fold wrote were changed since", error);
}

/* Of a multiset, rows of one value cannot be told apart: there must be as many as were written. */
static bool check_multiset(const Undo *undo, const Written *w, GError **error)
{
    if (w->key != NULL)
        return true;
    g_autofree char *sql = g_strdup_printf(
        "SELECT 'a row without a key' FROM (SELECT pgfold_hash AS h, pgfold_second AS h2, count(*) AS n FROM "
        "%s.written_%d "
        "GROUP BY 1, 2) w LEFT JOIN (SELECT %s AS h, %s AS h2, count(*) AS n FROM ONLY %s GROUP BY 1, 2) t "
        "ON t.h = w.h AND t.h2 = w.h2 WHERE coalesce(t.n, 0) < w.n",
        undo->schema, w->n, w->hash, w->second, w->there);
    return refuse_rows(undo, w, sql, "rows that the fold wrote were changed since", error);
}

/* A table that the fold made goes as a whole: it must hold nothing else. */
static bool check_created(const Undo *undo, const Written *w, GError **error)
{
    if (!w->created)
        return true;
    g_autofree char *sql = g_strdup_printf("SELECT 'it has other rows by now' WHERE (SELECT count(*) FROM ONLY %s) <> "
                                           "(SELECT count(*) FROM %s.written_%d)",
                                           w->there, undo->schema, w->n);
    return refuse_rows(undo, w, sql, "the fold made it", error);
}

static const Written *find(const Undo *undo, guint32 oid)
{
    for (guint i = 0; i < undo->tables->len; i++) {
        const Written *w = undo->tables->pdata[i];
        if (w->oid == oid)
            return w;
    }
    return NULL;
}

/* Rows of others that refer to one that is to be deleted; not those that the fold wrote itself. */
static bool check_reference(const Undo *undo, const Written *w, const PgResult *references, int row, GError **error)
{
    g_autofree char *child = NULL;
    const char *child_sql = pg_result_get(references, row, 1), *label = pg_result_get(references, row, 2);
    const Written *own = find(undo, (guint32)pg_result_int(references, row, 6));
    if (own != NULL && own->key == NULL)
        return true; /* a multiset: the constraint itself will tell */
    if (own != NULL) {
        g_autofree char *c = row_of("c", own->key), *v = row_of("v", own->key);
        child =
            g_strdup_printf(" AND NOT EXISTS (SELECT FROM %s.written_%d v WHERE %s = %s)", undo->schema, own->n, c, v);
    }
    g_autofree char *there = row_of("p", w->key), *written = row_of("w", w->key), *people = people_of("p", w->key);
    g_autofree char *sql = g_strdup_printf("SELECT DISTINCT %s FROM %s.written_%d w JOIN ONLY %s p ON %s = %s JOIN %s "
                                           "c ON %s WHERE w.pgfold_was = 'insert'%s "
                                           "ORDER BY 1",
                                           people, undo->schema, w->n, w->there, there, written, child_sql,
                                           pg_result_get(references, row, 3), child == NULL ? "" : child);
    g_autofree char *what = g_strdup_printf("rows of %s refer by now to rows that the fold wrote", label);
    return refuse_rows(undo, w, sql, what, error);
}

static PgResult *references_to(const Undo *undo, const Written *w, GError **error)
{
    const char *values[] = {w->there};
    return pg_query_params(undo->conn, MERGE_UNDO_REFERENCES_SQL, 1, values, deadline_in_ms(PG_CATALOG_MS), error);
}

static bool check_references(const Undo *undo, const Written *w, GError **error)
{
    if (w->key == NULL)
        return true;
    g_autoptr(PgResult) references = references_to(undo, w, error);
    for (int row = 0; references != NULL && row < pg_result_rows(references); row++)
        if (!check_reference(undo, w, references, row, error))
            return false;
    return references != NULL;
}

static bool lock(const Undo *undo, int seconds, GError **error)
{
    g_autoptr(GArray) locks = g_array_new(FALSE, FALSE, sizeof(MergeLock));
    for (guint i = 0; i < undo->tables->len; i++) {
        const Written *w = undo->tables->pdata[i];
        MergeLock lock = {.table = w->there, .label = w->label};
        g_array_append_val(locks, lock);
    }
    return lock_tables(undo->conn, (const MergeLock *)(const void *)locks->data, locks->len, seconds, error);
}

/* Keys are compared as the merge did it: equality of citext and the like is found by name (sql_path). Left again, for
 * the caller's statements have an empty path. */
static bool enter_path(const Undo *undo, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', 'pg_catalog', "
        "pg_catalog.string_agg(DISTINCT "
        "pg_catalog.quote_ident(n.nspname), ', ')), true) FROM %s.tables u "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = pg_catalog.to_regclass(u.there) AND a.attnum > 0 AND NOT "
        "a.attisdropped "
        "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid IN (t.typbasetype, "
        "t.typelem) "
        "JOIN pg_catalog.pg_namespace n ON n.oid IN (t.typnamespace, b.typnamespace) WHERE n.nspname <> 'pg_catalog'",
        undo->schema);
    return pg_exec(undo->conn, sql, deadline_in_ms(PG_CATALOG_MS), error);
}

static bool leave_path(const Undo *undo, GError **error)
{
    return pg_exec(undo->conn, "SET LOCAL search_path = ''", deadline_in_ms(PG_CATALOG_MS), error);
}

bool merge_undo_check(PgConn *target, const char *undo_schema, int lock_timeout, GError **error)
{
    g_auto(Undo) undo = {0};
    if (!undo_init(&undo, target, undo_schema, error) || !lock(&undo, lock_timeout, error) || !enter_path(&undo, error))
        return false;
    for (guint i = 0; i < undo.tables->len; i++) {
        const Written *w = undo.tables->pdata[i];
        if (!check_created(&undo, w, error) || !check_unchanged(&undo, w, error) || !check_multiset(&undo, w, error) ||
            (!w->created && !check_references(&undo, w, error)))
            return false;
    }
    return leave_path(&undo, error);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

/* References between the tables are checked at the end, whatever order they are written in. */
static bool defer_references(Undo *undo, const Written *w, GError **error)
{
    g_autoptr(PgResult) references = references_to(undo, w, error);
    if (references == NULL)
        return false;
    for (int row = 0; row < pg_result_rows(references); row++) {
        const char *child = pg_result_get(references, row, 7);
        if (pg_result_bool(references, row, 4) || !pg_result_bool(references, row, 5) ||
            !pg_result_bool(references, row, 8))
            continue;
        g_autofree char *name = pg_quote_ident(pg_result_get(references, row, 0));
        if (!pg_execf(undo->conn, DEADLINE_NONE, error,
                      "ALTER TABLE %s ALTER CONSTRAINT %s DEFERRABLE INITIALLY DEFERRED", child, name))
            return false;
        g_ptr_array_add(undo->restore,
                        g_strdup_printf("ALTER TABLE %s ALTER CONSTRAINT %s NOT DEFERRABLE", child, name));
    }
    return true;
}

/* Columns that the fold may have overwritten: all of the image's that the target does not compute itself. */
static char *set_list(const Undo *undo, const Written *w, GError **error)
{
    g_autofree char *literal = pg_quote_literal(w->there);
    g_autofree char *image = pg_quote_literal(undo->schema);
    g_autofree char *sql = g_strdup_printf(
        "SELECT pg_catalog.string_agg(pg_catalog.format('%%1$I = b.%%1$I', a.attname), ', ') FROM "
        "pg_catalog.pg_attribute a "
        "JOIN pg_catalog.pg_attribute i ON i.attname = a.attname AND NOT i.attisdropped AND i.attnum > 0 "
        "AND i.attrelid = pg_catalog.to_regclass(%s || '.before_%d') "
        "WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
        "AND a.attidentity <> 'a'",
        image, w->n, literal);
    g_autoptr(PgResult) result = pg_query(undo->conn, sql, deadline_in_ms(PG_CATALOG_MS), error);
    return result == NULL ? NULL : g_strdup(pg_result_get(result, 0, 0));
}

static bool put_back(const Undo *undo, const Written *w, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *set = set_list(undo, w, &cause);
    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    if (set == NULL)
        return true; /* nothing was overwritten */
    g_autofree char *t = row_of("t", w->key), *b = row_of("b", w->key);
    return pg_execf(undo->conn, DEADLINE_NONE, error, "UPDATE ONLY %s t SET %s FROM %s.before_%d b WHERE %s = %s",
                    w->there, set, undo->schema, w->n, t, b);
}

static bool delete_inserted(const Undo *undo, const Written *w, GError **error)
{
    if (w->key != NULL) {
        g_autofree char *t = row_of("t", w->key), *v = row_of("w", w->key);
        return pg_execf(undo->conn, DEADLINE_NONE, error,
                        "DELETE FROM ONLY %s t USING %s.written_%d w WHERE w.pgfold_was = 'insert' AND %s = %s",
                        w->there, undo->schema, w->n, t, v);
    }
    return pg_execf(
        undo->conn, DEADLINE_NONE, error,
        "DELETE FROM ONLY %s t USING (SELECT x.ctid AS place FROM (SELECT ctid, h, h2, pg_catalog.row_number() OVER "
        "(PARTITION BY h, h2) AS i FROM (SELECT ctid, %s AS h, %s AS h2 FROM ONLY %s) y) x "
        "JOIN (SELECT pgfold_hash AS h, pgfold_second AS h2, count(*) AS n FROM %s.written_%d GROUP BY 1, 2) w "
        "ON w.h = x.h AND w.h2 = x.h2 WHERE x.i <= w.n) gone WHERE t.ctid = gone.place",
        w->there, w->hash, w->second, w->there, undo->schema, w->n);
}

static bool drop_schema(const Undo *undo, GError **error)
{
    for (guint i = 0; i < undo->tables->len; i++) {
        const Written *w = undo->tables->pdata[i];
        if (!pg_execf(undo->conn, DEADLINE_NONE, error, "DROP TABLE IF EXISTS %s.written_%d, %s.before_%d",
                      undo->schema, w->n, undo->schema, w->n))
            return false;
    }
    /* Those of early folds have no "source". */
    return pg_execf(undo->conn, DEADLINE_NONE, error,
                    "DROP TABLE IF EXISTS %s.source; DROP TABLE %s.tables; DROP SCHEMA %s", undo->schema, undo->schema,
                    undo->schema);
}

static bool prepare(Undo *undo, GError **error)
{
    for (guint i = 0; i < undo->tables->len; i++) {
        const Written *w = undo->tables->pdata[i];
        if (!w->created &&
            (!triggers_silence(undo->conn, w->there, undo->restore, error) || !defer_references(undo, w, error)))
            return false;
    }
    return pg_exec(undo->conn, "SET CONSTRAINTS ALL DEFERRED", deadline_in_ms(PG_CATALOG_MS), error);
}

static bool finish(const Undo *undo, GError **error)
{
    if (!pg_exec(undo->conn, "SET CONSTRAINTS ALL IMMEDIATE", DEADLINE_NONE, error))
        return false;
    for (guint i = 0; i < undo->restore->len; i++)
        if (!pg_exec(undo->conn, undo->restore->pdata[i], DEADLINE_NONE, error))
            return false;
    return drop_schema(undo, error);
}

bool merge_undo_rows(PgConn *target, const char *undo_schema, GError **error)
{
    g_auto(Undo) undo = {0};
    if (!undo_init(&undo, target, undo_schema, error) || !enter_path(&undo, error) || !prepare(&undo, error))
        return false;
    for (guint i = undo.tables->len; i > 0; i--) {
        const Written *w = undo.tables->pdata[i - 1];
        if (w->created)
            continue;
        if (!put_back(&undo, w, error) || !delete_inserted(&undo, w, error)) {
            g_prefix_error(error, "%s: ", w->label);
            return false;
        }
    }
    return finish(&undo, error) && leave_path(&undo, error);
}

bool merge_undo_forget(PgConn *target, const char *undo_schema, GError **error)
{
    g_auto(Undo) undo = {0};
    return undo_init(&undo, target, undo_schema, error) && drop_schema(&undo, error);
}

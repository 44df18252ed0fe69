/* The commit of a merge: locks, the last judgement, writing, and the comparison of what was written with what was
 * staged. */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"
#include "merge/merge_sql.h"
#include "pg/copy.h"

/* --- locks -------------------------------------------------------------------------------------------------------- */

static int by_name(gconstpointer a, gconstpointer b)
{
    const MergeRelation *x = *(MergeRelation *const *)a, *y = *(MergeRelation *const *)b;
    return strcmp(x->source->quoted, y->source->quoted);
}

static bool is_in_cycle(const MergeReference *reference)
{
    return reference->in_target && reference->constraint != NULL && reference->child != NULL &&
           reference->parent != NULL && reference->child != reference->parent &&
           reference->child->table->component == reference->parent->table->component;
}

/* ALTER CONSTRAINT takes a lock against everybody: to come by it later, readers in between, would be a deadlock. */
static bool is_altered(const MergeRelation *r)
{
    for (guint i = 0; i < r->table->references->len; i++) {
        const MergeReference *reference = r->table->references->pdata[i];
        if (is_in_cycle(reference) && !reference->deferrable)
            return true;
    }
    return false;
}

/* Readers go on; whoever writes waits until the commit. */
static bool lock_all(Merge *merge, int seconds, GError **error)
{
    g_autoptr(GPtrArray) relations = g_ptr_array_new();
    g_autoptr(GArray) locks = g_array_new(FALSE, FALSE, sizeof(MergeLock));
    for (guint i = 0; i < merge->relations->len; i++)
        g_ptr_array_add(relations, merge->relations->pdata[i]);
    g_ptr_array_sort(relations, by_name);
    for (guint i = 0; i < relations->len; i++) {
        const MergeRelation *r = relations->pdata[i];
        MergeLock lock = {.table = r->table->there, .label = r->source->label, .against_readers = is_altered(r)};
        g_array_append_val(locks, lock);
    }
    return lock_tables(merge->spec.target, (const MergeLock *)(const void *)locks->data, locks->len, seconds, error);
}

/* --- what must not stand in the way ------------------------------------------------------------------------------- */

/* Triggers of the users, and checks of references in a cycle: statements that bring back what was. */
typedef struct Aside {
    GPtrArray *restore; /* of char* */
} Aside;

static bool defer_cycles(Merge *merge, Aside *aside, GError **error)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *reference = merge->graph->references->pdata[i];
        if (!is_in_cycle(reference) || reference->deferrable)
            continue;
        if (!sql_run(merge, NULL, error, "ALTER TABLE %s ALTER CONSTRAINT %s DEFERRABLE INITIALLY DEFERRED",
                     reference->child->table->there, reference->constraint))
            return false;
        g_ptr_array_add(aside->restore, g_strdup_printf("ALTER TABLE %s ALTER CONSTRAINT %s NOT DEFERRABLE",
                                                        reference->child->table->there, reference->constraint));
    }
    return sql_run(merge, NULL, error, "SET CONSTRAINTS ALL DEFERRED");
}

static bool put_aside(Merge *merge, Aside *aside, GError **error)
{
    for (guint i = 0; i < merge->relations->len; i++)
        if (!triggers_silence(merge->spec.target, ((const MergeRelation *)merge->relations->pdata[i])->table->there,
                              aside->restore, error))
            return false;
    return defer_cycles(merge, aside, error);
}

static bool put_back(Merge *merge, const Aside *aside, GError **error)
{
    if (!sql_run(merge, NULL, error, "SET CONSTRAINTS ALL IMMEDIATE"))
        return false;
    for (guint i = 0; i < aside->restore->len; i++)
        if (!sql_run(merge, NULL, error, "%s", (const char *)aside->restore->pdata[i]))
            return false;
    return true;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static bool in_key(const MergeTable *table, const char *name)
{
    return table->key != NULL && g_strv_contains(table->key, name);
}

/* Columns that the target does not compute itself. */
static GPtrArray *inserted_columns(const MergeRelation *r)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < r->table->columns->len; i++) {
        const CatalogColumn *column = r->table->columns->pdata[i];
        const CatalogColumn *there = r->target == NULL ? column : catalog_column(r->target, column->name);
        if (!there->generated)
            g_ptr_array_add(names, column->name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

/* Columns in which a row that is overwritten may differ. One that is generated always as identity cannot be: where it
 * differs, merge_judge() has refused. */
static GPtrArray *overwritten_columns(const MergeRelation *r)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < r->table->columns->len; i++) {
        const CatalogColumn *column = r->table->columns->pdata[i];
        const CatalogColumn *there = r->target == NULL ? column : catalog_column(r->target, column->name);
        if (!there->generated && there->identity != 'a' && !(in_key(r->table, column->name) && sql_is_exact(there)))
            g_ptr_array_add(names, column->name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

/* Of the whole row as it is in the target, its own columns included: undo looks for later changes with it. */
static char *full_hash(const MergeRelation *r, guint64 salt)
{
    return digest_row_sql(r->target != NULL ? r->target : r->source, NULL, DIGEST_TEXT_NATIVE, salt);
}

static char *key_names(const MergeTable *table)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; table->key != NULL && table->key[i] != NULL; i++)
        g_ptr_array_add(names, (gpointer)(guintptr)table->key[i]);
    return pg_array_literal(names);
}

/* Key columns and hashes of every row that is written; what undo needs to find them, and to see that they are still the
 * same. */
static bool make_undo_table(Merge *merge, const MergeRelation *r, const char *schema, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *keys = table->key == NULL ? g_strdup("") : sql_list(NULL, table->key);
    g_autofree char *hash = full_hash(r, 0), *second = full_hash(r, 1);
    g_autofree char *hash_literal = pg_quote_literal(hash), *second_literal = pg_quote_literal(second);
    g_autofree char *there = pg_quote_literal(table->there);
    g_autofree char *label = pg_quote_literal(r->source->label);
    g_autofree char *names = key_names(table);
    g_autofree char *key_list = pg_quote_literal(names);
    return sql_run(merge, NULL, error,
                   "CREATE TABLE %s.written_%u AS SELECT %s%snull::int8 AS pgfold_hash, null::int8 AS pgfold_second, "
                   "null::text AS pgfold_was FROM ONLY %s WITH NO DATA; "
                   "INSERT INTO %s.tables VALUES (%u, %s, %s, %s, %s, %s, %s)",
                   schema, table->index, keys, *keys == '\0' ? "" : ", ", table->there, schema, table->index, there,
                   label, key_list, hash_literal, second_literal, r->target == NULL ? "true" : "false");
}

/* What an INSERT gives back for written_<n>. */
static char *returning(const MergeRelation *r)
{
    g_autofree char *keys = r->table->key == NULL ? g_strdup("") : sql_list("t", r->table->key);
    g_autofree char *hash = full_hash(r, 0), *second = full_hash(r, 1);
    return g_strdup_printf("%s%s%s, %s, 'insert'::text", keys, *keys == '\0' ? "" : ", ", hash, second);
}

/* Rows that are about to be overwritten. */
static bool keep_images(Merge *merge, const MergeRelation *r, const char *schema, GError **error)
{
    g_autofree char *on = sql_equal("t", r->table->key, "s", r->table->key);
    return sql_run(merge, NULL, error,
                   "CREATE TABLE %s.before_%u AS SELECT t.* FROM ONLY %s t JOIN %s s ON %s "
                   "WHERE s.pgfold_action = 'overwrite'",
                   schema, r->table->index, r->table->there, r->table->judged, on);
}

static bool overwrite(Merge *merge, const MergeRelation *r, const char *schema, GError **error)
{
    g_autoptr(GPtrArray) columns = overwritten_columns(r);
    if (r->counts.overwritten == 0 || columns->len == 1)
        return true;
    g_autoptr(GString) set = g_string_new(NULL);
    for (guint i = 0; columns->pdata[i] != NULL; i++) {
        g_autofree char *name = pg_quote_ident(columns->pdata[i]);
        g_string_append_printf(set, "%s%s = s.%s", i > 0 ? ", " : "", name, name);
    }
    g_autofree char *on = sql_equal("t", r->table->key, "s", r->table->key);
    /* Not by RETURNING: there, unqualified names could be the stage's as well. */
    g_autofree char *hash = full_hash(r, 0), *second = full_hash(r, 1);
    g_autofree char *keys = sql_list("t", r->table->key);
    guint64 rows = 0;
    if (!keep_images(merge, r, schema, error) ||
        !sql_run(merge, &rows, error, "UPDATE ONLY %s t SET %s FROM %s s WHERE s.pgfold_action = 'overwrite' AND %s",
                 r->table->there, set->str, r->table->judged, on))
        return false;
    return sql_run(merge, NULL, error,
                   "INSERT INTO %s.written_%u SELECT %s, t.pgfold_h, t.pgfold_h2, 'overwrite' FROM "
                   "(SELECT *, %s AS pgfold_h, %s AS pgfold_h2 FROM ONLY %s) t JOIN %s s ON %s "
                   "WHERE s.pgfold_action = 'overwrite'",
                   schema, r->table->index, keys, hash, second, r->table->there, r->table->judged, on);
}

static char *insert_sql(const MergeRelation *r, const char *schema)
{
    g_autoptr(GPtrArray) columns = inserted_columns(r);
    g_autofree char *list = sql_list(NULL, (const char *const *)columns->pdata);
    g_autofree char *back = returning(r);
    if (*list == '\0')
        return g_strdup_printf("INSERT INTO %s SELECT FROM %s WHERE pgfold_action = 'insert'", r->table->there,
                               r->table->judged);
    return g_strdup_printf("WITH w AS (INSERT INTO %s AS t (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s "
                           "WHERE pgfold_action = 'insert' RETURNING %s) INSERT INTO %s.written_%u "
                           "SELECT * FROM w",
                           r->table->there, list, list, r->table->judged, back, schema, r->table->index);
}

/* In the order in which they were judged. While the target inserts the rows, their keys go into the archive. */
static bool insert(Merge *merge, MergeRelation *r, const MergeCommit *commit, const char *schema, GError **error)
{
    if (r->counts.inserted == 0)
        return true;
    g_autofree char *sql = insert_sql(r, schema);
    if (!pg_send(merge->spec.target, sql, error))
        return false;
    bool kept = archive_keys(r, commit, error);
    g_autoptr(PgResult) result = pg_receive(merge->spec.target, DEADLINE_NONE, kept ? error : NULL);
    if (!kept || result == NULL)
        return false;
    if (pg_result_affected(result) == r->counts.inserted)
        return true;
    pgf_error_set(error, PGF_ERROR_MIDWAY, "Look for a rule or a trigger on the target's table, then fold again.",
                  "%" G_GUINT64_FORMAT " rows were to be inserted, %" G_GUINT64_FORMAT " were", r->counts.inserted,
                  pg_result_affected(result));
    return false;
}

/* An empty table takes the source's rows as they come. */
static bool copy_direct(Merge *merge, const MergeRelation *r, const char *schema, GError **error)
{
    g_autoptr(GPtrArray) columns = inserted_columns(r);
    g_autofree char *list = sql_list(NULL, (const char *const *)columns->pdata);
    const char *format = catalog_travels_binary(r->source, false) ? "binary" : "text";
    g_autofree char *names = *list == '\0' ? g_strdup("") : g_strdup_printf("(%s)", list);
    g_autofree char *out = g_strdup_printf("COPY %s %s TO STDOUT (FORMAT %s)", r->source->read_from, names, format);
    g_autofree char *in = g_strdup_printf("COPY %s %s FROM STDIN (FORMAT %s)", r->table->there, names, format);
    g_autofree char *keys = r->table->key == NULL ? g_strdup("") : sql_list(NULL, r->table->key);
    g_autofree char *hash = full_hash(r, 0), *second = full_hash(r, 1);
    guint64 rows = 0;
    return pg_copy(merge->spec.source, out, merge->spec.target, in, NULL, &rows, error) &&
           sql_run(merge, NULL, error, "INSERT INTO %s.written_%u SELECT %s%s%s, %s, 'insert' FROM ONLY %s", schema,
                   r->table->index, keys, *keys == '\0' ? "" : ", ", hash, second, r->table->there);
}

/* Somebody else may have written into it since it was looked at. */
static bool still_empty(Merge *merge, const MergeRelation *r, GError **error)
{
    g_autofree char *sql = g_strdup_printf("SELECT EXISTS (SELECT FROM ONLY %s)", r->table->there);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL || !pg_result_bool(result, 0, 0))
        return result != NULL;
    pgf_error_set(error, PGF_ERROR_MIDWAY, "Fold again: the rows that are there now are then compared.",
                  "somebody has written into it since it was found empty");
    return false;
}

/* A sequence that feeds a column stands at its greatest value at least: rows bring values of their own. Raised only,
 * and not taken back where the transaction is (setval). */
static bool raise_sequence(Merge *merge, const MergeRelation *r, const char *column, GError **error)
{
    const char *values[] = {r->table->there, column};
    g_autoptr(PgResult) result =
        pg_query_params(merge->spec.target, MERGE_NUMBER_SOURCE_SQL, 2, values, deadline_in_ms(PG_CATALOG_MS), error);
    if (result == NULL || pg_result_rows(result) == 0 || pg_result_int(result, 0, 2) < 0)
        return result != NULL;
    const char *sequence = pg_result_get(result, 0, 0);
    g_autofree char *literal = pg_quote_literal(sequence);
    g_autofree char *name = pg_quote_ident(column);
    return sql_run(merge, NULL, error,
                   "SELECT pg_catalog.setval(%s::pg_catalog.regclass, least(m.n, %s)) FROM %s q, "
                   "(SELECT max(%s)::int8 AS n FROM ONLY %s) m WHERE q.last_value < m.n OR (q.last_value = m.n AND NOT "
                   "q.is_called)",
                   literal, pg_result_get(result, 0, 3), sequence, name, r->table->there);
}

static bool raise_sequences(Merge *merge, const MergeRelation *r, GError **error)
{
    const CatalogRelation *relation = r->target != NULL ? r->target : r->source;
    for (guint i = 0; i < relation->columns->len; i++) {
        const CatalogColumn *column = relation->columns->pdata[i];
        bool fed =
            column->identity != 0 || (column->default_sql != NULL && g_str_has_prefix(column->default_sql, "nextval("));
        if (fed && !raise_sequence(merge, r, column->name, error))
            return false;
    }
    return true;
}

static bool write_relation(Merge *merge, MergeRelation *r, const MergeCommit *commit, const char *schema,
                           GError **error)
{
    if (r->counts.inserted == 0 && r->counts.overwritten == 0)
        return true;
    if (!make_undo_table(merge, r, schema, error))
        return false;
    if (r->direct)
        return still_empty(merge, r, error) && copy_direct(merge, r, schema, error) && raise_sequences(merge, r, error);
    return insert(merge, r, commit, schema, error) && overwrite(merge, r, schema, error) &&
           raise_sequences(merge, r, error);
}

/* From which database rows came under other keys: for whoever does not have the ledger that knows them (checks.c). */
static bool write_source(Merge *merge, const char *schema, GError **error)
{
    const PgIdentity *source = pg_conn_identity(merge->spec.source);
    guint64 mapped = 0;
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeCounts *counts = &((const MergeRelation *)merge->relations->pdata[i])->counts;
        mapped += counts->rekeyed + counts->matched;
    }
    return sql_run(merge, NULL, error,
                   "CREATE TABLE %s.source (system_identifier text, database_oid oid, mapped bool); "
                   "INSERT INTO %s.source VALUES ('%s', %u, %s)",
                   schema, schema, source->system_identifier, source->database_oid, mapped > 0 ? "true" : "false");
}

bool write_relations(Merge *merge, const MergeCommit *commit, GError **error)
{
    g_autofree char *schema = pg_quote_ident(commit->undo_schema);
    /* Also where nothing but rows that lost is remembered: it says that the merge was committed (merge_settle). */
    if (!sql_run(merge, NULL, error,
                 "CREATE SCHEMA %s; CREATE TABLE %s.tables (n int, there text, label text, key text[], hash text, "
                 "second text, created bool)",
                 schema, schema) ||
        !write_source(merge, schema, error))
        return false;
    for (guint i = 0; i < merge->relations->len; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        if (!archive_fetch_keys(merge, commit, r, error) || !write_relation(merge, r, commit, schema, error) ||
            !archive_keys(r, commit, error)) {
            g_prefix_error(error, "%s: ", r->source->label);
            return false;
        }
    }
    return true;
}

/* --- proof -------------------------------------------------------------------------------------------------------- */

static bool differ(const MergeRelation *r, gint64 rows, GError **error)
{
    pgf_error_set(error, PGF_ERROR_MIDWAY, "Look for a trigger or a rule on that table of the target, then fold again.",
                  "%s: %" G_GINT64_FORMAT " rows are not in the target as they were sent", r->source->label, rows);
    return false;
}

/* Every row that was to be written, as it stands in the target now. */
static bool prove_keyed(Merge *merge, const MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *same = sql_same(merge, r, "s", "t");
    g_autofree char *on = sql_equal("t", table->key, "s", table->key);
    g_autofree char *sql =
        g_strdup_printf("SELECT count(*) FROM %s s LEFT JOIN ONLY %s t ON %s "
                        "WHERE s.pgfold_action IN ('insert', 'overwrite') AND (t.ctid IS NULL OR NOT (%s))",
                        table->judged, table->there, on, same);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    gint64 rows = pg_result_int(result, 0, 0);
    return rows == 0 || differ(r, rows, error);
}

static bool digest_of(Merge *merge, const char *select, Digest *ret_digest, GError **error)
{
    g_autoptr(PgResult) result = pg_query(merge->spec.target, select, DEADLINE_NONE, error);
    return result != NULL && digest_from_row(result, 0, 0, ret_digest, error);
}

/* An empty table must hold what the source held. */
static bool prove_direct(Merge *merge, const MergeRelation *r, GError **error)
{
    Digest there = {0};
    const CatalogRelation relation = catalog_in_target(r->source);
    g_autofree char *sql =
        digest_relation_sql(&relation, (const char *const *)r->table->compared, merge->spec.verification->audit->text);
    if (!digest_of(merge, sql, &there, error))
        return false;
    return digest_equal(&there, &r->verify->audit->source_digest) || differ(r, (gint64)r->counts.inserted, error);
}

static bool prove(Merge *merge, GError **error)
{
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeRelation *r = merge->relations->pdata[i];
        if (r->counts.inserted == 0 && r->counts.overwritten == 0)
            continue;
        if (r->direct ? !prove_direct(merge, r, error) : r->table->key != NULL && !prove_keyed(merge, r, error))
            return false;
    }
    return true;
}

/* --- the commit --------------------------------------------------------------------------------------------------- */

static bool judge_for_good(Merge *merge, GError **error)
{
    bool stands = false;
    return standing_take(merge, &stands, error) && (stands || merge_judge(merge, MERGE_COMMIT, error));
}

static bool refuse_conflicts(const Merge *merge, GError **error)
{
    guint64 stopped = merge_stopped(merge);
    if (merge->blocks->len > 0) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "`pgfold plan` shows the whole plan.", "%s",
                      (const char *)merge->blocks->pdata[0]);
        return false;
    }
    if (stopped == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_DIFFERS, "`pgfold plan` shows them; choose a rule (on_conflict) in pgfold.yaml.",
                  "%" G_GUINT64_FORMAT " rows are in conflict by now, and no rule settles them", stopped);
    return false;
}

bool merge_commit(Merge *merge, const MergeCommit *commit, GError **error)
{
    g_autoptr(GPtrArray) restore = g_ptr_array_new_with_free_func(g_free);
    Aside aside = {.restore = restore};
    bool ok = sql_enter(merge, error) &&
              sql_leave(merge,
                        lock_all(merge, commit->lock_timeout, error) && judge_for_good(merge, error) &&
                            refuse_conflicts(merge, error) && archive_rows(merge, commit, error) &&
                            put_aside(merge, &aside, error) && write_relations(merge, commit, error) &&
                            archive_flush(commit, error) && put_back(merge, &aside, error) && prove(merge, error),
                        error);
    if (ok)
        return sql_run(merge, NULL, error, "SET LOCAL lock_timeout = 0");
    const char *state = pg_conn_sqlstate(merge->spec.target);
    if (error != NULL && *error != NULL && (g_str_equal(state, "55P03") || g_str_equal(state, "40P01")))
        pgf_error_set_code(*error, PGF_ERROR_REFUSED);
    if (error != NULL && g_str_has_prefix(pg_conn_sqlstate(merge->spec.target), "23"))
        pgf_error_set_hint(
            *error, "A constraint of the target forbids a row of the source: mend the row or the constraint, then fold "
                    "again.");
    g_prefix_error(error, "merging: ");
    return false;
}

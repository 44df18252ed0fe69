/* What becomes of every staged row: SQL on the stage, table by table, parents first. */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"

enum { MAX_ROUNDS = 10000 /* each moves or loses at least one row; only a bug of ours comes here */ };

/* --- the same, another value, or not there ------------------------------------------------------------------------ */

/* Of a multiset, as many rows as the target has are the same; the others are missing. */
static bool compare_multiset(Merge *merge, const MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    DigestText text = merge->spec.verification->audit->text;
    g_autofree char *first = digest_row_sql(r->source, (const char *const *)table->compared, text, 0);
    g_autofree char *second = digest_row_sql(r->source, (const char *const *)table->compared, text, 1);
    return sql_run(merge, NULL, error,
                   "UPDATE %s s SET pgfold_class = 'identical', pgfold_action = '' FROM ("
                   "SELECT x.pgfold_n FROM (SELECT y.pgfold_n, y.pgfold_h1, y.pgfold_h2, pg_catalog.row_number() OVER "
                   "(PARTITION BY y.pgfold_h1, y.pgfold_h2 ORDER BY y.pgfold_n) AS i FROM "
                   "(SELECT pgfold_n, %s AS pgfold_h1, %s AS pgfold_h2 FROM %s) y) x "
                   "JOIN (SELECT %s AS pgfold_h1, %s AS pgfold_h2, count(*) AS n FROM ONLY %s GROUP BY 1, 2) t "
                   "ON t.pgfold_h1 = x.pgfold_h1 AND t.pgfold_h2 = x.pgfold_h2 WHERE x.i <= t.n) found "
                   "WHERE found.pgfold_n = s.pgfold_n",
                   table->judged, first, second, table->judged, first, second, table->there);
}

static bool renumbers(const MergeRelation *r, MergeMode mode)
{
    return r->whole && mode != MERGE_VERIFY && r->rule.on_conflict->conflict == CONFIG_CONFLICT_REKEY &&
           r->table->key != NULL && r->target != NULL;
}

/* Of a table without a key of which only what is missing was staged, reconcile has told already. */
static bool compare(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    bool ok;
    if (renumbers(r, mode))
        ok = numbers_give(merge, r, mode, error);
    else if (r->target == NULL || r->table->key == NULL)
        ok = judged_make(merge, r, mode, JUDGED_KEYS, NULL, error) &&
             (r->target == NULL || !r->whole || compare_multiset(merge, r, error));
    else
        ok = judged_make(merge, r, mode, JUDGED_COMPARED, NULL, error);
    if (!ok)
        g_prefix_error(error, "%s: ", r->source->label);
    return ok;
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

/* New numbers lead to new references, and those to new conflicts, until nothing changes. */
static bool compare_again(Merge *merge, MergeRelation *r, MergeMode mode, bool *ret_again, GError **error)
{
    bool stale = false;
    if (!r->whole)
        return true;
    if (!judged_is_stale(merge, r, &stale, error))
        return false;
    *ret_again = *ret_again || stale;
    return !stale || compare(merge, r, mode, error);
}

/* One table, or several that refer to each other. What is known of all their keys comes before the first comparison: a
 * row whose reference is not mapped yet looks like another one. */
static bool judge_keys(Merge *merge, GPtrArray *component, MergeMode mode, GError **error)
{
    bool cyclic = ((const MergeRelation *)component->pdata[0])->table->cyclic;
    for (guint i = 0; cyclic && i < component->len; i++)
        if (!judged_make(merge, component->pdata[i], mode, JUDGED_KEYS, NULL, error))
            return false;
    for (guint i = 0; i < component->len; i++)
        if (!compare(merge, component->pdata[i], mode, error))
            return false;
    bool again = cyclic;
    for (guint round = 0; again && round < MAX_ROUNDS; round++) {
        again = false;
        for (guint i = 0; i < component->len; i++)
            if (!compare_again(merge, component->pdata[i], mode, &again, error))
                return false;
    }
    return true;
}

/* --- rules -------------------------------------------------------------------------------------------------------- */

/* What a conflict of another kind than value becomes: only a row that may stay away does not stop the fold. */
static const char *lesser_action(const MergeRelation *r, MergeMode mode)
{
    bool keeps = mode != MERGE_VERIFY && r->rule.on_conflict->conflict == CONFIG_CONFLICT_KEEP_TARGET;
    return keeps ? "keep" : "stop";
}

static bool is_key(const MergeRelation *r, const CatalogUnique *unique)
{
    guint n = g_strv_length(unique->expressions);
    if (r->table->key == NULL || unique->columns == NULL || unique->condition != NULL ||
        n != g_strv_length((char **)(guintptr)r->table->key))
        return false;
    for (guint i = 0; i < n; i++)
        if (!g_strv_contains(r->table->key, unique->columns[i]))
            return false;
    return true;
}

static bool find_taken(Merge *merge, const MergeRelation *r, const CatalogUnique *unique, MergeMode mode,
                       GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *sharing = sql_sharing(r, unique);
    g_autofree char *same = table->key == NULL ? g_strdup("false") : sql_equal("su", table->key, "tu", table->key);
    g_autofree char *name = pg_quote_literal(unique->name);
    return sql_run(merge, NULL, error,
                   "UPDATE %s s SET pgfold_class = 'unique', pgfold_action = '%s', pgfold_detail = %s FROM %s "
                   "WHERE s.pgfold_n = su.pgfold_n AND s.pgfold_action IN ('insert', 'overwrite') AND NOT (%s)",
                   table->judged, lesser_action(r, mode), name, sharing, same);
}

static bool find_all_taken(Merge *merge, const MergeRelation *r, MergeMode mode, GError **error)
{
    for (guint i = 0; r->target != NULL && i < r->target->uniques->len; i++) {
        const CatalogUnique *unique = r->target->uniques->pdata[i];
        if (!is_key(r, unique) && sql_covers(r, unique) && !find_taken(merge, r, unique, mode, error))
            return false;
    }
    return true;
}

static bool forgive_settled(Merge *merge, const MergeRelation *r, GError **error)
{
    if (merge->spec.memory == NULL || !ledger_memory_has_lost(merge->spec.memory, r->source->schema, r->source->name))
        return true;
    g_autofree char *key = sql_memory_key(r, "s");
    return sql_run(merge, NULL, error,
                   "UPDATE %s s SET pgfold_class = 'settled', pgfold_action = '' FROM pg_temp.pgfold_z%u z "
                   "WHERE s.pgfold_action IN ('stop', 'keep') AND z.hash = s.pgfold_hash AND z.key = %s",
                   r->table->judged, r->table->index, key);
}

/* --- parents ------------------------------------------------------------------------------------------------------ */

bool judge_is_certain(const Merge *merge, const MergeReference *reference)
{
    if (!reference->in_target || reference->parent_partitioned)
        return true;
    if (reference->parent != NULL)
        return reference->parent->direct || (reference->parent->target == NULL && !reference->parent->staged);
    return g_hash_table_lookup(merge->spec.verification->audit->target->by_name, reference->parent_name) == NULL;
}

static bool find_orphans(Merge *merge, const MergeReference *reference, MergeMode mode, guint64 *ret_rows,
                         GError **error)
{
    const MergeRelation *child = reference->child;
    const char *const *columns = (const char *const *)reference->columns;
    const char *const *parent_columns = (const char *const *)reference->parent_columns;
    g_autofree char *in_target = sql_equal("p", parent_columns, "s", columns);
    g_autofree char *not_null = sql_not_null("s", columns);
    g_autofree char *name = pg_quote_literal(reference->name);
    g_autofree char *in_stage =
        reference->parent == NULL || !reference->parent->staged
            ? g_strdup("")
            : g_strdup_printf(
                  " AND NOT EXISTS (SELECT FROM %s p WHERE p.pgfold_action IN ('insert', 'overwrite') AND %s)",
                  reference->parent->table->judged, in_target);
    return sql_run(merge, ret_rows, error,
                   "UPDATE %s s SET pgfold_class = 'parent', pgfold_action = '%s', pgfold_detail = %s "
                   "WHERE s.pgfold_action IN ('insert', 'overwrite') AND %s "
                   "AND NOT EXISTS (SELECT FROM ONLY %s p WHERE %s)%s",
                   child->table->judged, lesser_action(child, mode), name, not_null, reference->parent_name, in_target,
                   in_stage);
}

/* What is followed to rows of the stage leads to one that comes or is there, unless the source has rows that lead
 * nowhere, or parents that lost. */
static bool may_have_orphans(Merge *merge, const MergeReference *reference, bool *ret_may, GError **error)
{
    *ret_may = true;
    if (!keys_are_followed(reference) || keys_are_contested(merge, reference))
        return true;
    g_autofree char *sql =
        g_strdup_printf("SELECT EXISTS (SELECT FROM %s WHERE pgfold_loose) OR "
                        "EXISTS (SELECT FROM %s WHERE pgfold_action IN ('keep', 'stop') OR pgfold_class = 'settled')",
                        reference->child->table->judged, reference->parent->table->judged);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    *ret_may = result != NULL && pg_result_bool(result, 0, 0);
    return result != NULL;
}

/* A row that lost takes along those that refer to it. */
static bool find_all_orphans(Merge *merge, MergeMode mode, GError **error)
{
    bool again = true;
    for (guint round = 0; again && round < MAX_ROUNDS; round++) {
        again = false;
        for (guint i = 0; i < merge->relations->len; i++) {
            const MergeRelation *r = merge->relations->pdata[i];
            for (guint k = 0; r->staged && k < r->table->references->len; k++) {
                const MergeReference *reference = r->table->references->pdata[k];
                guint64 rows = 0;
                bool may = false;
                if (judge_is_certain(merge, reference))
                    continue;
                if (!may_have_orphans(merge, reference, &may, error) ||
                    (may && !find_orphans(merge, reference, mode, &rows, error)) ||
                    (rows > 0 && !forgive_settled(merge, r, error)))
                    return false;
                again = again || (rows > 0 && r->table->cyclic);
            }
        }
    }
    return true;
}

/* --- counting ----------------------------------------------------------------------------------------------------- */

static void count_row(MergeCounts *counts, const char *class, const char *action, const char *map, guint64 n)
{
    const struct {
        const char *text;
        guint64 *count;
    } classes[] = {{"identical", &counts->identical},
                   {"value", &counts->value},
                   {"unique", &counts->unique},
                   {"parent", &counts->parent},
                   {"settled", &counts->settled}};
    const struct {
        const char *text;
        guint64 *count;
    } actions[] = {{"insert", &counts->inserted},
                   {"overwrite", &counts->overwritten},
                   {"keep", &counts->kept},
                   {"stop", &counts->stopped}};
    for (gsize i = 0; i < G_N_ELEMENTS(classes); i++)
        *classes[i].count += g_str_equal(classes[i].text, class) ? n : 0;
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++)
        *actions[i].count += g_str_equal(actions[i].text, action) ? n : 0;
    counts->rekeyed += g_strcmp0(map, "moved") == 0 ? n : 0;
    counts->matched += g_strcmp0(map, "matched") == 0 ? n : 0;
}

static bool count(Merge *merge, MergeRelation *r, GError **error)
{
    r->counts = (MergeCounts){0};
    if (!r->staged) {
        r->counts.inserted = r->verify->audit->source_digest.rows;
        return true;
    }
    g_autofree char *sql = g_strdup_printf(
        "SELECT pgfold_class, pgfold_action, pgfold_map, count(*) FROM %s GROUP BY 1, 2, 3", r->table->judged);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    guint64 staged = 0;
    for (int row = 0; row < pg_result_rows(result); row++) {
        count_row(&r->counts, pg_result_get(result, row, 0), pg_result_get(result, row, 1),
                  pg_result_get(result, row, 2), (guint64)pg_result_int(result, row, 3));
        staged += (guint64)pg_result_int(result, row, 3);
    }
    if (r->verify->audit->source_digested && r->verify->audit->source_digest.rows > staged)
        r->counts.identical += r->verify->audit->source_digest.rows - staged;
    return losers_read(merge, r, error);
}

/* No UPDATE can give a column that is always generated as identity another value. */
static bool check_identities(Merge *merge, const MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    for (guint i = 0; r->target != NULL && table->key != NULL && i < table->columns->len; i++) {
        const CatalogColumn *column =
            catalog_column(r->target, ((const CatalogColumn *)table->columns->pdata[i])->name);
        if (column->identity != 'a' || g_strv_contains(table->key, column->name))
            continue;
        g_autofree char *name = pg_quote_ident(column->name);
        g_autofree char *on = sql_equal("t", table->key, "s", table->key);
        g_autofree char *sql =
            g_strdup_printf("SELECT EXISTS (SELECT FROM %s s JOIN ONLY %s t ON %s WHERE s.pgfold_action = "
                            "'overwrite' AND s.%s IS DISTINCT FROM t.%s)",
                            table->judged, table->there, on, name, name);
        g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
        if (result == NULL)
            return false;
        if (pg_result_bool(result, 0, 0))
            merge_block(merge,
                        "%s: column %s is generated always as identity, and rows that are to be overwritten differ in "
                        "it: ALTER "
                        "TABLE %s ALTER COLUMN %s SET GENERATED BY DEFAULT",
                        r->source->label, column->name, table->there, name);
    }
    return true;
}

static bool judge_rows(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    if (!r->staged)
        return true;
    bool remembered =
        merge->spec.memory != NULL && ledger_memory_has_lost(merge->spec.memory, r->source->schema, r->source->name);
    if ((remembered && !recall_lost(merge, r, error)) || !keys_check_references(merge, r, error) ||
        !find_all_taken(merge, r, mode, error) || !forgive_settled(merge, r, error) ||
        (mode != MERGE_VERIFY && !check_identities(merge, r, error))) {
        g_prefix_error(error, "%s: ", r->source->label);
        return false;
    }
    return true;
}

/* The staged tables that refer to each other, or one; *from is moved behind them. */
static GPtrArray *take_component(const Merge *merge, guint *from)
{
    GPtrArray *members = g_ptr_array_new();
    guint component = ((const MergeRelation *)merge->relations->pdata[*from])->table->component;
    for (; *from < merge->relations->len; (*from)++) {
        MergeRelation *r = merge->relations->pdata[*from];
        if (r->table->component != component)
            break;
        if (r->staged)
            g_ptr_array_add(members, r);
    }
    return members;
}

/* What was made when the tables were judged before counts no more. */
static bool start_anew(Merge *merge, GError **error)
{
    for (guint i = 0; i < merge->relations->len; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        if (!judged_drop(merge, r->table, error))
            return false;
        r->table->guessed_above = -1;
        if (r->staged && keys_are_known(merge, r) && !recall_keys(merge, r, error))
            return false;
    }
    return true;
}

static bool judge_all(Merge *merge, MergeMode mode, GError **error)
{
    if (!start_anew(merge, error))
        return false;
    for (guint from = 0; from < merge->relations->len;) {
        g_autoptr(GPtrArray) component = take_component(merge, &from);
        if (component->len > 0 && !judge_keys(merge, component, mode, error))
            return false;
    }
    for (guint i = 0; i < merge->relations->len; i++)
        if (!judge_rows(merge, merge->relations->pdata[i], mode, error))
            return false;
    if (!find_all_orphans(merge, mode, error))
        return false;
    for (guint i = 0; i < merge->relations->len; i++)
        if (!count(merge, merge->relations->pdata[i], error))
            return false;
    return true;
}

/* In one snapshot, for its result may stand when it is committed. */
static bool preview(Merge *merge, GError **error)
{
    if (!sql_run(merge, NULL, error, "BEGIN ISOLATION LEVEL REPEATABLE READ"))
        return false;
    if (judge_all(merge, MERGE_PREVIEW, error) && standing_note(merge, error))
        return sql_run(merge, NULL, error, "COMMIT");
    (void)sql_run(merge, NULL, NULL, "ROLLBACK");
    return false;
}

bool merge_judge(Merge *merge, MergeMode mode, GError **error)
{
    return merge->relations->len == 0 ||
           (sql_enter(merge, error) &&
            sql_leave(merge, mode == MERGE_PREVIEW ? preview(merge, error) : judge_all(merge, mode, error), error));
}

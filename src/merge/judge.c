/* What becomes of every staged row: SQL on the stage, table by table, parents first. */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"

enum { MAX_ROUNDS = 10000 /* each moves or loses at least one row; only a bug of ours comes here */ };

static DigestText text_of(const Merge *merge)
{
    return merge->spec.verification->audit->text;
}

static char *hash_sql(const Merge *merge, const MergeRelation *r, guint64 salt)
{
    return digest_row_sql(r->source, (const char *const *)r->table->compared, text_of(merge), salt);
}

/* --- the same, another value, or not there ------------------------------------------------------------------------ */

static bool reset(Merge *merge, const MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    g_autoptr(GString) set = g_string_new(NULL);
    for (guint i = 0; i < table->kept->len; i++) {
        g_autofree char *column = pg_quote_ident(table->kept->pdata[i]);
        g_string_append_printf(set, ", %s = pgfold_old_%u", column, i);
    }
    return sql_run(
        merge, NULL, error,
        "UPDATE %s SET pgfold_class = 'insert', pgfold_action = 'insert', pgfold_map = NULL, pgfold_newer = NULL, "
        "pgfold_detail = NULL%s WHERE pgfold_class <> 'insert' OR pgfold_action <> 'insert' OR pgfold_map IS NOT NULL",
        table->stage, set->str);
}

static const char *newest_column(const MergeRelation *r)
{
    if (r->rule.on_conflict->conflict == CONFIG_CONFLICT_NEWEST)
        return r->rule.on_conflict->column;
    return r->rule.on_match->conflict == CONFIG_CONFLICT_NEWEST ? r->rule.on_match->column : NULL;
}

/* The target's side under names that no column has, so that others stand for the staged row. */
static char *target_row(const Merge *merge, const MergeRelation *r)
{
    const MergeTable *table = r->table;
    g_autofree char *hash = hash_sql(merge, r, 0);
    const char *newest = newest_column(r);
    GString *sql = g_string_new("SELECT ");
    for (guint i = 0; table->key[i] != NULL; i++) {
        g_autofree char *column = pg_quote_ident(table->key[i]);
        g_string_append_printf(sql, "%s AS pgfold_k%u, ", column, i);
    }
    if (newest != NULL) {
        g_autofree char *column = pg_quote_ident(newest);
        g_string_append_printf(sql, "%s AS pgfold_new, ", column);
    }
    g_string_append_printf(sql, "%s AS pgfold_h FROM ONLY %s", hash, table->there);
    return g_string_free(sql, FALSE);
}

/* What becomes of a row whose key the target has with another value. newer: SQL, for newest(). Transfer full. */
static char *action_sql(const ConfigRule *rule, const char *newer)
{
    switch (rule->conflict) {
    case CONFIG_CONFLICT_KEEP_TARGET:
        return g_strdup("'keep'");
    case CONFIG_CONFLICT_TAKE_SOURCE:
        return g_strdup("'overwrite'");
    case CONFIG_CONFLICT_NEWEST:
        return g_strdup_printf("CASE WHEN %s THEN 'overwrite' ELSE 'keep' END", newer);
    case CONFIG_CONFLICT_UNSET:
    case CONFIG_CONFLICT_STOP:
    case CONFIG_CONFLICT_REKEY: /* what could not be given a new key */
        break;
    }
    return g_strdup("'stop'");
}

/* A row that got a new key once and was changed since is the same thing still: under rekey, match_on's rule says what
 * happens then, and without one nobody has said it. */
static char *value_action(const MergeRelation *r, MergeMode mode, const char *newer)
{
    if (mode == MERGE_VERIFY)
        return g_strdup("'stop'");
    g_autofree char *conflict = action_sql(r->rule.on_conflict, newer);
    g_autofree char *match = action_sql(r->rule.match_on[0] == NULL ? r->rule.on_conflict : r->rule.on_match, newer);
    return g_strdup_printf("CASE WHEN s.pgfold_map IN ('known', 'matched') THEN %s ELSE %s END", match, conflict);
}

static bool compare_keyed(Merge *merge, const MergeRelation *r, MergeMode mode, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *there = target_row(merge, r);
    g_autofree char *mapped_hash = hash_sql(merge, r, 0);
    g_autoptr(GString) on = g_string_new(NULL);
    g_autofree char *newer = NULL;
    for (guint i = 0; table->key[i] != NULL; i++) {
        g_autofree char *column = sql_quote_alias("s", table->key[i]);
        g_string_append_printf(on, "%s%s = t.pgfold_k%u", i > 0 ? " AND " : "", column, i);
    }
    if (newest_column(r) != NULL) {
        g_autofree char *column = sql_quote_alias("s", newest_column(r));
        newer = g_strdup_printf("coalesce(%s > t.pgfold_new, %s IS NOT NULL AND t.pgfold_new IS NULL)", column, column);
    }
    g_autofree char *action = value_action(r, mode, newer);
    const char *hash = r->whole ? mapped_hash : "s.pgfold_hash";
    return sql_run(merge, NULL, error,
                   "UPDATE %s s SET pgfold_class = CASE WHEN t.pgfold_h = %s THEN 'identical' ELSE 'value' END, "
                   "pgfold_action = CASE WHEN t.pgfold_h = %s THEN '' ELSE %s END FROM (%s) t WHERE %s",
                   table->stage, hash, hash, action, there, on->str);
}

/* Of a multiset, as many rows as the target has are the same; the others are missing. */
static bool compare_multiset(Merge *merge, const MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *first = hash_sql(merge, r, 0);
    g_autofree char *second = hash_sql(merge, r, 1);
    return sql_run(merge, NULL, error,
                   "UPDATE %s s SET pgfold_class = 'identical', pgfold_action = '' FROM ("
                   "SELECT x.pgfold_n FROM (SELECT y.pgfold_n, y.pgfold_h1, y.pgfold_h2, pg_catalog.row_number() OVER "
                   "(PARTITION BY y.pgfold_h1, y.pgfold_h2 ORDER BY y.pgfold_n) AS i FROM "
                   "(SELECT pgfold_n, %s AS pgfold_h1, %s AS pgfold_h2 FROM %s) y) x "
                   "JOIN (SELECT %s AS pgfold_h1, %s AS pgfold_h2, count(*) AS n FROM ONLY %s GROUP BY 1, 2) t "
                   "ON t.pgfold_h1 = x.pgfold_h1 AND t.pgfold_h2 = x.pgfold_h2 WHERE x.i <= t.n) found "
                   "WHERE found.pgfold_n = s.pgfold_n",
                   table->stage, first, second, table->stage, first, second, table->there);
}

/* Of a table without a key of which only what is missing was staged, reconcile has told already. */
static bool compare(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    if (r->target == NULL)
        return true;
    if (r->table->key != NULL)
        return compare_keyed(merge, r, mode, error);
    return !r->whole || compare_multiset(merge, r, error);
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

static bool compare_again(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    return sql_run(merge, NULL, error,
                   "UPDATE %s SET pgfold_class = 'insert', pgfold_action = 'insert' WHERE pgfold_class <> 'insert'",
                   r->table->stage) &&
           compare(merge, r, mode, error);
}

/* Keys that are known before anything is compared: along references, from earlier runs, by natural keys. */
static bool find_keys(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    guint64 changed;
    return reset(merge, r, error) &&
           (!r->whole || (keys_map_references(merge, r, &changed, error) && keys_apply_known(merge, r, error) &&
                          (mode == MERGE_VERIFY || keys_match(merge, r, error))));
}

static bool renumbers(const MergeRelation *r, MergeMode mode)
{
    return r->whole && mode != MERGE_VERIFY && r->rule.on_conflict->conflict == CONFIG_CONFLICT_REKEY &&
           r->table->key != NULL && r->target != NULL;
}

/* New numbers lead to new references, and those to new conflicts, until nothing changes. */
static bool settle_cycle(Merge *merge, guint from, guint to, MergeMode mode, GError **error)
{
    bool again = true;
    for (guint round = 0; again && round < MAX_ROUNDS; round++) {
        again = false;
        for (guint i = from; i < to; i++) {
            MergeRelation *r = merge->relations->pdata[i];
            guint64 changed = 0, moved = 0;
            if (!r->staged || !r->whole)
                continue;
            if (!keys_map_references(merge, r, &changed, error))
                return false;
            if (changed == 0)
                continue;
            again = true;
            if (!compare_again(merge, r, mode, error) ||
                (renumbers(r, mode) && !keys_renumber(merge, r, mode, &moved, error)))
                return false;
        }
    }
    return true;
}

/* One table, or several that refer to each other. What is known of all their keys comes before the first comparison: a
 * row whose reference is not mapped yet looks like another one. */
static bool judge_keys(Merge *merge, guint from, guint to, MergeMode mode, GError **error)
{
    bool cyclic = ((const MergeRelation *)merge->relations->pdata[from])->table->cyclic;
    guint64 changed = 0, moved = 0;
    for (guint i = from; i < to; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        if (r->staged && !find_keys(merge, r, mode, error))
            return false;
    }
    for (guint i = from; cyclic && i < to; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        if (r->staged && r->whole && !keys_map_references(merge, r, &changed, error))
            return false;
    }
    for (guint i = from; i < to; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        if (r->staged && (!compare(merge, r, mode, error) ||
                          (renumbers(r, mode) && !keys_renumber(merge, r, mode, &moved, error)))) {
            g_prefix_error(error, "%s: ", r->source->label);
            return false;
        }
    }
    return !cyclic || settle_cycle(merge, from, to, mode, error);
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
                   table->stage, lesser_action(r, mode), name, sharing, same);
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
                   r->table->stage, r->table->index, key);
}

/* --- parents ------------------------------------------------------------------------------------------------------ */

/* Where the parent's rows are, or come with this fold, whatever they are: nothing to look for. */
static bool is_certain(const Merge *merge, const MergeReference *reference)
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
                  reference->parent->table->stage, in_target);
    return sql_run(merge, ret_rows, error,
                   "UPDATE %s s SET pgfold_class = 'parent', pgfold_action = '%s', pgfold_detail = %s "
                   "WHERE s.pgfold_action IN ('insert', 'overwrite') AND %s "
                   "AND NOT EXISTS (SELECT FROM ONLY %s p WHERE %s)%s",
                   child->table->stage, lesser_action(child, mode), name, not_null, reference->parent_name, in_target,
                   in_stage);
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
                if (is_certain(merge, reference))
                    continue;
                if (!find_orphans(merge, reference, mode, &rows, error) ||
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
        "SELECT pgfold_class, pgfold_action, pgfold_map, count(*) FROM %s GROUP BY 1, 2, 3", r->table->stage);
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
                            table->stage, table->there, on, name, name);
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

static guint component_end(const Merge *merge, guint from)
{
    guint component = ((const MergeRelation *)merge->relations->pdata[from])->table->component;
    guint to = from;
    while (to < merge->relations->len &&
           ((const MergeRelation *)merge->relations->pdata[to])->table->component == component)
        to++;
    return to;
}

static bool judge_all(Merge *merge, MergeMode mode, GError **error)
{
    for (guint from = 0, to; from < merge->relations->len; from = to) {
        to = component_end(merge, from);
        if (!judge_keys(merge, from, to, mode, error))
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

bool merge_judge(Merge *merge, MergeMode mode, GError **error)
{
    return merge->relations->len == 0 ||
           (sql_enter(merge, error) && sql_leave(merge, judge_all(merge, mode, error), error));
}

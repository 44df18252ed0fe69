/* The judged rows of a table, made of its staged ones by a single statement: references and keys mapped, compared with
 * the target, new numbers given. However many of these apply to a row, it is written once; that makes rekey fast.
 *
 * Within the statement "s" is the row so far, "t" the target's. */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"

/* A column's value in the type under its domains, so that two sides have one type. */
static char *in_base_type(const MergeRelation *r, const char *alias, const char *name, const char *of)
{
    const CatalogColumn *column = catalog_column(r->source, name);
    g_autofree char *value = sql_quote_alias(alias, of);
    g_autofree char *type = pg_quote_qualified(column->base_schema, column->base_name);
    return g_strdup_printf("%s::%s", value, type);
}

/* Values that take the place of a column's own: name -> SQL. */
static GHashTable *replacements(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* value stands where condition holds, what was said before elsewhere. */
static void replace(GHashTable *with, const char *name, const char *condition, const char *value)
{
    const char *before = g_hash_table_lookup(with, name);
    g_autofree char *own = sql_quote_alias("s", name);
    g_hash_table_insert(
        with, g_strdup(name),
        g_strdup_printf("CASE WHEN %s THEN %s ELSE %s END", condition, value, before == NULL ? own : before));
}

/* with: may be NULL. */
static void append_columns(GString *sql, const MergeRelation *r, GHashTable *with)
{
    for (guint i = 0; i < r->table->columns->len; i++) {
        const char *name = ((const CatalogColumn *)r->table->columns->pdata[i])->name;
        const char *value = with == NULL ? NULL : g_hash_table_lookup(with, name);
        g_autofree char *quoted = pg_quote_ident(name);
        g_string_append_printf(sql, "%s%s AS %s, ", value == NULL ? "s." : "", value == NULL ? quoted : value, quoted);
    }
}

/* What goes from one step to the next beside the columns. */
static void append_own(GString *sql, const MergeRelation *r)
{
    for (guint i = 0; i < r->table->kept->len; i++)
        g_string_append_printf(sql, "s.pgfold_old_%u, ", i);
    g_string_append(sql, "s.pgfold_n, s.pgfold_hash, s.pgfold_second, s.pgfold_loose, ");
}

/* The target's rows; of a key that nothing says to be unique, one row of each. */
static char *target_sql(const MergeRelation *r)
{
    g_autofree char *key = r->target != NULL && r->target->key_given ? sql_list(NULL, r->table->key) : NULL;
    g_autofree char *distinct = key == NULL ? g_strdup("") : g_strdup_printf("DISTINCT ON (%s) ", key);
    return g_strdup_printf("(SELECT %s*, true AS pgfold_there FROM ONLY %s) t", distinct, r->table->there);
}

/* --- keys that are known before anything is compared -------------------------------------------------------------- */

/* The parent's judged rows as far as there are any by now: of the table itself, those made before. Only a foreign key
 * says that what is referred to is unique. */
static char *parent_sql(const MergeReference *reference, const char *before)
{
    const MergeTable *parent = reference->parent->table;
    const char *judged = reference->parent == reference->child ? before : parent->made ? parent->judged : NULL;
    if (judged == NULL || reference->declared)
        return g_strdup(judged);
    g_autoptr(GString) old = g_string_new(NULL);
    for (guint i = 0; reference->parent_columns[i] != NULL; i++) {
        g_autofree char *column = sql_old(parent, reference->parent_columns[i]);
        g_string_append_printf(old, "%s%s", i > 0 ? ", " : "", column);
    }
    return g_strdup_printf("(SELECT DISTINCT ON (%s) * FROM %s)", old->str, judged);
}

/* Where two references share a column, the later one counts; keys_check_references() looks whether that is right. */
static void follow(const MergeRelation *r, const MergeReference *reference, guint n, const char *before,
                   GHashTable *with, GString *from, GString *loose)
{
    g_autofree char *parent = parent_sql(reference, before);
    if (parent == NULL)
        return;
    g_autofree char *alias = g_strdup_printf("p%u", n);
    g_autofree char *complete = sql_not_null("s", (const char *const *)reference->columns);
    g_autofree char *found = g_strconcat(alias, ".pgfold_n IS NOT NULL", NULL);
    g_string_append_printf(from, " LEFT JOIN %s %s ON ", parent, alias);
    g_string_append_printf(loose, " OR (%s AND %s.pgfold_n IS NULL)", complete, alias);
    for (guint i = 0; reference->columns[i] != NULL; i++) {
        g_autofree char *column = sql_quote_alias("s", reference->columns[i]);
        g_autofree char *old = sql_old(reference->parent->table, reference->parent_columns[i]);
        g_autofree char *value = in_base_type(r, alias, reference->columns[i], reference->parent_columns[i]);
        g_string_append_printf(from, "%s%s = %s.%s", i > 0 ? " AND " : "", column, alias, old);
        replace(with, reference->columns[i], found, value);
    }
}

/* Keys that were found when the table's rows were made before: these are not looked for again. */
static void take_before(const MergeRelation *r, const char *before, GHashTable *with, GString *from)
{
    const MergeTable *table = r->table;
    g_string_append_printf(from, " LEFT JOIN %s b ON b.pgfold_n = s.pgfold_n", before);
    for (guint i = 0; table->key[i] != NULL; i++) {
        bool numbered = g_strcmp0(table->key[i], table->number_column) == 0;
        g_autofree char *value = in_base_type(r, "b", table->key[i], table->key[i]);
        replace(with, table->key[i], numbered ? "b.pgfold_map IN ('matched', 'moved')" : "b.pgfold_map = 'matched'",
                value);
    }
}

static void take_known(const MergeRelation *r, GHashTable *with, GString *from)
{
    const MergeTable *table = r->table;
    g_autofree char *key = sql_key_array(r, "s");
    g_string_append_printf(from, " LEFT JOIN pg_temp.pgfold_m%u m ON m.old = %s", table->index, key);
    for (guint i = 0; table->key[i] != NULL; i++) {
        const CatalogColumn *column = catalog_column(r->source, table->key[i]);
        g_autofree char *value = g_strdup_printf("(m.new::jsonb ->> %u)::%s%s%s", i, column->type,
                                                 column->collation == NULL ? "" : " COLLATE ",
                                                 column->collation == NULL ? "" : column->collation);
        replace(with, table->key[i], "m.old IS NOT NULL", value);
    }
}

/* before: the table's rows as they were made before, or NULL. */
static char *mapped_sql(const Merge *merge, const MergeRelation *r, const char *before)
{
    const MergeTable *table = r->table;
    bool known = table->key != NULL && keys_are_known(merge, r), again = table->key != NULL && before != NULL;
    g_autoptr(GHashTable) with = replacements();
    g_autoptr(GString) from = g_string_new(NULL);
    g_autoptr(GString) loose = g_string_new("false");
    for (guint i = 0; i < table->references->len; i++)
        if (keys_are_followed(table->references->pdata[i]))
            follow(r, table->references->pdata[i], i, before, with, from, loose);
    if (again)
        take_before(r, before, with, from);
    if (known)
        take_known(r, with, from);
    GString *sql = g_string_new("SELECT ");
    append_columns(sql, r, with);
    for (guint i = 0; i < table->kept->len; i++) {
        g_autofree char *column = sql_quote_alias("s", table->kept->pdata[i]);
        g_string_append_printf(sql, "%s AS pgfold_old_%u, ", column, i);
    }
    g_string_append_printf(sql,
                           "s.pgfold_n, s.pgfold_hash, s.pgfold_second, %s AS pgfold_loose, CASE %s%s ELSE NULL::text "
                           "END AS pgfold_map FROM %s s%s",
                           loose->str, known ? "WHEN m.old IS NOT NULL THEN 'known' " : "",
                           again ? "WHEN b.pgfold_map IN ('matched', 'moved') THEN b.pgfold_map"
                                 : "WHEN false THEN NULL",
                           table->stage, from->str);
    return g_string_free(sql, FALSE);
}

/* A row with the natural key of a row of the target is that row, and has its key. */
static char *matched_sql(const MergeRelation *r, const char *mapped)
{
    const MergeTable *table = r->table;
    g_autoptr(GHashTable) with = replacements();
    g_autofree char *target = target_sql(r);
    g_autofree char *on = sql_equal("s", r->rule.match_on, "t", r->rule.match_on);
    for (guint i = 0; table->key[i] != NULL; i++) {
        g_autofree char *value = in_base_type(r, "t", table->key[i], table->key[i]);
        replace(with, table->key[i], "t.pgfold_there", value);
    }
    GString *sql = g_string_new("SELECT ");
    append_columns(sql, r, with);
    append_own(sql, r);
    g_string_append_printf(sql,
                           "CASE WHEN t.pgfold_there THEN 'matched' ELSE s.pgfold_map END AS pgfold_map FROM (%s) s "
                           "LEFT JOIN %s ON s.pgfold_map IS NULL AND %s",
                           mapped, target, on);
    return g_string_free(sql, FALSE);
}

/* --- the same, another value, or not there ------------------------------------------------------------------------ */

static const char *newest_column(const MergeRelation *r)
{
    if (r->rule.on_conflict->conflict == CONFIG_CONFLICT_NEWEST)
        return r->rule.on_conflict->column;
    return r->rule.on_match->conflict == CONFIG_CONFLICT_NEWEST ? r->rule.on_match->column : NULL;
}

/* What becomes of a row whose key the target has with another value. Transfer full. */
static char *action_sql(const ConfigRule *rule)
{
    switch (rule->conflict) {
    case CONFIG_CONFLICT_KEEP_TARGET:
        return g_strdup("'keep'");
    case CONFIG_CONFLICT_TAKE_SOURCE:
        return g_strdup("'overwrite'");
    case CONFIG_CONFLICT_NEWEST:
        return g_strdup("CASE WHEN s.pgfold_newer THEN 'overwrite' ELSE 'keep' END");
    case CONFIG_CONFLICT_UNSET:
    case CONFIG_CONFLICT_STOP:
    case CONFIG_CONFLICT_REKEY: /* what could not be given a new key */
        break;
    }
    return g_strdup("'stop'");
}

/* A row that got a new key once and was changed since is the same thing still: under rekey, match_on's rule says what
 * happens then, and without one nobody has said it. */
static char *value_action(const MergeRelation *r, MergeMode mode)
{
    if (mode == MERGE_VERIFY)
        return g_strdup("'stop'");
    g_autofree char *conflict = action_sql(r->rule.on_conflict);
    g_autofree char *match = action_sql(r->rule.match_on[0] == NULL ? r->rule.on_conflict : r->rule.on_match);
    return g_strdup_printf("CASE WHEN s.pgfold_map IN ('known', 'matched') THEN %s ELSE %s END", match, conflict);
}

/* Of a table that was staged whole the source's hash says nothing: its keys may have changed. */
static char *same_sql(const Merge *merge, const MergeRelation *r)
{
    if (r->whole)
        return sql_same(merge, r, "s", "t");
    g_autofree char *hash = sql_hash(merge, r, "t");
    return g_strdup_printf("%s = s.pgfold_hash", hash);
}

static char *compared_sql(const Merge *merge, const MergeRelation *r, const char *rows)
{
    const char *newest = newest_column(r);
    g_autofree char *same = same_sql(merge, r);
    g_autofree char *target = target_sql(r);
    g_autofree char *on = sql_equal("s", r->table->key, "t", r->table->key);
    GString *sql = g_string_new("SELECT s.*, ");
    if (newest != NULL) {
        g_autofree char *ours = sql_quote_alias("s", newest), *theirs = sql_quote_alias("t", newest);
        g_string_append_printf(sql, "coalesce(%s > %s, %s IS NOT NULL AND %s IS NULL) AS pgfold_newer, ", ours, theirs,
                               ours, theirs);
    }
    g_string_append_printf(sql,
                           "CASE WHEN t.pgfold_there IS NULL THEN 'insert' WHEN %s THEN 'identical' ELSE 'value' END "
                           "AS pgfold_class FROM (%s) s LEFT JOIN %s ON %s",
                           same, rows, target, on);
    return g_string_free(sql, FALSE);
}

/* --- the statement ------------------------------------------------------------------------------------------------ */

/* The rows with their verdicts, in the order in which they came: so new keys go up with them. number: SQL of a new key,
 * or NULL. */
static char *verdict_sql(const MergeRelation *r, MergeMode mode, const char *compared, const char *number)
{
    const char *moved = number == NULL ? "false" : "s.pgfold_class = 'value' AND s.pgfold_map IS NULL";
    g_autoptr(GHashTable) with = replacements();
    g_autofree char *action = value_action(r, mode);
    if (number != NULL) {
        const CatalogColumn *column = catalog_column(r->source, r->table->number_column);
        g_autofree char *type = pg_quote_qualified(column->base_schema, column->base_name);
        g_autofree char *value = g_strdup_printf("(%s)::%s", number, type);
        replace(with, column->name, moved, value);
    }
    GString *sql = g_string_new("SELECT ");
    append_columns(sql, r, with);
    append_own(sql, r);
    g_string_append_printf(sql,
                           "CASE WHEN %s THEN 'moved' ELSE s.pgfold_map END, "
                           "CASE WHEN %s THEN 'insert' ELSE s.pgfold_class END, "
                           "CASE WHEN s.pgfold_class = 'insert' OR %s THEN 'insert' WHEN s.pgfold_class = 'identical' "
                           "THEN '' ELSE %s END FROM (%s ORDER BY s.pgfold_n) s",
                           moved, moved, moved, action, compared);
    return g_string_free(sql, FALSE);
}

static char *insert_sql(const MergeRelation *r, const char *select)
{
    const MergeTable *table = r->table;
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < table->columns->len; i++) {
        g_autofree char *name = pg_quote_ident(((const CatalogColumn *)table->columns->pdata[i])->name);
        g_string_append_printf(names, "%s, ", name);
    }
    for (guint i = 0; i < table->kept->len; i++)
        g_string_append_printf(names, "pgfold_old_%u, ", i);
    return g_strdup_printf(
        "INSERT INTO %s (%spgfold_n, pgfold_hash, pgfold_second, pgfold_loose, pgfold_map, pgfold_class, "
        "pgfold_action) %s",
        table->judged, names->str, select);
}

/* Under a new name each time: others would have to wait for the end of a transaction in which a table that they can see
 * is dropped or renamed. */
static bool make_table(Merge *merge, MergeTable *table, GError **error)
{
    g_autoptr(GString) old = g_string_new(NULL);
    for (guint i = 0; i < table->kept->len; i++) {
        g_autofree char *column = sql_quote_alias("s", table->kept->pdata[i]);
        g_string_append_printf(old, "%s AS pgfold_old_%u, ", column, i);
    }
    g_free(table->judged);
    table->judged = g_strdup_printf("pg_temp.pgfold_j%u_%u", table->index, ++table->times_made);
    return sql_run(merge, NULL, error,
                   "CREATE TEMP TABLE %s AS SELECT s.*, %snull::bool AS pgfold_loose, null::text AS pgfold_map, "
                   "null::text AS pgfold_class, null::text AS pgfold_action, null::text AS pgfold_detail FROM %s s "
                   "WITH NO DATA",
                   table->judged, old->str, table->stage);
}

/* Each staged row is one judged row: a join that found two partners for one would have made it two. */
static bool fill(Merge *merge, MergeRelation *r, const char *select, GError **error)
{
    g_autofree char *insert = insert_sql(r, select);
    guint64 rows = 0;
    if (!sql_run(merge, &rows, error, "%s", insert))
        return false;
    if (rows == r->table->rows)
        return sql_run(merge, NULL, error, "ANALYZE %s", r->table->judged);
    pgf_error_set(error, PGF_ERROR_MIDWAY, "This is an error of pgfold: please report it.",
                  "%" G_GUINT64_FORMAT " rows were staged, %" G_GUINT64_FORMAT " were judged", r->table->rows, rows);
    return false;
}

bool judged_drop(Merge *merge, MergeTable *table, GError **error)
{
    bool made = table->made;
    table->made = false;
    return !made || sql_run(merge, NULL, error, "DROP TABLE %s", table->judged);
}

bool judged_make(Merge *merge, MergeRelation *r, MergeMode mode, JudgedStep step, const char *number, GError **error)
{
    MergeTable *table = r->table;
    g_autofree char *before = table->made ? g_strdup(table->judged) : NULL;
    g_autofree char *mapped = mapped_sql(merge, r, before);
    bool matches = false;
    if (before == NULL && mode != MERGE_VERIFY && !keys_may_match(merge, r, mapped, &matches, error))
        return false;
    g_autofree char *rows = matches ? matched_sql(r, mapped) : g_steal_pointer(&mapped);
    g_autofree char *compared =
        step == JUDGED_KEYS
            ? g_strdup_printf("SELECT s.*, false AS pgfold_newer, 'insert' AS pgfold_class FROM (%s) s", rows)
            : compared_sql(merge, r, rows);
    g_autofree char *select = verdict_sql(r, mode, compared, step == JUDGED_NUMBERED ? number : NULL);
    table->made = make_table(merge, table, error) && fill(merge, r, select, error) &&
                  (before == NULL || sql_run(merge, NULL, error, "DROP TABLE %s", before));
    return table->made;
}

bool judged_is_stale(Merge *merge, const MergeRelation *r, bool *ret_stale, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *mapped = mapped_sql(merge, r, table->judged);
    g_autoptr(GString) differ = g_string_new("false");
    for (guint i = 0; i < table->references->len; i++) {
        const MergeReference *reference = table->references->pdata[i];
        for (guint k = 0; keys_are_followed(reference) && reference->columns[k] != NULL; k++) {
            g_autofree char *a = sql_quote_alias("j", reference->columns[k]);
            g_autofree char *b = sql_quote_alias("s", reference->columns[k]);
            g_string_append_printf(differ, " OR %s IS DISTINCT FROM %s", a, b);
        }
    }
    g_autofree char *sql =
        g_strdup_printf("SELECT EXISTS (SELECT FROM (%s) s JOIN %s j ON j.pgfold_n = s.pgfold_n WHERE %s)", mapped,
                        table->judged, differ->str);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    *ret_stale = result != NULL && pg_result_bool(result, 0, 0);
    return result != NULL;
}

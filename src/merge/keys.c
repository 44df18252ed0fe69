/* What rekey does: keys that are known already, keys matched by a natural key, new numbers, and references that follow.
 */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"
#include "merge/merge_sql.h"

enum { NAMED_VALUES = 3 /* in a message */ };

/* --- where new keys come from ------------------------------------------------------------------------------------- */

static bool is_mapped_column(const MergeRelation *r, const char *name)
{
    for (guint i = 0; i < r->table->references->len; i++) {
        const MergeReference *reference = r->table->references->pdata[i];
        if (reference->in_source && g_strv_contains((const char *const *)reference->columns, name))
            return true;
    }
    return false;
}

static bool is_type(const CatalogColumn *column, const char *const *names)
{
    return column->from_initdb && !column->is_array && g_strv_contains(names, column->base_name);
}

static bool is_integer(const CatalogColumn *column)
{
    static const char *const NAMES[] = {"int2", "int4", "int8", NULL};
    return is_type(column, NAMES);
}

static bool is_uuid(const CatalogColumn *column)
{
    static const char *const NAMES[] = {"uuid", NULL};
    return is_type(column, NAMES);
}

/* The column of the target, or, where the fold makes the table, that of the source. */
static const CatalogColumn *there(const MergeRelation *r, const char *name)
{
    return catalog_column(r->target != NULL ? r->target : r->source, name);
}

/* The column of the key that may be given a new value: none that refers to something else. */
static const CatalogColumn *choose_column(const MergeRelation *r)
{
    const CatalogColumn *chosen = NULL;
    for (guint i = 0; r->table->key[i] != NULL; i++) {
        const CatalogColumn *column = there(r, r->table->key[i]);
        if (is_mapped_column(r, column->name))
            continue;
        bool numbered = column->identity != 0 || column->default_sql != NULL;
        if (numbered || (chosen == NULL && (is_integer(column) || is_uuid(column))))
            chosen = column;
        if (numbered)
            break;
    }
    return chosen;
}

static void take_sequence(MergeRelation *r, const PgResult *result)
{
    r->table->number_sequence = g_strdup(pg_result_get(result, 0, 0));
    g_autofree char *literal = pg_quote_literal(r->table->number_sequence);
    r->table->number_sql = g_strdup_printf("pg_catalog.nextval(%s::pg_catalog.regclass)", literal);
}

bool keys_prepare(Merge *merge, MergeRelation *r, GError **error)
{
    MergeTable *table = r->table;
    const CatalogColumn *column = table->key == NULL ? NULL : choose_column(r);
    if (table->number_column != NULL || column == NULL)
        return true;
    const char *values[] = {table->there, column->name};
    g_autoptr(PgResult) result =
        pg_query_params(merge->spec.target, MERGE_NUMBER_SOURCE_SQL, 2, values, deadline_in_ms(PG_CATALOG_MS), error);
    if (result == NULL)
        return false;
    if (pg_result_rows(result) > 0 && is_integer(column))
        take_sequence(r, result);
    else if (column->default_sql != NULL && !is_integer(column) && strchr(column->default_sql, '(') != NULL)
        table->number_sql = g_strdup(column->default_sql);
    else if (is_uuid(column))
        table->number_sql =
            g_strdup(pg_conn_identity(merge->spec.target)->version >= 130000
                         ? "pg_catalog.gen_random_uuid()"
                         : "pg_catalog.md5(pg_catalog.random()::text || pg_catalog.clock_timestamp()::text)::uuid");
    else if (!is_integer(column))
        return true;
    table->number_column = g_strdup(column->name);
    return true;
}

/* --- keys that earlier runs have changed -------------------------------------------------------------------------- */

bool keys_apply_known(Merge *merge, MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    if (table->key == NULL || merge->spec.memory == NULL ||
        !ledger_memory_has_keys(merge->spec.memory, r->source->schema, r->source->name))
        return true;
    g_autoptr(GString) set = g_string_new(NULL);
    for (guint i = 0; table->key[i] != NULL; i++) {
        g_autofree char *column = pg_quote_ident(table->key[i]);
        g_string_append_printf(set, "%s = (m.new::jsonb ->> %u)::%s, ", column, i,
                               catalog_column(r->source, table->key[i])->type);
    }
    g_autofree char *key = sql_memory_key(r, "s");
    return recall_keys(merge, r, error) &&
           sql_run(merge, NULL, error,
                   "UPDATE %s s SET %spgfold_map = 'known' FROM pg_temp.pgfold_m%u m WHERE m.old = %s", table->stage,
                   set->str, table->index, key);
}

/* --- natural keys ------------------------------------------------------------------------------------------------- */

static bool check_unique(Merge *merge, MergeRelation *r, const char *from, const char *side, GError **error)
{
    const char *const *columns = r->rule.match_on;
    g_autofree char *list = sql_list(NULL, columns);
    g_autofree char *not_null = sql_not_null(NULL, columns);
    g_autofree char *label = sql_key_for_people(NULL, columns);
    g_autofree char *sql = g_strdup_printf("SELECT %s FROM %s WHERE %s GROUP BY %s HAVING count(*) > 1 LIMIT %d", label,
                                           from, not_null, list, NAMED_VALUES);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    if (pg_result_rows(result) == 0)
        return true;
    g_autoptr(GString) values = g_string_new(NULL);
    for (int row = 0; row < pg_result_rows(result); row++)
        g_string_append_printf(values, "%s%s", row > 0 ? "; " : "", pg_result_get(result, row, 0));
    merge_block(merge, "%s: match_on does not tell rows apart in the %s: several have %s", r->source->label, side,
                values->str);
    return true;
}

/* "id" AS pgfold_k0, "email" AS pgfold_m0: the target's row under names that no column has. */
static void append_as(GString *sql, const char *const *columns, const char *prefix)
{
    for (guint i = 0; columns[i] != NULL; i++) {
        g_autofree char *column = pg_quote_ident(columns[i]);
        g_string_append_printf(sql, "%s%s AS %s%u", sql->len > 0 ? ", " : "", column, prefix, i);
    }
}

bool keys_match(Merge *merge, MergeRelation *r, GError **error)
{
    const MergeTable *table = r->table;
    const char *const *natural = r->rule.match_on;
    if (natural[0] == NULL || table->key == NULL)
        return true;
    g_autofree char *target = g_strconcat("ONLY ", table->there, NULL);
    if (!check_unique(merge, r, table->stage, "source", error) || !check_unique(merge, r, target, "target", error))
        return false;
    g_autoptr(GString) select = g_string_new(NULL);
    g_autoptr(GString) set = g_string_new(NULL);
    g_autoptr(GString) on = g_string_new(NULL);
    append_as(select, table->key, "pgfold_k");
    append_as(select, natural, "pgfold_m");
    for (guint i = 0; table->key[i] != NULL; i++) {
        g_autofree char *column = pg_quote_ident(table->key[i]);
        g_string_append_printf(set, "%s = t.pgfold_k%u, ", column, i);
    }
    for (guint i = 0; natural[i] != NULL; i++) {
        g_autofree char *column = sql_quote_alias("s", natural[i]);
        g_string_append_printf(on, " AND %s = t.pgfold_m%u", column, i);
    }
    return sql_run(merge, NULL, error,
                   "UPDATE %s s SET %spgfold_map = 'matched' FROM (SELECT %s FROM ONLY %s) t "
                   "WHERE s.pgfold_map IS NULL%s",
                   table->stage, set->str, select->str, table->there, on->str);
}

/* --- references --------------------------------------------------------------------------------------------------- */

static bool is_followed(const MergeReference *reference)
{
    return reference->in_source && reference->parent != NULL && reference->parent->whole && reference->parent->staged &&
           reference->child->whole;
}

static bool follow(Merge *merge, const MergeReference *reference, guint64 *ret_rows, GError **error)
{
    const MergeTable *child = reference->child->table, *parent = reference->parent->table;
    g_autofree char *joined = sql_old_equal("s", child, (const char *const *)reference->columns, "p", parent,
                                            (const char *const *)reference->parent_columns);
    g_autoptr(GString) set = g_string_new(NULL);
    g_autoptr(GString) differ = g_string_new(NULL);
    for (guint i = 0; reference->columns[i] != NULL; i++) {
        g_autofree char *column = pg_quote_ident(reference->columns[i]);
        g_autofree char *value = sql_quote_alias("p", reference->parent_columns[i]);
        g_string_append_printf(set, "%s%s = %s", i > 0 ? ", " : "", column, value);
        g_string_append_printf(differ, "%ss.%s IS DISTINCT FROM %s", i > 0 ? " OR " : "", column, value);
    }
    return sql_run(merge, ret_rows, error, "UPDATE %s s SET %s FROM %s p WHERE %s AND (%s)", child->stage, set->str,
                   parent->stage, joined, differ->str);
}

bool keys_map_references(Merge *merge, MergeRelation *r, guint64 *ret_changed, GError **error)
{
    *ret_changed = 0;
    for (guint i = 0; i < r->table->references->len; i++) {
        const MergeReference *reference = r->table->references->pdata[i];
        guint64 rows = 0;
        if (is_followed(reference) && !follow(merge, reference, &rows, error)) {
            g_prefix_error(error, "%s: mapping its reference to %s: ", r->source->label,
                           reference->parent->source->label);
            return false;
        }
        *ret_changed += rows;
    }
    return true;
}

/* A column that two references share must lead to one value through both. */
bool keys_check_references(Merge *merge, MergeRelation *r, GError **error)
{
    for (guint i = 0; i < r->table->references->len; i++) {
        const MergeReference *reference = r->table->references->pdata[i];
        if (!is_followed(reference))
            continue;
        g_autofree char *joined =
            sql_old_equal("s", r->table, (const char *const *)reference->columns, "p", reference->parent->table,
                          (const char *const *)reference->parent_columns);
        g_autofree char *equal = sql_equal("s", (const char *const *)reference->columns, "p",
                                           (const char *const *)reference->parent_columns);
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s s JOIN %s p ON %s WHERE NOT (%s)",
                                               r->table->stage, reference->parent->table->stage, joined, equal);
        g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
        if (result == NULL)
            return false;
        if (pg_result_int(result, 0, 0) > 0)
            merge_block(
                merge,
                "%s: reference %s to %s shares a column with another one, and the two lead to different new keys",
                r->source->label, reference->name, reference->parent->source->label);
    }
    return true;
}

/* --- new numbers -------------------------------------------------------------------------------------------------- */

static char *limit_of(const CatalogColumn *column)
{
    return g_strdup(g_str_equal(column->base_name, "int2")   ? "32767"
                    : g_str_equal(column->base_name, "int4") ? "2147483647"
                                                             : "9223372036854775807");
}

/* The greatest number that target, stage and sequence use. */
static bool read_base(Merge *merge, const MergeRelation *r, gint64 *ret_base, gint64 *ret_wanted, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *column = pg_quote_ident(table->number_column);
    g_autofree char *sequence = table->number_sequence == NULL
                                    ? g_strdup("0")
                                    : g_strdup_printf("(SELECT last_value FROM %s)", table->number_sequence);
    g_autofree char *sql = g_strdup_printf(
        "SELECT greatest((SELECT coalesce(max(%s), 0) FROM ONLY %s), (SELECT coalesce(max(%s), 0) FROM %s), %s, 0), "
        "(SELECT count(*) FROM %s WHERE pgfold_class = 'value' AND pgfold_map IS NULL)",
        column, table->there, column, table->stage, sequence, table->stage);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    *ret_base = pg_result_int(result, 0, 0);
    *ret_wanted = pg_result_int(result, 0, 1);
    return true;
}

typedef struct Room {
    gint64 base, wanted, increment;
    bool fits;
} Room;

/* Whether the numbers that are left suffice. */
static bool check_room(Merge *merge, const MergeRelation *r, Room *room, GError **error)
{
    const MergeTable *table = r->table;
    room->increment = 1;
    room->fits = true;
    g_autofree char *limit = limit_of(there(r, table->number_column));
    gint64 greatest = g_ascii_strtoll(limit, NULL, 10);
    gint64 of_sequence = G_MAXINT64;
    if (table->number_sequence != NULL) {
        const char *values[] = {table->there, table->number_column};
        g_autoptr(PgResult) result = pg_query_params(merge->spec.target, MERGE_NUMBER_SOURCE_SQL, 2, values,
                                                     deadline_in_ms(PG_CATALOG_MS), error);
        if (result == NULL)
            return false;
        room->increment = pg_result_int(result, 0, 2);
        of_sequence = pg_result_int(result, 0, 3);
    }
    if (room->increment <= 0) {
        merge_block(merge, "%s: sequence %s counts downwards: rekey cannot tell which numbers are free",
                    r->source->label, table->number_sequence);
        room->fits = false;
    } else if ((greatest - room->base) / room->increment < room->wanted) {
        merge_block(merge,
                    "%s: the type of column %s is too small for %" G_GINT64_FORMAT " new keys above %" G_GINT64_FORMAT
                    ": ALTER TABLE %s ALTER COLUMN \"%s\" TYPE bigint",
                    r->source->label, table->number_column, room->wanted, room->base, table->there,
                    table->number_column);
        room->fits = false;
    } else if ((of_sequence - room->base) / room->increment < room->wanted) {
        merge_block(merge,
                    "%s: sequence %s is exhausted: it ends at %" G_GINT64_FORMAT ", and %" G_GINT64_FORMAT
                    " new keys are needed above %" G_GINT64_FORMAT ": ALTER SEQUENCE %s MAXVALUE ...",
                    r->source->label, table->number_sequence, of_sequence, room->wanted, room->base,
                    table->number_sequence);
        room->fits = false;
    }
    return true;
}

static bool renumber(Merge *merge, const MergeRelation *r, const char *value, guint64 *ret_rows, GError **error)
{
    g_autofree char *column = pg_quote_ident(r->table->number_column);
    return sql_run(merge, ret_rows, error,
                   "UPDATE %s SET %s = %s, pgfold_map = 'moved', pgfold_class = 'insert', pgfold_action = 'insert' "
                   "WHERE pgfold_class = 'value' AND pgfold_map IS NULL",
                   r->table->stage, column, value);
}

/* Guesses, for a sequence is not touched by a preview; also for integers that no sequence feeds. */
static bool renumber_upwards(Merge *merge, const MergeRelation *r, const Room *room, guint64 *ret_rows, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *column = pg_quote_ident(table->number_column);
    return sql_run(merge, ret_rows, error,
                   "UPDATE %s s SET %s = %" G_GINT64_FORMAT " + x.i * %" G_GINT64_FORMAT
                   ", pgfold_map = 'moved', pgfold_class = 'insert', pgfold_action = 'insert' "
                   "FROM (SELECT pgfold_n AS n, pg_catalog.row_number() OVER (ORDER BY pgfold_n) AS i FROM %s "
                   "WHERE pgfold_class = 'value' AND pgfold_map IS NULL) x WHERE x.n = s.pgfold_n",
                   table->stage, column, room->base, room->increment, table->stage);
}

/* A conflict that rekey cannot settle: no column of the key can be given a new value. */
static bool block_unnumbered(Merge *merge, const MergeRelation *r, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT count(*) FROM %s WHERE pgfold_class = 'value' AND pgfold_map IS NULL", r->table->stage);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    g_autofree char *key = g_strjoinv(", ", (char **)(guintptr)r->table->key);
    if (pg_result_int(result, 0, 0) > 0)
        merge_block(merge,
                    "%s: rekey has no way to make new keys: (%s) has no sequence, no default, and is neither a whole "
                    "number nor a "
                    "uuid, or refers to another table: choose another rule, or a natural key (match_on)",
                    r->source->label, key);
    return true;
}

bool keys_renumber(Merge *merge, MergeRelation *r, MergeMode mode, guint64 *ret_rows, GError **error)
{
    MergeTable *table = r->table;
    *ret_rows = 0;
    if (!keys_prepare(merge, r, error))
        return false;
    if (table->number_column == NULL)
        return block_unnumbered(merge, r, error);
    if (!is_integer(there(r, table->number_column)))
        return renumber(merge, r, table->number_sql, ret_rows, error);
    Room room = {0};
    if (!read_base(merge, r, &room.base, &room.wanted, error))
        return false;
    if (room.wanted == 0)
        return true;
    if (!check_room(merge, r, &room, error))
        return false;
    if (!room.fits)
        return true;
    if (mode != MERGE_COMMIT || table->number_sequence == NULL)
        return renumber_upwards(merge, r, &room, ret_rows, error);
    g_autofree char *literal = pg_quote_literal(table->number_sequence);
    /* Only where it stands behind the rows: others may draw numbers from it at this moment. */
    return sql_run(merge, NULL, error,
                   "SELECT pg_catalog.setval(%s::pg_catalog.regclass, %" G_GINT64_FORMAT ") FROM %s "
                   "WHERE last_value < %" G_GINT64_FORMAT " OR (last_value = %" G_GINT64_FORMAT " AND NOT is_called)",
                   literal, room.base, table->number_sequence, room.base, room.base) &&
           renumber(merge, r, table->number_sql, ret_rows, error);
}

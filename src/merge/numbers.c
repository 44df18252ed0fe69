/* New keys for rows that are in conflict: where they come from, whether enough are left, and drawing them. */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"
#include "merge/merge_sql.h"

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

/* The fold raises the target's sequence to that of the source before rows are merged. */
static void take_sequence(const Merge *merge, MergeTable *table, const PgResult *result)
{
    const Catalog *source = merge->spec.verification->audit->source;
    g_autofree char *quoted = pg_quote_qualified(pg_result_get(result, 0, 6), pg_result_get(result, 0, 7));
    const CatalogSequence *ours = g_hash_table_lookup(source->sequences_by_name, quoted);
    table->number_sequence = g_strdup(pg_result_get(result, 0, 0));
    table->numbers_used = ours == NULL ? 0 : ours->last_value;
    g_autofree char *literal = pg_quote_literal(table->number_sequence);
    table->number_sql = g_strdup_printf("pg_catalog.nextval(%s::pg_catalog.regclass)", literal);
}

static bool prepare(Merge *merge, MergeRelation *r, GError **error)
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
        take_sequence(merge, table, result);
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

/* --- whole numbers ------------------------------------------------------------------------------------------------ */

static char *limit_of(const CatalogColumn *column)
{
    return g_strdup(g_str_equal(column->base_name, "int2")   ? "32767"
                    : g_str_equal(column->base_name, "int4") ? "2147483647"
                                                             : "9223372036854775807");
}

typedef struct Room {
    gint64 base; /* the greatest number that target, source and sequence use */
    gint64 increment;
    gint64 of_type, of_sequence; /* how far they go */
} Room;

static bool read_sequence(Merge *merge, const MergeTable *table, Room *room, GError **error)
{
    const char *values[] = {table->there, table->number_column};
    g_autoptr(PgResult) result =
        pg_query_params(merge->spec.target, MERGE_NUMBER_SOURCE_SQL, 2, values, deadline_in_ms(PG_CATALOG_MS), error);
    if (result == NULL)
        return false;
    room->increment = pg_result_int(result, 0, 2);
    room->of_sequence = pg_result_int(result, 0, 3);
    return true;
}

static bool read_room(Merge *merge, const MergeRelation *r, Room *room, GError **error)
{
    const MergeTable *table = r->table;
    g_autofree char *column = pg_quote_ident(table->number_column);
    g_autofree char *limit = limit_of(there(r, table->number_column));
    g_autofree char *sequence = table->number_sequence == NULL
                                    ? g_strdup("0")
                                    : g_strdup_printf("(SELECT last_value FROM %s)", table->number_sequence);
    g_autofree char *sql = g_strdup_printf(
        "SELECT greatest((SELECT coalesce(max(%s), 0) FROM ONLY %s), (SELECT coalesce(max(%s), 0) FROM %s), %s, 0)",
        column, table->there, column, table->made ? table->judged : table->stage, sequence);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    *room = (Room){.base = MAX(pg_result_int(result, 0, 0), table->numbers_used),
                   .increment = 1,
                   .of_type = g_ascii_strtoll(limit, NULL, 10),
                   .of_sequence = G_MAXINT64};
    return table->number_sequence == NULL || read_sequence(merge, table, room, error);
}

static bool has_room(const Room *room, gint64 limit, gint64 wanted)
{
    return room->increment >= 1 && (limit - room->base) / room->increment >= wanted;
}

/* Whether the numbers that are left suffice; where they do not, a block says so. */
static bool check_room(Merge *merge, const MergeRelation *r, const Room *room, gint64 wanted)
{
    const MergeTable *table = r->table;
    if (room->increment < 1)
        merge_block(merge, "%s: sequence %s counts downwards: rekey cannot tell which numbers are free",
                    r->source->label, table->number_sequence);
    else if (!has_room(room, room->of_type, wanted))
        merge_block(merge,
                    "%s: the type of column %s is too small for %" G_GINT64_FORMAT " new keys above %" G_GINT64_FORMAT
                    ": ALTER TABLE %s ALTER COLUMN \"%s\" TYPE bigint",
                    r->source->label, table->number_column, wanted, room->base, table->there, table->number_column);
    else if (!has_room(room, room->of_sequence, wanted))
        merge_block(merge,
                    "%s: sequence %s is exhausted: it ends at %" G_GINT64_FORMAT ", and %" G_GINT64_FORMAT
                    " new keys are needed above %" G_GINT64_FORMAT ": ALTER SEQUENCE %s MAXVALUE ...",
                    r->source->label, table->number_sequence, room->of_sequence, wanted, room->base,
                    table->number_sequence);
    else
        return true;
    return false;
}

/* A sequence is raised only where it stands behind the rows: others may draw numbers from it at this moment. */
static bool raise_sequence(Merge *merge, const MergeTable *table, gint64 base, GError **error)
{
    g_autofree char *literal = pg_quote_literal(table->number_sequence);
    return sql_run(merge, NULL, error,
                   "SELECT pg_catalog.setval(%s::pg_catalog.regclass, %" G_GINT64_FORMAT ") FROM %s "
                   "WHERE last_value < %" G_GINT64_FORMAT " OR (last_value = %" G_GINT64_FORMAT " AND NOT is_called)",
                   literal, base, table->number_sequence, base, base);
}

/* Guesses, for a sequence is not touched by a preview; also numbers that no sequence feeds. */
static char *count_upwards(Merge *merge, MergeTable *table, const Room *room, GError **error)
{
    g_autofree char *name = g_strdup_printf("pg_temp.pgfold_q%u_%u", table->index, table->times_made);
    if (!sql_run(merge, NULL, error,
                 "CREATE TEMP SEQUENCE %s INCREMENT %" G_GINT64_FORMAT " MINVALUE 0 START %" G_GINT64_FORMAT, name,
                 room->increment, room->base + room->increment))
        return NULL;
    if (table->guessed_above < 0)
        table->guessed_above = room->base;
    return g_strdup_printf("pg_catalog.nextval('%s'::pg_catalog.regclass)", name);
}

static bool give(Merge *merge, MergeRelation *r, MergeMode mode, const Room *room, GError **error)
{
    MergeTable *table = r->table;
    if (mode == MERGE_COMMIT && table->number_sequence != NULL)
        return raise_sequence(merge, table, room->base, error) &&
               judged_make(merge, r, mode, JUDGED_NUMBERED, table->number_sql, error);
    g_autofree char *number = count_upwards(merge, table, room, error);
    return number != NULL && judged_make(merge, r, mode, JUDGED_NUMBERED, number, error);
}

static bool count_wanted(Merge *merge, const MergeRelation *r, gint64 *ret_wanted, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT count(*) FROM %s WHERE pgfold_class = 'value' AND pgfold_map IS NULL", r->table->judged);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    *ret_wanted = result == NULL ? 0 : pg_result_int(result, 0, 0);
    return result != NULL;
}

/* Rows are counted first, where there may be none, where not a number may be drawn in vain, or where there may not be
 * enough of them. */
static bool give_counted(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    gint64 wanted = 0;
    Room room = {0};
    if (!judged_make(merge, r, mode, JUDGED_COMPARED, NULL, error) || !count_wanted(merge, r, &wanted, error) ||
        (wanted > 0 && !read_room(merge, r, &room, error)))
        return false;
    return wanted == 0 || !check_room(merge, r, &room, wanted) || give(merge, r, mode, &room, error);
}

static bool give_numbers(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    MergeTable *table = r->table;
    gint64 most = (gint64)MAX(table->rows, 1);
    Room room = {0};
    /* Keys that are known take the place of numbers that are not in use then. */
    bool mapped = keys_are_known(merge, r) || r->rule.match_on[0] != NULL;
    if (mode == MERGE_COMMIT || (mapped && !table->made))
        return give_counted(merge, r, mode, error);
    if (!read_room(merge, r, &room, error))
        return false;
    return has_room(&room, room.of_type, most) && has_room(&room, room.of_sequence, most)
               ? give(merge, r, mode, &room, error)
               : give_counted(merge, r, mode, error);
}

/* --- any key ------------------------------------------------------------------------------------------------------ */

/* A conflict that rekey cannot settle: no column of the key can be given a new value. */
static bool block_unnumbered(Merge *merge, const MergeRelation *r, GError **error)
{
    gint64 wanted = 0;
    if (!count_wanted(merge, r, &wanted, error))
        return false;
    g_autofree char *key = g_strjoinv(", ", (char **)(guintptr)r->table->key);
    if (wanted > 0)
        merge_block(merge,
                    "%s: rekey has no way to make new keys: (%s) has no sequence, no default, and is neither a whole "
                    "number nor a "
                    "uuid, or refers to another table: choose another rule, or a natural key (match_on)",
                    r->source->label, key);
    return true;
}

bool numbers_give(Merge *merge, MergeRelation *r, MergeMode mode, GError **error)
{
    const MergeTable *table = r->table;
    if (!prepare(merge, r, error))
        return false;
    if (table->number_column == NULL)
        return judged_make(merge, r, mode, JUDGED_COMPARED, NULL, error) && block_unnumbered(merge, r, error);
    if (!is_integer(there(r, table->number_column)))
        return judged_make(merge, r, mode, JUDGED_NUMBERED, table->number_sql, error);
    return give_numbers(merge, r, mode, error);
}

bool numbers_draw(Merge *merge, const MergeRelation *r, bool *ret_same, GError **error)
{
    const MergeTable *table = r->table;
    *ret_same = true;
    if (r->counts.rekeyed == 0 || table->number_sequence == NULL)
        return true;
    g_autofree char *column = pg_quote_ident(table->number_column);
    g_autofree char *behind = g_strdup_printf("SELECT last_value <= %" G_GINT64_FORMAT " FROM %s", table->guessed_above,
                                              table->number_sequence);
    g_autofree char *draw = g_strdup_printf(
        "SELECT count(*) = 0 FROM (SELECT %s AS n, x.guess FROM (SELECT %s AS guess FROM %s WHERE pgfold_map = 'moved' "
        "ORDER BY 1) x) y WHERE y.n <> y.guess",
        table->number_sql, column, table->judged);
    g_autoptr(PgResult) stands = pg_query(merge->spec.target, behind, deadline_in_ms(PG_CATALOG_MS), error);
    if (stands == NULL)
        return false;
    *ret_same = pg_result_bool(stands, 0, 0);
    if (!*ret_same)
        return true;
    g_autoptr(PgResult) drawn = raise_sequence(merge, table, table->guessed_above, error)
                                    ? pg_query(merge->spec.target, draw, DEADLINE_NONE, error)
                                    : NULL;
    *ret_same = drawn != NULL && pg_result_bool(drawn, 0, 0);
    return drawn != NULL;
}

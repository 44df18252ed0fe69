/* Rows in conflict, both sides beside each other: for people, and for the archive. */
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"

/* {"a": "1", "b": null}: every value as the type's output writes it, so that nothing is lost on the way. */
static char *row_json(const MergeRelation *r, const char *alias)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GString) values = g_string_new(NULL);
    for (guint i = 0; i < r->table->columns->len; i++) {
        const CatalogColumn *column = r->table->columns->pdata[i];
        g_autofree char *name = pg_quote_literal(column->name);
        g_autofree char *value = sql_quote_alias(alias, column->name);
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", name);
        g_string_append_printf(values, "%sCASE WHEN pg_catalog.num_nulls(%s) = 0 THEN pg_catalog.concat(%s) END",
                               i > 0 ? ", " : "", value, value);
    }
    return g_strdup_printf("pg_catalog.json_object(ARRAY[%s]::text[], ARRAY[%s]::text[])::text", names->str,
                           values->str);
}

static void append_branch(GString *sql, const MergeRelation *r, const char *kind, const char *target_row,
                          const char *join, const char *where, const char *actions)
{
    g_autofree char *source_row = row_json(r, "s");
    g_autofree char *key = sql_key_for_people("s", r->table->key);
    g_autofree char *memory_key = sql_memory_key(r, "s");
    g_string_append_printf(sql,
                           "%sSELECT '%s', s.pgfold_action, %s, %s, %s, s.pgfold_detail, %s, s.pgfold_hash "
                           "FROM %s s%s WHERE s.pgfold_class = '%s' AND s.pgfold_action IN (%s)%s",
                           sql->len > 0 ? " UNION ALL " : "", kind, key, source_row, target_row, memory_key,
                           r->table->judged, join, kind, actions, where);
}

char *losers_sql(const MergeRelation *r, const char *actions)
{
    const MergeTable *table = r->table;
    GString *sql = g_string_new(NULL);
    g_autofree char *target_row = row_json(r, "t");
    g_autofree char *sharing_row = row_json(r, "tu");
    if (table->key != NULL) {
        g_autofree char *on = sql_equal("t", table->key, "s", table->key);
        g_autofree char *join = g_strdup_printf(" JOIN ONLY %s t ON %s", table->there, on);
        append_branch(sql, r, "value", target_row, join, "", actions);
    }
    for (guint i = 0; r->target != NULL && i < r->target->uniques->len; i++) {
        const CatalogUnique *unique = r->target->uniques->pdata[i];
        if (!sql_covers(r, unique))
            continue;
        g_autofree char *sharing = sql_sharing(r, unique);
        g_autofree char *join = g_strdup_printf(" JOIN (%s) ON su.pgfold_n = s.pgfold_n", sharing);
        g_autofree char *name = pg_quote_literal(unique->name);
        g_autofree char *where = g_strdup_printf(" AND s.pgfold_detail = %s", name);
        append_branch(sql, r, "unique", sharing_row, join, where, actions);
    }
    append_branch(sql, r, "parent", "NULL::text", "", "", actions);
    append_branch(sql, r, "insert", "NULL::text", "", "", actions);
    return g_string_free(sql, FALSE);
}

/* Names of the columns whose texts differ. */
static char *differing_columns(const char *source, const char *target)
{
    g_autoptr(GString) names = g_string_new(NULL);
    json_t *a = json_loads(source, 0, NULL), *b = json_loads(target, 0, NULL);
    const char *name;
    json_t *value;
    json_object_foreach(a, name, value) if (!json_equal(value, json_object_get(b, name)))
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
    json_decref(a);
    json_decref(b);
    return g_strdup(names->str);
}

bool losers_read(Merge *merge, MergeRelation *r, GError **error)
{
    g_ptr_array_set_size(r->conflicts, 0);
    const MergeCounts *counts = &r->counts;
    guint64 losers =
        counts->stopped + (merge->spec.verify_only ? counts->inserted : counts->kept + counts->overwritten);
    if (!r->staged || losers == 0 || merge->spec.max_conflicts == 0)
        return true;
    g_autofree char *select =
        losers_sql(r, merge->spec.verify_only ? "'stop', 'insert'" : "'stop', 'keep', 'overwrite'");
    g_autofree char *sql = g_strdup_printf("%s ORDER BY 2 DESC, 1, 3 LIMIT %u", select, merge->spec.max_conflicts);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    for (int row = 0; row < pg_result_rows(result); row++) {
        MergeConflict *c = g_new0(MergeConflict, 1);
        c->kind = g_strdup(pg_result_get(result, row, 0));
        c->action = g_strdup(pg_result_get(result, row, 1));
        c->key = g_strdup(pg_result_get(result, row, 2));
        c->source = g_strdup(pg_result_get(result, row, 3));
        c->target = g_strdup(pg_result_get(result, row, 4));
        c->detail = g_strdup(pg_result_get(result, row, 5));
        if (g_str_equal(c->kind, "value") && c->target != NULL) {
            g_free(c->detail);
            c->detail = differing_columns(c->source, c->target);
        }
        g_ptr_array_add(r->conflicts, c);
    }
    return true;
}

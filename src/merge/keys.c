/* Keys that are known before anything is compared (from earlier runs, by a natural key), and references that follow. */
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"

enum { NAMED_VALUES = 3 /* in a message */ };

bool keys_are_known(const Merge *merge, const MergeRelation *r)
{
    return r->whole && r->table->key != NULL && merge->spec.memory != NULL &&
           ledger_memory_has_keys(merge->spec.memory, r->source->schema, r->source->name);
}

/* --- natural keys ------------------------------------------------------------------------------------------------- */

static bool check_unique(Merge *merge, const MergeRelation *r, const char *from, const char *side, bool *ret_unique,
                         GError **error)
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
    *ret_unique = pg_result_rows(result) == 0;
    if (*ret_unique)
        return true;
    g_autoptr(GString) values = g_string_new(NULL);
    for (int row = 0; row < pg_result_rows(result); row++)
        g_string_append_printf(values, "%s%s", row > 0 ? "; " : "", pg_result_get(result, row, 0));
    merge_block(merge, "%s: match_on does not tell rows apart in the %s: several have %s", r->source->label, side,
                values->str);
    return true;
}

bool keys_may_match(Merge *merge, const MergeRelation *r, const char *mapped, bool *ret_matches, GError **error)
{
    *ret_matches = r->whole && r->rule.match_on[0] != NULL && r->table->key != NULL;
    if (!*ret_matches)
        return true;
    bool here = false, there = false;
    g_autofree char *source = g_strdup_printf("(%s) s", mapped);
    g_autofree char *target = g_strconcat("ONLY ", r->table->there, NULL);
    bool ok = check_unique(merge, r, source, "source", &here, error) &&
              check_unique(merge, r, target, "target", &there, error);
    *ret_matches = here && there;
    return ok;
}

/* --- references --------------------------------------------------------------------------------------------------- */

bool keys_are_followed(const MergeReference *reference)
{
    return reference->in_source && reference->parent != NULL && reference->parent->whole && reference->parent->staged &&
           reference->child->whole;
}

bool keys_are_contested(const Merge *merge, const MergeReference *reference)
{
    const MergeRelation *r = reference->child;
    bool keys = keys_are_known(merge, r) || r->rule.match_on[0] != NULL;
    for (char **column = reference->columns; *column != NULL; column++) {
        if (keys && r->table->key != NULL && g_strv_contains(r->table->key, *column))
            return true;
        for (guint i = 0; i < r->table->references->len; i++) {
            const MergeReference *other = r->table->references->pdata[i];
            if (other != reference && keys_are_followed(other) &&
                g_strv_contains((const char *const *)other->columns, *column))
                return true;
        }
    }
    return false;
}

/* A column that two references share must lead to one value through both. */
bool keys_check_references(Merge *merge, MergeRelation *r, GError **error)
{
    for (guint i = 0; i < r->table->references->len; i++) {
        const MergeReference *reference = r->table->references->pdata[i];
        if (!keys_are_followed(reference) || !keys_are_contested(merge, reference))
            continue;
        g_autofree char *joined =
            sql_old_equal("s", r->table, (const char *const *)reference->columns, "p", reference->parent->table,
                          (const char *const *)reference->parent_columns);
        g_autofree char *equal = sql_equal("s", (const char *const *)reference->columns, "p",
                                           (const char *const *)reference->parent_columns);
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s s JOIN %s p ON %s WHERE NOT (%s)",
                                               r->table->judged, reference->parent->table->judged, joined, equal);
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

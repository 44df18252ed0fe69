/* Whether what a preview has judged still stands when it is committed. It looked at one snapshot of the target; where
 * the tables hold the same row versions by then, under locks, there is nothing to judge again.
 *
 * A row version is known by its place and the transaction that wrote it: whoever inserts, updates or deletes changes
 * what is seen of them. VACUUM FULL and the like do so as well; then the rows are judged once more, in vain. */
#include "merge/internal.h"

static bool append_versions(Merge *merge, GString *to, const char *table, GError **error)
{
    g_autofree char *sql = g_strdup_printf("SELECT pg_catalog.concat(count(*), ' ', sum(pg_catalog.hashtextextended("
                                           "pg_catalog.concat(ctid, ' ', xmin) COLLATE \"C\", 0))) FROM ONLY %s",
                                           table);
    g_autoptr(PgResult) result = pg_query(merge->spec.target, sql, DEADLINE_NONE, error);
    if (result == NULL)
        return false;
    g_string_append_printf(to, "%s %s\n", table, pg_result_get(result, 0, 0));
    return true;
}

/* Of all tables that the judgement looks at. Transfer full. */
static char *row_versions(Merge *merge, GError **error)
{
    g_autoptr(GString) versions = g_string_new(NULL);
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeRelation *r = merge->relations->pdata[i];
        if (r->staged && !append_versions(merge, versions, r->table->there, error))
            return NULL;
    }
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *reference = merge->graph->references->pdata[i];
        if (reference->child != NULL && reference->parent == NULL && !judge_is_certain(merge, reference) &&
            !append_versions(merge, versions, reference->parent_name, error))
            return NULL;
    }
    return g_strdup(versions->str);
}

/* Few rows are staged of a merge that changes no keys: to judge them again costs less than to look at all of the
 * target. */
static bool is_worth_it(const Merge *merge)
{
    for (guint i = 0; i < merge->relations->len; i++)
        if (((const MergeRelation *)merge->relations->pdata[i])->whole)
            return true;
    return false;
}

bool standing_note(Merge *merge, GError **error)
{
    g_clear_pointer(&merge->standing, g_free);
    if (!is_worth_it(merge))
        return true;
    merge->standing = row_versions(merge, error);
    return merge->standing != NULL;
}

bool standing_take(Merge *merge, bool *ret_stands, GError **error)
{
    *ret_stands = merge->standing != NULL;
    if (!*ret_stands)
        return true;
    g_autofree char *versions = row_versions(merge, error);
    *ret_stands = g_strcmp0(versions, merge->standing) == 0;
    bool ok = versions != NULL;
    for (guint i = 0; ok && *ret_stands && i < merge->relations->len; i++)
        ok = numbers_draw(merge, merge->relations->pdata[i], ret_stands, error);
    return ok;
}

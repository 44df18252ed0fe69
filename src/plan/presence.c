/* Which entries of a source another dump has as well, and which are on a list. */
#include "plan/plan.h"

#include "plan/internal.h"

bool plan_hides(const DumpEntry *entry, gpointer hidden)
{
    return hidden_has(hidden, entry->type, entry->schema, entry->name);
}

static const char *text_of(const char *text)
{
    return text == NULL ? "" : text;
}

/* Everything by which pg_dump tells an object from another, and its SQL. */
static char *whole_key(const DumpEntry *entry, const char *sql)
{
    return g_strdup_printf("%s\n%s\n%s\n%s", entry->type, text_of(entry->schema), entry->name, sql);
}

GHashTable *plan_entries_in(const Plan *plan, const Dump *other, bool no_owner, PlanOtherSql other_sql, guint *ret_more)
{
    g_autoptr(GHashTable) there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTable *found = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < other->entries->len; i++) {
        const DumpEntry *entry = other->entries->pdata[i];
        g_autofree char *sql = dump_entry_sql(entry, no_owner);
        g_hash_table_add(there, whole_key(entry, sql));
    }
    for (guint i = 0; i < plan->entries->len; i++) {
        const PlanEntry *p = plan->entries->pdata[i];
        g_autofree char *sql = dump_entry_sql(p->entry, no_owner);
        g_autofree char *key = whole_key(p->entry, sql);
        g_autofree char *second = other_sql == NULL ? NULL : other_sql(p->entry);
        g_autofree char *other_key = second == NULL ? NULL : whole_key(p->entry, second);
        if (g_hash_table_remove(there, key))
            g_hash_table_insert(found, (gpointer)p->entry, GUINT_TO_POINTER(PLAN_THERE));
        else if (other_key != NULL && g_hash_table_remove(there, other_key))
            g_hash_table_insert(found, (gpointer)p->entry, GUINT_TO_POINTER(PLAN_THERE_OTHERWISE));
    }
    *ret_more = g_hash_table_size(there);
    return found;
}

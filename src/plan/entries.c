#include <string.h>

#include "plan/internal.h"

/* Entries that belong to a table: making one on a table that the target already has would change that table. */
static const char *const OF_A_TABLE[] = {"INDEX",  "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "RULE",
                                         "POLICY", "DEFAULT",    "ROW SECURITY",     "STATISTICS",    NULL};
/* Entries that may differ without harm: the target's stay as they are. */
static const char *const HARMLESS[] = {"ACL",
                                       "COMMENT",
                                       "DEFAULT ACL",
                                       "SECURITY LABEL",
                                       "EXTENSION",
                                       "INDEX",
                                       "CONSTRAINT",
                                       "CHECK CONSTRAINT",
                                       "FK CONSTRAINT",
                                       "TRIGGER",
                                       "RULE",
                                       "POLICY",
                                       "DEFAULT",
                                       "ROW SECURITY",
                                       "STATISTICS",
                                       "VIEW",
                                       "MATERIALIZED VIEW",
                                       "TABLE",
                                       "SEQUENCE",
                                       "SEQUENCE OWNED BY",
                                       NULL};

static void entry_free(gpointer data)
{
    PlanEntry *entry = data;
    g_free(entry->reason);
    g_free(entry);
}

/* Default privileges are told apart by whose they are; everything else by its name. */
static char *key_of(const DumpEntry *entry)
{
    bool owned = g_str_equal(entry->type, "DEFAULT ACL") && entry->owner != NULL;
    return g_strdup_printf("%s\n%s\n%s\n%s", entry->type, entry->schema == NULL ? "" : entry->schema, entry->name,
                           owned ? entry->owner : "");
}

static void list_free(gpointer list)
{
    g_ptr_array_unref(list);
}

/* Key -> GPtrArray of DumpEntry*: operators of one name with other operands share a key. */
static GHashTable *by_key(const Dump *dump)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_free);
    for (guint i = 0; dump != NULL && i < dump->entries->len; i++) {
        g_autofree char *key = key_of(dump->entries->pdata[i]);
        GPtrArray *list = g_hash_table_lookup(table, key);
        if (list == NULL) {
            list = g_ptr_array_new();
            g_hash_table_insert(table, g_strdup(key), list);
        }
        g_ptr_array_add(list, dump->entries->pdata[i]);
    }
    return table;
}

static bool has_same_sql(const GPtrArray *entries, const DumpEntry *wanted)
{
    for (guint i = 0; i < entries->len; i++)
        if (g_str_equal(((const DumpEntry *)entries->pdata[i])->sql, wanted->sql))
            return true;
    return false;
}

static GHashTable *by_id(const Dump *dump)
{
    GHashTable *table = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < dump->entries->len; i++) {
        DumpEntry *entry = dump->entries->pdata[i];
        g_hash_table_insert(table, GINT_TO_POINTER(entry->id), entry);
    }
    return table;
}

/* The table that an entry hangs on: the dependency whose name starts the entry's ("table constraint"), or, for an
 * index, the one table it depends on. NULL where there is none. */
static const DumpEntry *table_of(const DumpEntry *entry, GHashTable *source_by_id)
{
    const DumpEntry *last = NULL;
    if (!g_strv_contains(OF_A_TABLE, entry->type))
        return NULL;
    for (guint i = 0; i < entry->depends->len; i++) {
        const DumpEntry *other =
            g_hash_table_lookup(source_by_id, GINT_TO_POINTER(g_array_index(entry->depends, int, i)));
        if (other == NULL || !g_str_has_suffix(other->type, "TABLE"))
            continue;
        g_autofree char *prefix = g_strconcat(other->name, " ", NULL);
        if (g_str_has_prefix(entry->name, prefix) || g_str_equal(entry->name, other->name))
            return other;
        last = other;
    }
    return last;
}

static bool is_skipped_type(const PlanSpec *spec, const DumpEntry *entry)
{
    return (spec->no_privileges && (g_str_equal(entry->type, "ACL") || g_str_equal(entry->type, "DEFAULT ACL"))) ||
           g_str_equal(entry->sql, "");
}

/* What differs is listed with the relation (drift) where it is a table's. */
static void judge_different(Plan *plan, PlanEntry *p)
{
    const DumpEntry *entry = p->entry;
    bool is_public = g_str_equal(entry->type, "SCHEMA") && g_str_equal(entry->name, "public");
    if (is_public || g_strv_contains(HARMLESS, entry->type)) {
        p->action = PLAN_SAME;
        p->reason = g_strdup("defined differently in the target, which stays as it is");
        if (!is_public)
            plan_notice(plan, "%s %s is defined differently in the target, which stays as it is", entry->type,
                        entry->name);
        return;
    }
    p->action = PLAN_BLOCKED;
    p->reason = g_strdup("defined differently in the target");
    plan_block(plan, "%s %s%s%s is defined differently in the target: make the two alike first", entry->type,
               entry->schema == NULL ? "" : entry->schema, entry->schema == NULL ? "" : ".", entry->name);
}

static void judge_new(Plan *plan, PlanEntry *p, GHashTable *source_by_id, GHashTable *target_by_key)
{
    const DumpEntry *table = table_of(p->entry, source_by_id);
    p->action = PLAN_NEW;
    if (table == NULL)
        return;
    g_autofree char *key = key_of(table);
    if (!g_hash_table_contains(target_by_key, key))
        return;
    p->action = PLAN_BLOCKED;
    p->reason = g_strdup_printf("the target has the table %s, but not this", table->name);
    plan_block(plan,
               "%s %s: the target has the table %s.%s, but not this; create it there first, or drop it in the source",
               p->entry->type, p->entry->name, table->schema, table->name);
}

void plan_entries(Plan *plan, const PlanSpec *spec)
{
    g_autoptr(GHashTable) target = by_key(spec->target_dump);
    g_autoptr(GHashTable) source_ids = by_id(spec->source_dump);
    plan->entries = g_ptr_array_new_with_free_func(entry_free);
    for (guint i = 0; i < spec->source_dump->entries->len; i++) {
        PlanEntry *p = g_new0(PlanEntry, 1);
        p->entry = spec->source_dump->entries->pdata[i];
        g_autofree char *key = key_of(p->entry);
        const GPtrArray *there = g_hash_table_lookup(target, key);
        g_ptr_array_add(plan->entries, p);
        if (is_skipped_type(spec, p->entry)) {
            p->action = PLAN_SKIP;
            p->reason = g_strdup(g_str_equal(p->entry->sql, "") ? "nothing to run" : "left out by --no-privileges");
        } else if (there == NULL) {
            judge_new(plan, p, source_ids, target);
        } else if (has_same_sql(there, p->entry)) {
            p->action = PLAN_SAME;
        } else {
            judge_different(plan, p);
        }
    }
}

#include <string.h>

#include "plan/internal.h"

/* Entries that belong to a table: making one on a table that the target already has would change that table. */
static const char *const OF_A_TABLE[] = {"INDEX",  "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "RULE",
                                         "POLICY", "DEFAULT",    "ROW SECURITY",     "STATISTICS",    NULL};
/* Entries that say something about another: made only together with it. */
static const char *const OF_ANOTHER[] = {"ACL", "COMMENT", "SECURITY LABEL", "SEQUENCE OWNED BY", NULL};
/* Entries that may differ without harm: the target's stay as they are. An extension is none of them: it differs only by
 * its schema, and what uses it would not find it there. */
static const char *const HARMLESS[] = {"ACL",
                                       "COMMENT",
                                       "DEFAULT ACL",
                                       "SECURITY LABEL",
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

static bool has_same_sql(const GPtrArray *entries, const DumpEntry *wanted, bool no_owner)
{
    g_autofree char *sql = dump_entry_sql(wanted, no_owner);
    for (guint i = 0; i < entries->len; i++) {
        g_autofree char *there = dump_entry_sql(entries->pdata[i], no_owner);
        if (g_str_equal(there, sql))
            return true;
    }
    return false;
}

GHashTable *plan_entries_by_id(const Dump *dump)
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

/* Why an entry is not made whatever the target has; NULL for all the others. */
static const char *reason_to_skip(Plan *plan, const PlanSpec *spec, const DumpEntry *entry, GHashTable *left_out)
{
    if (g_hash_table_contains(left_out, GINT_TO_POINTER(entry->id)))
        return PLAN_LEFT_OUT;
    if (spec->rows_only)
        return "--data-only makes no object";
    if (g_str_equal(entry->sql, ""))
        return "nothing to run";
    if (spec->no_privileges && (g_str_equal(entry->type, "ACL") || g_str_equal(entry->type, "DEFAULT ACL")))
        return "left out by --no-privileges";
    if (!g_str_has_prefix(entry->type, "SUBSCRIPTION"))
        return NULL;
    /* It would take a slot of the publisher over, which still feeds the source. */
    plan_notice(plan,
                "subscription %s is left out: it goes on feeding the source; create it in the target after the switch",
                entry->name);
    return "subscriptions stay with the source";
}

/* What differs is listed with the relation (drift) where it is a table's. */
static void judge_different(Plan *plan, const PlanSpec *spec, PlanEntry *p)
{
    const DumpEntry *entry = p->entry;
    bool is_public = g_str_equal(entry->type, "SCHEMA") &&
                     (g_str_equal(entry->name, "public") || g_strcmp0(entry->name, spec->into_schema) == 0);
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

/* Whether it says something about what the target has already: an object of ours, or one that every database has (the
 * schema public, the language plpgsql), which is no entry. made: dump id -> PlanEntry* of what came before. */
static bool is_of_another(const DumpEntry *entry, GHashTable *made)
{
    bool of_new = false;
    if (!g_strv_contains(OF_ANOTHER, entry->type))
        return false;
    for (guint i = 0; i < entry->depends->len; i++) {
        const PlanEntry *other = g_hash_table_lookup(made, GINT_TO_POINTER(g_array_index(entry->depends, int, i)));
        if (other != NULL && other->action != PLAN_NEW)
            return true;
        of_new = of_new || other != NULL;
    }
    return !of_new;
}

/* Default privileges hold for what others create, unless their schema comes with this fold. */
static bool is_of_schema_there(const DumpEntry *entry, GHashTable *target_by_key)
{
    if (!g_str_equal(entry->type, "DEFAULT ACL"))
        return false;
    if (entry->schema == NULL)
        return true;
    DumpEntry schema = {.type = (char *)"SCHEMA", .name = entry->schema};
    g_autofree char *key = key_of(&schema);
    return g_str_equal(entry->schema, "public") || g_hash_table_contains(target_by_key, key);
}

/* What a failed fold has made is taken away by dropping it: a comment or a privilege on somebody else's object cannot.
 */
static void leave_out(Plan *plan, PlanEntry *p)
{
    p->action = PLAN_SKIP;
    p->reason = g_strdup("the target has what it is about, but not this");
    plan_notice(plan, "%s of %s is not in the target, and not brought there: what it is about is there already",
                p->entry->type, p->entry->name);
}

/* ATTACH PARTITION gives the partition indexes and keys of names that the server chooses: the source's would come on
 * top of them. */
static bool attaches_to_existing(const DumpEntry *entry, GHashTable *source_by_id, GHashTable *target_by_key)
{
    for (guint i = 0; g_str_equal(entry->type, "TABLE ATTACH") && i < entry->depends->len; i++) {
        const DumpEntry *table =
            g_hash_table_lookup(source_by_id, GINT_TO_POINTER(g_array_index(entry->depends, int, i)));
        g_autofree char *key = table == NULL ? NULL : key_of(table);
        if (key != NULL && g_str_equal(table->type, "TABLE") && g_hash_table_contains(target_by_key, key))
            return true;
    }
    return false;
}

/* A password is of one server, as those of roles are. */
static void tell_of_password(Plan *plan, const DumpEntry *entry)
{
    if (entry->without_password)
        plan_notice(plan,
                    "%s comes without its password: ALTER USER MAPPING ... OPTIONS (ADD password '...') in the "
                    "target",
                    entry->name);
}

static void judge_new(Plan *plan, PlanEntry *p, GHashTable *source_by_id, GHashTable *target_by_key)
{
    if (attaches_to_existing(p->entry, source_by_id, target_by_key)) {
        p->action = PLAN_BLOCKED;
        p->reason = g_strdup("the target has the partitioned table, but not this partition");
        plan_block(plan, "%s.%s: the target has its partitioned table, but not this partition; create it there first",
                   p->entry->schema, p->entry->name);
        return;
    }
    const DumpEntry *table = table_of(p->entry, source_by_id);
    p->action = PLAN_NEW;
    tell_of_password(plan, p->entry);
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
    g_autoptr(GHashTable) source_ids = plan_entries_by_id(spec->source_dump);
    g_autoptr(GHashTable) made = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) left_out = plan_left_out(spec);
    plan->entries = g_ptr_array_new_with_free_func(entry_free);
    for (guint i = 0; i < spec->source_dump->entries->len; i++) {
        PlanEntry *p = g_new0(PlanEntry, 1);
        p->entry = spec->source_dump->entries->pdata[i];
        g_autofree char *key = key_of(p->entry);
        const GPtrArray *there = g_hash_table_lookup(target, key);
        g_ptr_array_add(plan->entries, p);
        g_hash_table_insert(made, GINT_TO_POINTER(p->entry->id), p);
        const char *skip = reason_to_skip(plan, spec, p->entry, left_out);
        if (skip != NULL) {
            p->action = PLAN_SKIP;
            p->reason = g_strdup(skip);
        } else if (there == NULL && spec->target_dump != NULL &&
                   (is_of_another(p->entry, made) || is_of_schema_there(p->entry, target))) {
            leave_out(plan, p);
        } else if (there == NULL) {
            judge_new(plan, p, source_ids, target);
        } else if (has_same_sql(there, p->entry, spec->no_owner)) {
            p->action = PLAN_SAME;
        } else {
            judge_different(plan, spec, p);
        }
    }
    plan_check_needs(plan, spec, left_out);
}

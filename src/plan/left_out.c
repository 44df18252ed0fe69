/* What include and exclude leave out (filter/filter.h), among pg_dump's entries: these are not made. What is made must
 * not need any of it. */
#include <string.h>

#include "plan/internal.h"

enum { NAMED_MAX = 20 };

/* Entries that say something about others, and are nothing without them. */
static const char *const OF_OTHERS[] = {"ACL",
                                        "COMMENT",
                                        "SECURITY LABEL",
                                        "SEQUENCE OWNED BY",
                                        "INDEX ATTACH",
                                        "ROW SECURITY",
                                        "MATERIALIZED VIEW DATA",
                                        "PUBLICATION TABLE",
                                        "PUBLICATION TABLES IN SCHEMA",
                                        NULL};

static bool has(GHashTable *ids, int id)
{
    return g_hash_table_contains(ids, GINT_TO_POINTER(id));
}

/* Whether one of the entries that it depends on is in ids. */
static bool depends_on_any(const DumpEntry *entry, GHashTable *ids)
{
    for (guint i = 0; i < entry->depends->len; i++)
        if (has(ids, g_array_index(entry->depends, int, i)))
            return true;
    return false;
}

/* Some entries are no object of a catalog. A partition is attached unless it is left out itself: where its parent is,
 * that is a need. Without any dependency (a user mapping, say) such an entry comes along unless only what is named is
 * folded. */
static bool is_out(const Filter *filter, const DumpEntry *entry, GHashTable *out, GHashTable *in)
{
    if (entry->class_oid != 0)
        return filter_leaves_out(filter, entry->class_oid, entry->oid);
    if (g_str_equal(entry->type, "TABLE ATTACH"))
        return filter_leaves_out_relation(filter, entry->schema, entry->name);
    return depends_on_any(entry, out) || (filter->named_only && !depends_on_any(entry, in));
}

GHashTable *plan_left_out(const PlanSpec *spec)
{
    GHashTable *out = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) in = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; spec->filter != NULL && i < spec->source_dump->entries->len; i++) {
        const DumpEntry *entry = spec->source_dump->entries->pdata[i];
        bool leave = is_out(spec->filter, entry, out, in) ||
                     (g_strv_contains(OF_OTHERS, entry->type) && depends_on_any(entry, out));
        g_hash_table_add(leave ? out : in, GINT_TO_POINTER(entry->id));
    }
    return out;
}

static char *label_of(const DumpEntry *entry)
{
    g_autofree char *type = g_ascii_strdown(entry->type, -1);
    return g_strdup_printf("%s %s%s%s", type, entry->schema == NULL ? "" : entry->schema,
                           entry->schema == NULL ? "" : ".", entry->name);
}

void plan_check_needs(Plan *plan, const PlanSpec *spec, GHashTable *left_out)
{
    if (g_hash_table_size(left_out) == 0)
        return;
    g_autoptr(GHashTable) by_id = plan_entries_by_id(spec->source_dump);
    for (guint i = 0; i < plan->entries->len; i++) {
        PlanEntry *p = plan->entries->pdata[i];
        for (guint k = 0; p->action == PLAN_NEW && k < p->entry->depends->len; k++) {
            int id = g_array_index(p->entry->depends, int, k);
            if (!has(left_out, id))
                continue;
            g_autofree char *what = label_of(p->entry);
            g_autofree char *needed = label_of(g_hash_table_lookup(by_id, GINT_TO_POINTER(id)));
            p->action = PLAN_BLOCKED;
            p->reason = g_strdup_printf("it needs %s, which is left out", needed);
            plan_block(plan, "%s needs %s, which include and exclude leave out: leave both out, or neither", what,
                       needed);
        }
    }
}

static const char *kind_text(char kind)
{
    return kind == 'v' ? "view" : kind == 'm' ? "materialized view" : kind == 'f' ? "foreign table" : "table";
}

static void tell_relations(Plan *plan, const Filter *filter)
{
    g_autoptr(GString) names = g_string_new(NULL);
    guint n = 0;
    for (guint i = 0; i < filter->relations->len; i++) {
        const FilterRelation *r = filter->relations->pdata[i];
        if (r->kind == 'S')
            continue;
        if (++n <= NAMED_MAX)
            g_string_append_printf(names, "%s%s %s.%s", n > 1 ? ", " : "", kind_text(r->kind), r->schema, r->name);
    }
    if (n > NAMED_MAX)
        g_string_append_printf(names, ", and %u more", n - NAMED_MAX);
    g_autofree char *patterns = filter_text(filter);
    plan_notice(plan, "left out (%s): %s", patterns, n == 0 ? "no table or view" : names->str);
}

void plan_tell_left_out(Plan *plan, const PlanSpec *spec)
{
    const Filter *filter = spec->filter;
    if (filter == NULL)
        return;
    tell_relations(plan, filter);
    for (guint i = 0; i < filter->unmatched->len; i++)
        plan_notice(plan, "nothing to leave out here for %s", (const char *)filter->unmatched->pdata[i]);
    for (guint i = 0; i < filter->extensions->len; i++)
        plan_notice(plan, "left out: extension %s", (const char *)filter->extensions->pdata[i]);
    for (guint i = 0; i < filter->foreign_keys->len; i++)
        plan_notice(plan, "a foreign key is left out, for the table that it leads to is: %s",
                    (const char *)filter->foreign_keys->pdata[i]);
    const char *large = catalog_property(plan->verification->audit->source, "large objects");
    if (filter->named_only && large != NULL && !g_str_equal(large, "0"))
        plan_notice(plan, "left out: %s large objects, which belong to no schema", large);
}

/* Schemas and tables that are protected: what a fold would do to them, directly or by what hangs on other tables. */
#include "config/protect.h"

#include <string.h>

#include "plan/internal.h"
#include "plan/plan_sql.h"

static const char *const RELATIONS[] = {"TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE", NULL};

static const char *protects(const PlanSpec *spec, const char *schema, const char *name)
{
    return spec->config == NULL ? NULL : config_protects_table(spec->config, schema, name);
}

void plan_protect_relation(Plan *plan, const PlanSpec *spec, PlanRelation *r)
{
    const CatalogRelation *relation = r->verify->audit->source;
    const char *entry = protects(spec, relation->schema, relation->name);
    if (entry == NULL || (r->action != PLAN_NEW && r->action != PLAN_MERGE))
        return;
    plan_block(plan, "%s is protected (%s): it is neither made nor written; leave it out (skip: true in fold.tables)",
               relation->label, entry);
    r->action = PLAN_BLOCKED;
    g_free(r->reason);
    r->reason = g_strdup_printf("protected (%s)", entry);
}

static const char *protects_entry(const PlanSpec *spec, const DumpEntry *entry)
{
    if (strcmp(entry->type, "SCHEMA") == 0)
        return config_protected(spec->config, CONFIG_PROTECT_SCHEMAS, entry->name);
    if (entry->schema == NULL)
        return NULL;
    return g_strv_contains(RELATIONS, entry->type)
               ? protects(spec, entry->schema, entry->name)
               : config_protected(spec->config, CONFIG_PROTECT_SCHEMAS, entry->schema);
}

static bool is_told(const Plan *plan, const DumpEntry *entry)
{
    for (guint i = 0; strcmp(entry->type, "TABLE") == 0 && i < plan->relations->len; i++) {
        const PlanRelation *r = plan->relations->pdata[i];
        const CatalogRelation *relation = r->verify->audit->source;
        if (strcmp(relation->schema, entry->schema) == 0 && strcmp(relation->name, entry->name) == 0)
            return r->action == PLAN_BLOCKED;
    }
    return false;
}

static void protect_entries(Plan *plan, const PlanSpec *spec)
{
    for (guint i = 0; i < plan->entries->len; i++) {
        PlanEntry *p = plan->entries->pdata[i];
        const char *entry = p->action == PLAN_NEW ? protects_entry(spec, p->entry) : NULL;
        if (entry == NULL)
            continue;
        p->action = PLAN_BLOCKED;
        p->reason = g_strdup_printf("protected (%s)", entry);
        if (!is_told(plan, p->entry))
            plan_block(plan, "%s %s%s%s is protected (%s): it is not made", p->entry->type,
                       p->entry->schema == NULL ? "" : p->entry->schema, p->entry->schema == NULL ? "" : ".",
                       p->entry->name, entry);
    }
}

static const PlanRelation *find_relation(const Plan *plan, const char *schema, const char *name)
{
    for (guint i = 0; i < plan->relations->len; i++) {
        const PlanRelation *r = plan->relations->pdata[i];
        const CatalogRelation *relation = r->verify->audit->source;
        if (strcmp(relation->schema, schema) == 0 && strcmp(relation->name, name) == 0)
            return r;
    }
    return NULL;
}

static const CatalogRelation *find_quoted(const Catalog *catalog, const char *quoted)
{
    return g_hash_table_lookup(catalog->by_name, quoted);
}

/* A foreign key puts triggers on the table that it refers to, and keeps rows of it from going. */
static void protect_parents(Plan *plan, const PlanSpec *spec)
{
    const Catalog *source = plan->verification->audit->source;
    for (guint i = 0; i < source->foreign_keys->len; i++) {
        const CatalogForeignKey *key = source->foreign_keys->pdata[i];
        const CatalogRelation *child = find_quoted(source, key->child), *parent = find_quoted(source, key->parent);
        if (child == NULL || parent == NULL || protects(spec, parent->schema, parent->name) == NULL)
            continue;
        const PlanRelation *made = find_relation(plan, child->schema, child->name);
        if (made != NULL && made->action == PLAN_NEW)
            plan_block(plan,
                       "%s: its foreign key %s would put triggers on %s, which is protected: drop it in the source",
                       key->child_label, key->name, parent->label);
    }
}

static bool protect_cascades(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->target, PLAN_CASCADES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        const char *schema = pg_result_get(r, i, 2), *name = pg_result_get(r, i, 3);
        const PlanRelation *parent = find_relation(plan, pg_result_get(r, i, 0), pg_result_get(r, i, 1));
        if (parent != NULL && parent->merge != NULL && parent->merge->counts.overwritten > 0 &&
            protects(spec, schema, name) != NULL)
            plan_block(
                plan,
                "%s: rows of it would be overwritten, and the foreign key %s carries that on into %s.%s, which is "
                "protected",
                parent->verify->audit->source->label, pg_result_get(r, i, 4), schema, name);
    }
    return r != NULL;
}

/* As a word of its own, in whatever letters. */
static bool mentions(const char *text, const char *name)
{
    g_autofree char *escaped = g_regex_escape_string(name, -1);
    g_autofree char *pattern = g_strconcat("(?<![[:alnum:]_])", escaped, "(?![[:alnum:]_])", NULL);
    return g_regex_match_simple(pattern, text, G_REGEX_CASELESS, 0);
}

/* The first protected table of the target that a text names; NULL: none. What a function builds at run time is not
 * seen: the fingerprints tell afterwards. */
static const CatalogRelation *find_mentioned(const Plan *plan, const PlanSpec *spec, const char *text)
{
    const Catalog *target = plan->verification->audit->target;
    for (guint i = 0; i < target->relations->len; i++) {
        const CatalogRelation *relation = target->relations->pdata[i];
        if (protects(spec, relation->schema, relation->name) != NULL && mentions(text, relation->name))
            return relation;
    }
    return NULL;
}

static bool protect_from_triggers(Plan *plan, const PlanSpec *spec, GError **error)
{
    g_autoptr(PgResult) r = pg_query(spec->target, PLAN_TRIGGER_SOURCES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        const PlanRelation *merged = find_relation(plan, pg_result_get(r, i, 0), pg_result_get(r, i, 1));
        if (merged == NULL || merged->action != PLAN_MERGE)
            continue;
        const CatalogRelation *reached = find_mentioned(plan, spec, pg_result_get(r, i, 3));
        if (reached != NULL)
            plan_block(
                plan,
                "%s: its trigger or rule %s fires for rows that a fold brings, and names %s, which is protected: "
                "fold as the owner of the table, who can silence it",
                merged->verify->audit->source->label, pg_result_get(r, i, 2), reached->label);
    }
    return r != NULL;
}

static bool has_tables(const Config *config)
{
    return config->protect[CONFIG_PROTECT_SCHEMAS][0] != NULL || config->protect[CONFIG_PROTECT_TABLES][0] != NULL;
}

bool plan_protect(Plan *plan, const PlanSpec *spec, GError **error)
{
    if (spec->config == NULL)
        return true;
    if (has_tables(spec->config)) {
        protect_entries(plan, spec);
        protect_parents(plan, spec);
        if (plan->verification->audit->target != NULL &&
            (!protect_cascades(plan, spec, error) || !protect_from_triggers(plan, spec, error)))
            return false;
    }
    return spec->config->protect[CONFIG_PROTECT_ROLES][0] == NULL || plan_protect_roles(plan, spec, error);
}

#include "base/error.h"
#include "merge/internal.h"
#include "merge/merge_sql.h"

static const char *unknown_column(const CatalogRelation *relation, char *const *columns)
{
    for (; *columns != NULL; columns++)
        if (catalog_column(relation, *columns) == NULL)
            return *columns;
    return NULL;
}

static void check_configured(Merge *merge, const MergeReference *r)
{
    const Audit *audit = merge->spec.verification->audit;
    const CatalogRelation *child = g_hash_table_lookup(audit->source->by_name, r->child_name);
    const CatalogRelation *parent = g_hash_table_lookup(audit->source->by_name, r->parent_name);
    if (parent == NULL) {
        merge_block(merge, "%s: `references` names %s, which the source does not have", child->label, r->parent_name);
        return;
    }
    const char *missing = unknown_column(child, r->columns);
    const char *missing_there = unknown_column(parent, r->parent_columns);
    if (missing != NULL)
        merge_block(merge, "%s: `references` names a column %s, which it does not have", child->label, missing);
    if (missing_there != NULL)
        merge_block(merge, "%s: `references` names a column %s, which %s does not have", child->label, missing_there,
                    parent->label);
}

static void check_references(Merge *merge)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *r = merge->graph->references->pdata[i];
        if (g_str_equal(r->name, "references"))
            check_configured(merge, r);
    }
}

static void check_rule_columns(Merge *merge, const MergeRelation *r)
{
    const ConfigRule *rules[] = {r->rule.on_conflict, r->rule.on_match};
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (rules[i]->conflict == CONFIG_CONFLICT_NEWEST && catalog_column(r->source, rules[i]->column) == NULL)
            merge_block(merge, "%s: the rule newest(%s) names a column that the table does not have", r->source->label,
                        rules[i]->column);
    const char *missing = unknown_column(r->source, (char *const *)(guintptr)r->rule.match_on);
    if (missing != NULL)
        merge_block(merge, "%s: match_on names a column %s, which the table does not have", r->source->label, missing);
}

/* The first of what is in the target's table and not in the source's, and can be given no value. */
static void check_extra_columns(Merge *merge, const MergeRelation *r)
{
    for (guint i = 0; r->target != NULL && i < r->target->columns->len; i++) {
        const CatalogColumn *column = r->target->columns->pdata[i];
        if (catalog_column(r->source, column->name) == NULL && column->not_null && column->default_sql == NULL &&
            !column->generated && column->identity == 0)
            merge_block(
                merge,
                "%s: the target has a column %s that may not be NULL and has no default, and the source does not "
                "have it: give it one there (ALTER TABLE %s ALTER COLUMN \"%s\" SET DEFAULT ...)",
                r->source->label, column->name, r->source->quoted, column->name);
    }
}

static MergeRelation *by_target_oid(const Merge *merge, const PgResult *result, int row)
{
    guint32 oid = (guint32)g_ascii_strtoull(pg_result_get(result, row, 0), NULL, 10);
    for (guint i = 0; i < merge->relations->len; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        if (r->target != NULL && r->target->oid == oid)
            return r;
    }
    return NULL;
}

static void check_privileges_of(Merge *merge, const PgResult *result, int row)
{
    MergeRelation *r = by_target_oid(merge, result, row);
    if (r == NULL)
        return;
    g_autofree char *role = pg_quote_ident(pg_conn_identity(merge->spec.target)->role);
    r->table->can_alter = pg_result_bool(result, row, 1);
    if (merge->spec.verify_only)
        return;
    if (!pg_result_bool(result, row, 2))
        merge_block(merge, "%s: the role may not insert there: GRANT INSERT ON %s TO %s", r->source->label,
                    r->source->quoted, role);
    bool overwrites = r->whole || r->rule.on_conflict->conflict == CONFIG_CONFLICT_TAKE_SOURCE ||
                      r->rule.on_conflict->conflict == CONFIG_CONFLICT_NEWEST;
    if (overwrites && !pg_result_bool(result, row, 3))
        merge_block(merge, "%s: the role may not update there: GRANT UPDATE ON %s TO %s", r->source->label,
                    r->source->quoted, role);
}

static bool check_privileges(Merge *merge, GError **error)
{
    g_autoptr(PgResult) result =
        pg_query(merge->spec.target, MERGE_PRIVILEGES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (result == NULL)
        return false;
    for (int row = 0; row < pg_result_rows(result); row++)
        check_privileges_of(merge, result, row);
    if (pg_result_rows(result) == 0)
        return true;
    g_autofree char *database = pg_quote_ident(pg_conn_identity(merge->spec.target)->database);
    g_autofree char *role = pg_quote_ident(pg_conn_identity(merge->spec.target)->role);
    if (!pg_result_bool(result, 0, 4))
        merge_block(merge, "a merge needs temporary tables in the target: GRANT TEMPORARY ON DATABASE %s TO %s",
                    database, role);
    if (!pg_result_bool(result, 0, 5) && !merge->spec.verify_only)
        merge_block(merge, "a merge keeps what undo needs in a schema of its own: GRANT CREATE ON DATABASE %s TO %s",
                    database, role);
    return true;
}

static bool is_cyclic_constraint(const MergeReference *reference)
{
    return reference->in_target && reference->constraint != NULL && reference->child != NULL &&
           reference->parent != NULL && reference->child != reference->parent &&
           reference->child->table->component == reference->parent->table->component;
}

/* Rows of tables that refer to each other can be written only if the check waits for the end of the transaction. */
static void check_cycles(Merge *merge)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *reference = merge->graph->references->pdata[i];
        if (!is_cyclic_constraint(reference) || reference->deferrable || reference->child->table->can_alter)
            continue;
        merge_block(merge,
                    "%s and %s refer to each other: foreign key %s must be deferrable, or the role must own the table: "
                    "ALTER TABLE %s ALTER CONSTRAINT %s DEFERRABLE",
                    reference->child->source->label, reference->parent->source->label, reference->name,
                    reference->child_name, reference->constraint);
    }
}

static bool note_triggers(Merge *merge, GError **error)
{
    for (guint i = 0; i < merge->relations->len; i++) {
        const MergeRelation *r = merge->relations->pdata[i];
        g_autoptr(PgResult) triggers =
            r->target == NULL ? NULL : triggers_read(merge->spec.target, r->table->there, error);
        if (r->target != NULL && triggers == NULL)
            return false;
        for (int row = 0; triggers != NULL && row < pg_result_rows(triggers); row++)
            if (!pg_result_bool(triggers, row, 3))
                merge_notice(merge,
                             "%s: trigger %s fires for the rows that are written: the role does not own the table",
                             r->source->label, pg_result_get(triggers, row, 0));
    }
    return true;
}

static void report_unreachable(Merge *merge)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *r = merge->graph->references->pdata[i];
        const CatalogRelation *child =
            g_hash_table_lookup(merge->spec.verification->audit->source->by_name, r->child_name);
        if (r->in_source && r->parent != NULL && r->parent->whole && r->child == NULL && child != NULL &&
            child->kind == 'r')
            merge_notice(merge, "%s refers to %s, whose keys may change, but is left out of this fold", child->label,
                         r->parent->source->label);
    }
}

static void check_partitions(Merge *merge)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *r = merge->graph->references->pdata[i];
        if (!r->in_source || !r->parent_partitioned || r->child == NULL)
            continue;
        for (guint k = 0; k < merge->relations->len; k++) {
            const MergeRelation *leaf = merge->relations->pdata[k];
            if (leaf->whole && leaf->source->is_partition)
                merge_block(merge, "%s: rekey does not reach partitions of tables that others refer to",
                            leaf->source->label);
        }
    }
}
void checks_references(Merge *merge)
{
    check_references(merge);
    check_partitions(merge);
    report_unreachable(merge);
}

/* Schemas of merges that are not in our memory, as quoted names. */
static GPtrArray *unknown_merges(const Merge *merge, GError **error)
{
    g_autoptr(PgResult) found =
        pg_query(merge->spec.target, MERGE_UNDO_SOURCES_SQL, deadline_in_ms(PG_CATALOG_MS), error);
    if (found == NULL)
        return NULL;
    GPtrArray *schemas = g_ptr_array_new_with_free_func(g_free);
    for (int row = 0; row < pg_result_rows(found); row++) {
        const char *name = pg_result_get(found, row, 0);
        if (merge->spec.memory == NULL || !ledger_memory_knows(merge->spec.memory, name))
            g_ptr_array_add(schemas, g_strdup(name));
    }
    return schemas;
}

/* Where another state folder gave rows of this source other keys, only its ledger knows which: here they would all be
 * missing, and come a second time. */
static bool check_other_folders(Merge *merge, GError **error)
{
    const PgIdentity *source = pg_conn_identity(merge->spec.source);
    g_autoptr(GPtrArray) schemas = unknown_merges(merge, error);
    for (guint i = 0; schemas != NULL && i < schemas->len; i++) {
        g_autofree char *quoted = pg_quote_ident(schemas->pdata[i]);
        g_autofree char *sql = g_strdup_printf(
            "SELECT count(*) FROM %s.source WHERE mapped AND system_identifier = '%s' AND database_oid = %u", quoted,
            source->system_identifier, source->database_oid);
        g_autoptr(PgResult) r = pg_query(merge->spec.target, sql, deadline_in_ms(PG_CATALOG_MS), error);
        if (r == NULL)
            return false;
        if (pg_result_int(r, 0, 0) > 0)
            merge_block(
                merge,
                "rows of this source have been folded from another state folder, and got other keys (schema %s "
                "of the target): which ones, only that folder's ledger knows. Fold from there, or take its .pgfold",
                (const char *)schemas->pdata[i]);
    }
    return schemas != NULL;
}

bool checks_relations(Merge *merge, GError **error)
{
    if (!merge->spec.verify_only && !check_other_folders(merge, error))
        return false;

    for (guint i = 0; i < merge->relations->len; i++) {
        check_rule_columns(merge, merge->relations->pdata[i]);
        check_extra_columns(merge, merge->relations->pdata[i]);
    }
    if (!check_privileges(merge, error) || !note_triggers(merge, error))
        return false;
    if (!merge->spec.verify_only)
        check_cycles(merge);
    return merge->spec.verify_only || suggest_references(merge, error);
}

#include "merge/merge.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"
#include "merge/merge_sql.h"

static void conflict_free(gpointer data)
{
    MergeConflict *c = data;
    g_free(c->kind);
    g_free(c->action);
    g_free(c->key);
    g_free(c->source);
    g_free(c->target);
    g_free(c->detail);
    g_free(c);
}

static void table_free(MergeTable *table)
{
    if (table == NULL)
        return;
    g_free(table->stage);
    g_ptr_array_unref(table->columns);
    g_ptr_array_unref(table->kept);
    g_ptr_array_unref(table->references);
    g_strfreev(table->compared);
    g_free(table->number_column);
    g_free(table->number_sql);
    g_free(table->number_sequence);
    g_free(table);
}

static void relation_free(gpointer data)
{
    MergeRelation *r = data;
    g_ptr_array_unref(r->conflicts);
    table_free(r->table);
    g_free(r);
}

void merge_free(Merge *merge)
{
    if (merge == NULL)
        return;
    g_ptr_array_unref(merge->relations);
    g_ptr_array_unref(merge->blocks);
    g_ptr_array_unref(merge->notices);
    graph_free(merge->graph);
    g_free(merge->path);
    g_free(merge);
}

static void add_text(GPtrArray *list, const char *format, va_list args) G_GNUC_PRINTF(2, 0);

/* Once each: judging may be repeated. */
static void add_text(GPtrArray *list, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    if (!g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
        g_ptr_array_add(list, g_steal_pointer(&text));
}

void merge_block(Merge *merge, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_text(merge->blocks, format, args);
    va_end(args);
}

void merge_notice(Merge *merge, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_text(merge->notices, format, args);
    va_end(args);
}

static const CatalogRelation *source_of(const VerifyRelation *verify)
{
    return verify->audit->source;
}

static bool is_eligible(const VerifyRelation *verify)
{
    return catalog_has_rows(source_of(verify)) && verify->verdict != VERIFY_SKIPPED &&
           verify->verdict != VERIFY_INCOMPARABLE;
}

static MergeRelation *relation_new(const MergeSpec *spec, const VerifyRelation *verify)
{
    MergeRelation *r = g_new0(MergeRelation, 1);
    r->verify = verify;
    r->source = verify->audit->source;
    r->target = verify->audit->target;
    r->conflicts = g_ptr_array_new_with_free_func(conflict_free);
    config_table_rule(spec->config, spec->source_config, r->source->schema, r->source->name, &r->rule);
    r->table = g_new0(MergeTable, 1);
    r->table->there = r->source->quoted;
    r->table->columns = g_ptr_array_new();
    r->table->kept = g_ptr_array_new_with_free_func(g_free);
    r->table->references = g_ptr_array_new();
    return r;
}

static bool is_remembered(const MergeSpec *spec, const MergeRelation *r)
{
    return spec->memory != NULL && ledger_memory_has_keys(spec->memory, r->source->schema, r->source->name);
}

static bool has_lost(const MergeSpec *spec, const MergeRelation *r)
{
    return spec->memory != NULL && ledger_memory_has_lost(spec->memory, r->source->schema, r->source->name);
}

/* Whose keys may change. */
static bool is_root(const MergeSpec *spec, const MergeRelation *r)
{
    if (is_remembered(spec, r))
        return true;
    return !spec->verify_only && r->rule.on_conflict->conflict == CONFIG_CONFLICT_REKEY &&
           r->verify->verdict == VERIFY_DIFFERENT;
}

/* Roots, and what refers to them, and what refers to that. */
static void mark_whole(const Merge *merge, const GPtrArray *all)
{
    bool changed = true;
    for (guint i = 0; i < all->len; i++) {
        MergeRelation *r = all->pdata[i];
        r->whole = is_root(&merge->spec, r);
    }
    while (changed) {
        changed = false;
        for (guint i = 0; i < merge->graph->references->len; i++) {
            const MergeReference *r = merge->graph->references->pdata[i];
            if (!r->in_source || r->child == NULL || r->parent == NULL || !r->parent->whole || r->child->whole)
                continue;
            r->child->whole = true;
            changed = true;
        }
    }
}

static bool is_wanted(const Merge *merge, const MergeRelation *r)
{
    if (r->whole)
        return true;
    if (r->verify->verdict != VERIFY_DIFFERENT)
        return false;
    return !merge->spec.verify_only || has_lost(&merge->spec, r);
}

static void keep_column(MergeTable *table, const char *name)
{
    if (!g_ptr_array_find_with_equal_func(table->kept, name, g_str_equal, NULL))
        g_ptr_array_add(table->kept, g_strdup(name));
}

static void keep_columns(MergeTable *table, char *const *names)
{
    for (; *names != NULL; names++)
        keep_column(table, *names);
}

static void set_columns(Merge *merge, MergeRelation *r)
{
    MergeTable *table = r->table;
    g_autoptr(GPtrArray) compared = g_ptr_array_new();
    for (guint i = 0; i < r->source->columns->len; i++) {
        CatalogColumn *column = r->source->columns->pdata[i];
        if (column->is_virtual)
            continue;
        if (g_str_has_prefix(column->name, "pgfold_"))
            merge_block(merge, "%s: column %s has a name that pgfold needs for itself (pgfold_...)", r->source->label,
                        column->name);
        g_ptr_array_add(table->columns, column);
        /* What is computed from other columns changes with them, where keys are mapped. */
        if (!(r->whole && column->generated))
            g_ptr_array_add(compared, g_strdup(column->name));
    }
    g_ptr_array_add(compared, NULL);
    table->compared = (char **)g_ptr_array_free(g_steal_pointer(&compared), FALSE);
}

static void set_up(Merge *merge, MergeRelation *r, guint index)
{
    MergeTable *table = r->table;
    table->index = index;
    table->stage = g_strdup_printf("pg_temp.pgfold_s%u", index);
    table->key = reconcile_key(r->source, r->target != NULL ? r->target : r->source);
    set_columns(merge, r);
    if (!r->whole)
        return;
    for (guint i = 0; table->key != NULL && table->key[i] != NULL; i++)
        keep_column(table, table->key[i]);
}

/* Columns that a mapping changes, or that others refer to. */
static void keep_mapped(const Merge *merge)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *r = merge->graph->references->pdata[i];
        if (!r->in_source || r->child == NULL || r->parent == NULL || !r->parent->whole)
            continue;
        keep_columns(r->child->table, r->columns);
        keep_columns(r->parent->table, r->parent_columns);
    }
}

static void attach_references(Merge *merge)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        MergeReference *r = merge->graph->references->pdata[i];
        if (r->child != NULL)
            g_ptr_array_add(r->child->table->references, r);
    }
}

static const VerifyRelation *verified(const Merge *merge, const char *quoted)
{
    const GPtrArray *relations = merge->spec.verification->relations;
    for (guint i = 0; i < relations->len; i++) {
        const VerifyRelation *v = relations->pdata[i];
        if (g_str_equal(v->audit->source->quoted, quoted))
            return v;
    }
    return NULL;
}

/* Every row that the source's rows refer to is in the target, or comes there with this fold. */
static bool brings_parents(const Merge *merge, const MergeReference *reference)
{
    if (!reference->in_target || reference->parent_partitioned)
        return true;
    if (reference->parent != NULL)
        return reference->parent->rule.on_conflict->conflict != CONFIG_CONFLICT_KEEP_TARGET;
    const VerifyRelation *parent = verified(merge, reference->parent_name);
    return parent != NULL && (parent->verdict == VERIFY_SAME || parent->verdict == VERIFY_CONTAINED ||
                              parent->verdict == VERIFY_MISSING);
}

/* Rows of the source go to an empty table as they are; nothing there can stand against them. */
static bool is_direct(const Merge *merge, const MergeRelation *r)
{
    if (r->whole || r->target == NULL || !r->verify->audit->target_digested ||
        r->verify->audit->target_digest.rows > 0)
        return false;
    for (guint i = 0; i < r->table->references->len; i++)
        if (!brings_parents(merge, r->table->references->pdata[i]))
            return false;
    return true;
}

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
        if (rules[i]->conflict == CONFIG_CONFLICT_NEWEST &&
            catalog_column(r->source, rules[i]->column) == NULL)
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
            merge_block(merge,
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
    const char *role = pg_conn_identity(merge->spec.target)->role;
    r->table->can_alter = pg_result_bool(result, row, 1);
    if (merge->spec.verify_only)
        return;
    if (!pg_result_bool(result, row, 2))
        merge_block(merge, "%s: the role may not insert there: GRANT INSERT ON %s TO \"%s\"", r->source->label,
                    r->source->quoted, role);
    bool overwrites = r->whole || r->rule.on_conflict->conflict == CONFIG_CONFLICT_TAKE_SOURCE ||
                      r->rule.on_conflict->conflict == CONFIG_CONFLICT_NEWEST;
    if (overwrites && !pg_result_bool(result, row, 3))
        merge_block(merge, "%s: the role may not update there: GRANT UPDATE ON %s TO \"%s\"", r->source->label,
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
    const char *role = pg_conn_identity(merge->spec.target)->role;
    if (!pg_result_bool(result, 0, 4))
        merge_block(merge, "a merge needs temporary tables in the target: GRANT TEMPORARY ON DATABASE %s TO \"%s\"",
                    database, role);
    if (!pg_result_bool(result, 0, 5) && !merge->spec.verify_only)
        merge_block(merge, "a merge keeps what undo needs in a schema of its own: GRANT CREATE ON DATABASE %s TO \"%s\"",
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
        if (r->target == NULL || r->table->can_alter)
            continue;
        const char *values[] = {r->table->there};
        g_autoptr(PgResult) triggers = pg_query_params(merge->spec.target, MERGE_TRIGGERS_SQL, 1, values,
                                                       deadline_in_ms(PG_CATALOG_MS), error);
        if (triggers == NULL)
            return false;
        for (int row = 0; row < pg_result_rows(triggers); row++)
            merge_notice(merge, "%s: trigger %s fires for the rows that are written: the role does not own the table",
                         r->source->label, pg_result_get(triggers, row, 0));
    }
    return true;
}

static void report_unreachable(Merge *merge)
{
    for (guint i = 0; i < merge->graph->references->len; i++) {
        const MergeReference *r = merge->graph->references->pdata[i];
        const CatalogRelation *child = g_hash_table_lookup(merge->spec.verification->audit->source->by_name, r->child_name);
        if (r->in_source && r->parent != NULL && r->parent->whole && r->child == NULL && child != NULL &&
            child->kind == 'r')
            merge_notice(merge, "%s refers to %s, whose keys may change, but is left out of this fold",
                         child->label, r->parent->source->label);
    }
}

/* Relations that need no merge leave; references keep only those that stay. */
static GPtrArray *choose(Merge *merge, const GPtrArray *all)
{
    GPtrArray *chosen = g_ptr_array_new_with_free_func(relation_free);
    for (guint i = 0; i < all->len; i++)
        if (is_wanted(merge, all->pdata[i]))
            g_ptr_array_add(chosen, all->pdata[i]);
    for (guint i = 0; i < merge->graph->references->len; i++) {
        MergeReference *r = merge->graph->references->pdata[i];
        r->child = r->child != NULL && is_wanted(merge, r->child) ? r->child : NULL;
        r->parent = r->parent != NULL && is_wanted(merge, r->parent) ? r->parent : NULL;
    }
    for (guint i = 0; i < all->len; i++)
        if (!is_wanted(merge, all->pdata[i]))
            relation_free(all->pdata[i]);
    return chosen;
}

static void find_relations(Merge *merge)
{
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    const GPtrArray *verified = merge->spec.verification->relations;
    for (guint i = 0; i < verified->len; i++) {
        if (!is_eligible(verified->pdata[i]))
            continue;
        MergeRelation *r = relation_new(&merge->spec, verified->pdata[i]);
        g_ptr_array_add(all, r);
        g_hash_table_insert(by_name, r->source->quoted, r);
    }
    merge->graph = graph_new(&merge->spec, by_name);
    mark_whole(merge, all);
    g_ptr_array_unref(merge->relations);
    merge->relations = choose(merge, all);
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

Merge *merge_new(const MergeSpec *spec, GError **error)
{
    g_autoptr(Merge) merge = g_new0(Merge, 1);
    merge->spec = *spec;
    merge->relations = g_ptr_array_new_with_free_func(relation_free);
    merge->blocks = g_ptr_array_new_with_free_func(g_free);
    merge->notices = g_ptr_array_new_with_free_func(g_free);
    find_relations(merge);
    graph_order(merge);
    for (guint i = 0; i < merge->relations->len; i++)
        set_up(merge, merge->relations->pdata[i], i + 1);
    keep_mapped(merge);
    attach_references(merge);
    for (guint i = 0; i < merge->relations->len; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        r->direct = is_direct(merge, r);
    }
    check_references(merge);
    check_partitions(merge);
    report_unreachable(merge);
    if (merge->relations->len == 0)
        return g_steal_pointer(&merge);
    for (guint i = 0; i < merge->relations->len; i++) {
        check_rule_columns(merge, merge->relations->pdata[i]);
        check_extra_columns(merge, merge->relations->pdata[i]);
    }
    merge->path = sql_path(merge);
    if (!check_privileges(merge, error) || !note_triggers(merge, error)) {
        g_prefix_error(error, "preparing the merge: ");
        return NULL;
    }
    if (!spec->verify_only)
        check_cycles(merge);
    return g_steal_pointer(&merge);
}

MergeRelation *merge_find(const Merge *merge, const CatalogRelation *source)
{
    for (guint i = 0; merge != NULL && i < merge->relations->len; i++) {
        MergeRelation *r = merge->relations->pdata[i];
        if (r->source == source)
            return r;
    }
    return NULL;
}

bool merge_has_work(const Merge *merge)
{
    for (guint i = 0; merge != NULL && i < merge->relations->len; i++) {
        const MergeCounts *counts = &((const MergeRelation *)merge->relations->pdata[i])->counts;
        if (counts->inserted + counts->overwritten + counts->kept > 0)
            return true;
    }
    return false;
}

guint64 merge_stopped(const Merge *merge)
{
    guint64 n = 0;
    for (guint i = 0; i < merge->relations->len; i++)
        n += ((const MergeRelation *)merge->relations->pdata[i])->counts.stopped;
    return n;
}

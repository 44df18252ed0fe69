#include "merge/merge.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "merge/internal.h"

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
    g_free(table->judged);
    g_ptr_array_unref(table->columns);
    g_ptr_array_unref(table->kept);
    g_ptr_array_unref(table->references);
    g_strfreev(table->compared);
    g_free(table->number_column);
    g_free(table->number_sql);
    g_free(table->number_sequence);
    g_clear_pointer(&table->changed_keys, fclose);
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
    g_free(merge->standing);
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
    return parent != NULL &&
           (parent->verdict == VERIFY_SAME || parent->verdict == VERIFY_CONTAINED || parent->verdict == VERIFY_MISSING);
}

/* Rows of the source go to an empty table as they are; nothing there can stand against them. */
static bool is_direct(const Merge *merge, const MergeRelation *r)
{
    if (r->whole || r->target == NULL || !r->verify->audit->target_digested || r->verify->audit->target_digest.rows > 0)
        return false;
    for (guint i = 0; i < r->table->references->len; i++)
        if (!brings_parents(merge, r->table->references->pdata[i]))
            return false;
    return true;
}

/* Settings of this one session: the stage stays in memory as long as it is small, and what the planner has to know of
 * it, a small sample tells. */
static bool settle_session(Merge *merge, GError **error)
{
    return sql_run(merge, NULL, error,
                   "SET temp_buffers = '64MB'; SET work_mem = '64MB'; SET default_statistics_target = 10");
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
    checks_references(merge);
    if (merge->relations->len == 0)
        return g_steal_pointer(&merge);
    merge->path = sql_path(merge);
    if (!settle_session(merge, error) || !checks_relations(merge, error)) {
        g_prefix_error(error, "preparing the merge: ");
        return NULL;
    }
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

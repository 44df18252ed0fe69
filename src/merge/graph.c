/* References between tables: along them keys are mapped, rows are written parents first, and lost rows take others
 * along. */
#include <string.h>

#include "merge/internal.h"

static void reference_free(gpointer data)
{
    MergeReference *r = data;
    g_free(r->name);
    g_free(r->child_name);
    g_free(r->parent_name);
    g_strfreev(r->columns);
    g_strfreev(r->parent_columns);
    g_free(r->constraint);
    g_free(r);
}

void graph_free(MergeGraph *graph)
{
    if (graph == NULL)
        return;
    g_ptr_array_unref(graph->references);
    g_free(graph);
}

static bool same_columns(const MergeReference *r, const CatalogForeignKey *key)
{
    return g_strv_equal((const char *const *)r->columns, (const char *const *)key->columns) &&
           g_strv_equal((const char *const *)r->parent_columns, (const char *const *)key->parent_columns);
}

static MergeReference *find(const MergeGraph *graph, const CatalogForeignKey *key)
{
    for (guint i = 0; i < graph->references->len; i++) {
        MergeReference *r = graph->references->pdata[i];
        if (g_str_equal(r->child_name, key->child) && g_str_equal(r->parent_name, key->parent) && same_columns(r, key))
            return r;
    }
    return NULL;
}

static MergeReference *add(MergeGraph *graph, const char *name, const char *child, const char *parent,
                           char *const *columns, char *const *parent_columns)
{
    MergeReference *r = g_new0(MergeReference, 1);
    r->name = g_strdup(name);
    r->child_name = g_strdup(child);
    r->parent_name = g_strdup(parent);
    r->columns = g_strdupv((char **)columns);
    r->parent_columns = g_strdupv((char **)parent_columns);
    g_ptr_array_add(graph->references, r);
    return r;
}

static void add_foreign_keys(MergeGraph *graph, const Catalog *catalog, bool is_target)
{
    for (guint i = 0; catalog != NULL && i < catalog->foreign_keys->len; i++) {
        const CatalogForeignKey *key = catalog->foreign_keys->pdata[i];
        if (key->columns == NULL || key->parent_columns == NULL)
            continue;
        MergeReference *r = is_target ? find(graph, key) : NULL;
        if (r == NULL)
            r = add(graph, key->name, key->child, key->parent, key->columns, key->parent_columns);
        if (is_target) {
            g_free(r->constraint);
            r->constraint = pg_quote_ident(key->name);
            r->in_target = true;
            r->deferrable = key->deferrable;
        } else {
            r->in_source = true;
            r->declared = true;
        }
        const CatalogRelation *parent = g_hash_table_lookup(catalog->by_name, key->parent);
        r->parent_partitioned = r->parent_partitioned || (parent != NULL && parent->kind == 'p');
    }
}

static void add_configured(MergeGraph *graph, const MergeSpec *spec, const Catalog *catalog)
{
    for (guint i = 0; i < catalog->relations->len; i++) {
        const CatalogRelation *child = catalog->relations->pdata[i];
        ConfigTableRule rule;
        config_table_rule(spec->config, spec->source_config, child->schema, child->name, &rule);
        for (guint k = 0; rule.references != NULL && k < rule.references->len; k++) {
            const ConfigReference *reference = rule.references->pdata[k];
            const char *schema = config_target_schema(spec->source_config, reference->schema);
            g_autofree char *parent = pg_quote_qualified(schema, reference->table);
            add(graph, "references", child->quoted, parent, reference->columns, reference->to)->in_source = true;
        }
    }
}

MergeGraph *graph_new(const MergeSpec *spec, GHashTable *by_name)
{
    const Audit *audit = spec->verification->audit;
    MergeGraph *graph = g_new0(MergeGraph, 1);
    graph->references = g_ptr_array_new_with_free_func(reference_free);
    add_foreign_keys(graph, audit->source, false);
    add_configured(graph, spec, audit->source);
    add_foreign_keys(graph, audit->target, true);
    for (guint i = 0; i < graph->references->len; i++) {
        MergeReference *r = graph->references->pdata[i];
        r->child = g_hash_table_lookup(by_name, r->child_name);
        r->parent = g_hash_table_lookup(by_name, r->parent_name);
    }
    return graph;
}

/* Tarjan's strongly connected components: they come out parents first. */
typedef struct Walk {
    const MergeGraph *graph;
    GHashTable *numbers;  /* MergeRelation* -> order of discovery, from 1 */
    GHashTable *lowest;   /* MergeRelation* -> smallest number reachable */
    GHashTable *on_stack; /* set */
    GPtrArray *stack, *order;
    guint next, components;
} Walk;

static guint number(GHashTable *table, const MergeRelation *relation)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(table, relation));
}

static void lower(Walk *walk, MergeRelation *relation, guint value)
{
    if (value < number(walk->lowest, relation))
        g_hash_table_insert(walk->lowest, relation, GUINT_TO_POINTER(value));
}

static void pop_component(Walk *walk, const MergeRelation *root)
{
    guint size = 0;
    MergeRelation *relation;
    walk->components++;
    do {
        relation = g_ptr_array_remove_index(walk->stack, walk->stack->len - 1);
        g_hash_table_remove(walk->on_stack, relation);
        relation->table->component = walk->components;
        g_ptr_array_add(walk->order, relation);
        size++;
    } while (relation != root);
    for (guint i = walk->order->len - size; size > 1 && i < walk->order->len; i++)
        ((MergeRelation *)walk->order->pdata[i])->table->cyclic = true;
}

static void visit(Walk *walk, MergeRelation *relation)
{
    walk->next++;
    g_hash_table_insert(walk->numbers, relation, GUINT_TO_POINTER(walk->next));
    g_hash_table_insert(walk->lowest, relation, GUINT_TO_POINTER(walk->next));
    g_ptr_array_add(walk->stack, relation);
    g_hash_table_add(walk->on_stack, relation);
    for (guint i = 0; i < walk->graph->references->len; i++) {
        const MergeReference *r = walk->graph->references->pdata[i];
        if (r->child != relation || r->parent == NULL)
            continue;
        if (r->parent == relation) {
            relation->table->cyclic = true;
        } else if (number(walk->numbers, r->parent) == 0) {
            visit(walk, r->parent);
            lower(walk, relation, number(walk->lowest, r->parent));
        } else if (g_hash_table_contains(walk->on_stack, r->parent)) {
            lower(walk, relation, number(walk->numbers, r->parent));
        }
    }
    if (number(walk->lowest, relation) == number(walk->numbers, relation))
        pop_component(walk, relation);
}

void graph_order(Merge *merge)
{
    g_autoptr(GHashTable) numbers = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) lowest = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) on_stack = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GPtrArray) stack = g_ptr_array_new();
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    Walk walk = {.graph = merge->graph,
                 .numbers = numbers,
                 .lowest = lowest,
                 .on_stack = on_stack,
                 .stack = stack,
                 .order = order};
    for (guint i = 0; i < merge->relations->len; i++)
        if (number(numbers, merge->relations->pdata[i]) == 0)
            visit(&walk, merge->relations->pdata[i]);
    g_assert(order->len == merge->relations->len);
    for (guint i = 0; i < order->len; i++)
        merge->relations->pdata[i] = order->pdata[i];
}

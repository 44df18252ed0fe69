/* In which order tables are merged: parents before children, those of a cycle together. No server is needed. */
#include <string.h>

#include "merge/internal.h"

enum { MOST = 8 };

/* Tables named a, b, c, ... and references between them. */
typedef struct Case {
    Merge merge;
    MergeGraph graph;
    MergeRelation relations[MOST];
    MergeTable tables[MOST];
} Case;

/* references: "ba cb": b refers to a, c to b. */
static Case *case_new(const char *names, const char *references)
{
    Case *c = g_new0(Case, 1);
    c->merge.relations = g_ptr_array_new();
    c->merge.graph = &c->graph;
    c->graph.references = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < strlen(names); i++)
        g_ptr_array_add(c->merge.relations, &c->relations[names[i] - 'a']);
    for (gsize i = 0; i < MOST; i++)
        c->relations[i].table = &c->tables[i];
    for (const char *r = references; *r != '\0'; r += r[2] == '\0' ? 2 : 3) {
        MergeReference *reference = g_new0(MergeReference, 1);
        reference->child = &c->relations[r[0] - 'a'];
        reference->parent = r[1] == '-' ? NULL : &c->relations[r[1] - 'a'];
        g_ptr_array_add(c->graph.references, reference);
    }
    graph_order(&c->merge);
    return c;
}

static void case_free(Case *c)
{
    g_ptr_array_unref(c->merge.relations);
    g_ptr_array_unref(c->graph.references);
    g_free(c);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Case, case_free)

/* "a bc d": the tables in their order, those of one component together. */
static char *order_of(const Case *c)
{
    GString *text = g_string_new(NULL);
    guint component = 0;
    for (guint i = 0; i < c->merge.relations->len; i++) {
        const MergeRelation *r = c->merge.relations->pdata[i];
        if (i > 0 && r->table->component != component)
            g_string_append_c(text, ' ');
        component = r->table->component;
        g_string_append_c(text, (char)('a' + (r - c->relations)));
    }
    return g_string_free(text, FALSE);
}

static void assert_order(const char *names, const char *references, const char *wanted)
{
    g_autoptr(Case) c = case_new(names, references);
    g_autofree char *order = order_of(c);
    g_assert_cmpstr(order, ==, wanted);
}

static void test_parents_first(void)
{
    assert_order("cba", "ba cb", "a b c");
    assert_order("abc", "ba cb", "a b c");
    assert_order("dcba", "da db dc ca cb", "a b c d");
    assert_order("abc", "", "a b c");
}

static void test_parent_that_is_not_merged(void)
{
    assert_order("ba", "b- ba", "a b");
}

static void test_cycle(void)
{
    g_autoptr(Case) c = case_new("dcba", "ba cb ac da ad");
    g_autofree char *order = order_of(c);
    g_assert_cmpuint(strlen(order), ==, 4);
    g_assert_true(c->tables[0].cyclic && c->tables[1].cyclic && c->tables[2].cyclic && c->tables[3].cyclic);
    g_autoptr(Case) between = case_new("dcba", "ba cb bc dc");
    g_autofree char *text = order_of(between);
    g_assert_true(g_str_equal(text, "a bc d") || g_str_equal(text, "a cb d"));
    g_assert_false(between->tables[0].cyclic);
    g_assert_true(between->tables[1].cyclic && between->tables[2].cyclic);
    g_assert_false(between->tables[3].cyclic);
}

static void test_itself(void)
{
    g_autoptr(Case) c = case_new("ba", "aa ba");
    g_autofree char *order = order_of(c);
    g_assert_cmpstr(order, ==, "a b");
    g_assert_true(c->tables[0].cyclic);
    g_assert_false(c->tables[1].cyclic);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/graph/parents come before children", test_parents_first);
    g_test_add_func("/graph/a parent that is not merged does not count", test_parent_that_is_not_merged);
    g_test_add_func("/graph/tables of a cycle stay together", test_cycle);
    g_test_add_func("/graph/a table that refers to itself is a cycle of its own", test_itself);
    return g_test_run();
}

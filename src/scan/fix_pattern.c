/* `const { DB_HOST = "localhost" } = process.env`: the default goes, and a check comes in front. */
#include <string.h>

#include "scan/fix_place.h"
#include "scan/fix_read.h"
#include "scan/language.h"

static char *slice(const Fix *fix, TSNode node)
{
    return source_slice(fix->source, ts_node_start_byte(node), ts_node_end_byte(node));
}

/* The map that a pattern takes apart. Transfer full, or NULL. */
static char *map_of(const Fix *fix, TSNode pattern)
{
    TSNode around = ts_node_parent(pattern), bind = ts_node_is_null(around) ? around : ts_node_parent(around);
    const Fact *fact = ts_node_is_null(bind) ? NULL : facts_of(fix->facts, bind);
    if (fact == NULL || fact->kind != FACT_BIND || !ts_node_eq(fact->first, around))
        return NULL;
    g_autofree char *map = slice(fix, fact->second);
    return g_strv_contains((const char *const *)fix->source->language->env_maps, map) ? g_steal_pointer(&map) : NULL;
}

static const Fact *find_pattern(const Fix *fix)
{
    const ScanPlace *place = &fix->finding->place;
    for (guint i = 0; i < fix->facts->all->len; i++) {
        const Fact *fact = &g_array_index(fix->facts->all, Fact, i);
        if (fact->kind == FACT_BIND && fix_node_is(fact->node, "object_assignment_pattern") &&
            ts_node_start_byte(fact->second) <= place->start && ts_node_end_byte(fact->second) >= place->end)
            return fact;
    }
    return NULL;
}

bool fix_pattern(Fix *fix)
{
    const Fact *fact = find_pattern(fix);
    g_autofree char *map = fact == NULL ? NULL : map_of(fix, fact->node);
    if (map == NULL)
        return false;
    g_autofree char *name = slice(fix, fact->first), *left = g_strdup_printf("%s.%s", map, name);
    FixWords words = {.left = left, .variables = name};
    fix_style(fix, &words, ts_node_start_byte(fact->second));
    if (!fix_add_guard(fix, &words, fact->node))
        return false;
    fix_edit(fix, ts_node_end_byte(fact->first), ts_node_end_byte(fact->node), g_strdup(""));
    return true;
}

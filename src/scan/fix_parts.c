/* Parts that one expression puts together: the expression becomes the one variable, and the parts go. */
#include <string.h>

#include "scan/connection.h"
#include "scan/fix_place.h"
#include "scan/fix_read.h"

/* A connection string of holes. Transfer full, or NULL. */
static char *composed_scheme(const Fix *fix, TSNode node)
{
    g_auto(Value) value = facts_value(fix->facts, node);
    if (value.text == NULL || strchr(value.text, CONNECTION_HOLE) == NULL || strchr(value.text, '?') != NULL)
        return NULL;
    const char *end = strstr(value.text, "://");
    if (end == NULL || !g_str_has_prefix(value.text, "postgres"))
        return NULL;
    return g_strndup(value.text, (gsize)(end - value.text));
}

static bool is_inside(const ScanPlace *place, TSNode node)
{
    return place->start >= ts_node_start_byte(node) && place->end <= ts_node_end_byte(node);
}

/* The assignment that gives a name the part. */
static const Fact *bind_of(const Fix *fix, const ScanPlace *place)
{
    const Fact *found = NULL;
    for (guint i = 0; i < fix->facts->all->len; i++) {
        const Fact *fact = &g_array_index(fix->facts->all, Fact, i);
        if (fact->kind == FACT_BIND && !ts_node_is_null(fact->first) && !ts_node_is_null(fact->second) &&
            is_inside(place, fact->node))
            found = fact;
    }
    return found;
}

/* Each part stands in the expression, or in a statement of its own whose name only the expression speaks of. */
static bool take_parts(const Fix *fix, TSNode composed, GPtrArray *names, GArray *gone)
{
    for (guint i = 0; i < fix->finding->parts->len; i++) {
        const ScanPart *part = fix->finding->parts->pdata[i];
        if (is_inside(&part->place, composed))
            continue;
        const Fact *bind = bind_of(fix, &part->place);
        ScanSpan span;
        if (bind == NULL || !fix_only_used_in(fix, bind, composed, &span))
            return false;
        g_ptr_array_add(names, facts_name(fix->facts, bind->first));
        g_array_append_val(gone, span);
    }
    return true;
}

static bool is_part(const Fix *fix, TSNode hole, const GPtrArray *names)
{
    for (guint i = 0; i < fix->finding->parts->len; i++) {
        const ScanPart *part = fix->finding->parts->pdata[i];
        FixRead read;
        const Fact *fact = is_inside(&part->place, hole) ? facts_of(fix->facts, hole) : NULL;
        if (fact != NULL && fix_read_of(fix, fact, &read)) {
            fix_read_clear(&read);
            return true;
        }
    }
    g_autofree char *text = source_slice(fix->source, ts_node_start_byte(hole), ts_node_end_byte(hole));
    return g_ptr_array_find_with_equal_func((GPtrArray *)names, text, g_str_equal, NULL);
}

/* Whatever is put in is a part of the finding. */
static bool only_parts(const Fix *fix, TSNode node, const GPtrArray *names, int depth)
{
    const Fact *fact = facts_of(fix->facts, node);
    const char *kind = ts_node_type(node);
    bool text = fact != NULL && (fact->kind == FACT_STRING || fact->kind == FACT_CONCAT);
    bool around = strstr(kind, "interpolation") != NULL || strstr(kind, "substitution") != NULL ||
                  strstr(kind, "parenthesized") != NULL;
    if (depth > 100 || (!text && !around))
        return is_part(fix, node, names);
    for (guint i = 0; i < ts_node_named_child_count(node); i++) {
        TSNode child = ts_node_named_child(node, i);
        const char *type = ts_node_type(child);
        bool plain = strstr(type, "content") != NULL || strstr(type, "fragment") != NULL ||
                     strstr(type, "escape") != NULL || strstr(type, "string_start") != NULL ||
                     strstr(type, "string_end") != NULL;
        if (!plain && !only_parts(fix, child, names, depth + 1))
            return false;
    }
    return true;
}

/* The whole string is only the default of a variable: that one is left. */
static bool find_around(const Fix *fix, TSNode composed, FixRead *ret_read)
{
    for (guint i = 0; i < fix->facts->all->len; i++) {
        const Fact *fact = &g_array_index(fix->facts->all, Fact, i);
        if ((fact->kind != FACT_CALL && fact->kind != FACT_OR) ||
            ts_node_start_byte(fact->node) >= ts_node_start_byte(composed) ||
            ts_node_end_byte(fact->node) < ts_node_end_byte(composed) || !fix_read_of(fix, fact, ret_read))
            continue;
        return true;
    }
    return false;
}

static bool mend_composed(Fix *fix, TSNode composed, const char *scheme)
{
    FixRead read;
    if (find_around(fix, composed, &read)) {
        bool mended = fix_mend_read(fix, &read);
        fix_read_clear(&read);
        return mended;
    }
    guint start = ts_node_start_byte(composed);
    FixWords words = {.scheme = strchr(scheme, '+') == NULL ? NULL : scheme};
    fix_style(fix, &words, start);
    return fix_put_own(fix, composed, &words);
}

bool fix_parts(Fix *fix)
{
    for (guint i = 0; i < fix->facts->all->len; i++) {
        const Fact *fact = &g_array_index(fix->facts->all, Fact, i);
        const Fact *above = facts_of(fix->facts, ts_node_parent(fact->node));
        if ((fact->kind != FACT_STRING && fact->kind != FACT_CONCAT) || (above != NULL && above->kind == FACT_CONCAT))
            continue;
        g_autofree char *scheme = composed_scheme(fix, fact->node);
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(ScanSpan));
        if (scheme == NULL || !take_parts(fix, fact->node, names, gone) || !only_parts(fix, fact->node, names, 0) ||
            !mend_composed(fix, fact->node, scheme))
            continue;
        fix_close_gap(fix->source, gone);
        for (guint j = 0; j < gone->len; j++) {
            const ScanSpan *span = &g_array_index(gone, ScanSpan, j);
            fix_edit(fix, span->start, span->end, g_strdup(""));
        }
        return true;
    }
    g_clear_pointer(&fix->reason, g_free);
    return false;
}

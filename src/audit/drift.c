#include "audit/drift.h"

#include <string.h>

static void add(GPtrArray *drift, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *drift, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(drift, g_strdup_vprintf(format, args));
    va_end(args);
}

static const char *or_none(const char *text)
{
    return text == NULL ? "none" : text;
}

static void compare_columns(GPtrArray *drift, const CatalogColumn *s, const CatalogColumn *t)
{
    if (!g_str_equal(s->type, t->type))
        add(drift, "column %s is %s in the source, %s in the target", s->name, s->type, t->type);
    if (s->not_null != t->not_null)
        add(drift, "column %s is %s in the source, %s in the target", s->name, s->not_null ? "NOT NULL" : "nullable",
            t->not_null ? "NOT NULL" : "nullable");
    if (g_strcmp0(s->default_sql, t->default_sql) != 0)
        add(drift, "column %s has default %s in the source, %s in the target", s->name, or_none(s->default_sql),
            or_none(t->default_sql));
    if (s->identity != t->identity)
        add(drift, "column %s is an identity column on one side only, or of another kind", s->name);
    if (g_strcmp0(s->collation, t->collation) != 0)
        add(drift, "column %s has collation %s in the source, %s in the target", s->name, or_none(s->collation),
            or_none(t->collation));
}

static void find_columns(GPtrArray *drift, const CatalogRelation *source, const CatalogRelation *target)
{
    for (guint i = 0; i < source->columns->len; i++) {
        const CatalogColumn *s = source->columns->pdata[i];
        const CatalogColumn *t = catalog_column(target, s->name);
        if (t == NULL)
            add(drift, "column %s %s is only in the source", s->name, s->type);
        else
            compare_columns(drift, s, t);
    }
    for (guint i = 0; i < target->columns->len; i++) {
        const CatalogColumn *t = target->columns->pdata[i];
        if (catalog_column(source, t->name) == NULL)
            add(drift, "column %s %s is only in the target", t->name, t->type);
    }
}

static const CatalogDefinition *same_definition(const CatalogRelation *relation, const CatalogDefinition *wanted)
{
    for (guint i = 0; i < relation->definitions->len; i++) {
        const CatalogDefinition *d = relation->definitions->pdata[i];
        if (g_str_equal(d->kind, wanted->kind) && g_str_equal(d->name, wanted->name))
            return d;
    }
    return NULL;
}

/* "(ARRAY['a'::character varying, ...])::text[]" as the server writes it when it has read its own words again. */
static gboolean spread_cast(const GMatchInfo *match, GString *to, gpointer element)
{
    g_autofree char *elements = g_match_info_fetch(match, 1);
    g_autofree char *cast = g_regex_replace(element, elements, -1, 0, "(\\0)::text", 0, NULL);
    g_string_append_printf(to, "ARRAY[%s]", cast);
    return FALSE;
}

#define VARCHAR_LITERAL "'(?:[^']|'')*'::character varying"

bool drift_same_sql(const char *a, const char *b)
{
    if (g_str_equal(a, b))
        return true;
    g_autoptr(GRegex) element = g_regex_new(VARCHAR_LITERAL, 0, 0, NULL);
    g_autoptr(GRegex) array =
        g_regex_new("\\(ARRAY\\[(" VARCHAR_LITERAL "(?:, " VARCHAR_LITERAL ")*)\\]\\)::text\\[\\]", 0, 0, NULL);
    g_autofree char *x = g_regex_replace_eval(array, a, -1, 0, 0, spread_cast, element, NULL);
    g_autofree char *y = g_regex_replace_eval(array, b, -1, 0, 0, spread_cast, element, NULL);
    return g_strcmp0(x, y) == 0;
}

static void find_definitions(GPtrArray *drift, const CatalogRelation *source, const CatalogRelation *target)
{
    for (guint i = 0; i < source->definitions->len; i++) {
        const CatalogDefinition *s = source->definitions->pdata[i];
        const CatalogDefinition *t = same_definition(target, s);
        if (t == NULL)
            add(drift, "%s %s is only in the source: %s", s->kind, s->name, s->sql);
        else if (!drift_same_sql(s->sql, t->sql))
            add(drift, "%s %s is \"%s\" in the source, \"%s\" in the target", s->kind, s->name, s->sql, t->sql);
    }
    for (guint i = 0; i < target->definitions->len; i++) {
        const CatalogDefinition *t = target->definitions->pdata[i];
        if (same_definition(source, t) == NULL)
            add(drift, "%s %s is only in the target: %s", t->kind, t->name, t->sql);
    }
}

GPtrArray *drift_find(const CatalogRelation *source, const CatalogRelation *target)
{
    GPtrArray *drift = g_ptr_array_new_with_free_func(g_free);
    if (source->kind != target->kind)
        add(drift, "it is of another kind in the target");
    else if (source->kind == 'm' && source->populated && !target->populated)
        add(drift, "it is not populated in the target");
    find_columns(drift, source, target);
    find_definitions(drift, source, target);
    return drift;
}

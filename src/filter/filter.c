#include "filter/filter.h"

#include "filter/filter_sql.h"
#include "filter/pattern.h"

/* While it is looked up: what patterns matched, as oids in text. */
typedef struct Matches {
    GPtrArray *schemas, *tables, *extensions;
} Matches;

static Deadline soon(void)
{
    return deadline_in_ms(PG_CATALOG_MS);
}

static gint64 *key_of(guint32 class_oid, guint32 oid)
{
    gint64 *key = g_new(gint64, 1);
    *key = ((gint64)class_oid << 32) | oid;
    return key;
}

static void relation_free(gpointer data)
{
    FilterRelation *relation = data;
    g_free(relation->schema);
    g_free(relation->name);
    g_free(relation);
}

void filter_free(Filter *filter)
{
    if (filter == NULL)
        return;
    g_ptr_array_unref(filter->patterns);
    g_ptr_array_unref(filter->unmatched);
    g_ptr_array_unref(filter->relations);
    g_ptr_array_unref(filter->extensions);
    g_ptr_array_unref(filter->foreign_keys);
    g_clear_pointer(&filter->objects, g_hash_table_unref);
    g_hash_table_unref(filter->by_name);
    g_free(filter->classes);
    g_free(filter->oids);
    g_free(filter);
}

static Filter *filter_new(void)
{
    Filter *filter = g_new0(Filter, 1);
    filter->patterns = g_ptr_array_new_with_free_func(g_free);
    filter->unmatched = g_ptr_array_new_with_free_func(g_free);
    filter->relations = g_ptr_array_new_with_free_func(relation_free);
    filter->extensions = g_ptr_array_new_with_free_func(g_free);
    filter->foreign_keys = g_ptr_array_new_with_free_func(g_free);
    filter->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return filter;
}

bool filter_leaves_out(const Filter *filter, guint32 class_oid, guint32 oid)
{
    if (filter == NULL || class_oid == 0)
        return false;
    gint64 key = ((gint64)class_oid << 32) | oid;
    return g_hash_table_contains(filter->objects, &key) != (gboolean)filter->named_only;
}

bool filter_leaves_out_relation(const Filter *filter, const char *schema, const char *name)
{
    if (filter == NULL)
        return false;
    g_autofree char *quoted = pg_quote_qualified(schema, name);
    return g_hash_table_contains(filter->by_name, quoted);
}

bool filter_leaves_out_extension(const Filter *filter, const char *name)
{
    return filter != NULL && g_ptr_array_find_with_equal_func(filter->extensions, name, g_str_equal, NULL);
}

char *filter_text(const Filter *filter)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < filter->patterns->len; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "" : "; ", (const char *)filter->patterns->pdata[i]);
    return g_string_free(text, FALSE);
}

/* --- patterns ----------------------------------------------------------------------------------------------------- */

typedef struct Kind {
    const char *name; /* "tables" */
    const char *sql;
    bool qualified;
} Kind;

static const Kind SCHEMAS = {"schemas", FILTER_MATCH_SCHEMAS_SQL, false};
static const Kind TABLES = {"tables", FILTER_MATCH_TABLES_SQL, true};
static const Kind EXTENSIONS = {"extensions", FILTER_MATCH_EXTENSIONS_SQL, false};

/* Adds what one pattern matches. */
static bool match(PgConn *conn, const Kind *kind, const char *pattern, const char *where, GPtrArray *matches,
                  GError **error)
{
    g_auto(FilterPattern) parsed = {0};
    if (!filter_pattern_parse(pattern, kind->qualified, &parsed, error)) {
        g_prefix_error(error, "%s.%s: ", where, kind->name);
        return false;
    }
    const char *values[2] = {parsed.name};
    if (kind->qualified) {
        values[0] = parsed.schema;
        values[1] = parsed.name;
    }
    g_autoptr(GError) cause = NULL;
    g_autoptr(PgResult) r = pg_query_params(conn, kind->sql, kind->qualified ? 2 : 1, values, soon(), &cause);
    if (r == NULL && g_str_equal(pg_conn_sqlstate(conn), "2201B")) { /* invalid_regular_expression */
        pgf_error_set(error, PGF_ERROR_USAGE, "Put names with such characters in double quotes.",
                      "%s.%s: the pattern %s is no regular expression: %s", where, kind->name, pattern, cause->message);
        return false;
    }
    if (r == NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    for (int i = 0; i < pg_result_rows(r); i++)
        g_ptr_array_add(matches, g_strdup(pg_result_get(r, i, 0)));
    return true;
}

/* A pattern that matches nothing is misspelt, or stands for what is gone: either way somebody believes that something
 * is in, or out, which is not. Patterns for every database of a server need not match in each: where nothing is to be
 * left out, nothing is lost, and a notice is enough. */
static bool allow_unmatched(PgConn *conn, const Kind *kind, const char *pattern, const char *where, Filter *filter,
                            GError **error)
{
    if (filter->one_of_several && g_str_equal(where, "exclude")) {
        g_ptr_array_add(filter->unmatched, g_strdup_printf("%s.%s: %s", where, kind->name, pattern));
        return true;
    }
    pgf_error_set(error, filter->one_of_several ? PGF_ERROR_REFUSED : PGF_ERROR_USAGE,
                  "Patterns are those of pg_dump: a name without a schema is looked for in the search path; upper "
                  "case needs double quotes (docs/filters.md).",
                  "%s: %s.%s: the pattern %s matches nothing", pg_conn_label(conn), where, kind->name, pattern);
    return false;
}

static bool match_all(PgConn *conn, const Kind *kind, char *const *patterns, const char *where, Filter *filter,
                      GPtrArray *matches, GError **error)
{
    for (guint i = 0; patterns[i] != NULL; i++) {
        guint before = matches->len;
        if (!match(conn, kind, patterns[i], where, matches, error) ||
            (matches->len == before && !allow_unmatched(conn, kind, patterns[i], where, filter, error)))
            return false;
        g_ptr_array_add(filter->patterns, g_strdup_printf("%s.%s: %s", where, kind->name, patterns[i]));
    }
    return true;
}

static Matches matches_new(void)
{
    return (Matches){.schemas = g_ptr_array_new_with_free_func(g_free),
                     .tables = g_ptr_array_new_with_free_func(g_free),
                     .extensions = g_ptr_array_new_with_free_func(g_free)};
}

static void matches_clear(Matches *matches)
{
    g_ptr_array_unref(matches->schemas);
    g_ptr_array_unref(matches->tables);
    g_ptr_array_unref(matches->extensions);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Matches, matches_clear)

static bool match_side(PgConn *conn, const ConfigFilter *side, const char *where, Filter *filter, Matches *matches,
                       GError **error)
{
    return match_all(conn, &SCHEMAS, side->schemas, where, filter, matches->schemas, error) &&
           match_all(conn, &TABLES, side->tables, where, filter, matches->tables, error) &&
           match_all(conn, &EXTENSIONS, side->extensions, where, filter, matches->extensions, error);
}

/* --- objects ------------------------------------------------------------------------------------------------------ */

/* What one query says of both sides, as sets of keys. */
typedef struct Objects {
    GHashTable *out, *in;
} Objects;

static bool on_object(const PgResult *row, gpointer data, GError **error)
{
    const Objects *objects = data;
    guint32 class_oid = (guint32)g_ascii_strtoull(pg_result_get(row, 0, 1), NULL, 10);
    guint32 oid = (guint32)g_ascii_strtoull(pg_result_get(row, 0, 2), NULL, 10);
    bool out = g_str_equal(pg_result_get(row, 0, 0), "out");
    g_hash_table_add(out ? objects->out : objects->in, key_of(class_oid, oid));
    return true;
}

static bool read_objects(PgConn *conn, const Matches *include, const Matches *exclude, Objects *objects, GError **error)
{
    const GPtrArray *const lists[] = {exclude->schemas, exclude->tables, exclude->extensions,
                                      include->schemas, include->tables, include->extensions};
    char *values[G_N_ELEMENTS(lists)];
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        values[i] = pg_array_literal(lists[i]);
    bool ok = pg_query_each(conn, FILTER_OBJECTS_SQL, G_N_ELEMENTS(values), (const char *const *)values, on_object,
                            objects, soon(), error);
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        g_free(values[i]);
    return ok;
}

/* Extensions that include does not name, where it names any, are as those that exclude names. */
static bool exclude_other_extensions(PgConn *conn, const Matches *include, Matches *exclude, GError **error)
{
    if (include->extensions->len == 0)
        return true;
    g_autoptr(PgResult) r = pg_query(conn, FILTER_EXTENSIONS_SQL, soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        const char *oid = pg_result_get(r, i, 0);
        if (!g_ptr_array_find_with_equal_func(include->extensions, oid, g_str_equal, NULL))
            g_ptr_array_add(exclude->extensions, g_strdup(oid));
    }
    return r != NULL;
}

static GHashTable *set_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

/* A set of what is left out, or, where only what is named is folded, of what is not. */
static bool find_objects(PgConn *conn, const Matches *include, const Matches *exclude, Filter *filter, GError **error)
{
    g_autoptr(GHashTable) out = set_new();
    g_autoptr(GHashTable) in = set_new();
    Objects objects = {.out = out, .in = in};
    if (!read_objects(conn, include, exclude, &objects, error))
        return false;
    filter->named_only = include->schemas->len + include->tables->len > 0;
    GHashTableIter each;
    gpointer key;
    g_hash_table_iter_init(&each, out);
    while (filter->named_only && g_hash_table_iter_next(&each, &key, NULL))
        g_hash_table_remove(in, key);
    filter->objects = filter->named_only ? g_steal_pointer(&in) : g_steal_pointer(&out);
    return true;
}

static void leave_out(Filter *filter, guint32 class_oid, guint32 oid)
{
    gint64 key = ((gint64)class_oid << 32) | oid;
    if (filter->named_only)
        g_hash_table_remove(filter->objects, &key);
    else
        g_hash_table_add(filter->objects, key_of(class_oid, oid));
}

static guint32 oid_at(const PgResult *r, int row, int column)
{
    return (guint32)g_ascii_strtoull(pg_result_get(r, row, column), NULL, 10);
}

/* A foreign key is part of the table that it stands on, and cannot be without the one that it leads to. */
static bool drop_foreign_keys(PgConn *conn, Filter *filter, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FILTER_FOREIGN_KEYS_SQL, soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        if (filter_leaves_out(filter, FILTER_RELATION, oid_at(r, i, 1)) ||
            !filter_leaves_out(filter, FILTER_RELATION, oid_at(r, i, 2)))
            continue;
        leave_out(filter, FILTER_CONSTRAINT, oid_at(r, i, 0));
        if (!pg_result_bool(r, i, 4))
            g_ptr_array_add(filter->foreign_keys, g_strdup(pg_result_get(r, i, 3)));
    }
    return r != NULL;
}

static bool name_relations(PgConn *conn, Filter *filter, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FILTER_RELATIONS_SQL, soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++) {
        if (!filter_leaves_out(filter, FILTER_RELATION, oid_at(r, i, 0)))
            continue;
        FilterRelation *relation = g_new0(FilterRelation, 1);
        relation->schema = g_strdup(pg_result_get(r, i, 1));
        relation->name = g_strdup(pg_result_get(r, i, 2));
        relation->kind = *pg_result_get(r, i, 3);
        g_ptr_array_add(filter->relations, relation);
        g_hash_table_add(filter->by_name, pg_quote_qualified(relation->schema, relation->name));
    }
    return r != NULL;
}

static bool name_extensions(PgConn *conn, Filter *filter, GError **error)
{
    g_autoptr(PgResult) r = pg_query(conn, FILTER_EXTENSIONS_SQL, soon(), error);
    for (int i = 0; r != NULL && i < pg_result_rows(r); i++)
        if (filter_leaves_out(filter, FILTER_EXTENSION, oid_at(r, i, 0)))
            g_ptr_array_add(filter->extensions, g_strdup(pg_result_get(r, i, 1)));
    return r != NULL;
}

static void list_objects(Filter *filter)
{
    g_autoptr(GPtrArray) classes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) oids = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter each;
    gpointer data;
    g_hash_table_iter_init(&each, filter->objects);
    while (g_hash_table_iter_next(&each, &data, NULL)) {
        guint64 key = (guint64) * (const gint64 *)data;
        g_ptr_array_add(classes, g_strdup_printf("%u", (guint32)(key >> 32)));
        g_ptr_array_add(oids, g_strdup_printf("%u", (guint32)key));
    }
    filter->classes = pg_array_literal(classes);
    filter->oids = pg_array_literal(oids);
}

/* Patterns are looked up as the role would see the database without pgfold, which is what pg_dump does. */
static bool match_patterns(PgConn *conn, const ConfigSource *source, Filter *filter, Matches *include, Matches *exclude,
                           GError **error)
{
    g_autoptr(PgResult) path = pg_query(conn, FILTER_SEARCH_PATH_SQL, soon(), error);
    return path != NULL && match_side(conn, &source->include, "include", filter, include, error) &&
           match_side(conn, &source->exclude, "exclude", filter, exclude, error) &&
           pg_exec(conn, "SET LOCAL search_path = ''", soon(), error);
}

bool filter_find(PgConn *conn, const ConfigSource *source, Filter **ret_filter, GError **error)
{
    *ret_filter = NULL;
    if (!config_is_filtered(source))
        return true;
    g_autoptr(Filter) filter = filter_new();
    filter->one_of_several = source->base != NULL;
    g_auto(Matches) include = matches_new();
    g_auto(Matches) exclude = matches_new();
    if (!match_patterns(conn, source, filter, &include, &exclude, error) ||
        !exclude_other_extensions(conn, &include, &exclude, error) ||
        !find_objects(conn, &include, &exclude, filter, error) || !drop_foreign_keys(conn, filter, error) ||
        !name_relations(conn, filter, error) || !name_extensions(conn, filter, error)) {
        g_prefix_error(error, "include and exclude: ");
        return false;
    }
    list_objects(filter);
    *ret_filter = g_steal_pointer(&filter);
    return true;
}

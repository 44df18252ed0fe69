/* What is wrong between keys: each of them alone is good. */
#include <string.h>

#include "config/protect.h"
#include "config/read.h"

/* NULL: the key was not given. */
static const ConfigPlace *place_of(const ConfigReader *reader, const char *path)
{
    return g_hash_table_lookup(reader->config->places, path);
}

static const ConfigPlace *place_in(const ConfigReader *reader, const ConfigTable *table, const char *key)
{
    g_autofree char *path = g_strconcat(table->path, ".", key, NULL);
    return place_of(reader, path);
}

static void check_source_names(ConfigReader *reader)
{
    const GPtrArray *sources = reader->config->sources;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < sources->len; i++) {
        const ConfigSource *source = g_ptr_array_index(sources, i);
        if (source->name == NULL)
            continue;
        char *folded = g_ascii_strdown(source->name, -1);
        if (g_hash_table_add(seen, folded))
            continue;
        g_autofree char *path = g_strdup_printf("sources[%u].name", i);
        config_mistakes_add(reader->mistakes, *place_of(reader, path), "names differ in more than upper and lower case",
                            "the name \"%s\" is taken by another source", source->name);
    }
}

static void check_references(ConfigReader *reader, const ConfigTable *table)
{
    for (guint i = 0; i < table->references->len; i++) {
        const ConfigReference *reference = g_ptr_array_index(table->references, i);
        guint columns = g_strv_length(reference->columns), to = g_strv_length(reference->to);
        if (columns == 0 || to == 0 || columns == to)
            continue;
        g_autofree char *path = g_strdup_printf("%s.references[%u]", table->path, i);
        g_autofree char *key = g_strconcat(path, ".to", NULL);
        config_mistakes_add(reader->mistakes, *place_of(reader, key), "name one for each",
                            "%s has %u columns, and %u in to", path, columns, to);
    }
}

static ConfigConflict rule_of(const ConfigReader *reader, const ConfigSource *source, const ConfigTable *table)
{
    ConfigTableRule rule;
    config_table_rule(reader->config, source, table->schema, table->table, &rule);
    return rule.on_conflict->conflict;
}

/* An entry of fold.tables counts for every source: it is enough that it serves one of them. */
static bool serves_rekey(const ConfigReader *reader, const ConfigSource *source, const ConfigTable *table)
{
    if (rule_of(reader, source, table) == CONFIG_CONFLICT_REKEY)
        return true;
    const GPtrArray *sources = reader->config->sources;
    for (guint i = 0; source == NULL && i < sources->len; i++) {
        if (rule_of(reader, g_ptr_array_index(sources, i), table) == CONFIG_CONFLICT_REKEY)
            return true;
    }
    return false;
}

/* source: NULL for an entry of fold.tables. */
static void check_match(ConfigReader *reader, const ConfigSource *source, const ConfigTable *table)
{
    const ConfigPlace *match_on = place_in(reader, table, "match_on");
    const ConfigPlace *on_match = place_in(reader, table, "on_match");
    if (match_on != NULL && !reader->rules_unclear && !serves_rekey(reader, source, table))
        config_mistakes_add(reader->mistakes, *match_on, "add \"on_conflict: rekey\" beside it, or take it out",
                            "%s.match_on needs the rule rekey, and the rule of this table is %s", table->path,
                            config_rule_name(rule_of(reader, source, table)));
    if (match_on != NULL || on_match == NULL)
        return;
    const GPtrArray *others = reader->config->fold.tables;
    for (guint i = 0; source != NULL && i < others->len; i++) {
        const ConfigTable *other = g_ptr_array_index(others, i);
        if (strcmp(other->schema, table->schema) == 0 && strcmp(other->table, table->table) == 0 &&
            place_in(reader, other, "match_on") != NULL)
            return;
    }
    config_mistakes_add(reader->mistakes, *on_match, "add match_on: [column], or take it out",
                        "%s.on_match is given without match_on", table->path);
}

/* A rule says how a table is written; one that is left out is not. */
static void check_unprotected(ConfigReader *reader, const ConfigTable *table)
{
    const char *entry = config_protects_table(reader->config, table->schema, table->table);
    if (entry != NULL && !table->skip)
        config_mistakes_add(reader->mistakes, *place_of(reader, table->path),
                            "write skip: true alone, or take one of the two out",
                            "%s has rules for a table that is protected (%s)", table->path, entry);
}

static void check_tables(ConfigReader *reader, const ConfigSource *source, const GPtrArray *tables)
{
    for (guint i = 0; i < tables->len; i++) {
        const ConfigTable *table = g_ptr_array_index(tables, i);
        check_references(reader, table);
        check_match(reader, source, table);
        check_unprotected(reader, table);
    }
}

static void tell_of_source(ConfigReader *reader, guint index, const char *key, const char *advice, const char *what)
{
    g_autofree char *path = g_strdup_printf("sources[%u].%s", index, key);
    config_mistakes_add(reader->mistakes, *place_of(reader, path), advice, "%s %s", path, what);
}

static void check_container(ConfigReader *reader, guint index, const ConfigSource *source)
{
    static const char *const ENGINES[] = {"auto", "docker", "podman", NULL};
    const char *hash = source->compose == NULL ? NULL : strrchr(source->compose, '#');
    if (source->compose != NULL && (hash == NULL || hash == source->compose || hash[1] == '\0'))
        tell_of_source(reader, index, "compose", "write FILE#SERVICE, as docker-compose.local.yml#db",
                       "is not a file and a service");
    if (source->compose != NULL && source->container != NULL)
        tell_of_source(reader, index, "container", "keep one of the two", "is given beside compose");
    if (source->engine != NULL && !g_strv_contains(ENGINES, source->engine))
        tell_of_source(reader, index, "engine", "write docker, podman or auto", "is no container engine");
    if (source->engine != NULL && source->compose == NULL && source->container == NULL)
        tell_of_source(reader, index, "engine", "add one of the two, or take it out",
                       "is given without compose or container");
}

static void tell_into(ConfigReader *reader, guint source, const char *key, const char *what_to_do, const char *what)
{
    g_autofree char *path = g_strdup_printf("sources[%u].into.%s", source, key);
    config_mistakes_add(reader->mistakes, *place_of(reader, path), what_to_do, "%s %s", path, what);
}

static void check_into_schema(ConfigReader *reader, guint index, const ConfigSource *source)
{
    if (source->from_schema != NULL && source->into_schema == NULL)
        tell_into(reader, index, "from", "add schema: NAME beside it, or take it out", "is given without schema");
    if (source->into_schema == NULL)
        return;
    if (g_str_has_prefix(source->into_schema, "pg_") || strcmp(source->into_schema, "information_schema") == 0)
        tell_into(reader, index, "schema", "choose another name", "is a name of PostgreSQL's own");
    else if (g_strcmp0(source->into_schema, source->from_schema) == 0)
        tell_into(reader, index, "schema", "take it out: schemas keep their names", "is the schema's name already");
}

/* The objects of a renamed schema have other oids where they are read, by which the others are told apart. */
static void check_filter(ConfigReader *reader, guint index, const ConfigSource *source)
{
    if (source->into_schema != NULL && config_is_filtered(source))
        tell_into(reader, index, "schema", "take one of them out: skip: true under tables leaves rows out",
                  "goes with neither include nor exclude");
    if (source->databases == NULL) {
        if (source->include.databases[0] != NULL)
            tell_of_source(reader, index, "include.databases", "add databases: all, or take it out",
                           "is given without databases");
        if (source->exclude.databases[0] != NULL)
            tell_of_source(reader, index, "exclude.databases", "add databases: all, or take it out",
                           "is given without databases");
    } else if (source->into_schema != NULL || source->into_database != NULL) {
        tell_of_source(reader, index, "into", "take one of them out: each database goes into one of its own name",
                       "does not go with databases");
    }
}

/* A path that leads out of the project, or to a folder, is no page of it. */
static void check_page(ConfigReader *reader)
{
    const char *page = reader->config->docs.page;
    g_autofree char *whole = g_canonicalize_filename(page, "/pgfold");
    bool inside = !g_path_is_absolute(page) && g_str_has_prefix(whole, "/pgfold/");
    if (!inside || g_str_has_suffix(page, "/"))
        config_mistakes_add(reader->mistakes, *place_of(reader, "docs.page"), "write one as docs/database.md",
                            "docs.page must be a file below the folder of pgfold.yaml");
}

/* Before any rule is looked up by the name of a table. */
static void fill_from_schema(ConfigSource *source)
{
    if (source->into_schema != NULL && source->from_schema == NULL)
        source->from_schema = g_strdup("public");
}

void config_check(ConfigReader *reader)
{
    const GPtrArray *sources = reader->config->sources;
    check_source_names(reader);
    check_page(reader);
    for (guint i = 0; i < sources->len; i++)
        fill_from_schema(g_ptr_array_index(sources, i));
    check_tables(reader, NULL, reader->config->fold.tables);
    for (guint i = 0; i < sources->len; i++) {
        const ConfigSource *source = g_ptr_array_index(sources, i);
        check_into_schema(reader, i, source);
        check_filter(reader, i, source);
        check_tables(reader, source, source->tables);
        check_container(reader, i, source);
    }
}

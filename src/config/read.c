#include "config/read.h"

#include <string.h>

#include "config/secret.h"

static void read_keys(ConfigReader *reader, const ConfigNode *node, const ConfigKey *keys, gpointer base);

static void record_place(ConfigReader *reader, const ConfigNode *node)
{
    g_hash_table_replace(reader->config->places, g_strdup(reader->path->str),
                         g_memdup2(&node->place, sizeof node->place));
}

static void record_written(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node)
{
    if (!key->connects || node->type != CONFIG_NODE_SCALAR || config_node_is_null(node))
        return;
    bool url = key->kind == CONFIG_KIND_URL;
    g_hash_table_replace(reader->config->written, g_strdup(reader->path->str),
                         url ? config_without_secrets(node->text) : g_strdup(node->text));
}

static const ConfigKey *find_key(const ConfigKey *keys, const char *name)
{
    for (const ConfigKey *key = keys; key->name != NULL; key++) {
        if (strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

/* What people write instead of one connection string. */
static bool is_part_of_url(const char *name)
{
    static const char *const PARTS[] = {"host", "port", "user", "username", "password", "dbname", "dsn", "uri", NULL};
    return g_strv_contains(PARTS, name);
}

static char *advice_for_unknown(const ConfigKey *keys, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const ConfigKey *key = keys; key->name != NULL; key++)
        g_ptr_array_add(names, (gpointer)key->name);
    g_ptr_array_add(names, NULL);
    const char *const *known = (const char *const *)names->pdata;
    if (find_key(keys, "url") != NULL && is_part_of_url(name))
        return g_strdup("all of a connection stands in url, and passwords in PGPASSFILE or a ${NAME} of it");
    const char *meant = config_suggest(name, known);
    if (meant != NULL)
        return g_strdup_printf("did you mean \"%s\"?", meant);
    g_autofree char *elsewhere = config_schema_find(name);
    if (elsewhere != NULL)
        return g_strdup_printf("its place is %s", elsewhere);
    g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);
    return g_strdup_printf("the keys here are: %s", list);
}

static void tell_unknown(ConfigReader *reader, const ConfigNode *name, const ConfigKey *keys)
{
    g_autofree char *shown = config_quote(name->text);
    g_autofree char *advice = advice_for_unknown(keys, name->text);
    bool top = reader->path->len == 0;
    config_mistakes_add(reader->mistakes, name->place, advice, "unknown key %s%s%s", shown, top ? "" : " in ",
                        reader->path->str);
}

static void tell_map_expected(ConfigReader *reader, const ConfigNode *node, const char *advice)
{
    config_mistakes_add(reader->mistakes, node->place, advice, "%s must be a mapping, this is %s",
                        reader->path->len == 0 ? "the file" : reader->path->str, config_node_describe(node));
}

static void read_entries(ConfigReader *reader, const ConfigNode *node, const ConfigKey *key, GPtrArray *entries)
{
    if (node->type != CONFIG_NODE_LIST || node->items->len == 0) {
        g_autofree char *advice = g_strdup_printf("write a line %s", key->example);
        config_mistakes_add(reader->mistakes, node->place, advice, "%s must be a list, this is %s", reader->path->str,
                            node->type == CONFIG_NODE_LIST ? "an empty one" : config_node_describe(node));
        return;
    }
    g_autofree char *advice = g_strdup_printf("write %s", key->example);
    gsize length = reader->path->len;
    for (guint i = 0; i < node->items->len; i++) {
        const ConfigNode *item = g_ptr_array_index(node->items, i);
        gpointer element = key->create();
        g_ptr_array_add(entries, element);
        g_string_append_printf(reader->path, "[%u]", i);
        record_place(reader, item);
        if (item->type == CONFIG_NODE_MAP)
            read_keys(reader, item, key->keys, element);
        else if (item->type != CONFIG_NODE_BROKEN)
            tell_map_expected(reader, item, advice);
        g_string_truncate(reader->path, length);
    }
}

/* One part of a table's name at *at. NULL where there is none. */
static char *take_identifier(const char **at)
{
    GString *name = g_string_new(NULL);
    bool quoted = **at == '"';
    bool closed = !quoted;
    if (quoted)
        (*at)++;
    for (; **at != '\0' && !(closed && quoted); (*at)++) {
        if (!quoted && (**at == '.' || **at == '"'))
            break;
        if (quoted && **at == '"' && (*at)[1] != '"') {
            closed = true;
            continue;
        }
        if (quoted && **at == '"')
            (*at)++;
        g_string_append_c(name, **at);
    }
    bool usable = closed && name->len > 0;
    return g_string_free(name, !usable);
}

bool config_split_table(const char *text, char **ret_schema, char **ret_table)
{
    const char *at = text;
    g_autofree char *schema = take_identifier(&at);
    if (schema == NULL || *at++ != '.')
        return false;
    g_autofree char *table = take_identifier(&at);
    if (table == NULL || *at != '\0')
        return false;
    *ret_schema = g_steal_pointer(&schema);
    *ret_table = g_steal_pointer(&table);
    return true;
}

/* seen: the tables so far, whatever their spelling. */
static void read_table(ConfigReader *reader, const ConfigNode *name, const ConfigNode *node, const ConfigKey *key,
                       GPtrArray *tables, GHashTable *seen)
{
    g_autofree char *schema = NULL, *table = NULL, *shown = config_quote(name->text);
    if (!config_split_table(name->text, &schema, &table)) {
        config_mistakes_add(reader->mistakes, name->place, "write schema.table, such as public.orders",
                            "%s is not the name of a table with its schema", shown);
        return;
    }
    if (!g_hash_table_add(seen, g_strdup_printf("%zu.%s.%s", strlen(schema), schema, table))) {
        config_mistakes_add(reader->mistakes, name->place, "keep one of them", "%s is there under another spelling",
                            shown);
        return;
    }
    ConfigTable *element = key->create();
    element->path = g_strdup(reader->path->str);
    element->schema = g_steal_pointer(&schema);
    element->table = g_steal_pointer(&table);
    g_ptr_array_add(tables, element);
    record_place(reader, name);
    if (node->type == CONFIG_NODE_MAP) {
        read_keys(reader, node, key->keys, element);
        element->skip_given = config_node_get(node, "skip") != NULL;
    } else if (node->type != CONFIG_NODE_BROKEN) {
        tell_map_expected(reader, node, "write { skip: true }, for example");
    }
}

static void read_tables(ConfigReader *reader, const ConfigNode *node, const ConfigKey *key, GPtrArray *tables)
{
    if (node->type != CONFIG_NODE_MAP) {
        tell_map_expected(reader, node, "write a line \"schema.table: { skip: true }\" for each");
        return;
    }
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gsize length = reader->path->len;
    for (guint i = 0; i < node->items->len; i++) {
        const ConfigNode *name = g_ptr_array_index(node->names, i);
        g_string_append_printf(reader->path, ".%s", name->text);
        read_table(reader, name, g_ptr_array_index(node->items, i), key, tables, seen);
        g_string_truncate(reader->path, length);
    }
}

static void read_into(ConfigReader *reader, const ConfigNode *node, const ConfigKey *key, ConfigSource *source)
{
    if (node->type != CONFIG_NODE_MAP)
        config_read_value(reader, key, node, &source->into_database);
    else if (node->items->len == 0)
        config_mistakes_add(reader->mistakes, node->place, "write the name of a database", "%s is empty",
                            reader->path->str);
    else
        read_keys(reader, node, key->keys, source);
}

static void read_ssh(ConfigReader *reader, const ConfigNode *node, const ConfigKey *key, ConfigSsh *ssh)
{
    if (node->type == CONFIG_NODE_MAP)
        read_keys(reader, node, key->keys, ssh);
    else
        config_read_value(reader, key, node, &ssh->host);
}

static void read_key(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, gpointer base)
{
    gpointer member = (char *)base + key->offset;
    if (key->kind == CONFIG_KIND_ENTRIES)
        read_entries(reader, node, key, *(GPtrArray **)member);
    else if (key->kind == CONFIG_KIND_TABLES)
        read_tables(reader, node, key, *(GPtrArray **)member);
    else if (key->kind == CONFIG_KIND_INTO)
        read_into(reader, node, key, member);
    else if (key->kind == CONFIG_KIND_SSH)
        read_ssh(reader, node, key, member);
    else if (key->kind != CONFIG_KIND_MAP)
        config_read_value(reader, key, node, member);
    else if (node->type == CONFIG_NODE_MAP)
        read_keys(reader, node, key->keys, member);
    else
        tell_map_expected(reader, node, "write its keys on lines of their own, indented");
}

static void check_required(ConfigReader *reader, const ConfigNode *node, const ConfigKey *keys)
{
    if (reader->use == CONFIG_CODE && reader->path->len == 0)
        return;
    for (const ConfigKey *key = keys; key->name != NULL; key++) {
        if (!key->required || config_node_get(node, key->name) != NULL)
            continue;
        g_autofree char *advice = g_strdup_printf("add %s: ...", key->name);
        if (key->min == key->max && key->kind == CONFIG_KIND_NUMBER) {
            g_free(advice);
            advice = g_strdup_printf("add \"%s: %d\"", key->name, key->min);
        }
        bool top = reader->path->len == 0;
        config_mistakes_add(reader->mistakes, node->place, advice, "%s has no %s", top ? "the file" : reader->path->str,
                            key->name);
    }
}

static void read_keys(ConfigReader *reader, const ConfigNode *node, const ConfigKey *keys, gpointer base)
{
    gsize length = reader->path->len;
    for (guint i = 0; i < node->items->len; i++) {
        const ConfigNode *name = g_ptr_array_index(node->names, i);
        const ConfigNode *value = g_ptr_array_index(node->items, i);
        const ConfigKey *key = find_key(keys, name->text);
        if (key == NULL) {
            tell_unknown(reader, name, keys);
            continue;
        }
        g_string_append_printf(reader->path, "%s%s", length == 0 ? "" : ".", key->name);
        record_place(reader, value);
        record_written(reader, key, value);
        if (value->type != CONFIG_NODE_BROKEN)
            read_key(reader, key, value, base);
        else if (key->kind == CONFIG_KIND_RULE)
            reader->rules_unclear = true;
        g_string_truncate(reader->path, length);
    }
    check_required(reader, node, keys);
}

void config_read(const ConfigNode *root, ConfigUse use, ConfigMistakes *mistakes, Config *config)
{
    g_autoptr(GString) path = g_string_new(NULL);
    ConfigReader reader = {.config = config, .use = use, .mistakes = mistakes, .path = path};
    if (root->type == CONFIG_NODE_MAP) {
        read_keys(&reader, root, config_schema(), config);
        config_check(&reader);
    } else if (root->type != CONFIG_NODE_BROKEN) {
        tell_map_expected(&reader, root, "start with \"version: 1\"");
    }
}

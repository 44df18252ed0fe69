#include "scan/tree.h"

#include <string.h>

#include "scan/commands.h"
#include "scan/connection.h"
#include "scan/context.h"
#include "scan/embed.h"
#include "scan/names.h"
#include "scan/placeholder.h"
#include "scan/talk.h"
#include "scan/worth.h"

static void finish(Reader *reader, Setting *setting, TSNode node)
{
    setting->whole_start = ts_node_start_byte(node);
    setting->whole_end = ts_node_end_byte(node);
    context_add(reader, setting, node);
    setting->prose = context_is_prose(reader, node) || (setting->name != NULL && name_is_prose(setting->name));
}

static void read_default(Reader *reader, const Fact *fact)
{
    g_auto(Value) value = facts_value(reader->facts, fact->node);
    if (value.text == NULL || !value.fallback || (value.variable == NULL && value.option == NULL))
        return;
    Setting *setting =
        source_add(reader->source, SETTING_DEFAULT, g_steal_pointer(&value.text), value.start, value.end);
    setting->several = value.several;
    setting->variable = g_steal_pointer(&value.variable);
    finish(reader, setting, fact->node);
    if (value.option != NULL) {
        g_free(setting->name);
        setting->name = g_steal_pointer(&value.option);
    }
}

/* "DATABASE_URL: str({ default: X })": the default is of what stands around it. */
static void take_outer_name(Setting *setting, char **name)
{
    setting->kind = SETTING_DEFAULT;
    const char *path = setting->path == NULL ? "" : setting->path;
    const char *last = strrchr(path, '.');
    if (last == NULL)
        return;
    char *outer = g_strndup(path, (gsize)(last - path));
    const char *dot = strrchr(outer, '.');
    g_free(*name);
    *name = g_strdup(dot == NULL ? outer : dot + 1);
    g_free(setting->path);
    setting->path = outer;
}

static bool tests_for_empty(const Source *source, const char *name)
{
    static const char *const FORMS[] = {"-z \"$%s", "-z \"${%s", "-z $%s", "-z ${%s",
                                        "-n \"$%s", "-n \"${%s", "-n $%s", NULL};
    for (guint i = 0; FORMS[i] != NULL; i++) {
        const char *hole = strstr(FORMS[i], "%s");
        g_autofree char *text = g_strdup_printf("%.*s%s", (int)(hole - FORMS[i]), FORMS[i], name);
        if (strstr(source->text, text) != NULL)
            return true;
    }
    return false;
}

/* host("localhost"), setUrl("..."): a method that is named as a setting is. */
static void read_method(Reader *reader, const Fact *fact)
{
    g_autofree char *function = facts_function(reader->facts, fact);
    gsize length = strlen(function);
    while (length > 0 && !g_ascii_isalnum(function[length - 1]))
        function[--length] = '\0';
    const char *name = function + length;
    while (name > function && (g_ascii_isalnum(name[-1]) || name[-1] == '_'))
        name--;
    if (name == function)
        return;
    const char *plain =
        g_str_has_prefix(name, "set") || g_str_has_prefix(name, "with") ? name + (name[0] == 's' ? 3 : 4) : name;
    NameMeaning meaning = name_meaning(plain);
    bool is_default = name_is_default(plain);
    if ((meaning.role == ROLE_NONE && !is_default) || strlen(plain) > 20)
        return;
    g_auto(Value) value = facts_argument(reader->facts, fact);
    if (value.text == NULL || value.fallback || value.variable != NULL)
        return;
    Setting *setting = source_add(reader->source, SETTING_GIVEN, g_steal_pointer(&value.text), value.start, value.end);
    finish(reader, setting, fact->node);
    if (is_default) { /* DATABASE_URL: z.string().default("...") */
        setting->kind = SETTING_DEFAULT;
        return;
    }
    g_free(setting->name);
    setting->name = g_strdup(plain);
    g_free(setting->path);
    setting->path = g_strdup(plain);
    g_free(setting->owner);
    setting->owner = g_steal_pointer(&function);
    setting->container = 0;
}

static void read_bind(Reader *reader, const Fact *fact)
{
    if (ts_node_is_null(fact->second) || ts_node_is_null(fact->first))
        return;
    g_auto(Value) value = facts_value(reader->facts, fact->second);
    if (value.text == NULL || value.fallback || value.variable != NULL)
        return;
    Setting *setting = source_add(reader->source, SETTING_GIVEN, g_steal_pointer(&value.text), value.start, value.end);
    setting->several = value.several;
    g_autofree char *name = facts_name(reader->facts, fact->first);
    finish(reader, setting, fact->node);
    const char *kind = ts_node_type(fact->node);
    if (setting->settings_class || strstr(kind, "parameter") != NULL || strstr(kind, "assignment_pattern") != NULL)
        setting->kind = SETTING_DEFAULT;
    setting->default_key = name_is_default(name);
    if (setting->default_key)
        take_outer_name(setting, &name);
    /* A shell that asks whether the variable is empty before it sets it. */
    if (reader->source->language->words && tests_for_empty(reader->source, name))
        setting->kind = SETTING_DEFAULT;
    const Fact *left = facts_of(reader->facts, fact->first);
    bool overwritten = left != NULL && left->kind == FACT_INDEX; /* os.environ["X"] = "..." */
    /* The same name is elsewhere what a variable of the environment says: this is its default. */
    char *variable = overwritten || setting->container != 0 ? NULL : facts_variable_elsewhere(reader->facts, fact);
    if (variable != NULL) {
        setting->kind = SETTING_DEFAULT;
        setting->variable = variable;
    }
    g_free(setting->name);
    setting->name = g_steal_pointer(&name);
}

/* "value" of "NAME=value", where there is nothing else. */
static const char *assigned_value(const char *text)
{
    gsize name = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return name >= 2 && text[name] == '=' && strchr(text, ' ') == NULL ? text + name + 1 : NULL;
}

static guint list_container(Reader *reader, TSNode node)
{
    for (guint i = 0; i < 6 && !ts_node_is_null(node); i++) {
        const char *kind = ts_node_type(node);
        if (strstr(kind, "sequence") != NULL && strstr(kind, "item") == NULL)
            return context_container(reader, node);
        if (strstr(kind, "array") != NULL)
            return context_container(reader, node);
        node = parents_of(reader->facts->parents, node);
    }
    return 0;
}

static bool is_element(TSNode parent)
{
    const char *kind = ts_node_is_null(parent) ? "" : ts_node_type(parent);
    return strstr(kind, "array") != NULL || strcmp(kind, "list") == 0 || strcmp(kind, "literal_element") == 0;
}

static bool reads_commands(const char *text)
{
    return strcmp(text, "psql") == 0 || strcmp(text, "pg_dump") == 0 || strcmp(text, "pg_isready") == 0 ||
           strcmp(text, "pg_restore") == 0;
}

/* A docstring, or the text of a message. */
static bool documents(const Reader *reader, TSNode node)
{
    TSNode parent = ts_node_parent(node);
    if (ts_node_is_null(parent) || strcmp(ts_node_type(parent), "expression_statement") == 0 ||
        context_is_prose(reader, node))
        return true;
    TSNode above = ts_node_parent(parent); /* @moduledoc of Elixir */
    g_autofree char *text = ts_node_is_null(above) ? g_strdup("") : facts_text(reader->facts, above);
    return g_str_has_prefix(text, "moduledoc") || g_str_has_prefix(text, "doc\"") || g_str_has_prefix(text, "@");
}

static void read_string(Reader *reader, const Fact *fact)
{
    TSNode parent = parents_of(reader->facts->parents, fact->node);
    const Fact *above = ts_node_is_null(parent) ? NULL : facts_of(reader->facts, parent);
    if (above != NULL && above->kind == FACT_CONCAT)
        return;
    g_auto(Value) value = facts_value(reader->facts, fact->node);
    if (value.text == NULL)
        return;
    gsize count = reader->source->settings->len;
    placeholder_read(reader->source, ts_node_start_byte(fact->node), ts_node_end_byte(fact->node));
    for (gsize i = count; i < reader->source->settings->len; i++) {
        Setting *setting = reader->source->settings->pdata[i];
        context_add(reader, setting, fact->node);
    }
    bool listed = reader->source->language->data || is_element(parent);
    const char *assigned = listed ? assigned_value(value.text) : NULL;
    if (assigned != NULL) { /* "NAME=value" in a list of variables */
        const char *sign = memchr(reader->source->text + value.start, '=', value.end - value.start);
        guint start = sign == NULL ? value.start : (guint)(sign + 1 - reader->source->text);
        Setting *pair = source_add(reader->source, SETTING_GIVEN, g_strdup(assigned), start, value.end);
        finish(reader, pair, fact->node);
        g_free(pair->name);
        g_free(pair->path);
        pair->name = g_strndup(value.text, (gsize)(assigned - 1 - value.text));
        pair->path = g_strdup(pair->name);
        pair->container = list_container(reader, fact->node);
        return;
    }
    if (reads_commands(value.text) && !ts_node_is_null(parent))
        commands_read(reader->source, ts_node_start_byte(parent), ts_node_end_byte(parent));
    bool many =
        reader->source->language->words || (reader->source->language->data && strpbrk(value.text, " \n") != NULL);
    if (reader->source->language->data && many)
        commands_read(reader->source, value.start, value.end);
    if (!reader->source->language->data && !reader->source->language->words && !documents(reader, fact->node) &&
        embed_literal(reader->source, ts_node_start_byte(fact->node), ts_node_end_byte(fact->node)))
        return;
    if (many) { /* as it is written: places in it are places of the file */
        g_free(value.text);
        value.text = source_slice(reader->source, value.start, value.end);
    }
    Setting *setting = source_add(reader->source, SETTING_TEXT, g_steal_pointer(&value.text), value.start, value.end);
    finish(reader, setting, fact->node);
    setting->words = many;
    g_clear_pointer(&setting->name, g_free);
}

static void read_comment(Reader *reader, const Fact *fact)
{
    ScanSpan *span = g_new(ScanSpan, 1);
    *span = (ScanSpan){ts_node_start_byte(fact->node), ts_node_end_byte(fact->node)};
    g_ptr_array_add(reader->source->comments, span);
}

/* A shell's expansions stand anywhere, not only in texts. */
static void read_placeholders(Source *source)
{
    guint before = source->settings->len;
    placeholder_read(source, 0, (guint)source->length);
    for (guint i = source->settings->len; i-- > before;) {
        const Setting *setting = source->settings->pdata[i];
        if (source_in_comment(source, setting->start))
            g_ptr_array_remove_index(source->settings, i);
    }
}

static Setting *sibling(const Source *source, const Setting *setting, const char *const *names)
{
    for (guint i = 0; i < source->settings->len; i++) {
        Setting *other = source->settings->pdata[i];
        if (other->container == setting->container && other != setting && other->name != NULL &&
            g_strv_contains(names, other->name))
            return other;
    }
    return NULL;
}

/* What two settings of one container say together: a default beside the name of its variable, "name: X" beside
 * "value: Y". */
static void join_settings(Source *source)
{
    static const char *const VARIABLES[] = {"env",   "envvar", "env_var", "envVar", "environment", "validation_alias",
                                            "alias", "names",  NULL};
    static const char *const KEYS[] = {"name", "key", "Name", NULL};
    guint n = MIN(source->settings->len, 20000u);
    for (guint i = 0; i < n; i++) {
        Setting *setting = source->settings->pdata[i];
        if (setting->container == 0 || setting->name == NULL || setting->variable != NULL)
            continue;
        bool is_value = g_ascii_strcasecmp(setting->name, "value") == 0;
        if (!is_value && !setting->default_key)
            continue;
        const Setting *variable = sibling(source, setting, is_value ? KEYS : VARIABLES);
        if (variable == NULL || strlen(variable->value) > 100)
            continue;
        g_free(setting->name);
        setting->name = g_strdup(variable->value);
        g_free(setting->path);
        setting->path = g_strdup(variable->value);
        if (!is_value) {
            setting->kind = SETTING_DEFAULT;
            setting->variable = g_strdup(variable->value);
        } else {
            setting->container = g_array_index(source->parents, guint, setting->container);
        }
    }
}

bool tree_read(Source *source)
{
    if (!worth_parsing(source))
        return true;
    source->tree = language_parse(source->language, source->text, source->length);
    if (source->tree == NULL)
        return false;
    source->broken = ts_node_has_error(ts_tree_root_node(source->tree));
    g_autoptr(Facts) facts = facts_read(source);
    Reader reader = {source, facts, g_hash_table_new(NULL, NULL)};
    bool worth = worth_reading(facts);
    for (guint i = 0; i < facts->all->len; i++) {
        const Fact *fact = &g_array_index(facts->all, Fact, i);
        if (!worth && fact->kind != FACT_COMMENT)
            continue;
        if (i % 64 == 0 && source_is_late(source))
            break;
        switch (fact->kind) {
        case FACT_CALL:
            read_default(&reader, fact);
            read_method(&reader, fact);
            break;
        case FACT_OR:
            read_default(&reader, fact);
            break;
        case FACT_BIND:
            read_bind(&reader, fact);
            break;
        case FACT_STRING:
        case FACT_CONCAT:
            read_string(&reader, fact);
            break;
        case FACT_COMMENT:
            read_comment(&reader, fact);
            break;
        case FACT_INDEX:
        case FACT_NONE:
            break;
        }
    }
    if (source->language->words) {
        read_placeholders(source);
        embed_heredocs(source);
    }
    join_settings(source);
    g_hash_table_unref(reader.containers);
    return !source_is_late(source);
}

#include "config/config.h"

#include <string.h>

#include "base/error.h"
#include "base/route.h"
#include "config/read.h"
#include "config/secret.h"

#define DEFAULT_JOBS 4
#define DEFAULT_SPLIT_ABOVE ((guint64)1 << 30)
#define DEFAULT_LOCK_TIMEOUT 10
#define STATE_FOLDER ".pgfold"
#define DOCS_PAGE "docs/database.md"

static char **no_names(void)
{
    return g_new0(char *, 1);
}

static void reference_free(gpointer data)
{
    ConfigReference *reference = data;
    g_strfreev(reference->columns);
    g_free(reference->schema);
    g_free(reference->table);
    g_strfreev(reference->to);
    g_free(reference);
}

gpointer config_reference_new(void)
{
    ConfigReference *reference = g_new0(ConfigReference, 1);
    reference->columns = no_names();
    reference->to = no_names();
    return reference;
}

static void table_free(gpointer data)
{
    ConfigTable *table = data;
    g_free(table->path);
    g_free(table->schema);
    g_free(table->table);
    g_strfreev(table->key);
    config_rule_clear(&table->on_conflict);
    g_strfreev(table->match_on);
    config_rule_clear(&table->on_match);
    g_ptr_array_unref(table->references);
    g_free(table);
}

gpointer config_table_new(void)
{
    ConfigTable *table = g_new0(ConfigTable, 1);
    table->key = no_names();
    table->match_on = no_names();
    table->references = g_ptr_array_new_with_free_func(reference_free);
    return table;
}

static void ssh_clear(ConfigSsh *ssh)
{
    g_free(ssh->host);
    g_free(ssh->config);
    g_free(ssh->compression);
}

static void source_free(gpointer data)
{
    ConfigSource *source = data;
    g_free(source->name);
    g_free(source->databases);
    config_wipe(source->url);
    ssh_clear(&source->ssh);
    g_free(source->compose);
    g_free(source->container);
    g_free(source->engine);
    g_free(source->into_database);
    g_free(source->into_schema);
    g_free(source->from_schema);
    config_rule_clear(&source->on_conflict);
    config_filter_clear(&source->include);
    config_filter_clear(&source->exclude);
    g_ptr_array_unref(source->tables);
    g_free(source);
}

gpointer config_source_new(void)
{
    ConfigSource *source = g_new0(ConfigSource, 1);
    source->tables = g_ptr_array_new_with_free_func(table_free);
    config_filter_init(&source->include);
    config_filter_init(&source->exclude);
    return source;
}

static void deploy_free(gpointer data)
{
    ConfigDeploy *deploy = data;
    g_free(deploy->name);
    g_free(deploy->run);
    g_free(deploy->check);
    g_free(deploy);
}

gpointer config_deploy_new(void)
{
    return g_new0(ConfigDeploy, 1);
}

Config *config_new(void)
{
    Config *config = g_new0(Config, 1);
    config->version = 1;
    config->sources = g_ptr_array_new_with_free_func(source_free);
    config->derived = g_ptr_array_new_with_free_func(config_derived_free);
    for (int kind = 0; kind < CONFIG_PROTECT_KINDS; kind++)
        config->protect[kind] = no_names();
    config->fold.jobs = DEFAULT_JOBS;
    config->fold.on_conflict.conflict = CONFIG_CONFLICT_STOP;
    config->fold.backup = true;
    config->fold.split_above = DEFAULT_SPLIT_ABOVE;
    config->fold.lock_timeout = DEFAULT_LOCK_TIMEOUT;
    config->fold.tables = g_ptr_array_new_with_free_func(table_free);
    config->code.variable = g_strdup("DATABASE_URL");
    for (int class = 0; class < CONFIG_CODE_CLASSES; class ++)
        config->code.classes[class] = no_names();
    config->code.remove = no_names();
    config->code.local = no_names();
    config->code.skip = no_names();
    config->testdb.settings = no_names();
    config->deploy = g_ptr_array_new_with_free_func(deploy_free);
    config->docs.page = g_strdup(DOCS_PAGE);
    config->state = g_strdup(STATE_FOLDER);
    config->warnings = g_ptr_array_new_with_free_func(g_free);
    config->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    config->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return config;
}

Config *config_new_adhoc(const char *source_url, const char *target_url)
{
    Config *config = config_new();
    config->folder = g_get_current_dir();
    g_free(config->state);
    config->state = g_build_filename(config->folder, STATE_FOLDER, NULL);
    config->target.url = g_strdup(target_url);
    if (source_url != NULL) {
        ConfigSource *source = config_source_new();
        source->name = g_strdup("source");
        source->url = g_strdup(source_url);
        g_ptr_array_add(config->sources, source);
    }
    return config;
}

void config_free(Config *config)
{
    if (config == NULL)
        return;
    g_free(config->path);
    g_free(config->folder);
    g_free(config->state);
    config_wipe(config->target.url);
    ssh_clear(&config->target.ssh);
    g_free(config->target.identity);
    g_free(config->target.database);
    g_ptr_array_unref(config->derived);
    g_ptr_array_unref(config->sources);
    for (int kind = 0; kind < CONFIG_PROTECT_KINDS; kind++)
        g_strfreev(config->protect[kind]);
    config_rule_clear(&config->fold.on_conflict);
    g_ptr_array_unref(config->fold.tables);
    g_free(config->code.variable);
    for (int class = 0; class < CONFIG_CODE_CLASSES; class ++)
        g_strfreev(config->code.classes[class]);
    g_strfreev(config->code.remove);
    g_strfreev(config->code.local);
    g_strfreev(config->code.skip);
    g_free(config->testdb.database);
    g_strfreev(config->testdb.settings);
    g_ptr_array_unref(config->deploy);
    g_free(config->docs.page);
    g_free(config->docs.tests);
    g_ptr_array_unref(config->warnings);
    g_hash_table_unref(config->places);
    g_hash_table_unref(config->written);
    g_free(config);
}

/* "laptop, old-vps" */
static char *source_names(const Config *config)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = g_ptr_array_index(config->sources, i);
        g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ", source->name);
    }
    return g_string_free(names, FALSE);
}

const ConfigSource *config_source(const Config *config, const char *name, GError **error)
{
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = g_ptr_array_index(config->sources, i);
        if (strcmp(source->name, name) == 0)
            return source;
    }
    g_autofree char *shown = config_quote(name);
    char *names = source_names(config);
    char *hint = *names == '\0' ? g_strdup("no source is given") : g_strdup_printf("the sources are: %s", names);
    g_free(names);
    pgf_error_take_hint(error, PGF_ERROR_USAGE, hint, "there is no source %s", shown);
    return NULL;
}

GPtrArray *config_choose_sources(const Config *config, const char *const *names, GError **error)
{
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    bool all = names == NULL || names[0] == NULL;
    for (guint i = 0; !all && names[i] != NULL; i++) {
        const ConfigSource *source = config_named_source(config, names[i], error);
        if (source == NULL)
            return NULL;
        if (g_ptr_array_find(chosen, source, NULL)) {
            pgf_error_set(error, PGF_ERROR_USAGE, "name it once", "the source %s is named twice", source->name);
            return NULL;
        }
        g_ptr_array_add(chosen, (gpointer)source);
    }
    for (guint i = 0; all && i < config->sources->len; i++) {
        ConfigSource *source = g_ptr_array_index(config->sources, i);
        if (!source->skip)
            g_ptr_array_add(chosen, source);
    }
    if (chosen->len > 0)
        return g_steal_pointer(&chosen);
    if (config->sources->len == 0)
        pgf_error_set(error, PGF_ERROR_USAGE, "give one with --source URL", "there is no source");
    else
        pgf_error_set(error, PGF_ERROR_USAGE, "name one on the command line", "every source has skip: true");
    return NULL;
}

char *config_where(const Config *config, const char *key)
{
    if (config->path == NULL)
        return g_strdup("the command line");
    const ConfigPlace *place = g_hash_table_lookup(config->places, key);
    if (place == NULL)
        return g_strdup(config->path);
    return g_strdup_printf("%s:%d:%d", config->path, place->line, place->column);
}

const char *config_written(const Config *config, const char *key)
{
    return g_hash_table_lookup(config->written, key);
}

static void redact_word(GString *text, const char *word)
{
    /* Shorter ones would take letters out of everything. */
    if (strlen(word) >= 3)
        g_string_replace(text, word, "****", 0);
}

static void redact_url(GString *text, const char *url)
{
    if (url == NULL)
        return;
    g_auto(Route) route = {0};
    redact_word(text, route_parse(url, &route) ? route.url : url);
    char **secrets = config_secrets(url);
    for (guint i = 0; secrets[i] != NULL; i++)
        redact_word(text, secrets[i]);
    config_secrets_free(secrets);
}

char *config_redact(const Config *config, const char *text)
{
    GString *redacted = g_string_new(text);
    redact_url(redacted, config->target.url);
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = g_ptr_array_index(config->sources, i);
        redact_url(redacted, source->url);
    }
    return g_string_free(redacted, FALSE);
}

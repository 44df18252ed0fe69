/* What the page says, gathered from configuration, receipts and the files of the project. */
#include <string.h>

#include "docs/internal.h"
#include "pg/url.h"

/* ${NAME} is nothing that libpq reads: words of letters stand in for it. */
#define STAND_IN "pgfoldvariable"

/* names: gets each "${NAME}". */
static char *hide_variables(const char *url, GPtrArray *names)
{
    GString *text = g_string_new(NULL);
    while (*url != '\0') {
        const char *end = g_str_has_prefix(url, "${") ? strchr(url, '}') : NULL;
        if (end == NULL) {
            g_string_append_c(text, *url++);
            continue;
        }
        g_string_append_printf(text, STAND_IN "%ux", names->len);
        g_ptr_array_add(names, g_strndup(url, (gsize)(end - url) + 1));
        url = end + 1;
    }
    return g_string_free(text, FALSE);
}

static char *show_variables(const char *value, const GPtrArray *names)
{
    if (value == NULL)
        return NULL;
    GString *text = g_string_new(value);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *stand_in = g_strdup_printf(STAND_IN "%ux", i);
        g_string_replace(text, stand_in, names->pdata[i], 0);
    }
    return g_string_free(text, FALSE);
}

static void read_url(DocsFacts *facts)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *plain = hide_variables(facts->url, names);
    g_autoptr(GHashTable) parts = pg_url_parse(plain);
    if (parts == NULL)
        return;
    const char *host = pg_url_get(parts, "host"), *database = pg_url_get(parts, "dbname");
    facts->host = show_variables(host != NULL ? host : pg_url_get(parts, "hostaddr"), names);
    facts->database = show_variables(database, names);
}

/* The first file that is there tells. */
static const char *guess_tests(const Config *config)
{
    static const struct {
        const char *file, *command;
    } SIGNS[] = {
        {"pytest.ini", "pytest"},        {"pyproject.toml", "pytest"},
        {"setup.cfg", "pytest"},         {"requirements.txt", "pytest"},
        {"package.json", "npm test"},    {"go.mod", "go test ./..."},
        {"Cargo.toml", "cargo test"},    {"mix.exs", "mix test"},
        {"bin/rails", "bin/rails test"}, {"Gemfile", "bundle exec rspec"},
        {"gradlew", "./gradlew test"},   {"pom.xml", "mvn test"},
        {"artisan", "php artisan test"}, {"composer.json", "vendor/bin/phpunit"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(SIGNS); i++)
        if (docs_file_exists(config, SIGNS[i].file))
            return SIGNS[i].command;
    return "COMMAND";
}

static const char *first_of(const char *one, const char *other)
{
    return one != NULL ? one : other;
}

bool docs_facts_read(const DocsInput *input, DocsFacts *ret_facts, GError **error)
{
    const Config *config = input->config;
    DocsFacts *facts = ret_facts;
    *facts = (DocsFacts){.config = config};
    g_autofree char *identity = NULL, *database = NULL;
    facts->sources = docs_sources_read(input, &identity, &database, error);
    if (facts->sources == NULL)
        return false;
    facts->url = g_strdup(first_of(config_written(config, "target.url"), ""));
    read_url(facts);
    const char *named = config_written(config, "target.database");
    if (named != NULL || facts->database == NULL) {
        g_free(facts->database);
        facts->database = g_strdup(first_of(named, database));
    }
    facts->pinned = config_written(config, "target.identity") != NULL;
    facts->identity = facts->pinned ? g_strdup(config_written(config, "target.identity")) : g_steal_pointer(&identity);
    facts->ssh_host = first_of(config_written(config, "target.ssh"), config_written(config, "target.ssh.host"));
    facts->ssh_config = config_written(config, "target.ssh.config");
    facts->tests = first_of(config->docs.tests, guess_tests(config));
    return true;
}

void docs_facts_clear(DocsFacts *facts)
{
    g_clear_pointer(&facts->url, g_free);
    g_clear_pointer(&facts->host, g_free);
    g_clear_pointer(&facts->database, g_free);
    g_clear_pointer(&facts->identity, g_free);
    g_clear_pointer(&facts->sources, g_ptr_array_unref);
}

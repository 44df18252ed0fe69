/* The manual and the example keep up with the table of keys. */
#include <string.h>

#include "config/schema.h"
#include "support.h"

/* The row that docs/configuration.md must have for a key. Transfer full. */
static char *manual_row(const char *path, const ConfigKey *key)
{
    const char *unless = key->required ? "required" : key->unless_given == NULL ? "" : key->unless_given;
    return g_strdup_printf("| `%s` | %s | %s | %s |\n", path, config_kind_name(key->kind), unless, key->about);
}

static void check_row(const char *path, const ConfigKey *key, gpointer data)
{
    g_autofree char *row = manual_row(path, key);
    if (strstr(data, row) == NULL)
        g_test_message("docs/configuration.md needs this line: %s", row);
    g_assert_nonnull(strstr(data, row));
}

static void test_manual_has_every_key(void)
{
    g_autofree char *manual = NULL;
    g_assert_true(g_file_get_contents(DOCS_DIR "/configuration.md", &manual, NULL, NULL));
    config_schema_each(check_row, manual);
}

static void count_key(const char *path, const ConfigKey *key, gpointer data)
{
    ++*(int *)data;
}

static void test_manual_has_no_other_key(void)
{
    g_autofree char *manual = NULL;
    g_assert_true(g_file_get_contents(DOCS_DIR "/configuration.md", &manual, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(manual, "\n| `", -1);
    int keys = 0;
    config_schema_each(count_key, &keys);
    g_assert_cmpint((int)g_strv_length(lines) - 1, ==, keys);
}

static void test_example_parses(void)
{
    g_setenv("DATABASE_URL", "postgresql://app@vps.example.org/app", TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_load(DOCS_DIR "/pgfold.example.yaml", CONFIG_CONNECTS, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->target.url, ==, "postgresql://app@vps.example.org/app");
    g_assert_cmpuint(config->sources->len, ==, 5);
    g_assert_cmpuint(config->warnings->len, ==, 0);
    g_assert_cmpstr(config->folder, ==, DOCS_DIR);
    g_assert_cmpstr(config->state, ==, DOCS_DIR "/.pgfold");
    ConfigTableRule rule;
    const ConfigSource *old = config->sources->pdata[1];
    g_assert_cmpstr(old->ssh.config, ==, DOCS_DIR "/deploy/ssh_config");
    config_table_rule(config, NULL, "public", "scratch", &rule);
    g_assert_true(rule.skip);
    config_table_rule(config, NULL, "public", "events", &rule);
    g_assert_cmpstr(rule.key[1], ==, "position");
}

static void check_in_example(const char *path, const ConfigKey *key, gpointer data)
{
    g_autofree char *written = g_strconcat(key->name, ":", NULL);
    bool kept_only = strstr(key->about, "Kept for later") != NULL;
    if (!kept_only && strcmp(key->name, "state") != 0)
        g_assert_nonnull(strstr(data, written));
}

static void test_example_shows_every_key(void)
{
    g_autofree char *example = NULL;
    g_assert_true(g_file_get_contents(DOCS_DIR "/pgfold.example.yaml", &example, NULL, NULL));
    config_schema_each(check_in_example, example);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/manual/has-a-row-for-every-key", test_manual_has_every_key);
    g_test_add_func("/config/manual/has-no-row-for-a-key-that-is-gone", test_manual_has_no_other_key);
    g_test_add_func("/config/example/parses", test_example_parses);
    g_test_add_func("/config/example/shows-every-key-that-acts", test_example_shows_every_key);
    return g_test_run();
}

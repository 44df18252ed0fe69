/* What a good file comes to. */
#include <string.h>

#include "base/error.h"
#include "base/route.h"
#include "config/protect.h"
#include "support.h"

static const ConfigSource *source_at(const Config *config, guint index)
{
    return g_ptr_array_index(config->sources, index);
}

static void test_defaults(void)
{
    g_autoptr(Config) config = parse_good(BASE);
    g_assert_cmpint(config->version, ==, 1);
    g_assert_cmpstr(config->path, ==, "pgfold.yaml");
    g_assert_cmpstr(config->target.url, ==, "service=target");
    g_assert_null(config->target.identity);
    g_assert_null(config->target.database);
    g_assert_cmpstr(source_at(config, 0)->name, ==, "laptop");
    g_assert_false(source_at(config, 0)->skip);
    g_assert_null(source_at(config, 0)->compose);
    for (int kind = 0; kind < CONFIG_PROTECT_KINDS; kind++)
        g_assert_null(config->protect[kind][0]);
    g_assert_cmpint(config->fold.jobs, ==, 4);
    g_assert_cmpint(config->fold.on_conflict.conflict, ==, CONFIG_CONFLICT_STOP);
    g_assert_cmpint(config->fold.lock_timeout, ==, 10);
    g_assert_null(source_at(config, 0)->into_database);
    g_assert_null(source_at(config, 0)->into_schema);
    g_assert_cmpint(source_at(config, 0)->on_conflict.conflict, ==, CONFIG_CONFLICT_UNSET);
    g_assert_cmpuint(source_at(config, 0)->tables->len, ==, 0);
    g_assert_true(config->fold.backup);
    g_assert_cmpuint(config->fold.split_above, ==, (guint64)1 << 30);
    g_assert_cmpuint(config->fold.tables->len, ==, 0);
    g_assert_cmpstr(config->code.variable, ==, "DATABASE_URL");
    g_assert_null(config->code.classes[CONFIG_CODE_TESTS][0]);
    g_assert_cmpint(config->testdb.port, ==, 0);
    g_assert_null(config->testdb.database);
    g_assert_null(config->testdb.settings[0]);
    g_assert_true(g_path_is_absolute(config->state));
    g_assert_true(g_str_has_suffix(config->state, "/.pgfold"));
    g_assert_cmpuint(config->warnings->len, ==, 0);
}

static void test_ssh(void)
{
    g_autoptr(Config) config = parse_good("version: 1\n"
                                          "target: { url: 'host=db password=s3cret', ssh: me@vps }\n"
                                          "sources:\n"
                                          "  - { name: a, url: service=s }\n"
                                          "  - { name: b, url: service=s, ssh: { host: old, compression: no } }\n");
    g_auto(Route) target = {0}, source = {0};
    g_assert_true(route_parse(config->target.url, &target));
    g_assert_cmpstr(target.host, ==, "me@vps");
    g_assert_cmpstr(target.compression, ==, "auto");
    g_assert_cmpstr(target.url, ==, "host=db password=s3cret");
    g_assert_false(route_is(source_at(config, 0)->url));
    g_assert_true(route_parse(source_at(config, 1)->url, &source));
    g_assert_cmpstr(source.compression, ==, "no");
    g_autofree char *redacted = config_redact(config, "the password s3cret of host=db password=s3cret");
    g_assert_null(strstr(redacted, "s3cret"));
}

static void test_all_kinds_of_values(void)
{
    g_autoptr(Config) config =
        parse_good("version: 1\n"
                   "target: { url: service=t, identity: 7391234567890123456, database: app }\n"
                   "sources:\n"
                   "  - { name: a.b_c-1, url: service=s, skip: true, compose: c.yml#db, into: x }\n"
                   "  - { name: b, url: service=s, into: { database: 'x y' } }\n"
                   "protect:\n"
                   "  databases: [d]\n"
                   "  schemas: [s]\n"
                   "  tables: [s.t]\n"
                   "  roles: [r]\n"
                   "  containers: [c]\n"
                   "  paths: [p, q]\n"
                   "fold:\n"
                   "  jobs: 64\n"
                   "  on_conflict: stop\n"
                   "  backup: false\n"
                   "  split_above: 64 mb\n"
                   "  lock_timeout: 3600\n"
                   "  tables:\n"
                   "    '\"my.schema\".\"a\"\"b\"': { key: [a, b], on_conflict: stop }\n"
                   "code: { variable: DB, tests: [t], remove: [r] }\n"
                   "testdb: { port: 5434, database: x, settings: { jit: off, a.b: 1MB } }\n"
                   "state: /var/lib/fold\n");
    g_assert_cmpstr(config->target.identity, ==, "7391234567890123456");
    g_assert_cmpstr(config->target.database, ==, "app");
    g_assert_true(source_at(config, 0)->skip);
    g_assert_cmpstr(source_at(config, 0)->compose, ==, "c.yml#db");
    g_assert_cmpstr(source_at(config, 0)->into_database, ==, "x");
    g_assert_cmpstr(source_at(config, 1)->into_database, ==, "x y");
    static const char *const PROTECTED[] = {"d", "s", "s.t", "r", "c", "p"};
    for (int kind = 0; kind < CONFIG_PROTECT_KINDS; kind++)
        g_assert_cmpstr(config->protect[kind][0], ==, PROTECTED[kind]);
    g_assert_cmpstr(config->protect[CONFIG_PROTECT_PATHS][1], ==, "q");
    g_assert_cmpint(config->fold.jobs, ==, 64);
    g_assert_false(config->fold.backup);
    g_assert_cmpuint(config->fold.split_above, ==, (guint64)64 << 20);
    g_assert_cmpint(config->fold.lock_timeout, ==, 3600);
    const ConfigTable *table = g_ptr_array_index(config->fold.tables, 0);
    g_assert_cmpstr(table->schema, ==, "my.schema");
    g_assert_cmpstr(table->table, ==, "a\"b");
    g_assert_cmpstr(table->key[1], ==, "b");
    g_assert_null(table->key[2]);
    g_assert_cmpstr(config->code.variable, ==, "DB");
    g_assert_cmpstr(config->code.classes[CONFIG_CODE_TESTS][0], ==, "t");
    g_assert_cmpstr(config->code.remove[0], ==, "r");
    g_assert_cmpint(config->testdb.port, ==, 5434);
    g_assert_cmpstr(config->testdb.database, ==, "x");
    g_assert_cmpstr(config->testdb.settings[0], ==, "jit=off");
    g_assert_cmpstr(config->testdb.settings[1], ==, "a.b=1MB");
    g_assert_cmpstr(config->state, ==, "/var/lib/fold");
}

static void test_variables(void)
{
    g_setenv("PGFOLD_TEST_URL", "postgresql://app@vps/a$b${c}\n", TRUE);
    g_setenv("PGFOLD_TEST_JOBS", "7", TRUE);
    g_autoptr(Config) config =
        parse_good("version: 1\n"
                   "target: { url: \"${PGFOLD_TEST_URL}\", database: 'a$$b${PGFOLD_TEST_JOBS}c' }\n"
                   "sources: [ { name: n, url: x } ]\n"
                   "fold: { jobs: \"${PGFOLD_TEST_JOBS}\" }\n");
    g_assert_cmpstr(config->target.url, ==, "postgresql://app@vps/a$b${c}");
    g_assert_cmpstr(config->target.database, ==, "a$b7c");
    g_assert_cmpint(config->fold.jobs, ==, 7);
}

static void test_offline(void)
{
    static const char TEXT[] =
        "version: 1\n"
        "target: { url: '${PGFOLD_TEST_UNSET}', identity: '${PGFOLD_TEST_UNSET}' }\n"
        "sources:\n"
        "  - { name: n, url: 'postgresql://a:${PGFOLD_TEST_UNSET}@h/d', into: '${PGFOLD_TEST_UNSET}' }\n"
        "testdb: { port: 5434 }\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse(TEXT, strlen(TEXT), "pgfold.yaml", CONFIG_OFFLINE, &error);
    g_assert_no_error(error);
    g_assert_null(config->target.url);
    g_assert_null(config->target.identity);
    g_assert_null(source_at(config, 0)->url);
    g_assert_cmpstr(source_at(config, 0)->name, ==, "n");
    g_assert_cmpint(config->testdb.port, ==, 5434);
    g_assert_cmpstr(config_written(config, "target.url"), ==, "${PGFOLD_TEST_UNSET}");
    g_assert_cmpstr(config_written(config, "sources[0].url"), ==, "postgresql://a@h/d");
    g_assert_null(config_written(config, "target.ssh"));
}

static void test_commands(void)
{
    g_autoptr(Config) config = parse_good("version: 1\n"
                                          "target: { url: x }\n"
                                          "sources: [ { name: n, url: x } ]\n"
                                          "deploy:\n"
                                          "  - name: one\n"
                                          "    run: |\n"
                                          "      echo \"$HOME\" ${X:-y}\n"
                                          "      true\n"
                                          "  - { name: two, run: 'yes', check: no }\n");
    const ConfigDeploy *one = config->deploy->pdata[0], *two = config->deploy->pdata[1];
    g_assert_cmpstr(one->run, ==, "echo \"$HOME\" ${X:-y}\ntrue");
    g_assert_null(one->check);
    g_assert_cmpstr(two->run, ==, "yes");
    g_assert_cmpstr(two->check, ==, "no");
    g_assert_cmpstr(config->docs.page, ==, "docs/database.md");
}

static void test_known(void)
{
    static const char TEXT[] = "version: 1\n"
                               "target: { url: 'postgresql://a:${PGFOLD_TEST_UNSET}@h/d', identity: '123' }\n"
                               "sources:\n"
                               "  - { name: n, url: 'postgresql://${PGFOLD_TEST_SET}@h/d' }\n";
    g_autoptr(GError) error = NULL;
    g_setenv("PGFOLD_TEST_SET", "who", TRUE);
    g_autoptr(Config) config = config_parse(TEXT, strlen(TEXT), "pgfold.yaml", CONFIG_KNOWN, &error);
    g_unsetenv("PGFOLD_TEST_SET");
    g_assert_no_error(error);
    g_assert_null(config->target.url);
    g_assert_cmpstr(config->target.identity, ==, "123");
    g_assert_cmpstr(source_at(config, 0)->url, ==, "postgresql://who@h/d");
}

static void test_known_tells_mistakes(void)
{
    static const char TEXT[] = BASE "target: { url: '${PGFOLD_TEST_UNSET:-x}' }\n";
    g_autoptr(GError) error = NULL;
    g_assert_null(config_parse(TEXT, strlen(TEXT), "pgfold.yaml", CONFIG_KNOWN, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
}

static void test_offline_checks_the_rest(void)
{
    static const char TEXT[] = BASE "state: '${PGFOLD_TEST_UNSET}'\n";
    g_autoptr(GError) error = NULL;
    g_assert_null(config_parse(TEXT, strlen(TEXT), "pgfold.yaml", CONFIG_OFFLINE, &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
}

static void test_json(void)
{
    g_autoptr(Config) config = parse_good("{\"version\": 1, \"target\": {\"url\": \"x\"},\n"
                                          " \"sources\": [{\"name\": \"n\", \"url\": \"y\"}]}\n");
    g_assert_cmpstr(source_at(config, 0)->url, ==, "y");
}

static void test_adhoc(void)
{
    g_autoptr(Config) config = config_new_adhoc("service=${a}", "service=b");
    g_assert_null(config->path);
    g_assert_cmpstr(config->target.url, ==, "service=b");
    g_assert_cmpstr(source_at(config, 0)->name, ==, "source");
    g_assert_cmpstr(source_at(config, 0)->url, ==, "service=${a}");
    g_assert_true(g_path_is_absolute(config->state));
    g_autofree char *where = config_where(config, "target.url");
    g_assert_cmpstr(where, ==, "the command line");
    g_autoptr(Config) none = config_new_adhoc(NULL, NULL);
    g_assert_cmpuint(none->sources->len, ==, 0);
    g_assert_null(none->target.url);
}

static void test_where(void)
{
    g_autoptr(Config) config = parse_good(BASE "protect:\n  databases:\n    - a\n    - b\n"
                                               "fold: { tables: { public.t: { skip: true } } }\n");
    static const char *const PLACES[][2] = {
        {"target.url", "pgfold.yaml:2:16"},
        {"sources[0].name", "pgfold.yaml:3:20"},
        {"protect.databases[1]", "pgfold.yaml:7:7"},
        {"fold.tables.public.t", "pgfold.yaml:8:19"},
        {"fold.tables.public.t.skip", "pgfold.yaml:8:37"},
        {"fold.jobs", "pgfold.yaml"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(PLACES); i++) {
        g_autofree char *where = config_where(config, PLACES[i][0]);
        g_assert_cmpstr(where, ==, PLACES[i][1]);
    }
}

static void test_protected(void)
{
    g_autoptr(Config) config = parse_good(BASE "protect: { databases: [archon, 'archon_*', 'odd[1]'] }\n");
    g_assert_cmpstr(config_protected(config, CONFIG_PROTECT_DATABASES, "archon"), ==, "archon");
    g_assert_cmpstr(config_protected(config, CONFIG_PROTECT_DATABASES, "archon_test"), ==, "archon_*");
    g_assert_cmpstr(config_protected(config, CONFIG_PROTECT_DATABASES, "odd[1]"), ==, "odd[1]");
    g_assert_null(config_protected(config, CONFIG_PROTECT_DATABASES, "app"));
    g_assert_null(config_protected(config, CONFIG_PROTECT_DATABASES, "Archon"));
    g_assert_null(config_protected(config, CONFIG_PROTECT_ROLES, "archon"));
    g_autoptr(GError) error = NULL;
    g_assert_true(config_check_protected(config, "target", "app", &error));
    g_assert_no_error(error);
    g_assert_false(config_check_protected(config, "source laptop", "archon_x", &error));
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
    g_assert_cmpstr(error->message, ==, "source laptop: the database \"archon_x\" is protected (pgfold.yaml:4:32)");
}

static char *choose(const Config *config, const char *const *names, GError **error)
{
    g_autoptr(GPtrArray) chosen = config_choose_sources(config, names, error);
    GString *joined = g_string_new(NULL);
    for (guint i = 0; chosen != NULL && i < chosen->len; i++)
        g_string_append_printf(joined, "%s ", ((const ConfigSource *)g_ptr_array_index(chosen, i))->name);
    return g_string_free(joined, FALSE);
}

static void test_choose(void)
{
    g_autoptr(Config) config = parse_good("version: 1\n"
                                          "target: { url: t }\n"
                                          "sources: [ { name: a, url: x }, { name: b, url: y, skip: true },\n"
                                          "           { name: c, url: z } ]\n");
    g_autoptr(GError) error = NULL;
    static const char *const NONE[] = {NULL}, *const CB[] = {"c", "b", NULL};
    static const char *const TWICE[] = {"a", "a", NULL}, *const UNKNOWN[] = {"d", NULL};
    g_autofree char *all = choose(config, NONE, &error);
    g_assert_cmpstr(all, ==, "a c ");
    g_autofree char *named = choose(config, CB, &error);
    g_assert_cmpstr(named, ==, "c b ");
    g_assert_no_error(error);
    g_autofree char *twice = choose(config, TWICE, &error);
    g_assert_cmpstr(twice, ==, "");
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_clear_error(&error);
    g_autofree char *unknown = choose(config, UNKNOWN, &error);
    g_assert_cmpstr(unknown, ==, "");
    g_assert_error(error, PGF_ERROR, PGF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "there is no source \"d\"");
    g_assert_cmpstr(pgf_error_hint(error), ==, "the sources are: a, b, c");
}

/* A file that is cut off or changed anywhere is an error or a Config, never a crash: the sanitizers watch. */
static void test_damaged_files(void)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(DOCS_DIR "/pgfold.example.yaml", &text, &length, NULL));
    g_setenv("DATABASE_URL", "service=target", TRUE);
    static const char ODD[] = "\0\t\n:-[]{}&*!|>'\"%@`#,?$\xff\xc3 ~";
    GRand *random = g_rand_new_with_seed(20);
    for (int round = 0; round < 4000; round++) {
        g_autofree char *copy = g_memdup2(text, length);
        gsize size = round % 3 == 0 ? (gsize)g_rand_int_range(random, 0, (int)length) : length;
        for (int change = g_rand_int_range(random, 0, 5); change > 0 && size > 0; change--)
            copy[g_rand_int_range(random, 0, (int)size)] = ODD[g_rand_int_range(random, 0, (int)sizeof ODD)];
        g_autoptr(GError) error = NULL;
        g_autoptr(Config) config = config_parse(copy, size, "pgfold.yaml", CONFIG_CONNECTS, &error);
        g_assert_true((config == NULL) == (error != NULL));
        if (error != NULL)
            g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
    g_rand_free(random);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv("PGFOLD_TEST_UNSET");
    g_test_add_func("/config/parse/fills-in-the-defaults", test_defaults);
    g_test_add_func("/config/parse/takes-every-kind-of-value", test_all_kinds_of_values);
    g_test_add_func("/config/parse/ssh-makes-a-route-of-the-url", test_ssh);
    g_test_add_func("/config/parse/reads-variables-once", test_variables);
    g_test_add_func("/config/parse/takes-json", test_json);
    g_test_add_func("/config/parse/survives-damaged-files", test_damaged_files);
    g_test_add_func("/config/parse/commands-are-taken-as-they-are", test_commands);
    g_test_add_func("/config/offline/does-not-read-what-only-connects", test_offline);
    g_test_add_func("/config/offline/checks-all-the-rest", test_offline_checks_the_rest);
    g_test_add_func("/config/known/leaves-out-what-names-an-unset-variable", test_known);
    g_test_add_func("/config/known/refuses-a-default-all-the-same", test_known_tells_mistakes);
    g_test_add_func("/config/adhoc/stands-in-for-a-file", test_adhoc);
    g_test_add_func("/config/where/tells-line-and-column-of-a-key", test_where);
    g_test_add_func("/config/protect/holds-names-and-patterns", test_protected);
    g_test_add_func("/config/sources/are-chosen-by-name-or-all-that-are-not-skipped", test_choose);
    return g_test_run();
}

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "config/protect.h"
#include "support.h"

static Config *parse(const char *protect, const char *path)
{
    g_autofree char *text = g_strconcat(BASE "protect: ", protect, "\n", NULL);
    g_autoptr(GError) error = NULL;
    Config *config = config_parse(text, strlen(text), path, CONFIG_CONNECTS, &error);
    g_assert_no_error(error);
    return config;
}

static void test_names(void)
{
    g_autoptr(Config) config =
        parse("{ schemas: [audit, 'arc*'], tables: [public.a, 'logs.*'], containers: ['db-?'] }", "pgfold.yaml");
    g_assert_cmpstr(config_protects_table(config, "audit", "t"), ==, "audit");
    g_assert_cmpstr(config_protects_table(config, "archon", "t"), ==, "arc*");
    g_assert_cmpstr(config_protects_table(config, "public", "a"), ==, "public.a");
    g_assert_cmpstr(config_protects_table(config, "logs", "x.y"), ==, "logs.*");
    g_assert_null(config_protects_table(config, "public", "b"));
    g_assert_null(config_protects_table(config, "Audit", "t"));
    g_assert_cmpstr(config_protects_container(config, "db-1"), ==, "db-?");
    g_assert_null(config_protects_container(config, "db-12"));
}

static void test_fingerprint(void)
{
    static const char *const TEXTS[] = {"{}", "{ fingerprint: catalog }", "{ fingerprint: off }",
                                        "{ fingerprint: 'full' }"};
    static const ConfigFingerprint WANTED[] = {CONFIG_FINGERPRINT_FULL, CONFIG_FINGERPRINT_CATALOG,
                                               CONFIG_FINGERPRINT_OFF, CONFIG_FINGERPRINT_FULL};
    for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autoptr(Config) config = parse(TEXTS[i], "pgfold.yaml");
        g_assert_cmpint(config->fingerprint, ==, WANTED[i]);
    }
    const char *wrong = BASE "protect: { fingerprint: some }\n";
    g_autoptr(GError) error = NULL;
    g_assert_null(config_parse(wrong, strlen(wrong), "pgfold.yaml", CONFIG_CONNECTS, &error));
    g_assert_nonnull(strstr(error->message, "protect.fingerprint must be one of full, catalog, off, this is \"some\""));
}

static bool is_allowed(const Config *config, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *absolute = g_build_filename(config->folder, path, NULL);
    if (config_check_protected_path(config, "the file", absolute, &error))
        return true;
    g_assert_error(error, PGF_ERROR, PGF_ERROR_REFUSED);
    g_assert_nonnull(strstr(error->message, "is protected ("));
    return false;
}

static void test_paths(void)
{
    g_autoptr(Config) config =
        parse("{ paths: [compose.yml, 'archon/**', 'docs/*.md', '**/secret', '../beside', 'deep/**/end.?'] }",
              "/srv/project/pgfold.yaml");
    static const char *const REFUSED[] = {"compose.yml", "archon",     "archon/a/b",    "docs/a.md",
                                          "secret",      "x/y/secret", "x/secret/z",    "./archon/../archon/q",
                                          "../beside/f", "deep/end.c", "deep/a/b/end.h"};
    static const char *const ALLOWED[] = {"compose.yml.bak", "archon2", "docs/a/b.md", "docs/a.txt",
                                          "secrets",         "beside",  "deep/end.cc", "."};
    for (gsize i = 0; i < G_N_ELEMENTS(REFUSED); i++)
        g_assert_false(is_allowed(config, REFUSED[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(ALLOWED); i++)
        g_assert_true(is_allowed(config, ALLOWED[i]));
}

static void test_links(void)
{
    g_autofree char *folder = g_dir_make_tmp("pgfold-protect-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "pgfold.yaml", NULL);
    g_autofree char *real = g_build_filename(folder, "real", NULL);
    g_autofree char *in = g_build_filename(folder, "in", NULL), *out = g_build_filename(folder, "kept", NULL);
    g_autofree char *dangling = g_build_filename(folder, "dangling", NULL),
                    *loop = g_build_filename(folder, "loop", NULL);
    g_assert_cmpint(g_mkdir(real, 0700), ==, 0);
    g_assert_cmpint(symlink("real", out), ==, 0);
    g_assert_cmpint(symlink("kept/deep", in), ==, 0);
    g_assert_cmpint(symlink("kept/none", dangling), ==, 0);
    g_assert_cmpint(symlink("loop", loop), ==, 0);
    g_autoptr(Config) config = parse("{ paths: ['kept/**'] }", file);
    g_assert_false(is_allowed(config, "kept/a"));
    g_assert_false(is_allowed(config, "real/a"));
    g_assert_false(is_allowed(config, "in/a"));
    g_assert_false(is_allowed(config, "dangling"));
    g_assert_true(is_allowed(config, "loop"));
    g_assert_true(is_allowed(config, "other"));
    const char *const made[] = {in, out, dangling, loop, real, folder};
    for (gsize i = 0; i < G_N_ELEMENTS(made); i++)
        g_assert_cmpint(g_remove(made[i]), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/protect/asks-for-tables-and-containers", test_names);
    g_test_add_func("/config/protect/knows-three-fingerprints", test_fingerprint);
    g_test_add_func("/config/protect/paths-go-by-components", test_paths);
    g_test_add_func("/config/protect/links-are-resolved-on-either-side", test_links);
    return g_test_run();
}

#include "scan/classify.h"

#include <string.h>

#include "config/protect.h"

static bool matches_any(const char *name, const char *const *patterns)
{
    for (guint i = 0; patterns[i] != NULL; i++)
        if (g_pattern_match_simple(patterns[i], name))
            return true;
    return false;
}

bool file_is_compose(const char *file)
{
    static const char *const NAMES[] = {"docker-compose*.y*ml", "compose*.y*ml", "podman-compose*.y*ml",
                                        "*compose*.y*ml", NULL};
    g_autofree char *name = g_path_get_basename(file);
    return matches_any(name, NAMES);
}

static bool is_test_path(char **components, const char *name)
{
    static const char *const FOLDERS[] = {
        "test",    "tests",    "spec",        "specs",     "__tests__", "__test__",
        "testing", "e2e",      "cypress",     "testdata",  "test-data", "integration-tests",
        "it",      "fixtures", "androidtest", "unittests", NULL};
    static const char *const NAMES[] = {"test_*",
                                        "*_test.*",
                                        "*_tests.*",
                                        "*.test.*",
                                        "*.spec.*",
                                        "*_spec.rb",
                                        "conftest.py",
                                        "*tests.cs",
                                        "*test.cs",
                                        "*test.java",
                                        "*tests.java",
                                        "*test.kt",
                                        "*it.java",
                                        "*test.php",
                                        "phpunit.xml*",
                                        "jest.config*",
                                        "vitest.*",
                                        "jest.setup*",
                                        "pytest.ini",
                                        "tox.ini",
                                        "*-test.*",
                                        "*-tests.*",
                                        "test.*",
                                        "tests.*",
                                        "*.test",
                                        "setuptests.*",
                                        "application-test*",
                                        "*compose*test*",
                                        "*.e2e-spec.*",
                                        ".env.test*",
                                        "noxfile.py",
                                        NULL};
    for (guint i = 0; components[i] != NULL && components[i + 1] != NULL; i++) {
        g_autofree char *folder = g_ascii_strdown(components[i], -1);
        if (g_strv_contains(FOLDERS, folder) || g_str_has_suffix(folder, ".tests") ||
            g_str_has_suffix(folder, ".test") || g_str_has_suffix(folder, "_test"))
            return true;
    }
    return matches_any(name, NAMES);
}

static bool is_docs_path(char **components, const char *name)
{
    static const char *const FOLDERS[] = {"docs", "doc", "documentation", "wiki", NULL};
    static const char *const NAMES[] = {"*.md",        "*.mdx",        "*.markdown",  "*.rst",         "*.adoc",
                                        "*.txt",       ".env.example", ".env.sample", ".env.template", "*.env.example",
                                        "env.example", ".env.dist",    "readme*",     "changelog*",    NULL};
    for (guint i = 0; components[i] != NULL && components[i + 1] != NULL; i++) {
        g_autofree char *folder = g_ascii_strdown(components[i], -1);
        if (g_strv_contains(FOLDERS, folder))
            return true;
    }
    return matches_any(name, NAMES);
}

static bool is_infrastructure_path(char **components, const char *name)
{
    static const char *const FOLDERS[] = {
        ".github", ".circleci",     ".gitlab",    "k8s",   "kubernetes",     "helm",
        "charts",  "deploy",        "deployment", "infra", "infrastructure", "terraform",
        "ansible", ".devcontainer", "docker",     "ops",   "manifests",      NULL};
    static const char *const NAMES[] = {"*compose*.y*ml",
                                        "dockerfile*",
                                        ".dockerignore",
                                        ".gitignore",
                                        ".gitattributes",
                                        ".helmignore",
                                        ".pre-commit-config.yaml",
                                        "*.dockerfile",
                                        "containerfile*",
                                        "makefile*",
                                        "justfile",
                                        "*.tf",
                                        "jenkinsfile*",
                                        ".gitlab-ci.y*ml",
                                        "*.mk",
                                        "procfile*",
                                        "*.sh",
                                        "*.bash",
                                        ".env*",
                                        "*.env",
                                        "vagrantfile",
                                        "taskfile*",
                                        "values*.y*ml",
                                        "devcontainer.json",
                                        ".travis.y*ml",
                                        NULL};
    for (guint i = 0; components[i] != NULL && components[i + 1] != NULL; i++) {
        g_autofree char *folder = g_ascii_strdown(components[i], -1);
        if (g_strv_contains(FOLDERS, folder))
            return true;
    }
    return matches_any(name, NAMES);
}

static bool contains(const char *text, gsize length, const char *word)
{
    return memmem(text, length, word, strlen(word)) != NULL;
}

/* A file that no path betrays: it imports a framework of tests. */
static bool is_test_text(const char *text, gsize length)
{
    length = MIN(length, 4000);
    return contains(text, length, "import pytest\n") || contains(text, length, "import unittest\n") ||
           contains(text, length, "from '@jest/globals'") || contains(text, length, "from 'vitest'") ||
           contains(text, length, "from \"vitest\"");
}

ScanClass classify(const Config *config, const char *folder, const char *file, const char *text, gsize length)
{
    if (config != NULL && config_path_listed(config, config->protect[CONFIG_PROTECT_PATHS], folder, file))
        return SCAN_PROTECTED;
    for (guint i = 0; config != NULL && i < CONFIG_CODE_CLASSES; i++)
        if (config_path_listed(config, config->code.classes[i], folder, file))
            return (ScanClass)i;
    g_auto(GStrv) components = g_strsplit(file, "/", -1);
    g_autofree char *base = g_path_get_basename(file);
    g_autofree char *name = g_ascii_strdown(base, -1);
    if (is_test_path(components, name))
        return SCAN_TEST;
    if (is_docs_path(components, name))
        return SCAN_DOCS;
    if (is_infrastructure_path(components, name))
        return SCAN_INFRASTRUCTURE;
    if (is_test_text(text, length))
        return SCAN_TEST;
    return SCAN_PRODUCTION;
}

bool find_test_module(const char *text, guint *ret_start, guint *ret_end)
{
    for (const char *at = text; (at = strstr(at, "#[cfg(test)]")) != NULL;) {
        const char *line = at;
        while (line > text && (line[-1] == ' ' || line[-1] == '\t'))
            line--;
        gsize indent = (gsize)(at - line);
        const char *module = at + strlen("#[cfg(test)]");
        module += strspn(module, " \t\r\n");
        if (!g_str_has_prefix(module, "mod ") && !g_str_has_prefix(module, "pub mod ") &&
            !g_str_has_prefix(module, "pub(crate) mod ")) {
            at = module;
            continue;
        }
        g_autofree char *close = g_strdup_printf("\n%.*s}", (int)indent, line);
        const char *end = strstr(module, close);
        if (module[strcspn(module, ";{\n")] == ';') { /* in a file of its own */
            at = module;
            continue;
        }
        *ret_start = (guint)(at - text);
        *ret_end = (guint)((end == NULL ? text + strlen(text) : end) - text);
        return true;
    }
    return false;
}

/* Which files there are to look at. */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "config/protect.h"
#include "git/git.h"
#include "scan/files.h"

/* Folders of what others wrote, or of what a build made. */
static bool is_foreign_folder(const char *name)
{
    static const char *const NAMES[] = {"node_modules",  "bower_components",
                                        "vendor",        "third_party",
                                        "third-party",   "thirdparty",
                                        "site-packages", "dist-packages",
                                        "__pycache__",   ".venv",
                                        "venv",          ".tox",
                                        ".nox",          ".git",
                                        ".hg",           ".svn",
                                        "target",        "dist",
                                        "build",         "_build",
                                        "deps",          ".next",
                                        ".nuxt",         ".svelte-kit",
                                        ".gradle",       ".mvn",
                                        "obj",           "Pods",
                                        ".terraform",    ".yarn",
                                        ".pnpm-store",   "coverage",
                                        ".pgfold",       ".mypy_cache",
                                        ".pytest_cache", "elm-stuff",
                                        "htmlcov",       "locales",
                                        "i18n",          ".idea",
                                        ".vs",           NULL};
    return g_strv_contains(NAMES, name);
}

/* Those of them that people also write themselves: only where git does not know of what is in them. */
static bool is_maybe_foreign(const char *name)
{
    static const char *const NAMES[] = {"target", "dist", "build", "obj", "deps", "coverage", "vendor", NULL};
    return g_strv_contains(NAMES, name);
}

static bool is_generated_name(const char *name)
{
    static const char *const PATTERNS[] = {"*.min.js",
                                           "*.min.css",
                                           "*.map",
                                           "*.lock",
                                           "package-lock.json",
                                           "pnpm-lock.yaml",
                                           "composer.lock",
                                           "*.pb.go",
                                           "*_pb2.py",
                                           "*.generated.*",
                                           "*.g.cs",
                                           "*.designer.cs",
                                           "*.svg",
                                           "*.png",
                                           "*.jpg",
                                           "*.gz",
                                           "*.snap",
                                           "go.sum",
                                           "*.bundle.js",
                                           "npm-shrinkwrap.json",
                                           NULL};
    for (guint i = 0; PATTERNS[i] != NULL; i++)
        if (g_pattern_match_simple(PATTERNS[i], name))
            return true;
    return false;
}

static bool is_wanted(const ScanOptions *options, const char *file, bool tracked)
{
    g_auto(GStrv) parts = g_strsplit(file, "/", -1);
    guint n = g_strv_length(parts);
    if (n == 0 || is_generated_name(parts[n - 1]))
        return false;
    if (strstr(file, "bin/Debug/") != NULL || strstr(file, "bin/Release/") != NULL)
        return false;
    for (guint i = 0; i + 1 < n; i++)
        if (is_foreign_folder(parts[i]) && !(tracked && is_maybe_foreign(parts[i]) && strcmp(parts[i], "vendor") != 0))
            return false;
    return options->config == NULL ||
           !config_path_listed(options->config, options->config->code.skip, options->folder, file);
}

static bool is_under(const ScanOptions *options, const char *file)
{
    if (options->paths == NULL || options->paths[0] == NULL)
        return true;
    for (guint i = 0; options->paths[i] != NULL; i++) {
        const char *path = options->paths[i];
        gsize length = strlen(path);
        while (length > 1 && path[length - 1] == '/')
            length--;
        if (strcmp(path, ".") == 0 ||
            (strncmp(file, path, length) == 0 && (file[length] == '/' || file[length] == '\0')))
            return true;
    }
    return false;
}

/* Names ended by NUL, as git writes them. */
static void take_names(const ScanOptions *options, GPtrArray *files, const char *out, gsize length, bool tracked)
{
    for (const char *at = out; at < out + length; at += strlen(at) + 1)
        if (*at != '\0' && is_under(options, at) && is_wanted(options, at, tracked))
            g_ptr_array_add(files, g_strdup(at));
}

/* False without an error: git is not there, or the folder is in no work tree. */
static bool list_with_git(const ScanOptions *options, GPtrArray *files, const char *which)
{
    const char *words[] = {"ls-files", "-z", which, which[2] == 'o' ? "--exclude-standard" : NULL, NULL};
    g_auto(SpawnResult) result = {0};
    if (!git_ask(options->folder, words, NULL, &result, NULL) || result.status != 0)
        return false;
    take_names(options, files, result.out, result.out_len, which[2] == 'c');
    return true;
}

static void walk(const ScanOptions *options, GPtrArray *files, const char *below, int depth)
{
    g_autofree char *path = *below == '\0' ? g_strdup(options->folder) : g_build_filename(options->folder, below, NULL);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    if (folder == NULL || depth > 100)
        return;
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *file = *below == '\0' ? g_strdup(name) : g_build_filename(below, name, NULL);
        g_autofree char *full = g_build_filename(options->folder, file, NULL);
        struct stat about;
        if (lstat(full, &about) != 0)
            continue;
        if (S_ISDIR(about.st_mode) && !is_foreign_folder(name))
            walk(options, files, file, depth + 1);
        else if (S_ISREG(about.st_mode) && is_under(options, file) && is_wanted(options, file, false))
            g_ptr_array_add(files, g_steal_pointer(&file));
    }
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *scan_files(const ScanOptions *options, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    if (!g_file_test(options->folder, G_FILE_TEST_IS_DIR)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s is not a folder", options->folder);
        return NULL;
    }
    if (!list_with_git(options, files, "--cached"))
        walk(options, files, "", 0);
    else
        list_with_git(options, files, "--others");
    g_ptr_array_sort(files, by_name);
    for (guint i = files->len; i-- > 1;) /* a file in the middle of a merge is listed three times */
        if (strcmp(files->pdata[i], files->pdata[i - 1]) == 0)
            g_ptr_array_remove_index(files, i);
    return g_steal_pointer(&files);
}

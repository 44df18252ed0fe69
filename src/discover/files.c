/* The project's files that may name a database. */
#include <string.h>

#include "discover/internal.h"

enum { DEPTH_MAX = 4, ENTRIES_MAX = 20000 };

typedef struct Walk {
    const char *root;
    ProjectFiles *files;
    guint entries;
} Walk;

static bool has_word(const char *name, const char *word)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return strstr(lower, word) != NULL;
}

static bool is_compose_file(const char *name)
{
    return (g_str_has_suffix(name, ".yml") || g_str_has_suffix(name, ".yaml")) && has_word(name, "compose");
}

/* Not .env.example and its like: what stands there is made up. */
static bool is_env_file(const char *name)
{
    static const char *const MADE_UP[] = {"example", "sample", "template", "dist"};
    bool is_env = g_str_equal(name, ".env") || g_str_equal(name, ".envrc") || g_str_has_prefix(name, ".env.") ||
                  g_str_has_suffix(name, ".env");
    for (guint i = 0; is_env && i < G_N_ELEMENTS(MADE_UP); i++)
        is_env = !has_word(name, MADE_UP[i]);
    return is_env;
}

/* Folders of packages that others wrote; hidden ones hold no project files either. */
static bool is_searched(const char *name)
{
    static const char *const OTHERS[] = {"node_modules", "vendor", "venv",        "target",
                                         "dist",         "build",  "__pycache__", NULL};
    return *name != '.' && !g_strv_contains(OTHERS, name);
}

static void walk_folder(Walk *walk, const char *inside, guint depth)
{
    g_autofree char *folder = g_build_filename(walk->root, inside, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = NULL; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        if (++walk->entries > ENTRIES_MAX)
            return;
        g_autofree char *path = g_build_filename(inside, name, NULL);
        g_autofree char *whole = g_build_filename(walk->root, path, NULL);
        const char *shown = *path == '/' ? path + 1 : path;
        if (is_compose_file(name) && g_file_test(whole, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(walk->files->compose, g_strdup(shown));
        else if (is_env_file(name) && g_file_test(whole, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(walk->files->env, g_strdup(shown));
        else if (depth < DEPTH_MAX && is_searched(name) && g_file_test(whole, G_FILE_TEST_IS_DIR) &&
                 !g_file_test(whole, G_FILE_TEST_IS_SYMLINK))
            walk_folder(walk, path, depth + 1);
    }
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

ProjectFiles project_files(const char *folder)
{
    ProjectFiles files = {.compose = g_ptr_array_new_with_free_func(g_free),
                          .env = g_ptr_array_new_with_free_func(g_free)};
    Walk walk = {.root = folder, .files = &files};
    walk_folder(&walk, "", 0);
    g_ptr_array_sort(files.compose, compare_names);
    g_ptr_array_sort(files.env, compare_names);
    return files;
}

void project_files_clear(ProjectFiles *files)
{
    g_clear_pointer(&files->compose, g_ptr_array_unref);
    g_clear_pointer(&files->env, g_ptr_array_unref);
}

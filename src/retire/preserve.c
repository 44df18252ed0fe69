/* Files that must go on working: those of protect.paths, and the compose files of tests. */
#include <string.h>

#include "config/node.h"
#include "config/protect.h"
#include "retire/internal.h"
#include "scan/classify.h"

static bool is_compose_of_tests(const Work *work, const char *file)
{
    g_autoptr(GBytes) bytes = file_is_compose(file) ? work_text(work, file) : NULL;
    gsize length = 0;
    const char *text = bytes == NULL ? NULL : g_bytes_get_data(bytes, &length);
    return text != NULL && classify(work->config, work->config->folder, file, text, length) == SCAN_TEST;
}

static bool is_protected(const Config *config, const char *file)
{
    g_autofree char *path = g_build_filename(config->folder, file, NULL);
    for (guint i = 0; config->protect[CONFIG_PROTECT_PATHS][i] != NULL; i++)
        if (config_path_matches(config, config->protect[CONFIG_PROTECT_PATHS][i], path))
            return true;
    return false;
}

/* NULL: it is read without a mistake that ends the reading. Transfer full. */
static char *yaml_problem(const char *text, gsize length, const char *file)
{
    g_auto(ConfigMistakes) mistakes = {0};
    config_mistakes_init(&mistakes, file);
    g_autoptr(ConfigNode) root = config_node_parse(text, length, &mistakes);
    g_autoptr(GError) why = NULL;
    if (root != NULL)
        return NULL;
    return config_mistakes_settle(&mistakes, &why) ? NULL : g_strdup(why->message);
}

static void add(GPtrArray *preserved, const char *file, bool whole, char *how)
{
    RetirePreserved *one = g_new0(RetirePreserved, 1);
    one->file = g_strdup(file);
    one->whole = whole;
    one->how = how;
    g_ptr_array_add(preserved, one);
}

static void look(Work *work, const char *file, bool is_compose)
{
    GPtrArray *preserved = work->code->preserved;
    g_autoptr(GBytes) bytes = work_text(work, file);
    if (bytes == NULL) {
        add(preserved, file, false, g_strdup("it cannot be read"));
        return;
    }
    gsize length = 0;
    const char *text = g_bytes_get_data(bytes, &length), *removed = NULL;
    g_autofree char *problem = is_compose ? yaml_problem(text, length, file) : NULL;
    guint line = mentions_find(text, length, file, work->removed, work->tracked, &removed);
    if (line > 0)
        add(preserved, file, false, g_strdup_printf("line %u refers to %s, which is removed", line, removed));
    else if (problem != NULL)
        add(preserved, file, false, g_strdup_printf("it cannot be read as YAML: %s", problem));
    else
        add(preserved, file, true,
            g_strdup(is_compose ? "it can be read as YAML and refers to nothing that is removed"
                                : "it refers to nothing that is removed"));
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void preserve_look(Work *work)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    GHashTableIter iter;
    gpointer file = NULL;
    g_hash_table_iter_init(&iter, work->tracked);
    while (g_hash_table_iter_next(&iter, &file, NULL))
        if (!g_hash_table_contains(work->removed, file) &&
            (is_compose_of_tests(work, file) || is_protected(work->config, file)))
            g_ptr_array_add(files, file);
    g_ptr_array_sort(files, by_name);
    for (guint i = 0; i < files->len; i++)
        look(work, files->pdata[i], is_compose_of_tests(work, files->pdata[i]));
}

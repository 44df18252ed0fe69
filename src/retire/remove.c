/* Which files code.remove means, and what stands against removing them. */
#include <string.h>

#include "base/error.h"
#include "config/protect.h"
#include "retire/internal.h"

static bool is_plain_file(const char *mode)
{
    return strcmp(mode, "160000") != 0; /* a submodule */
}

static void miss(Work *work, const char *entry, const char *why)
{
    g_ptr_array_add(work->code->missed, g_strdup_printf("%s: %s", entry, why));
}

static void take_entry(Work *work, const char *entry)
{
    GHashTableIter iter;
    gpointer file = NULL, mode = NULL;
    bool found = false, submodule = false;
    g_hash_table_iter_init(&iter, work->tracked);
    while (g_hash_table_iter_next(&iter, &file, &mode)) {
        g_autofree char *absolute = g_build_filename(work->config->folder, file, NULL);
        if (!config_path_matches(work->config, entry, absolute))
            continue;
        if (is_plain_file(mode)) {
            found = true;
            g_hash_table_add(work->removed, g_strdup(file));
        } else {
            submodule = true;
        }
    }
    g_autofree char *path = g_build_filename(work->config->folder, entry, NULL);
    if (submodule)
        miss(work, entry, "a submodule: take it out yourself (git rm)");
    else if (!found && g_file_test(path, G_FILE_TEST_EXISTS))
        miss(work, entry, "git does not know of it, so it could not be got back: remove it yourself");
}

static bool check_protected(const Work *work, const char *file, GError **error)
{
    g_autofree char *path = g_build_filename(work->config->folder, file, NULL);
    return config_check_protected_path(work->config, "code.remove:", path, error);
}

/* One with several databases is retired with all of them (retire.c of the command). */
static bool is_retired(const GPtrArray *sources, const ConfigSource *source)
{
    for (guint i = 0; i < sources->len; i++)
        if (config_base(sources->pdata[i]) == source)
            return true;
    return false;
}

/* The compose file of a source that stays. */
static bool check_others(const Work *work, const GPtrArray *sources, GError **error)
{
    const GPtrArray *all = work->config->sources;
    for (guint i = 0; i < all->len; i++) {
        const ConfigSource *source = all->pdata[i];
        const char *hash = source->compose == NULL ? NULL : strrchr(source->compose, '#');
        if (hash == NULL || is_retired(sources, source))
            continue;
        g_autofree char *named = g_strndup(source->compose, (gsize)(hash - source->compose));
        g_autofree char *file = g_strdup(g_str_has_prefix(named, "./") ? named + 2 : named);
        if (!g_hash_table_contains(work->removed, file))
            continue;
        pgf_error_take_hint(
            error, PGF_ERROR_REFUSED,
            g_strdup_printf("Name that source too (pgfold retire ... %s), or take the file out of code.remove.",
                            source->name),
            "%s is to be removed, and source %s, which is not retired now, runs in it", file, source->name);
        return false;
    }
    return true;
}

bool remove_plan(Work *work, const GPtrArray *sources, GError **error)
{
    char *const *entries = work->config->code.remove;
    for (guint i = 0; entries[i] != NULL; i++)
        take_entry(work, g_str_has_prefix(entries[i], "./") ? entries[i] + 2 : entries[i]);
    RetireStep *step = work_step("removals", "Remove what only served the local database");
    g_autoptr(GList) files = g_list_sort(g_hash_table_get_keys(work->removed), (GCompareFunc)strcmp);
    bool ok = true;
    for (GList *at = files; ok && at != NULL; at = at->next) {
        ok = check_protected(work, at->data, error);
        work_change(work, step, at->data, NULL, 0);
        g_ptr_array_add(work->code->removed, g_strdup(at->data));
    }
    work_add(work, step);
    return ok && check_others(work, sources, error);
}

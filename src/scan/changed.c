#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/spawn.h"
#include "scan/files.h"

#define GIT_MS 120000

static void take_hunk(GArray *lines, const char *hunk)
{
    const char *plus = strchr(hunk, '+');
    if (plus == NULL)
        return;
    char *end;
    guint first = (guint)strtoul(plus + 1, &end, 10), n = 1;
    if (*end == ',')
        n = (guint)strtoul(end + 1, NULL, 10);
    if (n == 0)
        return;
    guint last = first + n - 1;
    g_array_append_val(lines, first);
    g_array_append_val(lines, last);
}

static GHashTable *parse(const char *out)
{
    GHashTable *changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    GArray *lines = NULL;
    g_auto(GStrv) all = g_strsplit(out, "\n", -1);
    for (guint i = 0; all[i] != NULL; i++) {
        if (g_str_has_prefix(all[i], "+++ ")) {
            g_strchomp(all[i]);
            lines = g_array_new(FALSE, FALSE, sizeof(guint));
            g_hash_table_replace(changed, g_strdup(all[i] + 4), lines);
        } else if (g_str_has_prefix(all[i], "@@ ") && lines != NULL) {
            take_hunk(lines, all[i]);
        }
    }
    return changed;
}

static bool run_git(const ScanOptions *options, const char *const *argv, SpawnResult *result, GError **error)
{
    SpawnSpec spec = {.argv = argv, .cwd = options->folder};
    if (!spawn_run(&spec, deadline_in_ms(GIT_MS), result, error))
        return false;
    if (result->status == 0)
        return true;
    g_autofree char *tail = spawn_tail(result->err, 2);
    pgf_error_set(error, PGF_ERROR_USAGE, "--diff and --staged need a git work tree, and a revision that it knows.",
                  "git: %s", tail);
    return false;
}

GHashTable *changed_lines(const ScanOptions *options, GError **error)
{
    const char *argv[] = {"git",
                          "-c",
                          "core.quotepath=off",
                          "diff",
                          "--no-color",
                          "--no-ext-diff",
                          "--no-prefix",
                          "--relative",
                          "-U0",
                          options->staged ? "--cached" : options->diff,
                          options->staged && options->diff != NULL ? options->diff : "--",
                          options->staged && options->diff != NULL ? "--" : NULL,
                          NULL};
    g_auto(SpawnResult) result = {0};
    if (!run_git(options, argv, &result, error))
        return NULL;
    GHashTable *changed = parse(result.out);
    if (options->staged)
        return changed;
    /* Files that git does not know yet are new as a whole. */
    const char *others[] = {"git", "-c",       "core.quotepath=off", "ls-files",
                            "-z",  "--others", "--exclude-standard", NULL};
    g_auto(SpawnResult) untracked = {0};
    if (!run_git(options, others, &untracked, error)) {
        g_hash_table_unref(changed);
        return NULL;
    }
    for (const char *at = untracked.out; at < untracked.out + untracked.out_len; at += strlen(at) + 1) {
        guint all[] = {1, G_MAXUINT};
        GArray *lines = g_array_new(FALSE, FALSE, sizeof(guint));
        g_array_append_vals(lines, all, 2);
        g_hash_table_replace(changed, g_strdup(at), lines);
    }
    return changed;
}

GHashTable *staged_texts(const ScanOptions *options, GHashTable *changed, GError **error)
{
    g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    GHashTableIter iter;
    gpointer file;
    g_hash_table_iter_init(&iter, changed);
    while (g_hash_table_iter_next(&iter, &file, NULL)) {
        g_autofree char *name = g_strdup_printf(":./%s", (const char *)file);
        const char *argv[] = {"git", "cat-file", "blob", name, NULL};
        SpawnSpec spec = {.argv = argv, .cwd = options->folder};
        g_auto(SpawnResult) result = {0};
        if (!spawn_run(&spec, deadline_in_ms(GIT_MS), &result, error))
            return NULL;
        if (result.status == 0)
            g_hash_table_insert(texts, g_strdup(file), g_bytes_new(result.out, result.out_len));
    }
    return g_steal_pointer(&texts);
}

bool line_is_changed(GHashTable *changed, const char *file, guint first, guint last)
{
    const GArray *lines = g_hash_table_lookup(changed, file);
    for (guint i = 0; lines != NULL && i + 1 < lines->len; i += 2)
        if (g_array_index(lines, guint, i) <= last && first <= g_array_index(lines, guint, i + 1))
            return true;
    return false;
}

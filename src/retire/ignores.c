/* Files that are a list of names: a line that names nothing but a removed file can go for certain. */
#include <string.h>

#include "retire/internal.h"

static bool is_list(const char *file)
{
    static const char *const names[] = {".gitignore",    ".dockerignore", ".npmignore",    ".prettierignore",
                                        ".eslintignore", ".helmignore",   ".gcloudignore", NULL};
    g_autofree char *name = g_path_get_basename(file);
    return g_strv_contains(names, name);
}

static bool names_removed(const Work *work, const char *folder, const char *line, gsize length)
{
    g_autofree char *text = g_strndup(line, length);
    g_strstrip(text);
    const char *name = text + strspn(text, "/");
    /* Without a slash in front, a name of .gitignore stands for files of any folder. */
    if (*text == '\0' || (*text != '/' && strchr(name, '/') == NULL && strcmp(folder, ".") != 0))
        return false;
    g_autofree char *path = strcmp(folder, ".") == 0 ? g_strdup(name) : g_build_filename(folder, name, NULL);
    return g_hash_table_contains(work->removed, path);
}

/* NULL: no line goes. */
static GString *without(const Work *work, const char *file, const char *text, gsize length)
{
    g_autofree char *folder = g_path_get_dirname(file);
    GString *kept = g_string_new(NULL);
    const char *end = text + length;
    for (const char *line = text; line < end;) {
        const char *stop = memchr(line, '\n', (gsize)(end - line));
        const char *next = stop == NULL ? end : stop + 1;
        if (!names_removed(work, folder, line, (gsize)(next - line)))
            g_string_append_len(kept, line, next - line);
        line = next;
    }
    if (kept->len < length)
        return kept;
    g_string_free(kept, TRUE);
    return NULL;
}

void ignores_plan(Work *work)
{
    RetireStep *step = work_step("references", "Drop names of files that are gone");
    g_autoptr(GList) files = g_list_sort(g_hash_table_get_keys(work->tracked), (GCompareFunc)strcmp);
    for (GList *at = files; at != NULL; at = at->next) {
        const char *file = at->data;
        if (!is_list(file) || g_hash_table_contains(work->removed, file))
            continue;
        g_autoptr(GBytes) bytes = work_text(work, file);
        gsize length = 0;
        const char *text = bytes == NULL ? NULL : g_bytes_get_data(bytes, &length);
        GString *kept = text == NULL ? NULL : without(work, file, text, length);
        if (kept != NULL) {
            gsize new_length = kept->len;
            work_change(work, step, file, g_string_free(kept, FALSE), new_length);
        }
    }
    work_add(work, step);
}

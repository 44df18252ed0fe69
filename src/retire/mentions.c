/* References to removed files in a text of any kind. */
#include <string.h>

#include "retire/internal.h"

static bool is_of_path(char c)
{
    return g_ascii_isalnum(c) || strchr("._-/@+~", c) != NULL || (c & 0x80) != 0;
}

/* The path without "." and ".." components; NULL: it leads out of the folder. */
static char *normalize(const char *folder, const char *path)
{
    g_autofree char *joined = g_strcmp0(folder, ".") == 0 ? g_strdup(path) : g_build_filename(folder, path, NULL);
    g_auto(GStrv) parts = g_strsplit(joined, "/", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (guint i = 0; parts[i] != NULL; i++) {
        if (*parts[i] == '\0' || strcmp(parts[i], ".") == 0)
            continue;
        if (strcmp(parts[i], "..") != 0) {
            g_ptr_array_add(kept, parts[i]);
            continue;
        }
        if (kept->len == 0)
            return NULL;
        g_ptr_array_remove_index(kept, kept->len - 1);
    }
    g_ptr_array_add(kept, NULL);
    return g_strjoinv("/", (char **)kept->pdata);
}

/* A name stands for the file beside the one that it is in, where there is such a file; else it starts at the top. */
static const char *meant(const char *word, const char *folder, GHashTable *removed, GHashTable *tracked)
{
    g_autofree char *beside = normalize(folder, word);
    const char *found = beside == NULL ? NULL : g_hash_table_lookup(removed, beside);
    if (found != NULL || (beside != NULL && g_hash_table_contains(tracked, beside)))
        return found;
    g_autofree char *from_top = normalize(".", word);
    return from_top == NULL ? NULL : g_hash_table_lookup(removed, from_top);
}

static const char *find_in_line(const char *line, const char *end, const char *folder, GHashTable *removed,
                                GHashTable *tracked)
{
    while (line < end && g_ascii_isspace(*line))
        line++;
    if (line < end && *line == '#')
        return NULL;
    for (const char *at = line; at < end;) {
        const char *start = at;
        while (at < end && is_of_path(*at))
            at++;
        if (at == start) {
            at++;
            continue;
        }
        g_autofree char *word = g_strndup(start, (gsize)(at - start));
        const char *found = meant(word, folder, removed, tracked);
        for (gsize n = strlen(word); found == NULL && n > 0 && word[n - 1] == '.'; n--) { /* the end of a sentence */
            word[n - 1] = '\0';
            found = meant(word, folder, removed, tracked);
        }
        if (found != NULL)
            return found;
    }
    return NULL;
}

guint mentions_find(const char *text, gsize length, const char *file, GHashTable *removed, GHashTable *tracked,
                    const char **ret_removed)
{
    g_autofree char *folder = g_path_get_dirname(file);
    const char *end = text + length;
    guint number = 1;
    for (const char *line = text; line < end; number++) {
        const char *stop = memchr(line, '\n', (gsize)(end - line));
        if (stop == NULL)
            stop = end;
        *ret_removed = find_in_line(line, stop, folder, removed, tracked);
        if (*ret_removed != NULL)
            return number;
        line = stop + 1;
    }
    return 0;
}

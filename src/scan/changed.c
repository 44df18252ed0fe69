#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "git/git.h"
#include "scan/files.h"

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

/* The name behind "+++ ": quoted as C does where it has unusual characters, ended by a tab where it has blanks. */
static char *take_name(const char *line)
{
    g_autofree char *name = g_strdup(line);
    gsize length = strlen(name);
    if (length > 0 && name[length - 1] == '\t')
        name[--length] = '\0';
    if (length < 2 || name[0] != '"' || name[length - 1] != '"')
        return g_steal_pointer(&name);
    name[length - 1] = '\0';
    return g_strcompress(name + 1);
}

/* How many lines of text follow a hunk's head: "@@ -3,2 +3 @@". */
static guint hunk_lines(const char *hunk)
{
    guint lines = 0;
    for (const char *at = hunk; (at = strpbrk(at, "-+")) != NULL && at[1] != ' ';) {
        char *end;
        strtoul(at + 1, &end, 10);
        lines += *end == ',' ? (guint)strtoul(end + 1, &end, 10) : 1;
        at = end;
        if (strncmp(at, " @@", 3) == 0)
            break;
    }
    return lines;
}

static GHashTable *parse(const char *out)
{
    GHashTable *changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    GArray *lines = NULL;
    guint text = 0; /* lines of it that are still to come: one of them may look like a head */
    g_auto(GStrv) all = g_strsplit(out, "\n", -1);
    for (guint i = 0; all[i] != NULL; i++) {
        if (text > 0 && *all[i] != '\\') { /* "\ No newline at end of file" is not counted */
            text--;
        } else if (g_str_has_prefix(all[i], "+++ ")) {
            lines = g_array_new(FALSE, FALSE, sizeof(guint));
            g_hash_table_replace(changed, take_name(all[i] + 4), lines);
        } else if (g_str_has_prefix(all[i], "@@ ") && lines != NULL) {
            take_hunk(lines, all[i]);
            text = hunk_lines(all[i]);
        }
    }
    return changed;
}

static bool run_git(const ScanOptions *options, const char *const *words, const char *input, SpawnResult *result,
                    GError **error)
{
    if (!git_ask(options->folder, words, input, result, error))
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
    if (options->diff != NULL && *options->diff == '-') { /* git would take it for an option */
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--diff %s is not a revision", options->diff);
        return NULL;
    }
    const char *words[] = {"diff",
                           "--no-color",
                           "--no-ext-diff",
                           "--no-textconv",
                           "--inter-hunk-context=0",
                           "--no-prefix",
                           "--relative",
                           "-U0",
                           options->staged ? "--cached" : options->diff,
                           options->staged && options->diff != NULL ? options->diff : "--",
                           options->staged && options->diff != NULL ? "--" : NULL,
                           NULL};
    g_auto(SpawnResult) result = {0};
    if (!run_git(options, words, NULL, &result, error))
        return NULL;
    GHashTable *changed = parse(result.out);
    if (options->staged)
        return changed;
    /* Files that git does not know yet are new as a whole. */
    const char *others[] = {"ls-files", "-z", "--others", "--exclude-standard", NULL};
    g_auto(SpawnResult) untracked = {0};
    if (!run_git(options, others, NULL, &untracked, error)) {
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

bool line_is_changed(GHashTable *changed, const char *file, guint first, guint last)
{
    const GArray *lines = g_hash_table_lookup(changed, file);
    for (guint i = 0; lines != NULL && i + 1 < lines->len; i += 2)
        if (g_array_index(lines, guint, i) <= last && first <= g_array_index(lines, guint, i + 1))
            return true;
    return false;
}

/* --- what is staged --- */

typedef struct Blob {
    char *file, *object;
} Blob;

static void blob_free(gpointer data)
{
    Blob *blob = data;
    g_free(blob->file);
    g_free(blob->object);
    g_free(blob);
}

static void text_free(gpointer text)
{
    g_string_free(text, TRUE);
}

/* "100644 OBJECT STAGE\tFILE": regular files; of one in the middle of a merge our side. */
static GPtrArray *changed_blobs(const char *out, gsize length, GHashTable *changed)
{
    GPtrArray *blobs = g_ptr_array_new_with_free_func(blob_free);
    for (const char *at = out; at < out + length; at += strlen(at) + 1) {
        const char *tab = strchr(at, '\t');
        if (tab == NULL || !g_str_has_prefix(at, "100") || !g_hash_table_contains(changed, tab + 1))
            continue;
        g_auto(GStrv) words = g_strsplit(at, " ", 3);
        if (g_strv_length(words) != 3 || (*words[2] != '0' && *words[2] != '2'))
            continue;
        Blob *blob = g_new0(Blob, 1);
        blob->file = g_strdup(tab + 1);
        blob->object = g_steal_pointer(&words[1]);
        words[1] = words[2]; /* so that the list is freed to its end */
        words[2] = NULL;
        g_ptr_array_add(blobs, blob);
    }
    return blobs;
}

static char *object_list(const GPtrArray *blobs)
{
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < blobs->len; i++)
        g_string_append_printf(list, "%s\n", ((const Blob *)blobs->pdata[i])->object);
    return g_string_free(list, FALSE);
}

/* Those that are too large go from blobs. */
static bool drop_large(const ScanOptions *options, GPtrArray *blobs, gsize max, GError **error)
{
    const char *words[] = {"cat-file", "--batch-check=%(objectsize)", NULL};
    g_autofree char *list = object_list(blobs);
    g_auto(SpawnResult) result = {0};
    if (!run_git(options, words, list, &result, error))
        return false;
    g_auto(GStrv) sizes = g_strsplit(result.out, "\n", -1);
    guint n = MIN(g_strv_length(sizes), blobs->len);
    for (guint i = n; i-- > 0;)
        if (g_ascii_strtoull(sizes[i], NULL, 10) > max)
            g_ptr_array_remove_index(blobs, i);
    return true;
}

GHashTable *staged_texts(const ScanOptions *options, GHashTable *changed, gsize max, GError **error)
{
    const char *words[] = {"ls-files", "-s", "-z", NULL};
    g_auto(SpawnResult) listed = {0};
    if (!run_git(options, words, NULL, &listed, error))
        return NULL;
    g_autoptr(GPtrArray) blobs = changed_blobs(listed.out, listed.out_len, changed);
    if (!drop_large(options, blobs, max, error))
        return NULL;
    const char *batch[] = {"cat-file", "--batch=%(objectsize)", NULL};
    g_autofree char *list = object_list(blobs);
    g_auto(SpawnResult) result = {0};
    if (!run_git(options, batch, list, &result, error))
        return NULL;
    GHashTable *texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, text_free);
    const char *at = result.out, *end = result.out + result.out_len;
    for (guint i = 0; i < blobs->len && at < end; i++) { /* "SIZE\n", the bytes, "\n" */
        char *text;
        gsize size = g_ascii_strtoull(at, &text, 10);
        if (*text != '\n' || size > (gsize)(end - text - 1))
            break;
        Blob *blob = blobs->pdata[i];
        g_hash_table_replace(texts, g_steal_pointer(&blob->file), g_string_new_len(text + 1, (gssize)size));
        at = text + 1 + size + 1;
    }
    return texts;
}

#include "scan/fix_apply.h"

#include <string.h>

#include "scan/language.h"

void scan_edits_free(GPtrArray *edits)
{
    for (guint i = 0; i < edits->len; i++) {
        ScanEdit *edit = edits->pdata[i];
        g_free(edit->text);
        g_free(edit);
    }
    g_ptr_array_unref(edits);
}

static int by_start(gconstpointer a, gconstpointer b)
{
    const ScanEdit *const *left = a, *const *right = b;
    if ((*left)->start != (*right)->start)
        return (*left)->start < (*right)->start ? -1 : 1;
    /* What is put in front comes before what is replaced. */
    return (int)((*left)->end > (*right)->end) - (int)((*left)->end < (*right)->end);
}

/* A check in front of a statement that is not indented holds for all that comes after it. */
static bool is_check(const ScanEdit *edit)
{
    gsize length = strlen(edit->text);
    return edit->start == edit->end && length > 0 && edit->text[length - 1] == '\n';
}

static bool is_same(const ScanEdit *left, const ScanEdit *right)
{
    return (is_check(left) && is_check(right) && strcmp(left->text, right->text) == 0) ||
           (left->start == right->start && left->end == right->end && strcmp(left->text, right->text) == 0);
}

/* Sorted, each once: two reads in one statement bring the same guard. NULL when two of them overlap. */
static GPtrArray *gather(const GPtrArray *findings)
{
    g_autoptr(GPtrArray) edits = g_ptr_array_new();
    for (guint i = 0; i < findings->len; i++) {
        const ScanFinding *finding = findings->pdata[i];
        for (guint j = 0; finding->edits != NULL && j < finding->edits->len; j++) {
            ScanEdit *edit = finding->edits->pdata[j];
            bool known = false;
            for (guint k = 0; k < edits->len && !known; k++)
                known = is_same(edits->pdata[k], edit);
            if (!known)
                g_ptr_array_add(edits, edit);
        }
    }
    g_ptr_array_sort(edits, by_start);
    for (guint i = 1; i < edits->len; i++)
        if (((ScanEdit *)edits->pdata[i])->start < ((ScanEdit *)edits->pdata[i - 1])->end)
            return NULL;
    return g_steal_pointer(&edits);
}

static char *apply(const char *text, gsize length, const GPtrArray *edits, gsize *ret_length)
{
    GString *result = g_string_sized_new(length + 200);
    gsize at = 0;
    for (guint i = 0; i < edits->len; i++) {
        const ScanEdit *edit = edits->pdata[i];
        if (edit->start < at || edit->end < edit->start || edit->end > length) {
            g_string_free(result, TRUE);
            return NULL;
        }
        g_string_append_len(result, text + at, (gssize)(edit->start - at));
        g_string_append(result, edit->text);
        at = edit->end;
    }
    g_string_append_len(result, text + at, (gssize)(length - at));
    *ret_length = result->len;
    return g_string_free(result, FALSE);
}

static guint count_errors(TSNode node, int depth)
{
    if (!ts_node_has_error(node) || depth > 500)
        return 0;
    guint n = ts_node_is_error(node) || ts_node_is_missing(node) ? 1 : 0;
    guint children = ts_node_child_count(node);
    for (guint i = 0; i < children; i++)
        n += count_errors(ts_node_child(node, i), depth + 1);
    return n;
}

static bool parses(const char *file, const char *text, gsize length, guint *ret_errors)
{
    const Language *language = language_of(file, text, length);
    *ret_errors = 0;
    if (language == NULL || language->grammar == NULL)
        return true;
    TSTree *tree = language_parse(language, text, length);
    if (tree == NULL)
        return false;
    *ret_errors = count_errors(ts_tree_root_node(tree), 0);
    language_tree_free(tree);
    return true;
}

static bool parses_as_well(const char *file, const char *old, gsize old_length, const char *new, gsize new_length)
{
    guint before, after;
    return parses(file, old, old_length, &before) && parses(file, new, new_length, &after) && after <= before;
}

/* Fingerprints of findings that count, with how often they do. */
static GHashTable *count(const GPtrArray *findings)
{
    GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < findings->len; i++) {
        const ScanFinding *finding = findings->pdata[i];
        if (finding->suppressed != NULL)
            continue;
        gpointer n = g_hash_table_lookup(counts, finding->fingerprint);
        g_hash_table_insert(counts, g_strdup(finding->fingerprint), GUINT_TO_POINTER(GPOINTER_TO_UINT(n) + 1));
    }
    return counts;
}

/* A scan of the new text finds what it found in the old one, without those that are fixed; and nothing else. */
static bool is_clean(const ScanOptions *options, const char *file, const GPtrArray *fixed, const char *old,
                     gsize old_length, const char *new, gsize new_length)
{
    ScanOptions plain = *options;
    plain.want_fixes = false;
    g_autoptr(GPtrArray) before = scan_text(&plain, file, old, old_length);
    g_autoptr(GPtrArray) after = scan_text(&plain, file, new, new_length);
    g_autoptr(GHashTable) old_counts = count(before), new_counts = count(after);
    for (guint i = 0; i < fixed->len; i++) {
        const ScanFinding *finding = fixed->pdata[i];
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(old_counts, finding->fingerprint));
        if (n > 0)
            g_hash_table_insert(old_counts, g_strdup(finding->fingerprint), GUINT_TO_POINTER(n - 1));
    }
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, new_counts);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (GPOINTER_TO_UINT(value) > GPOINTER_TO_UINT(g_hash_table_lookup(old_counts, key)))
            return false;
    return true;
}

/* NULL when the edits overlap, or the result is no better. */
static char *fixed_text(const ScanOptions *options, const char *file, const char *text, gsize length,
                        const GPtrArray *findings, gsize *ret_length)
{
    g_autoptr(GPtrArray) edits = gather(findings);
    g_autofree char *result = edits == NULL || edits->len == 0 ? NULL : apply(text, length, edits, ret_length);
    if (result == NULL || !parses_as_well(file, text, length, result, *ret_length) ||
        !is_clean(options, file, findings, text, length, result, *ret_length))
        return NULL;
    return g_steal_pointer(&result);
}

bool fix_proves(const ScanOptions *options, const Source *source, const ScanFinding *finding)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_ptr_array_add(one, (gpointer)finding);
    gsize length;
    g_autofree char *text = fixed_text(options, source->file, source->text, source->length, one, &length);
    return text != NULL;
}

char *scan_fixed(const char *file, const char *text, gsize length, const GPtrArray *findings, gsize *ret_length)
{
    const ScanOptions options = {.folder = "/"};
    g_autoptr(GPtrArray) picked = g_ptr_array_new();
    for (guint i = 0; i < findings->len; i++) {
        ScanFinding *finding = findings->pdata[i];
        if (finding->edits != NULL && finding->suppressed == NULL && strcmp(finding->file, file) == 0)
            g_ptr_array_add(picked, finding);
    }
    char *all = fixed_text(&options, file, text, length, picked, ret_length);
    if (all != NULL || picked->len < 2)
        return all;
    /* Some get into each other's way: as many as go together, from the first. */
    g_autoptr(GPtrArray) some = g_ptr_array_new();
    char *best = NULL;
    for (guint i = 0; i < picked->len; i++) {
        gsize new_length;
        g_ptr_array_add(some, picked->pdata[i]);
        char *more = fixed_text(&options, file, text, length, some, &new_length);
        if (more == NULL) {
            g_ptr_array_set_size(some, (gint)some->len - 1);
            continue;
        }
        g_free(best);
        best = more;
        *ret_length = new_length;
    }
    return best;
}

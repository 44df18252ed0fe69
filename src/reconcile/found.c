#include "reconcile/found.h"

#include <string.h>

#include "base/error.h"
#include "reconcile/details.h"

/* One row of one side, in the bytes of a result. */
typedef struct Pair {
    const guint8 *key;
    gsize length;
    gint64 hash;
} Pair;

enum { HASH_BYTES = 8, NUMBER_BYTES = 8, FRAME_BYTES = 4 };

static void wanted_free(gpointer data)
{
    Wanted *wanted = data;
    g_strfreev(wanted->key);
    g_free(wanted);
}

void finder_init(Finder *finder, const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                 guint max_details, const ReconcileSink *sink, Reconciled *result)
{
    *finder = (Finder){.scan = scan,
                       .source = source,
                       .target = target,
                       .sink = sink,
                       .max_details = max_details,
                       .result = result,
                       .wanted = g_ptr_array_new_with_free_func(wanted_free),
                       .source_pairs = g_array_new(FALSE, FALSE, sizeof(Pair)),
                       .target_pairs = g_array_new(FALSE, FALSE, sizeof(Pair)),
                       .key_texts = g_ptr_array_new_with_free_func(g_free)};
}

void finder_clear(Finder *finder)
{
    g_clear_pointer(&finder->wanted, g_ptr_array_unref);
    g_clear_pointer(&finder->source_pairs, g_array_unref);
    g_clear_pointer(&finder->target_pairs, g_array_unref);
    g_clear_pointer(&finder->key_texts, g_ptr_array_unref);
}

bool finder_only_counts(const Finder *finder, RowVerdict verdict)
{
    bool described = finder->wanted->len >= finder->max_details;
    return described && (finder->sink == NULL || (verdict == ROW_EXTRA && finder->sink->ignore_extra));
}

static int by_key(gconstpointer a, gconstpointer b)
{
    const Pair *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return memcmp(x->key, y->key, x->length);
}

/* Length of one column of a packed key, with its frame; 0 where it does not fit. */
static gsize column_length(const KeyPlan *key, guint column, const guint8 *bytes, gsize left)
{
    gsize length = NUMBER_BYTES;
    if (!key->numbers[column]) {
        if (left < FRAME_BYTES)
            return 0;
        length = FRAME_BYTES + reconcile_read(bytes, FRAME_BYTES);
    }
    return length > left ? 0 : length;
}

/* Length of the packed key at bytes, or 0 where it does not fit. */
static gsize key_length(const KeyPlan *key, const guint8 *bytes, gsize left)
{
    gsize length = 0;
    if (key->key == NULL)
        return left < HASH_BYTES ? 0 : HASH_BYTES;
    for (guint i = 0; key->key[i] != NULL; i++) {
        gsize column = column_length(key, i, bytes + length, left - length);
        if (column == 0)
            return 0;
        length += column;
    }
    return length;
}

static bool take_pairs(const KeyPlan *key, const guint8 *bytes, gsize length, GArray *pairs, GError **error)
{
    g_array_set_size(pairs, 0);
    for (gsize at = 0; bytes != NULL && at < length;) {
        gsize left = length - at;
        gsize size = left < HASH_BYTES ? 0 : key_length(key, bytes + at + HASH_BYTES, left - HASH_BYTES);
        if (size == 0) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "keys of rows came in a form that was not expected");
            return false;
        }
        Pair pair = {.hash = (gint64)reconcile_read(bytes + at, HASH_BYTES)};
        /* Without a key both hashes together tell rows apart. */
        pair.key = key->key == NULL ? bytes + at : bytes + at + HASH_BYTES;
        pair.length = key->key == NULL ? HASH_BYTES + size : size;
        g_array_append_val(pairs, pair);
        at += HASH_BYTES + size;
    }
    g_array_sort(pairs, by_key);
    return true;
}

/* The key's columns as texts, for RowFound; they live until the next call. */
static const char *const *key_texts(Finder *finder, const Pair *pair)
{
    if (finder->scan->key.key == NULL)
        return NULL;
    g_ptr_array_set_size(finder->key_texts, 0);
    const KeyPlan *key = &finder->scan->key;
    const guint8 *at = pair->key;
    for (guint i = 0; key->key[i] != NULL; i++) {
        gsize length = column_length(key, i, at, pair->length - (gsize)(at - pair->key));
        char *text = key->numbers[i] ? g_strdup_printf("%" G_GINT64_FORMAT, (gint64)reconcile_read(at, NUMBER_BYTES))
                                     : g_strndup((const char *)at + FRAME_BYTES, length - FRAME_BYTES);
        g_ptr_array_add(finder->key_texts, text);
        at += length;
    }
    g_ptr_array_add(finder->key_texts, NULL);
    return (const char *const *)finder->key_texts->pdata;
}

static void want(Finder *finder, const RowFound *row)
{
    if (finder->wanted->len >= finder->max_details)
        return;
    Wanted *wanted = g_new0(Wanted, 1);
    wanted->verdict = row->verdict;
    wanted->key = g_strdupv((char **)row->key);
    wanted->hash = row->verdict == ROW_EXTRA ? row->target_hash : row->source_hash;
    wanted->second_hash = row->second_hash;
    wanted->times = row->times;
    g_ptr_array_add(finder->wanted, wanted);
}

static bool found(Finder *finder, RowVerdict verdict, const Pair *source, const Pair *target, guint64 times,
                  GError **error)
{
    Reconciled *result = finder->result;
    *(verdict == ROW_MISSING ? &result->missing : verdict == ROW_EXTRA ? &result->extra : &result->different) += times;
    if (finder_only_counts(finder, verdict))
        return true;
    const Pair *pair = verdict == ROW_EXTRA ? target : source;
    RowFound row = {.verdict = verdict,
                    .key = key_texts(finder, pair),
                    .source_hash = verdict == ROW_EXTRA ? 0 : source->hash,
                    .target_hash = verdict == ROW_MISSING ? 0 : target->hash,
                    .second_hash =
                        finder->scan->key.key != NULL ? 0 : (gint64)reconcile_read(pair->key + HASH_BYTES, HASH_BYTES),
                    .times = times};
    want(finder, &row);
    bool handed =
        finder->sink != NULL && finder->sink->row != NULL && !(verdict == ROW_EXTRA && finder->sink->ignore_extra);
    return !handed || finder->sink->row(&row, finder->sink->data, error);
}

/* How many pairs from `at` on have the same key. */
static guint run_length(const GArray *pairs, guint at)
{
    guint n = at < pairs->len ? 1 : 0;
    while (at + n < pairs->len && by_key(&g_array_index(pairs, Pair, at), &g_array_index(pairs, Pair, at + n)) == 0)
        n++;
    return n;
}

static bool has_hash(const GArray *pairs, guint at, guint n, gint64 hash)
{
    for (guint i = at; i < at + n; i++)
        if (g_array_index(pairs, Pair, i).hash == hash)
            return true;
    return false;
}

/* One key, s times in the source from s_at on, t times in the target. */
static bool judge(Finder *finder, guint s_at, guint s, guint t_at, guint t, GError **error)
{
    const Pair *source = s > 0 ? &g_array_index(finder->source_pairs, Pair, s_at) : NULL;
    const Pair *target = t > 0 ? &g_array_index(finder->target_pairs, Pair, t_at) : NULL;
    if (finder->scan->key.key != NULL && source != NULL && target != NULL) {
        /* A key that is not unique in the source would be corruption: never taken for the same. */
        bool same = s == 1 && has_hash(finder->target_pairs, t_at, t, source->hash);
        if (!same && !found(finder, ROW_DIFFERENT, source, target, 1, error))
            return false;
    }
    if (s > t)
        return found(finder, ROW_MISSING, source, target, s - t, error);
    return s == t || found(finder, ROW_EXTRA, source, target, t - s, error);
}

bool finder_compare(Finder *finder, const guint8 *source, gsize source_length, const guint8 *target,
                    gsize target_length, GError **error)
{
    const GArray *a = finder->source_pairs, *b = finder->target_pairs;
    guint i = 0, j = 0;
    if (!take_pairs(&finder->scan->key, source, source_length, finder->source_pairs, error) ||
        !take_pairs(&finder->scan->key, target, target_length, finder->target_pairs, error))
        return false;
    while (i < a->len || j < b->len) {
        int order = i == a->len ? 1 : j == b->len ? -1 : by_key(&g_array_index(a, Pair, i), &g_array_index(b, Pair, j));
        guint s = order <= 0 ? run_length(a, i) : 0;
        guint t = order >= 0 ? run_length(b, j) : 0;
        if (!judge(finder, i, s, j, t, error))
            return false;
        i += s;
        j += t;
    }
    return true;
}

bool finder_describe(Finder *finder, GError **error)
{
    if (finder->wanted->len == 0)
        return true;
    return details_fetch(finder->scan, finder->source, finder->target, finder->wanted, finder->result, error);
}

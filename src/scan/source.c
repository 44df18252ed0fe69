#include <string.h>

#include "base/cancel.h"
#include "scan/language.h"
#include "scan/setting.h"

#define FILE_SECONDS 20

static void setting_free(gpointer data)
{
    Setting *setting = data;
    g_free(setting->variable);
    g_free(setting->name);
    g_free(setting->path);
    g_free(setting->owner);
    g_free(setting->value);
    g_free(setting);
}

Source *source_new(const char *file, const char *text, gsize length)
{
    Source *source = g_new0(Source, 1);
    source->file = file;
    source->text = text;
    source->length = length;
    source->settings = g_ptr_array_new_with_free_func(setting_free);
    source->comments = g_ptr_array_new_with_free_func(g_free);
    source->parents = g_array_new(FALSE, TRUE, sizeof(guint));
    g_array_set_size(source->parents, 1);
    source->deadline = g_get_monotonic_time() + FILE_SECONDS * G_USEC_PER_SEC;
    return source;
}

guint source_container(Source *source, guint parent)
{
    g_array_append_val(source->parents, parent);
    return source->parents->len - 1;
}

void source_free(Source *source)
{
    if (source == NULL)
        return;
    if (source->tree != NULL)
        language_tree_free(source->tree);
    g_ptr_array_unref(source->settings);
    g_ptr_array_unref(source->comments);
    g_array_unref(source->parents);
    g_clear_pointer(&source->lines, g_array_unref);
    g_free(source);
}

Setting *source_add(Source *source, SettingKind kind, char *value_taken, guint start, guint end)
{
    Setting *setting = g_new0(Setting, 1);
    setting->kind = kind;
    setting->value = value_taken;
    setting->start = setting->whole_start = start;
    setting->end = setting->whole_end = end;
    g_ptr_array_add(source->settings, setting);
    return setting;
}

char *source_slice(const Source *source, guint start, guint end)
{
    return g_strndup(source->text + start, end - start);
}

bool source_is_late(const Source *source)
{
    return cancel_requested() || g_get_monotonic_time() > source->deadline;
}

static void find_lines(Source *source)
{
    guint start = 0;
    source->lines = g_array_new(FALSE, FALSE, sizeof(guint));
    g_array_append_val(source->lines, start);
    const char *text = source->text, *end = text + source->length;
    for (const char *at = text; (at = memchr(at, '\n', (gsize)(end - at))) != NULL;) {
        start = (guint)(++at - text);
        g_array_append_val(source->lines, start);
    }
}

guint source_line(Source *source, guint at, guint *ret_start)
{
    if (source->lines == NULL)
        find_lines(source);
    guint low = 0, high = source->lines->len; /* the line is in [low, high) */
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(source->lines, guint, middle) <= at)
            low = middle;
        else
            high = middle;
    }
    *ret_start = g_array_index(source->lines, guint, low);
    return low + 1;
}

bool source_in_comment(const Source *source, guint at)
{
    for (guint i = 0; i < source->comments->len; i++) {
        const ScanSpan *span = source->comments->pdata[i];
        if (at >= span->start && at < span->end)
            return true;
    }
    return false;
}

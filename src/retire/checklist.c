#include "retire/checklist.h"

#include <string.h>

static void line_free(gpointer data)
{
    RetireLine *line = data;
    g_free(line->source);
    g_free(line->text);
    g_free(line->evidence);
    g_ptr_array_unref(line->items);
    g_free(line);
}

GPtrArray *checklist_new(void)
{
    return g_ptr_array_new_with_free_func(line_free);
}

RetireLine *checklist_add(GPtrArray *list, const char *id, RetireState state, const char *source, const char *text,
                          char *evidence)
{
    RetireLine *line = g_new0(RetireLine, 1);
    line->id = id;
    line->state = state;
    line->source = g_strdup(source);
    line->text = g_strdup(text);
    line->evidence = evidence;
    line->items = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(list, line);
    return line;
}

guint checklist_count(const GPtrArray *list, RetireState state)
{
    guint n = 0;
    for (guint i = 0; i < list->len; i++)
        n += ((const RetireLine *)list->pdata[i])->state == state ? 1 : 0;
    return n;
}

const char *checklist_state_text(RetireState state)
{
    static const char *const texts[] = {"yes", "no", "note"};
    return texts[state];
}

static json_t *text_json(const char *text)
{
    g_autofree char *valid = text == NULL ? NULL : g_utf8_make_valid(text, -1);
    return valid == NULL ? json_null() : json_string(valid);
}

json_t *checklist_json(const GPtrArray *list)
{
    json_t *array = json_array();
    for (guint i = 0; i < list->len; i++) {
        const RetireLine *line = list->pdata[i];
        json_t *items = json_array();
        for (guint k = 0; k < line->items->len; k++)
            json_array_append_new(items, text_json(line->items->pdata[k]));
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "id", line->id, "state",
                                        checklist_state_text(line->state), "source", text_json(line->source), "text",
                                        text_json(line->text), "evidence", text_json(line->evidence), "items", items));
    }
    return array;
}

/* Names of files and what others wrote is no markup. */
static void append_plain(GString *to, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (const char *at = valid; *at != '\0'; at++) {
        if (strchr("\\`*_<>[]|", *at) != NULL)
            g_string_append_c(to, '\\');
        g_string_append_c(to, (guchar)*at < ' ' ? ' ' : *at);
    }
}

char *checklist_markdown(const GPtrArray *list, const char *title, const char *introduction)
{
    static const char *const boxes[] = {"- [x] ", "- [ ] ", "- "};
    GString *text = g_string_new("## ");
    append_plain(text, title);
    g_string_append(text, "\n\n");
    if (introduction != NULL) {
        append_plain(text, introduction);
        g_string_append(text, "\n\n");
    }
    for (guint i = 0; i < list->len; i++) {
        const RetireLine *line = list->pdata[i];
        g_string_append(text, boxes[line->state]);
        g_string_append(text, "**");
        if (line->source != NULL) {
            append_plain(text, line->source);
            g_string_append(text, ": ");
        }
        append_plain(text, line->text);
        g_string_append(text, "**");
        if (line->evidence != NULL) {
            g_string_append(text, ": ");
            append_plain(text, line->evidence);
        }
        g_string_append_c(text, '\n');
        for (guint k = 0; k < line->items->len; k++) {
            g_string_append(text, "  - ");
            append_plain(text, line->items->pdata[k]);
            g_string_append_c(text, '\n');
        }
    }
    return g_string_free(text, FALSE);
}

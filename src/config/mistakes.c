#include "config/mistakes.h"

#include <string.h>

#include "base/error.h"

#define SHOWN_MISTAKES 40
#define SHOWN_CHARACTERS 48
#define SUGGEST_MAX 48 /* longer words are no misspelt keys, and the comparison takes the square of it */

typedef struct Mistake {
    ConfigPlace place;
    guint number; /* keeps the order of those at one place */
    char *text;
} Mistake;

static void mistake_free(gpointer data)
{
    Mistake *mistake = data;
    g_free(mistake->text);
    g_free(mistake);
}

void config_mistakes_init(ConfigMistakes *mistakes, const char *file)
{
    mistakes->file = file;
    mistakes->items = g_ptr_array_new_with_free_func(mistake_free);
}

void config_mistakes_clear(ConfigMistakes *mistakes)
{
    g_clear_pointer(&mistakes->items, g_ptr_array_unref);
}

static bool is_known(const ConfigMistakes *mistakes, ConfigPlace place, const char *text)
{
    /* Only the last few can be the same: one place is read in one go. */
    guint from = mistakes->items->len > 4 ? mistakes->items->len - 4 : 0;
    for (guint i = from; i < mistakes->items->len; i++) {
        const Mistake *other = g_ptr_array_index(mistakes->items, i);
        if (other->place.line == place.line && other->place.column == place.column && strcmp(other->text, text) == 0)
            return true;
    }
    return false;
}

void config_mistakes_add(ConfigMistakes *mistakes, ConfigPlace place, const char *advice, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *text = advice == NULL ? g_steal_pointer(&what) : g_strdup_printf("%s; %s", what, advice);
    if (is_known(mistakes, place, text))
        return;
    Mistake *mistake = g_new0(Mistake, 1);
    mistake->place = place;
    mistake->number = mistakes->items->len;
    mistake->text = g_steal_pointer(&text);
    g_ptr_array_add(mistakes->items, mistake);
}

static int compare_places(gconstpointer left, gconstpointer right)
{
    const Mistake *a = *(const Mistake *const *)left;
    const Mistake *b = *(const Mistake *const *)right;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line ? -1 : 1;
    if (a->place.column != b->place.column)
        return a->place.column < b->place.column ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void append_mistake(GString *text, const ConfigMistakes *mistakes, const Mistake *mistake)
{
    g_string_append_printf(text, "%s:%d:%d: %s", mistakes->file, mistake->place.line, mistake->place.column,
                           mistake->text);
}

bool config_mistakes_settle(ConfigMistakes *mistakes, GError **error)
{
    guint count = mistakes->items->len;
    if (count == 0)
        return true;
    g_ptr_array_sort(mistakes->items, compare_places);
    g_autoptr(GString) text = g_string_new(NULL);
    if (count > 1)
        g_string_append_printf(text, "%s has %u mistakes:", mistakes->file, count);
    for (guint i = 0; i < MIN(count, SHOWN_MISTAKES); i++) {
        if (count > 1)
            g_string_append(text, "\n  ");
        append_mistake(text, mistakes, g_ptr_array_index(mistakes->items, i));
    }
    if (count > SHOWN_MISTAKES)
        g_string_append_printf(text, "\n  and %u more", count - SHOWN_MISTAKES);
    GError *mistake = NULL;
    pgf_error_set(&mistake, PGF_ERROR_USAGE, "docs/configuration.md describes every key, and has an example", "%s",
                  text->str);
    pgf_error_set_state(mistake, "no database was connected to");
    g_propagate_error(error, mistake);
    return false;
}

static bool may_hold_a_password(const char *text)
{
    return strstr(text, "://") != NULL || (strcasestr(text, "password") != NULL && strchr(text, '=') != NULL);
}

char *config_quote(const char *text)
{
    if (may_hold_a_password(text))
        return g_strdup("(not shown: it may hold a password)");
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    bool cut = g_utf8_strlen(valid, -1) > SHOWN_CHARACTERS;
    if (cut)
        *g_utf8_offset_to_pointer(valid, SHOWN_CHARACTERS) = '\0';
    GString *quoted = g_string_new("\"");
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (g_unichar_iscntrl(character))
            g_string_append_printf(quoted, "\\x%02x", character);
        else
            g_string_append_unichar(quoted, character);
    }
    g_string_append(quoted, cut ? "...\"" : "\"");
    return g_string_free(quoted, FALSE);
}

/* Letters added, left out, replaced, or swapped with their neighbour; upper and lower case are the same. */
static guint edit_distance(const char *a, const char *b)
{
    guint before[SUGGEST_MAX + 1], last[SUGGEST_MAX + 1], now[SUGGEST_MAX + 1];
    guint width = (guint)strlen(b);
    for (guint j = 0; j <= width; j++)
        last[j] = before[j] = j;
    for (guint i = 1; a[i - 1] != '\0'; i++) {
        now[0] = i;
        for (guint j = 1; j <= width; j++) {
            bool same = g_ascii_tolower(a[i - 1]) == g_ascii_tolower(b[j - 1]);
            now[j] = MIN(MIN(last[j] + 1, now[j - 1] + 1), last[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
        memcpy(before, last, sizeof before);
        memcpy(last, now, sizeof last);
    }
    return last[width];
}

const char *config_suggest(const char *text, const char *const *candidates)
{
    gsize length = strlen(text);
    if (length < 2 || length > SUGGEST_MAX)
        return NULL;
    const char *best = NULL;
    guint best_distance = (guint)MAX(1, length / 3) + 1;
    for (guint i = 0; candidates[i] != NULL; i++) {
        if (strlen(candidates[i]) > SUGGEST_MAX)
            continue;
        guint distance = edit_distance(text, candidates[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}

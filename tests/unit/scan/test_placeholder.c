#include <string.h>

#include "scan/language.h"
#include "scan/placeholder.h"

/* "NAME=VALUE" of each default, joined by " ". */
static char *defaults(const char *kind, const char *text)
{
    char *kinds[] = {(char *)kind, NULL};
    Language language = {.id = "test", .placeholders = kinds};
    g_autoptr(Source) source = source_new("a", text, strlen(text));
    source->language = &language;
    placeholder_read(source, 0, (guint)strlen(text));
    GString *found = g_string_new(NULL);
    for (guint i = 0; i < source->settings->len; i++) {
        const Setting *setting = source->settings->pdata[i];
        g_assert_cmpint(setting->kind, ==, SETTING_DEFAULT);
        g_assert_cmpuint(setting->whole_start, <=, setting->start);
        g_assert_cmpuint(setting->end, <=, setting->whole_end);
        g_string_append_printf(found, "%s%s=%s", i == 0 ? "" : " ", setting->name, setting->value);
    }
    return g_string_free(found, FALSE);
}

static void test_defaults_of_placeholders_are_read(void)
{
    static const struct {
        const char *kind, *text, *found;
    } CASES[] = {
        {"shell", "${DB_HOST:-localhost}", "DB_HOST=localhost"},
        {"shell", "${A-x}:${B:=y}", "A=x B=y"},
        {"shell", "${URL:-postgres://${USER}@h/d}", "URL=postgres://${USER}@h/d"},
        {"shell", "${A} $B ${C:?missing} ${D:+x}", ""},
        {"shell", "${A:-x", ""},
        {"spring", "${db.host:localhost}", "db.host=localhost"},
        {"erb", "<%= ENV.fetch('DB_HOST', 'localhost') %>", "DB_HOST=localhost"},
        {"erb", "<%= ENV['DB_HOST'] || \"localhost\" %>", "DB_HOST=localhost"},
        {"braces", "{{ env.host | default('localhost') }}", "env.host=localhost"},
        {"braces", "{{ .Values.host }}", ""},
        {"tags", "`env:\"DB_HOST\" envDefault:\"localhost\"`", "DB_HOST=localhost"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *found = defaults(CASES[i].kind, CASES[i].text);
        g_test_message("%s", CASES[i].text);
        g_assert_cmpstr(found, ==, CASES[i].found);
    }
}

static void test_texts_that_are_cut_off_anywhere_are_read_safely(void)
{
    static const char *const KINDS[] = {"shell", "spring", "erb", "braces", "tags"};
    const char *text = "${A:-'x'} <%= ENV.fetch('B', 'y') %> {{ c | default('z') }} `env:\"D\" default:\"w\"`";
    for (guint kind = 0; kind < G_N_ELEMENTS(KINDS); kind++)
        for (gsize length = 0; length <= strlen(text); length++) {
            g_autofree char *cut = g_strndup(text, length);
            g_autofree char *found = defaults(KINDS[kind], cut);
            g_assert_nonnull(found);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/placeholder/defaults", test_defaults_of_placeholders_are_read);
    g_test_add_func("/scan/placeholder/cut", test_texts_that_are_cut_off_anywhere_are_read_safely);
    return g_test_run();
}

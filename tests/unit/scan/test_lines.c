#include <string.h>

#include "scan/language.h"
#include "scan/lines.h"

/* "NAME=VALUE" of each setting that has a name, joined by "|". */
static char *settings(const char *file, const char *text)
{
    gsize length = strlen(text);
    g_autoptr(Source) source = source_new(file, text, length);
    source->language = language_of(file, text, length);
    g_assert_nonnull(source->language);
    g_assert_null(source->language->grammar);
    lines_read(source);
    GString *found = g_string_new(NULL);
    for (guint i = 0; i < source->settings->len; i++) {
        const Setting *setting = source->settings->pdata[i];
        g_assert_cmpuint(setting->start, <=, setting->end);
        g_assert_cmpuint(setting->end, <=, length);
        if (setting->name != NULL)
            g_string_append_printf(found, "%s%s=%s", found->len == 0 ? "" : "|", setting->name, setting->value);
    }
    return g_string_free(found, FALSE);
}

static void test_files_without_a_grammar_are_read_line_by_line(void)
{
    static const struct {
        const char *file, *text, *found;
    } CASES[] = {
        {".env", "# A=1\nexport DB_HOST=localhost # here\r\nB='x y'\nC=\n", "DB_HOST=localhost|B=x y|C="},
        {".env",
         "\xEF\xBB\xBF"
         "A=1",
         "A=1"},
        {"a.ini", "[db]\nhost = localhost\n; port = 1\nport: 5432\n", "host=localhost|port=5432"},
        {"a.properties", "spring.datasource.url=jdbc:postgresql://h/d\n",
         "spring.datasource.url=jdbc:postgresql://h/d"},
        {"Dockerfile", "FROM x\nENV A=1 B=\"2 3\"\nENV C 4\nARG D=5\n", "A=1|B=2 3|C=4|D=5"},
        {"Dockerfile", "ENV A=1 \\\n    B=2\nRUN x\n", "A=1|B=2"},
        {".env", "", ""},
        {".env", "=\n==\nA\n", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *found = settings(CASES[i].file, CASES[i].text);
        g_test_message("%s: %s", CASES[i].file, CASES[i].text);
        g_assert_cmpstr(found, ==, CASES[i].found);
    }
}

static void test_programs_of_postgresql_say_their_host(void)
{
    g_autofree char *found = settings("a.md", "```\npsql -h localhost app\n```\n");
    g_assert_nonnull(strstr(found, "=localhost"));
    g_autofree char *none = settings("a.md", "```\ncurl -h localhost\n```\n");
    g_assert_cmpstr(none, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/lines/forms", test_files_without_a_grammar_are_read_line_by_line);
    g_test_add_func("/scan/lines/commands", test_programs_of_postgresql_say_their_host);
    return g_test_run();
}

#include "scan/language.h"

#include <pthread.h>
#include <string.h>

#include "base/cancel.h"
#include "scan_languages.h"

#define PARSE_SECONDS 10 /* of one file; what takes longer is not code that a person wrote */

static Language *all;
static const Language **list;
static TSQuery **queries;
static LanguageCapture **captures;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t query_lock = PTHREAD_MUTEX_INITIALIZER;

static char **read_list(GKeyFile *rules, const char *group, const char *key)
{
    char **list_read = g_key_file_get_string_list(rules, group, key, NULL, NULL);
    return list_read == NULL ? g_new0(char *, 1) : list_read;
}

static void load(Language *language, guint i)
{
    const EmbeddedLanguage *embedded = &embedded_languages[i];
    language->id = embedded->id;
    language->grammar = embedded->grammar == NULL ? NULL : embedded->grammar();
    language->rules = g_key_file_new();
    g_autoptr(GError) error = NULL;
    if (!g_key_file_load_from_data(language->rules, embedded->rules, (gsize)-1, G_KEY_FILE_NONE, &error))
        g_error("%s.rules: %s", embedded->id, error->message); /* a mistake of the build: every test meets it */
    language->name = g_key_file_get_string(language->rules, "language", "name", NULL);
    language->files = read_list(language->rules, "language", "files");
    language->shebangs = read_list(language->rules, "language", "shebangs");
    language->lines = g_key_file_get_string(language->rules, "language", "lines", NULL);
    language->words = g_key_file_get_boolean(language->rules, "language", "words", NULL);
    language->data = g_key_file_get_boolean(language->rules, "language", "data", NULL);
    language->env_read = read_list(language->rules, "environment", "read");
    language->env_maps = read_list(language->rules, "environment", "maps");
    language->placeholders = read_list(language->rules, "environment", "placeholders");
}

static void load_all(void)
{
    guint n = G_N_ELEMENTS(embedded_languages);
    all = g_new0(Language, n);
    list = g_new0(const Language *, n);
    queries = g_new0(TSQuery *, n);
    captures = g_new0(LanguageCapture *, n);
    for (guint i = 0; i < n; i++) {
        load(&all[i], i);
        list[i] = &all[i];
    }
}

const Language *const *languages(guint *ret_n)
{
    pthread_once(&load_once, load_all);
    *ret_n = G_N_ELEMENTS(embedded_languages);
    return (const Language *const *)list;
}

const Language *language_by_id(const char *id)
{
    guint n;
    const Language *const *known = languages(&n);
    for (guint i = 0; i < n; i++)
        if (strcmp(known[i]->id, id) == 0)
            return known[i];
    return NULL;
}

static bool matches(char **patterns, const char *name)
{
    for (guint i = 0; patterns[i] != NULL; i++)
        if (g_pattern_match_simple(patterns[i], name))
            return true;
    return false;
}

static bool shebang_names(const Language *language, const char *text, gsize length)
{
    if (length < 3 || text[0] != '#' || text[1] != '!')
        return false;
    const char *end = memchr(text, '\n', MIN(length, 200));
    g_autofree char *line = g_strndup(text + 2, end == NULL ? MIN(length, 200) - 2 : (gsize)(end - text - 2));
    g_auto(GStrv) words = g_strsplit_set(line, " /\t\r", -1);
    for (guint i = 0; words[i] != NULL; i++)
        if (g_strv_contains((const char *const *)language->shebangs, words[i]))
            return true;
    return false;
}

const Language *language_of(const char *file, const char *text, gsize length)
{
    guint n;
    const Language *const *known = languages(&n);
    const char *slash = strrchr(file, '/');
    g_autofree char *name = g_ascii_strdown(slash == NULL ? file : slash + 1, -1);
    const Language *found = NULL;
    /* A name that is written out ("dockerfile.*") is more particular than an ending ("*.py"). */
    for (guint i = 0; i < n; i++)
        if (matches(known[i]->files, name) && (found == NULL || known[i]->lines != NULL))
            found = known[i];
    for (guint i = 0; i < n && found == NULL; i++)
        if (shebang_names(known[i], text, length))
            found = known[i];
    return found;
}

static LanguageCapture capture_of(const char *name)
{
    static const struct {
        const char *name;
        LanguageCapture capture;
    } KNOWN[] = {
        {"call", {CAPTURE_WHOLE, FACT_CALL}},       {"index", {CAPTURE_WHOLE, FACT_INDEX}},
        {"or", {CAPTURE_WHOLE, FACT_OR}},           {"bind", {CAPTURE_WHOLE, FACT_BIND}},
        {"string", {CAPTURE_WHOLE, FACT_STRING}},   {"concat", {CAPTURE_WHOLE, FACT_CONCAT}},
        {"comment", {CAPTURE_WHOLE, FACT_COMMENT}}, {"function", {CAPTURE_FIRST, FACT_NONE}},
        {"object", {CAPTURE_FIRST, FACT_NONE}},     {"left", {CAPTURE_FIRST, FACT_NONE}},
        {"name", {CAPTURE_FIRST, FACT_NONE}},       {"arguments", {CAPTURE_SECOND, FACT_NONE}},
        {"key", {CAPTURE_SECOND, FACT_NONE}},       {"right", {CAPTURE_SECOND, FACT_NONE}},
        {"value", {CAPTURE_SECOND, FACT_NONE}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(KNOWN); i++)
        if (strcmp(KNOWN[i].name, name) == 0)
            return KNOWN[i].capture;
    return (LanguageCapture){CAPTURE_OTHER, FACT_NONE};
}

static void compile(const Language *language, gsize i)
{
    uint32_t offset;
    TSQueryError problem;
    const char *text = embedded_languages[i].query;
    TSQuery *query = ts_query_new(language->grammar, text, (uint32_t)strlen(text), &offset, &problem);
    if (query == NULL)
        g_error("%s.scm: error %d at byte %u: %.40s", language->id, (int)problem, offset, text + offset);
    guint n = ts_query_capture_count(query);
    captures[i] = g_new0(LanguageCapture, n);
    for (guint c = 0; c < n; c++) {
        uint32_t length;
        captures[i][c] = capture_of(ts_query_capture_name_for_id(query, c, &length));
    }
    queries[i] = query;
}

const TSQuery *language_query(const Language *language, const LanguageCapture **ret_captures)
{
    gsize i = (gsize)(language - all);
    pthread_mutex_lock(&query_lock);
    if (queries[i] == NULL)
        compile(language, i);
    pthread_mutex_unlock(&query_lock);
    *ret_captures = captures[i];
    return queries[i];
}

typedef struct Input {
    const char *text;
    gsize length;
    gint64 deadline;
} Input;

static const char *read_input(void *payload, uint32_t at, TSPoint point, uint32_t *ret_length)
{
    const Input *input = payload;
    *ret_length = at < input->length ? (uint32_t)(input->length - at) : 0;
    return input->text + MIN(at, input->length);
}

static bool is_too_long(TSParseState *state)
{
    const Input *input = state->payload;
    return g_get_monotonic_time() > input->deadline || cancel_requested();
}

TSTree *language_parse(const Language *language, const char *text, gsize length)
{
    TSParser *parser = ts_parser_new();
    ts_parser_set_language(parser, language->grammar);
    Input input = {text, length, g_get_monotonic_time() + PARSE_SECONDS * G_USEC_PER_SEC};
    TSTree *tree = ts_parser_parse_with_options(parser, NULL, (TSInput){&input, read_input, TSInputEncodingUTF8, NULL},
                                                (TSParseOptions){&input, is_too_long});
    ts_parser_delete(parser);
    return tree;
}

void language_tree_free(TSTree *tree)
{
    ts_tree_delete(tree);
}

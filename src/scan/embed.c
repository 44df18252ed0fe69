#include "scan/embed.h"

#include <string.h>

#include "scan/commands.h"
#include "scan/language.h"
#include "scan/lines.h"
#include "scan/tree.h"

#define HEREDOC_NAME_MAX 40

/* What fences call a language whose rules have another name. */
static const struct {
    const char *info, *id;
} ALIASES[] = {
    {"py", "python"},      {"python3", "python"}, {"js", "javascript"}, {"node", "javascript"},   {"mjs", "javascript"},
    {"jsx", "javascript"}, {"ts", "typescript"},  {"golang", "go"},     {"rb", "ruby"},           {"rs", "rust"},
    {"kt", "kotlin"},      {"kts", "kotlin"},     {"cs", "csharp"},     {"c#", "csharp"},         {"ex", "elixir"},
    {"exs", "elixir"},     {"yml", "yaml"},       {"jsonc", "json"},    {"json5", "json"},        {"env", "dotenv"},
    {"properties", "ini"}, {"conf", "ini"},       {"cfg", "ini"},       {"docker", "dockerfile"}, {"make", "makefile"},
    {"compose", "yaml"},
};

/* A shell's blocks are often what is to be typed, with prompts and answers: line by line. */
static const Language *info_language(const char *info, gsize length)
{
    length = MIN(length, strcspn(info, " \t\r\n{,:"));
    g_autofree char *name = g_ascii_strdown(info, (gssize)length);
    const char *id = name;
    for (guint i = 0; i < G_N_ELEMENTS(ALIASES); i++)
        if (strcmp(name, ALIASES[i].info) == 0)
            id = ALIASES[i].id;
    return strcmp(id, "shell") == 0 || strcmp(id, "markdown") == 0 ? NULL : language_by_id(id);
}

static void move_settings(Source *source, Source *part, guint start)
{
    guint first = source->parents->len - 1;
    for (guint i = 1; i < part->parents->len; i++) {
        guint parent = g_array_index(part->parents, guint, i);
        source_container(source, parent == 0 ? 0 : parent + first);
    }
    guint scope = source_container(source, 0); /* of what stands in no function of the part */
    guint top =
        part->language->grammar == NULL ? source_container(source, 0) : 0; /* lines of one file belong together */
    for (guint i = 0; i < part->settings->len; i++) {
        Setting *setting = part->settings->pdata[i];
        setting->start += start;
        setting->end += start;
        setting->whole_start += start;
        setting->whole_end += start;
        setting->container = setting->container == 0 ? top : setting->container + first;
        setting->scope = setting->scope == 0 ? scope : setting->scope + first;
    }
    for (guint i = 0; i < part->comments->len; i++) {
        ScanSpan *span = part->comments->pdata[i];
        span->start += start;
        span->end += start;
    }
    g_ptr_array_extend_and_steal(source->settings, g_steal_pointer(&part->settings));
    g_ptr_array_extend_and_steal(source->comments, g_steal_pointer(&part->comments));
    part->settings = g_ptr_array_new();
    part->comments = g_ptr_array_new();
}

static bool read_part(Source *source, const Language *language, guint start, guint end)
{
    g_autofree char *text = source_slice(source, start, end);
    g_autoptr(Source) part = source_new(source->file, text, strlen(text));
    part->language = language;
    part->hosts = source->hosts;
    part->deadline = source->deadline;
    bool read = true;
    if (language->grammar == NULL)
        lines_read(part);
    else
        read = tree_read(part) && (!part->broken || language->words);
    if (read && language->grammar != NULL && language->words)
        commands_read(part, 0, (guint)part->length);
    read = read && part->settings->len > 0; /* PHP without its opening tag is only text */
    if (read)
        move_settings(source, part, start);
    return read;
}

/* How a line looks: "NAME=value", "name: value", nothing or a comment, or else. */
typedef enum LineShape { SHAPE_NONE, SHAPE_VARIABLE, SHAPE_KEY, SHAPE_OTHER } LineShape;

static LineShape line_shape(const char *line, gsize length)
{
    gsize at = 0;
    while (at < length && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r'))
        at++;
    if (at == length || line[at] == '#')
        return SHAPE_NONE;
    gsize name = at;
    while (at < length && (g_ascii_isalnum(line[at]) || strchr("_-.", line[at]) != NULL) && line[at] != '\0')
        at++;
    if (at == name || at == length)
        return SHAPE_OTHER;
    if (line[at] == '=' && g_ascii_isupper(line[name]))
        return SHAPE_VARIABLE;
    return line[at] == ':' && (at + 1 == length || line[at + 1] == ' ' || line[at + 1] == '\r') ? SHAPE_KEY
                                                                                                : SHAPE_OTHER;
}

/* What a text is of that does not say it: mostly variables, or nothing but keys. NULL: neither. */
static const Language *guess_language(const char *text, guint length)
{
    guint counts[SHAPE_OTHER + 1] = {0};
    for (guint at = 0; at < length;) {
        const char *newline = memchr(text + at, '\n', length - at);
        guint stop = newline == NULL ? length : (guint)(newline - text);
        counts[line_shape(text + at, stop - at)]++;
        at = stop + 1;
    }
    if (counts[SHAPE_VARIABLE] >= 2 && counts[SHAPE_VARIABLE] > counts[SHAPE_OTHER] + counts[SHAPE_KEY])
        return language_by_id("dotenv");
    if (counts[SHAPE_KEY] >= 3 && counts[SHAPE_OTHER] == 0 && counts[SHAPE_VARIABLE] == 0)
        return language_by_id("yaml");
    return NULL;
}

bool embed_literal(Source *source, guint start, guint end)
{
    const char *newline = memchr(source->text + start, '\n', end - start);
    if (newline == NULL || end - start > 20000)
        return false;
    start = (guint)(newline + 1 - source->text);
    while (end > start && source->text[end - 1] != '\n') /* its quotes */
        end--;
    const Language *language = guess_language(source->text + start, end - start);
    return language != NULL && read_part(source, language, start, end);
}

bool embed_block(Source *source, const char *info, gsize info_length, guint start, guint end)
{
    const Language *language = info_language(info, info_length);
    if (info_length == 0 && end > start)
        language = guess_language(source->text + start, end - start);
    return language != NULL && end > start && read_part(source, language, start, end);
}

/* The word after "<<", without its quotes; false: there is none in the line. */
static bool heredoc_word(const char *line, const char *stop, char *ret_word)
{
    const char *at = memmem(line, (gsize)(stop - line), "<<", 2);
    if (at == NULL || at[2] == '<')
        return false;
    at += 2;
    while (at < stop && strchr("-~ \"'\\", *at) != NULL)
        at++;
    gsize length = 0;
    while (at + length < stop && (g_ascii_isalnum(at[length]) || at[length] == '_'))
        length++;
    if (length == 0 || length > HEREDOC_NAME_MAX)
        return false;
    memcpy(ret_word, at, length);
    ret_word[length] = '\0';
    return true;
}

/* The file that "> FILE" or "tee FILE" of the line writes; NULL when there is none. */
static char *heredoc_target(const char *line, const char *stop)
{
    g_autofree char *text = g_strndup(line, (gsize)(stop - line));
    char *at = strchr(text, '>'), *tee = strstr(text, "tee ");
    if (at == NULL && tee == NULL)
        return NULL;
    if (tee != NULL)
        at = tee + (g_str_has_prefix(tee, "tee -a ") ? strlen("tee -a ") : strlen("tee "));
    else
        at += strspn(at, "> ");
    if (*at == '"' || *at == '\'')
        at++;
    return g_strndup(at, strcspn(at, " \"'<>|;&"));
}

/* The line that holds word alone, from at; NULL when there is none. */
static const char *heredoc_end(const char *at, const char *end, const char *word)
{
    gsize length = strlen(word);
    while (at < end) {
        const char *stop = memchr(at, '\n', (gsize)(end - at));
        if (stop == NULL)
            stop = end;
        const char *first = at;
        while (first < stop && (*first == ' ' || *first == '\t'))
            first++;
        if ((gsize)(stop - first) >= length && strncmp(first, word, length) == 0 &&
            ((gsize)(stop - first) == length || first[length] == '\r'))
            return at;
        at = stop + 1;
    }
    return NULL;
}

void embed_heredocs(Source *source)
{
    const char *text = source->text, *end = text + source->length;
    for (const char *at = text; at < end;) {
        const char *stop = memchr(at, '\n', (gsize)(end - at));
        if (stop == NULL || source_is_late(source))
            return;
        const char *line = at;
        at = stop + 1;
        char word[HEREDOC_NAME_MAX + 1];
        if (!heredoc_word(line, stop, word) || line[strspn(line, " \t")] == '#')
            continue;
        const char *close = heredoc_end(at, end, word);
        g_autofree char *target = heredoc_target(line, stop);
        if (close == NULL)
            continue;
        const Language *language = target == NULL ? NULL : language_of(target, "", 0);
        if (language != NULL && language != source->language)
            read_part(source, language, (guint)(at - text), (guint)(close - text));
        at = close;
    }
}

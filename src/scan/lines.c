#include "scan/lines.h"

#include <string.h>

#include "scan/commands.h"
#include "scan/connection.h"
#include "scan/embed.h"
#include "scan/language.h"
#include "scan/placeholder.h"

typedef struct Line {
    guint start, end; /* without its line end */
} Line;

typedef struct LineReader {
    Source *source;
    char *section;   /* of an INI file */
    guint container; /* of the section */
    bool fenced;     /* in a code block of Markdown */
    bool embedded;   /* in one that was read as a whole */
    bool continued;  /* the line before ended in a backslash */
    bool variables;  /* of a Dockerfile: in an ENV or ARG */
    bool defaults;   /* in an ARG */
} LineReader;

typedef void (*LineFunc)(LineReader *reader, Line line);

static guint skip_blanks(const char *text, guint from, guint end)
{
    while (from < end && (text[from] == ' ' || text[from] == '\t'))
        from++;
    return from;
}

static guint name_end(const char *text, guint from, guint end)
{
    if (from < end && text[from] == '%') /* a profile of Quarkus */
        from++;
    while (from < end && (g_ascii_isalnum(text[from]) || strchr("_.-[]:", text[from]) != NULL) && text[from] != '\0') {
        if (text[from] == ':' && (from + 1 == end || text[from + 1] == ' ' || text[from + 1] == '='))
            break;
        from++;
    }
    return from;
}

/* Quotes, and a comment behind a blank, are not of the value. */
static void trim_value(const char *text, guint *start, guint *end, bool comments)
{
    *start = skip_blanks(text, *start, *end);
    while (*end > *start && g_ascii_isspace(text[*end - 1]))
        (*end)--;
    if (*end - *start >= 2 && (text[*start] == '"' || text[*start] == '\'')) {
        const char *close = memchr(text + *start + 1, text[*start], *end - *start - 1);
        if (close != NULL) {
            (*start)++;
            *end = (guint)(close - text);
            return;
        }
    }
    for (guint i = *start; comments && i + 1 < *end; i++)
        if (g_ascii_isspace(text[i]) && text[i + 1] == '#')
            *end = i;
}

static Setting *add_given(LineReader *reader, guint name, guint name_stop, guint start, guint end, Line line)
{
    Source *source = reader->source;
    gsize before = source->settings->len;
    placeholder_read(source, start, end);
    Setting *setting = source_add(source, SETTING_GIVEN, source_slice(source, start, end), start, end);
    setting->name = source_slice(source, name, name_stop);
    setting->container = reader->container;
    setting->path =
        reader->section == NULL ? g_strdup(setting->name) : g_strdup_printf("%s.%s", reader->section, setting->name);
    setting->whole_start = name;
    setting->whole_end = line.end;
    for (gsize i = before; i + 1 < source->settings->len; i++) {
        Setting *inner = source->settings->pdata[i];
        inner->path = g_strdup(setting->path);
        inner->container = setting->container;
    }
    return setting;
}

/* A line that only says something. */
static bool is_echo(const char *text, guint start, guint end)
{
    static const char *const WORDS[] = {"echo ",    "RUN echo ", "@echo ",    "printf ", "RUN printf ",
                                        "@printf ", "$(error",   "$(warning", NULL};
    start = skip_blanks(text, start, end);
    for (guint i = 0; WORDS[i] != NULL; i++)
        if (end - start > strlen(WORDS[i]) && memcmp(text + start, WORDS[i], strlen(WORDS[i])) == 0)
            return true;
    return false;
}

static void add_words(LineReader *reader, guint start, guint end)
{
    Source *source = reader->source;
    if (start >= end)
        return;
    placeholder_read(source, start, end);
    commands_read(source, start, end);
    if (is_echo(source->text, start, end))
        return;
    Setting *setting = source_add(source, SETTING_TEXT, source_slice(source, start, end), start, end);
    setting->words = true;
}

static void add_comment(LineReader *reader, guint start, guint end)
{
    ScanSpan *span = g_new(ScanSpan, 1);
    *span = (ScanSpan){start, end};
    g_ptr_array_add(reader->source->comments, span);
}

static bool starts(const char *text, guint from, guint end, const char *word)
{
    gsize length = strlen(word);
    return end - from > length && g_ascii_strncasecmp(text + from, word, length) == 0 &&
           g_ascii_isspace(text[from + length]);
}

static void read_dotenv(LineReader *reader, Line line)
{
    const char *text = reader->source->text;
    guint at = skip_blanks(text, line.start, line.end);
    if (at < line.end && text[at] == '#') {
        add_comment(reader, at, line.end);
        return;
    }
    if (starts(text, at, line.end, "export"))
        at = skip_blanks(text, at + 6, line.end);
    guint stop = name_end(text, at, line.end), equals = skip_blanks(text, stop, line.end);
    if (stop == at || equals >= line.end || text[equals] != '=')
        return;
    guint from = equals + 1, to = line.end;
    trim_value(text, &from, &to, true);
    const Setting *setting = add_given(reader, at, stop, from, to, line);
    g_auto(Connection) connection = connection_parse(setting->value, strlen(setting->value));
    if (connection.form == CONNECTION_NONE && strstr(setting->value, "://") != NULL) /* options, with a URL in them */
        add_words(reader, from, to);
}

static void read_ini(LineReader *reader, Line line)
{
    const char *text = reader->source->text;
    guint at = skip_blanks(text, line.start, line.end);
    if (at >= line.end)
        return;
    if (text[at] == '#' || text[at] == ';' || text[at] == '!' || (text[at] == '/' && text[at + 1] == '/')) {
        add_comment(reader, at, line.end);
        return;
    }
    const char *close = text[at] == '[' ? memchr(text + at, ']', line.end - at) : NULL;
    const char *brace = text[line.end - 1] == '{' ? text + line.end - 1 : NULL;
    if (close != NULL || brace != NULL) {
        g_free(reader->section);
        reader->section = close != NULL ? source_slice(reader->source, at + 1, (guint)(close - text))
                                        : source_slice(reader->source, at, line.end - 1);
        g_strstrip(reader->section);
        reader->container = source_container(reader->source, 0);
        return;
    }
    guint stop = name_end(text, at, line.end), equals = skip_blanks(text, stop, line.end);
    if (stop == at || equals >= line.end || (text[equals] != '=' && text[equals] != ':'))
        return;
    guint from = equals + 1, to = line.end;
    trim_value(text, &from, &to, false);
    add_given(reader, at, stop, from, to, line);
}

/* "A=1 B=2", of ENV, or "A 1" of its old form. */
static void read_variables(LineReader *reader, Line line, guint at)
{
    const char *text = reader->source->text;
    guint stop = name_end(text, at, line.end);
    if (stop < line.end && text[stop] == ' ' && stop > at) {
        guint from = stop, to = line.end;
        trim_value(text, &from, &to, false);
        add_given(reader, at, stop, from, to, line);
        return;
    }
    while (at < line.end) {
        at = skip_blanks(text, at, line.end);
        stop = name_end(text, at, line.end);
        if (stop == at || stop >= line.end || text[stop] != '=')
            return;
        guint from = stop + 1, to = from;
        if (to < line.end && (text[to] == '"' || text[to] == '\'')) {
            const char *close = memchr(text + to + 1, text[to], line.end - to - 1);
            to = close == NULL ? line.end : (guint)(close - text) + 1;
        } else {
            while (to < line.end && !g_ascii_isspace(text[to]))
                to++;
        }
        guint next = to;
        trim_value(text, &from, &to, false);
        Setting *setting = add_given(reader, at, stop, from, to, (Line){line.start, next});
        if (reader->defaults) {
            setting->kind = SETTING_DEFAULT;
            setting->variable = g_strdup(setting->name);
        }
        at = next;
    }
}

static void read_dockerfile(LineReader *reader, Line line)
{
    const char *text = reader->source->text;
    guint at = skip_blanks(text, line.start, line.end);
    if (at < line.end && text[at] == '#') {
        add_comment(reader, at, line.end);
        return;
    }
    guint end = line.end;
    bool continues = end > at && text[end - 1] == '\\';
    Line rest = {line.start, continues ? end - 1 : end};
    if (!reader->continued) {
        reader->variables = starts(text, at, end, "ENV") || starts(text, at, end, "ARG");
        reader->defaults = starts(text, at, end, "ARG");
        if (reader->variables)
            at = skip_blanks(text, at + 3, rest.end);
    }
    if (reader->variables)
        read_variables(reader, rest, at);
    else
        add_words(reader, at, rest.end);
    reader->continued = continues;
}

static void read_makefile(LineReader *reader, Line line)
{
    const char *text = reader->source->text;
    guint at = skip_blanks(text, line.start, line.end);
    if (at < line.end && text[at] == '#') {
        add_comment(reader, at, line.end);
        return;
    }
    if (line.start < line.end && text[line.start] != '\t') {
        if (starts(text, at, line.end, "export"))
            at = skip_blanks(text, at + 6, line.end);
        guint stop = at;
        while (stop < line.end && (g_ascii_isalnum(text[stop]) || text[stop] == '_'))
            stop++;
        guint sign = skip_blanks(text, stop, line.end), from = sign;
        while (from < line.end && strchr("?:+", text[from]) != NULL && text[from] != '\0')
            from++;
        if (stop > at && from < line.end && text[from] == '=') {
            bool unset = text[sign] == '?';
            guint start = from + 1, to = line.end;
            trim_value(text, &start, &to, true);
            Setting *setting = add_given(reader, at, stop, start, to, line);
            if (unset) {
                setting->kind = SETTING_DEFAULT;
                setting->variable = g_strdup(setting->name);
            }
            return;
        }
    }
    add_words(reader, at, line.end);
}

/* Code in a sentence counts where it is a command or an assignment: a URL alone is what the sentence speaks of. */
static void read_inline(LineReader *reader, guint at, guint end)
{
    const char *text = reader->source->text;
    while (at < end) {
        const char *open = memchr(text + at, '`', end - at);
        const char *close = open == NULL ? NULL : memchr(open + 1, '`', (gsize)(text + end - open - 1));
        if (close == NULL)
            return;
        guint from = (guint)(open + 1 - text), to = (guint)(close - text);
        gsize url = strcspn(open + 1, ":");
        if (memchr(open + 1, ' ', to - from) != NULL ||
            (memchr(open + 1, '=', to - from) != NULL &&
             (gsize)((const char *)memchr(open + 1, '=', to - from) - open) < url))
            add_words(reader, from, to);
        at = to + 1;
    }
}

/* The block's settings belong together, and are those of a file of its language where that is known. */
static void read_fence(LineReader *reader, Line line, guint at)
{
    const Source *source = reader->source;
    reader->fenced = !reader->fenced;
    reader->embedded = false;
    reader->container = 0;
    if (!reader->fenced)
        return;
    reader->container = source_container(reader->source, 0);
    g_autofree char *fence = g_strdup_printf("\n%.*s", (int)(at + 3 - line.start), source->text + line.start);
    const char *close = strstr(source->text + line.end, fence);
    guint start = line.end + 1, end = close == NULL ? (guint)source->length : (guint)(close + 1 - source->text);
    reader->embedded = embed_block(reader->source, source->text + at + 3, line.end - at - 3, start, end);
}

static void read_markdown(LineReader *reader, Line line)
{
    const char *text = reader->source->text;
    guint at = skip_blanks(text, line.start, line.end);
    if (line.end - at >= 3 && (memcmp(text + at, "```", 3) == 0 || memcmp(text + at, "~~~", 3) == 0)) {
        read_fence(reader, line, at);
        return;
    }
    if (reader->embedded)
        return;
    if (line.end - at >= 4 && memcmp(text + at, "<!--", 4) == 0)
        add_comment(reader, at, line.end);
    if (reader->fenced) {
        guint name = at;
        if (starts(text, at, line.end, "export"))
            name = skip_blanks(text, at + 6, line.end);
        if (name < line.end && text[name] == '$')
            name = skip_blanks(text, name + 1, line.end);
        guint stop = name;
        while (stop < line.end && (g_ascii_isalnum(text[stop]) || text[stop] == '_'))
            stop++;
        if (stop > name && stop < line.end && text[stop] == '=') {
            guint from = stop + 1, to = line.end;
            bool quoted = from < to && strchr("\"'", text[from]) != NULL;
            trim_value(text, &from, &to, true);
            if (quoted || memchr(text + from, ' ', to - from) == NULL) { /* otherwise a command follows */
                add_given(reader, name, stop, from, to, line);
                return;
            }
        }
    }
    if (reader->fenced)
        add_words(reader, at, line.end);
    else
        read_inline(reader, at, line.end);
}

static void read_text(LineReader *reader, Line line)
{
    add_words(reader, line.start, line.end);
}

void lines_read(Source *source)
{
    static const struct {
        const char *name;
        LineFunc func;
    } KINDS[] = {
        {"dotenv", read_dotenv},     {"ini", read_ini},           {"dockerfile", read_dockerfile},
        {"makefile", read_makefile}, {"markdown", read_markdown}, {"text", read_text},
    };
    LineFunc func = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++)
        if (g_strcmp0(KINDS[i].name, source->language->lines) == 0)
            func = KINDS[i].func;
    if (func == NULL)
        return;
    LineReader reader = {.source = source};
    const char *text = source->text, *end = text + source->length;
    for (const char *at = g_str_has_prefix(text, "\xEF\xBB\xBF") ? text + 3 : text; at < end;) {
        const char *stop = memchr(at, '\n', (gsize)(end - at));
        if (stop == NULL)
            stop = end;
        Line line = {(guint)(at - text), (guint)(stop - text)};
        if (line.end > line.start && text[line.end - 1] == '\r')
            line.end--;
        if (line.end > line.start)
            func(&reader, line);
        at = stop + 1;
    }
    g_free(reader.section);
}

#include "scan/commands.h"

#include <string.h>

#include "scan/language.h"

static guint skip_blanks(const char *text, guint from, guint end)
{
    while (from < end && (text[from] == ' ' || text[from] == '\t'))
        from++;
    return from;
}

static bool is_tool(const char *word, gsize length)
{
    static const char *const TOOLS[] = {"psql",     "pg_dump",   "pg_dumpall", "pg_restore",    "pg_isready",
                                        "createdb", "dropdb",    "createuser", "dropuser",      "pgbench",
                                        "vacuumdb", "reindexdb", "pgcli",      "pg_basebackup", NULL};
    for (guint i = 0; TOOLS[i] != NULL; i++)
        if (strlen(TOOLS[i]) == length && memcmp(TOOLS[i], word, length) == 0)
            return true;
    return false;
}

/* "-h X", "-hX", "--host X", "--host=X": *ret_value is where X begins; 0 when it is none of these. */
static guint host_option(const char *text, guint at, guint end)
{
    static const char *const OPTIONS[] = {"--host=", "--host ", "-h ", "-h"};
    for (guint i = 0; i < G_N_ELEMENTS(OPTIONS); i++) {
        gsize length = strlen(OPTIONS[i]);
        if (end - at > length && memcmp(text + at, OPTIONS[i], length) == 0)
            return at + (guint)length;
    }
    return 0;
}

/* Of assignments that go on in the next line after a backslash, those of the line before. */
static guint assignments_container(Source *source, guint at)
{
    const char *text = source->text;
    while (at > 0 && g_ascii_isspace(text[at - 1]))
        at--;
    const Setting *last = source->settings->len == 0 ? NULL : source->settings->pdata[source->settings->len - 1];
    if (at > 0 && text[at - 1] == '\\' && last != NULL && last->container != 0 && last->whole_end + 3 >= at)
        return last->container;
    return source_container(source, 0);
}

/* "A=1 B=2 command": variables that only the command sees. URLs are found without this. */
static void read_assignments(Source *source, guint at, guint end)
{
    const char *text = source->text;
    guint container = 0;
    for (;;) {
        at = skip_blanks(text, at, end);
        guint stop = at;
        while (stop < end && (g_ascii_isupper(text[stop]) || g_ascii_isdigit(text[stop]) || text[stop] == '_'))
            stop++;
        if (stop == at || stop >= end || text[stop] != '=')
            return;
        guint from = stop + 1, to = from;
        while (to < end && !g_ascii_isspace(text[to]))
            to++;
        guint next = to;
        if (to - from >= 2 && strchr("\"'", text[from]) != NULL && text[to - 1] == text[from]) {
            from++;
            to--;
        }
        if (container == 0)
            container = assignments_container(source, at);
        Setting *setting = source_add(source, SETTING_GIVEN, source_slice(source, from, to), from, to);
        setting->name = source_slice(source, at, stop);
        setting->path = g_strdup(setting->name);
        setting->whole_start = at;
        setting->whole_end = next;
        setting->container = container;
        at = next;
    }
}

static void read_lines_assignments(Source *source, guint start, guint end)
{
    for (guint at = start; at < end;) {
        const char *newline = memchr(source->text + at, '\n', end - at);
        guint stop = newline == NULL ? end : (guint)(newline - source->text);
        guint from = skip_blanks(source->text, at, stop);
        if (from < stop && source->text[from] == '$') /* a prompt */
            from++;
        read_assignments(source, from, stop);
        at = stop + 1;
    }
}

static bool in_set(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static guint word_end(const char *text, guint at, guint end, const char *ends)
{
    while (at < end && !g_ascii_isspace(text[at]) && !in_set(ends, text[at]) && text[at] != '\0')
        at++;
    return at;
}

/* Blanks, quotes and brackets before the next word; a line end or a ";" ends the command. */
static guint skip_to_word(const char *text, guint at, guint end, bool *tool)
{
    while (at < end && (g_ascii_isspace(text[at]) || in_set("\"'`()[]{},;|&", text[at]) || text[at] == '\0')) {
        if (in_set("\n;|&", text[at]))
            *tool = false;
        at++;
    }
    return at;
}

static bool names_tool(const char *text, guint word, guint end)
{
    const char *name = text + end;
    while (name > text + word && name[-1] != '/')
        name--;
    return is_tool(name, (gsize)(text + end - name));
}

static guint add_host(Source *source, guint word, guint value, guint end)
{
    while (value < end && in_set(" \"',", source->text[value]))
        value++;
    guint stop = word_end(source->text, value, end, "\"'`;|&)");
    Setting *setting = source_add(source, SETTING_GIVEN, source_slice(source, value, stop), value, stop);
    setting->name = g_strdup("psql_host");
    setting->path = g_strdup("psql_host");
    setting->whole_start = word;
    setting->container = source_container(source, 0);
    return stop;
}

void commands_read(Source *source, guint start, guint end)
{
    const char *text = source->text;
    bool tool = false;
    if (source->language->grammar == NULL || source->language->data) /* a shell's grammar knows them */
        read_lines_assignments(source, start, end);
    for (guint word = skip_to_word(text, start, end, &tool); word < end;) {
        guint at = word_end(text, word, end, "\"'`()[]{},;|&");
        guint value = tool ? host_option(text, word, end) : 0;
        if (names_tool(text, word, at))
            tool = !source_in_comment(source, word);
        else if (value != 0)
            at = MAX(at, add_host(source, word, value, end));
        word = skip_to_word(text, at, end, &tool);
    }
}

/* The entry in README.md, AGENTS.md and CLAUDE.md. */
#include <string.h>

#include "docs/internal.h"

/* A line of # signs, outside of code. */
static bool is_heading(const char *line)
{
    gsize indent = strspn(line, " "), level = strspn(line + indent, "#");
    char next = line[indent + level];
    return indent < 4 && level >= 1 && level <= 6 &&
           (next == ' ' || next == '\t' || next == '\r' || next == '\n' || next == '\0');
}

/* A heading by the line below it. */
static bool is_underline(const DocsText *text, guint at)
{
    g_autofree char *line = docs_line_content(docs_text_line(text, at));
    const char *above = at == 0 ? "" : docs_text_line(text, at - 1);
    gsize length = strlen(g_strchomp(line));
    bool ruled = length > 1 && (strspn(line, "=") == length || strspn(line, "-") == length);
    return ruled && !docs_is_blank(above) && strchr("-*+|>#", *above) == NULL;
}

typedef struct Heading {
    guint at, end; /* the heading's lines */
} Heading;

/* The mark that opens or closes a block of code: three or more of ` or ~. */
static char fence_of(const char *line)
{
    gsize indent = strspn(line, " ");
    return indent < 4 && (g_str_has_prefix(line + indent, "```") || g_str_has_prefix(line + indent, "~~~"))
               ? line[indent]
               : '\0';
}

/* Where the text stands: in code, in a comment, or in neither. */
typedef struct Inside {
    char fence; /* of the block of code */
    bool comment;
    guint since; /* the line that opened it */
} Inside;

static bool is_inside(const Inside *inside)
{
    return inside->fence != '\0' || inside->comment;
}

/* True where the line opens, closes or is in one of them. */
static bool follow(Inside *inside, const char *line, guint at)
{
    bool was = is_inside(inside);
    char mark = fence_of(line);
    const char *opened = g_strrstr(line, "<!--"), *closed = g_strrstr(line, "-->");
    if (inside->comment)
        inside->comment = closed == NULL;
    else if (mark != '\0' && (inside->fence == '\0' || inside->fence == mark))
        inside->fence = inside->fence == '\0' ? mark : '\0';
    else if (inside->fence == '\0')
        inside->comment = opened != NULL && (closed == NULL || closed < opened);
    if (!was && is_inside(inside))
        inside->since = at;
    return was || is_inside(inside);
}

static guint behind_front_matter(const DocsText *text)
{
    if (!g_str_has_prefix(docs_text_line(text, 0), "---"))
        return 0;
    for (guint at = 1; at < text->lines->len; at++)
        if (g_str_has_prefix(docs_text_line(text, at), "---"))
            return at + 1;
    return 0;
}

/* Of Heading. *ret_end: where something can be put in behind all else: the end, or before what is not closed there. */
static GArray *find_headings(const DocsText *text, guint *ret_end)
{
    GArray *headings = g_array_new(FALSE, FALSE, sizeof(Heading));
    Inside inside = {0};
    bool plain = false; /* the line before was in neither */
    for (guint i = behind_front_matter(text); i < text->lines->len; i++) {
        const char *line = docs_text_line(text, i);
        Heading heading = {.at = i, .end = i + 1};
        bool after_plain = plain;
        plain = !follow(&inside, line, i);
        if (!plain || !(is_heading(line) || (after_plain && is_underline(text, i))))
            continue;
        heading.at -= is_heading(line) ? 0 : 1;
        g_array_append_val(headings, heading);
    }
    *ret_end = is_inside(&inside) ? inside.since : text->lines->len;
    return headings;
}

/* Under the heading whose section speaks of it; or behind the first section, where that is the one (or none is). */
static void insert(DocsText *text, guint mention, const char *block)
{
    guint at = 0, above = 0; /* above: headings before the mention */
    g_autoptr(GArray) headings = find_headings(text, &at);
    while (above < headings->len && g_array_index(headings, Heading, above).at <= mention)
        above++;
    if (above >= 2) {
        at = g_array_index(headings, Heading, above - 1).end;
        at += docs_text_is_blank(text, at) && at < text->lines->len ? 1 : 0;
    } else if (above < headings->len) {
        at = g_array_index(headings, Heading, above).at;
    }
    if (at > 0 && !docs_text_is_blank(text, at - 1))
        at += docs_text_insert(text, at, "\n");
    at += docs_text_insert(text, at, block);
    if (at < text->lines->len && !docs_text_is_blank(text, at))
        docs_text_insert(text, at, "\n");
}

static char *make_block(const DocsFacts *facts)
{
    const Config *config = facts->config;
    g_autofree char *name = facts->database == NULL ? g_strdup("") : docs_code(facts->database);
    g_autofree char *database = *name == '\0' ? g_strdup("") : g_strdup_printf(", %s", name);
    g_autofree char *variable = docs_code(config->code.variable);
    g_autofree char *tests = g_strndup(facts->tests, strcspn(facts->tests, "\n"));
    g_autofree char *page = docs_escape(config->docs.page);
    g_autofree char *link = g_uri_escape_string(config->docs.page, "/", TRUE);
    return DOCS_FILL(docs_text_entry, "database", database, "variable", variable, "tests", tests, "page", page, "link",
                     link);
}

bool docs_entry_write(DocsText *text, const char *file, const DocsFacts *facts, GError **error)
{
    guint at = 0, count = 0;
    if (!docs_block_find(text, file, "database", &at, &count, error))
        return false;
    g_autofree char *block = make_block(facts);
    if (count > 0) {
        docs_text_remove(text, at, count);
        docs_text_insert(text, at, block);
        return true;
    }
    g_autoptr(Mentions) mentions = mentions_new(facts->config);
    for (guint i = 0; i < text->lines->len; i++) {
        g_autofree char *about = mentions_about(mentions, docs_text_line(text, i), MENTION_ALL);
        if (about == NULL)
            continue;
        insert(text, i, block);
        break;
    }
    return true;
}

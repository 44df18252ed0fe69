#include "scan/fix_place.h"

#include <string.h>
#include <sys/stat.h>

#include "scan/fix_template.h"
#include "scan/language.h"

#define CLIMB_MAX 60
#define ENTRIES_MAX 4000 /* of folders, that are asked for a word */

bool fix_node_is(TSNode node, const char *kind)
{
    return !ts_node_is_null(node) && strcmp(ts_node_type(node), kind) == 0;
}

bool fix_node_in(const Fix *fix, TSNode node, const char *key)
{
    return !ts_node_is_null(node) && fix_lists(fix, key, ts_node_type(node));
}

TSNode fix_node_at(const Source *source, guint start, guint end)
{
    TSNode node = ts_node_named_descendant_for_byte_range(ts_tree_root_node(source->tree), start, end);
    /* Of several with the same range the outermost. */
    for (;;) {
        TSNode parent = ts_node_parent(node);
        if (ts_node_is_null(parent) || ts_node_start_byte(parent) != ts_node_start_byte(node) ||
            ts_node_end_byte(parent) != ts_node_end_byte(node))
            return node;
        node = parent;
    }
}

/* An operator that runs both of its sides; no branch of `if x, do: y`. */
static bool runs_all(const Source *source, TSNode node)
{
    const char *text = source->text + ts_node_start_byte(node);
    if (strcmp(ts_node_type(node), "pair") == 0)
        return !g_str_has_prefix(text, "do:") && !g_str_has_prefix(text, "else:");
    if (strstr(ts_node_type(node), "binary") == NULL)
        return true;
    TSNode operator= ts_node_child_by_field_name(node, "operator", 8);
    static const char *const SIGNS[] = {"+", ".", "<>", "=", "%", "==", "!=", "===", "!==", NULL};
    return !ts_node_is_null(operator) && g_strv_contains(SIGNS, ts_node_type(operator));
}

TSNode fix_statement(Fix *fix, TSNode node, bool *ret_hoisted)
{
    *ret_hoisted = false;
    TSNode at = node, none = {0};
    for (guint i = 0; i < CLIMB_MAX; i++) {
        TSNode parent = ts_node_parent(at);
        if (ts_node_is_null(parent)) {
            fix_refuse(fix, "it stands in no statement");
            return none;
        }
        if (fix_node_in(fix, parent, "lists")) {
            TSNode owner = ts_node_parent(parent);
            if (!fix_node_in(fix, owner, "hoist"))
                break;
            at = owner;
            *ret_hoisted = true;
            continue;
        }
        if (!fix_node_in(fix, parent, "through") || !runs_all(fix->source, parent)) {
            fix_refuse(fix, "it is not read always and once where it stands (%s)", ts_node_type(parent));
            return none;
        }
        at = parent;
    }
    g_autofree char *indent = NULL;
    if (!fix_indent(fix->source, ts_node_start_byte(at), &indent)) {
        fix_refuse(fix, "its statement does not start the line");
        return none;
    }
    return at;
}

static guint line_start(const Source *source, guint at)
{
    while (at > 0 && source->text[at - 1] != '\n')
        at--;
    if (at == 0 && source->length >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    return at;
}

bool fix_indent(const Source *source, guint start, char **ret_indent)
{
    guint from = line_start(source, start);
    for (guint i = from; i < start; i++)
        if (source->text[i] != ' ' && source->text[i] != '\t')
            return false;
    *ret_indent = source_slice(source, from, MAX(from, start));
    return true;
}

/* What a line that opens a block adds to the one after it: 0 where the file has none. */
static guint shown_tab(const Source *source, bool *ret_tabs)
{
    guint before = 0;
    bool opens = false;
    for (const char *at = source->text, *end = at + source->length; at != NULL && at < end;) {
        const char *stop = memchr(at, '\n', (gsize)(end - at));
        const char *last = stop == NULL ? end : stop;
        guint blanks = (guint)strspn(at, " \t");
        while (last > at && g_ascii_isspace(last[-1]))
            last--;
        if (last > at + blanks) {
            *ret_tabs = *at == '\t';
            if (opens && *ret_tabs)
                return 1;
            if (opens && blanks > before)
                return blanks - before;
            before = blanks;
            opens = last[-1] == ':' || last[-1] == '{' || (last - at > 3 && memcmp(last - 3, " do", 3) == 0);
        }
        at = stop == NULL ? NULL : stop + 1;
    }
    return 0;
}

char *fix_tab(const Fix *fix, const char *indent)
{
    bool tabs = false;
    guint width = shown_tab(fix->source, &tabs);
    if (strchr(indent, '\t') != NULL || (width > 0 && tabs && *indent == '\0'))
        return g_strdup("\t");
    if (width == 0 || tabs)
        width = (guint)g_key_file_get_integer(fix->rules, "fix", "tab", NULL);
    return g_strnfill(CLAMP(width, 1, 8), ' ');
}

const char *fix_newline(const Source *source)
{
    const char *newline = memchr(source->text, '\n', source->length);
    return newline != NULL && newline > source->text && newline[-1] == '\r' ? "\r\n" : "\n";
}

/* Behind a statement a ";" and a comment of its own may stand. */
static guint line_rest(const Source *source, guint at)
{
    const char *text = source->text;
    while (at < source->length && (text[at] == ' ' || text[at] == '\t' || text[at] == ';' || text[at] == '\r'))
        at++;
    if (at < source->length && (text[at] == '#' || (text[at] == '/' && text[at + 1] == '/')))
        while (at < source->length && text[at] != '\n')
            at++;
    return at;
}

bool fix_whole_lines(const Source *source, TSNode statement, guint *ret_start, guint *ret_end)
{
    g_autofree char *indent = NULL;
    guint start = ts_node_start_byte(statement), end = line_rest(source, ts_node_end_byte(statement));
    if (!fix_indent(source, start, &indent) || (end < source->length && source->text[end] != '\n'))
        return false;
    *ret_start = start - (guint)strlen(indent);
    *ret_end = end < source->length ? end + 1 : end;
    return true;
}

static bool is_word_char(char c)
{
    return g_ascii_isalnum(c) || c == '_' || (c & 0x80) != 0;
}

static const char *find_word(const char *text, gsize length, gsize from, const char *word)
{
    gsize size = strlen(word);
    while (from < length) {
        const char *at = memmem(text + from, length - from, word, size);
        if (at == NULL)
            return NULL;
        if ((at == text || !is_word_char(at[-1])) && (at + size == text + length || !is_word_char(at[size])))
            return at;
        from = (gsize)(at - text) + 1;
    }
    return NULL;
}

static guint count_within(const Source *source, guint start, guint end, const char *word)
{
    guint n = 0;
    for (gsize from = start;;) {
        const char *at = find_word(source->text, end, from, word);
        if (at == NULL)
            return n;
        from = (gsize)(at - source->text);
        n += !source_in_comment(source, (guint)from);
        from++;
    }
}

guint fix_count_word(const Source *source, const char *word)
{
    return count_within(source, 0, (guint)source->length, word);
}

/* Files of a code base that are asked for a word, without git: it may not be started in a thread. */
typedef struct Search {
    const Source *source;
    const char *root, *word;
    guint seen; /* entries of folders */
    bool found;
} Search;

static void search(Search *run, const char *folder, int depth);

static void search_entry(Search *run, const char *path, const char *name, int depth)
{
    static const char *const NEVER[] = {"node_modules", "venv", "vendor", "site-packages",
                                        "build",        "dist", "target", NULL};
    struct stat about;
    if (run->seen++ > ENTRIES_MAX) {
        run->found = true; /* not known: as good as used */
        return;
    }
    if (lstat(path, &about) != 0)
        return;
    if (S_ISDIR(about.st_mode)) {
        if (name[0] != '.' && !g_strv_contains(NEVER, name) && depth < 30)
            search(run, path, depth + 1);
        return;
    }
    const char *relative = path + strlen(run->root) + strspn(path + strlen(run->root), "/");
    if (!S_ISREG(about.st_mode) || about.st_size > (4 << 20) || strcmp(relative, run->source->file) == 0 ||
        strchr(name, '.') == NULL || language_of(name, "", 0) != run->source->language)
        return;
    g_autofree char *text = NULL;
    gsize length;
    if (g_file_get_contents(path, &text, &length, NULL) && find_word(text, length, 0, run->word) != NULL)
        run->found = true;
}

static void search(Search *run, const char *folder, int depth)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL)
        return;
    for (const char *name; !run->found && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        search_entry(run, path, name, depth);
    }
    g_dir_close(dir);
}

bool fix_is_private(const Fix *fix, const char *word)
{
    if (fix->options->folder == NULL)
        return false;
    Search run = {.source = fix->source, .root = fix->options->folder, .word = word};
    search(&run, run.root, 0);
    return !run.found;
}

const char *fix_environment(const Fix *fix, TSNode node)
{
    static const char *const NAMES[] = {"development", "staging", "test", "testing", "local", "production",
                                        "prod",        "dev",     "ci",   "review",  NULL};
    for (TSNode at = node; !ts_node_is_null(at); at = ts_node_parent(at)) {
        const Fact *fact = facts_of(fix->facts, at);
        if (fact == NULL || fact->kind != FACT_BIND || ts_node_is_null(fact->first))
            continue;
        g_autofree char *name = facts_name(fix->facts, fact->first);
        g_autofree char *lower = g_ascii_strdown(name, -1);
        for (guint i = 0; NAMES[i] != NULL; i++)
            if (strcmp(NAMES[i], lower) == 0)
                return NAMES[i];
    }
    return NULL;
}

/* The statement that only gives a name its value, in a list of statements. */
static bool statement_of(const Fix *fix, const Fact *bind, TSNode *ret_statement)
{
    TSNode at = bind->node;
    for (guint i = 0; i < 3; i++) {
        TSNode parent = ts_node_parent(at);
        if (ts_node_is_null(parent))
            return false;
        if (fix_node_in(fix, parent, "lists")) {
            *ret_statement = at;
            return true;
        }
        if (strstr(ts_node_type(parent), "export") != NULL || ts_node_named_child_count(parent) != 1)
            return false;
        at = parent;
    }
    return false;
}

bool fix_only_used_in(const Fix *fix, const Fact *bind, TSNode node, ScanSpan *ret_span)
{
    const Source *source = fix->source;
    TSNode statement;
    if (!statement_of(fix, bind, &statement) || !fix_whole_lines(source, statement, &ret_span->start, &ret_span->end) ||
        ts_node_start_byte(node) < ret_span->end)
        return false;
    g_autofree char *name = facts_name(fix->facts, bind->first);
    guint own = count_within(source, ret_span->start, ret_span->end, name);
    guint used = count_within(source, ts_node_start_byte(node), ts_node_end_byte(node), name);
    if (*name == '\0' || used == 0 || own + used != fix_count_word(source, name))
        return false;
    /* A module of JavaScript keeps its names to itself. */
    bool shared = ts_node_is_null(ts_node_parent(ts_node_parent(statement))) &&
                  !g_key_file_get_boolean(fix->rules, "fix", "keeps", NULL);
    return !shared || fix_is_private(fix, name);
}

static int by_start(gconstpointer a, gconstpointer b)
{
    const ScanSpan *left = a, *right = b;
    return (int)(left->start > right->start) - (int)(left->start < right->start);
}

void fix_close_gap(const Source *source, GArray *spans)
{
    g_array_sort(spans, by_start);
    const char *text = source->text;
    guint run = 0;
    for (guint i = 0; i < spans->len; i++) {
        ScanSpan *span = &g_array_index(spans, ScanSpan, i);
        run = i == 0 || span->start != span[-1].end ? span->start : run;
        bool last = i + 1 == spans->len || span[1].start != span->end;
        bool before =
            run == 0 || (run >= 2 && text[run - 1] == '\n' && (text[run - 2] == '\n' || text[run - 2] == '\r'));
        guint blank = (guint)strspn(text + span->end, "\r");
        if (last && before && span->end < source->length && text[span->end + blank] == '\n')
            span->end += blank + 1;
    }
}

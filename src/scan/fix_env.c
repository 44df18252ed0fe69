/* A variable that is read with a local default. */
#include <string.h>

#include "scan/fix_place.h"
#include "scan/fix_read.h"
#include "scan/fix_template.h"
#include "scan/language.h"

static bool contains(TSNode node, const ScanPlace *place)
{
    return ts_node_start_byte(node) <= place->start && ts_node_end_byte(node) >= place->end;
}

static bool is_at(TSNode node, const ScanPlace *place)
{
    return !ts_node_is_null(node) && ts_node_start_byte(node) == place->start && ts_node_end_byte(node) == place->end;
}

static bool is_within(TSNode node, const ScanFinding *finding)
{
    return ts_node_start_byte(node) >= finding->whole_start && ts_node_end_byte(node) <= finding->whole_end;
}

/* The smallest expression that reads the variable of the finding with a default. */
static bool find_read(Fix *fix, FixRead *ret_read)
{
    const ScanFinding *finding = fix->finding;
    const char *variable = fix->variable;
    bool found = false;
    for (guint i = 0; i < fix->facts->all->len; i++) {
        const Fact *fact = &g_array_index(fix->facts->all, Fact, i);
        bool within = is_within(fact->node, finding), around = contains(fact->node, &finding->place);
        if ((fact->kind != FACT_CALL && fact->kind != FACT_OR) ||
            (!around && (!within || finding->place.start != finding->whole_start)))
            continue;
        FixRead read;
        if (!fix_read_of(fix, fact, &read))
            continue;
        bool smaller = !found || ts_node_end_byte(read.node) - ts_node_start_byte(read.node) <
                                     ts_node_end_byte(ret_read->node) - ts_node_start_byte(ret_read->node);
        if (!smaller || (variable != NULL && strcmp(read.variable, variable) != 0) ||
            (!within && !is_at(read.otherwise, &finding->place))) {
            fix_read_clear(&read);
            continue;
        }
        if (found)
            fix_read_clear(ret_read);
        *ret_read = read;
        found = true;
    }
    return found;
}

static char *guard_text(const Fix *fix, FixWords *words, TSNode statement)
{
    g_autofree char *indent = NULL;
    if (!fix_indent(fix->source, ts_node_start_byte(statement), &indent))
        return NULL;
    g_autofree char *tab = fix_tab(fix, indent);
    words->indent = indent;
    words->tab = tab;
    char *guard = fix_template(fix, "guard", words);
    words->indent = words->tab = NULL;
    return guard;
}

bool fix_add_guard(Fix *fix, FixWords *words, TSNode node)
{
    bool hoisted;
    TSNode statement = fix_statement(fix, node, &hoisted);
    if (ts_node_is_null(statement))
        return false;
    g_autofree char *guard = guard_text(fix, words, statement), *indent = NULL;
    if (guard == NULL || !fix_indent(fix->source, ts_node_start_byte(statement), &indent))
        return fix_refuse(fix, "there is no place for a check in front of it");
    guint start = ts_node_start_byte(statement);
    const char *newline = fix_newline(fix->source);
    fix_edit(fix, start, start,
             g_strconcat(guard, newline, hoisted ? newline : "", hoisted ? newline : "", indent, NULL));
    return true;
}

static bool more_single_quotes(const Source *source)
{
    glong more = 0;
    for (gsize i = 0; i < source->length; i++)
        more += source->text[i] == '\'' ? 1 : source->text[i] == '"' ? -1 : 0;
    return more > 0;
}

void fix_style(const Fix *fix, FixWords *words, guint at)
{
    const Source *source = fix->source;
    char first = at < source->length ? source->text[at] : 0;
    if (!g_key_file_get_boolean(fix->rules, "fix", "quotes", NULL))
        words->quote = '"';
    else
        words->quote = first == '\'' || first == '"' ? first : more_single_quotes(source) ? '\'' : '"';
    guint with = 0, without = 0;
    for (const char *end = source->text;
         (end = memchr(end, '\n', (gsize)(source->text + source->length - end))) != NULL; end++) {
        const char *last = end;
        while (last > source->text && (last[-1] == '\r' || last[-1] == ' '))
            last--;
        if (last > source->text && last[-1] == ';')
            with++;
        else if (last > source->text && strchr(")'\"", last[-1]) != NULL)
            without++;
    }
    words->semicolons = with > 0 && with * 3 >= without;
}

/* The read stands alone: it only sets the variable where it is missing. */
static bool is_alone(const Fix *fix, TSNode node, TSNode *ret_statement)
{
    TSNode parent = ts_node_parent(node);
    *ret_statement = parent;
    if (strstr(ts_node_type(parent), "expression_statement") != NULL)
        return fix_node_in(fix, ts_node_parent(parent), "lists") && ts_node_named_child_count(parent) == 1;
    /* Where a statement is an expression, the last one may be a value. */
    *ret_statement = node;
    return strstr(ts_node_type(node), "assign") != NULL && fix_node_in(fix, parent, "lists") &&
           (!ts_node_is_null(ts_node_next_named_sibling(node)) || ts_node_is_null(ts_node_parent(parent)));
}

static bool replace_statement(Fix *fix, FixWords *words, TSNode statement)
{
    char *guard = guard_text(fix, words, statement);
    if (guard == NULL)
        return fix_refuse(fix, "its statement does not start the line");
    fix_edit(fix, ts_node_start_byte(statement), ts_node_end_byte(statement), guard);
    return true;
}

static bool has_comment(const Fix *fix, guint start, guint end)
{
    for (guint i = 0; i < fix->source->comments->len; i++) {
        const ScanSpan *span = fix->source->comments->pdata[i];
        if (span->start < end && start < span->end)
            return true;
    }
    return false;
}

/* Parentheses that only held the alternative together go with it. */
static void replace_read(Fix *fix, TSNode node, char *text_taken)
{
    TSNode parent = ts_node_parent(node);
    guint start = ts_node_start_byte(parent), end = ts_node_end_byte(parent);
    bool around = strstr(ts_node_type(parent), "parenthesized") != NULL && ts_node_named_child_count(parent) == 1 &&
                  start > 0 && !g_ascii_isalnum(fix->source->text[start - 1]) && !has_comment(fix, start, end);
    fix_edit(fix, around ? start : ts_node_start_byte(node), around ? end : ts_node_end_byte(node), text_taken);
}

/* `process.env.X = process.env.X || "default"`: only the check is left of it. */
static bool is_own_assignment(const Fix *fix, const FixRead *read, TSNode *ret_statement)
{
    TSNode parent = ts_node_parent(read->node);
    const Fact *fact = facts_of(fix->facts, parent);
    if (fact == NULL || fact->kind != FACT_BIND || !read->simple || ts_node_is_null(fact->first))
        return false;
    g_autofree char *target = source_slice(fix->source, ts_node_start_byte(fact->first), ts_node_end_byte(fact->first));
    FixWords words = {.name = read->name, .left = read->left, .variables = read->variables};
    g_autofree char *plain = fix_function_template(fix, read->function, "read", &words);
    return (strcmp(target, read->left) == 0 || g_strcmp0(target, plain) == 0) && is_alone(fix, parent, ret_statement);
}

static bool with_guard(Fix *fix, const FixRead *read, FixWords *words)
{
    if (!fix_add_guard(fix, words, read->node))
        return false;
    g_autofree char *plain = read->simple ? fix_function_template(fix, read->function, "read", words) : NULL;
    if (read->several)
        fix_edit(fix, ts_node_start_byte(read->node), ts_node_end_byte(read->node), g_strdup(read->left));
    else
        replace_read(fix, read->node, plain != NULL ? g_steal_pointer(&plain) : g_strdup(read->left));
    return true;
}

/* An expression of operators stands where a call may have stood. */
static bool needs_parentheses(TSNode node)
{
    static const char *const BARE[] = {"argument", "assign",  "declar",    "return", "pair",   "parenthes",
                                       "property", "element", "field_def", "equals", "lambda", "arrow",
                                       "spread",   "array",   "list",      NULL};
    TSNode parent = ts_node_parent(node);
    for (guint i = 0; BARE[i] != NULL; i++)
        if (strstr(ts_node_type(parent), BARE[i]) != NULL)
            return false;
    return true;
}

static bool with_expression(Fix *fix, const FixRead *read, FixWords *words)
{
    g_autofree char *own = read->simple ? fix_function_template(fix, read->function, "expression", words) : NULL;
    char *expression = own != NULL ? g_steal_pointer(&own) : fix_template(fix, "expression", words);
    if (expression == NULL)
        return false;
    if (!g_key_file_get_boolean(fix->rules, "fix", "primary", NULL) && needs_parentheses(read->node)) {
        char *bare = expression;
        expression = g_strdup_printf("(%s)", bare);
        g_free(bare);
    }
    fix_edit(fix, ts_node_start_byte(read->node), ts_node_end_byte(read->node), expression);
    return true;
}

/* Transfer full. */
static char *one_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        g_strstrip(lines[i]);
    return g_strjoinv(" ", lines);
}

bool fix_mend_read(Fix *fix, const FixRead *read)
{
    if (has_comment(fix, ts_node_start_byte(read->node), ts_node_end_byte(read->node)))
        return fix_refuse(fix, "a comment stands in what is read");
    if (read->several && strchr(read->left, '\n') != NULL && strpbrk(read->left, "#/") != NULL)
        return fix_refuse(fix, "a comment stands in what is read");
    g_autofree char *test = NULL;
    FixWords words = {.name = read->name, .left = read->left, .variables = read->variables};
    fix_style(fix, &words, fix->finding->place.start);
    if (read->name != NULL && words.quote == '\'' && *read->name == '"')
        words.quote = '"';
    else if (read->name != NULL && *read->name == '\'' && g_key_file_get_boolean(fix->rules, "fix", "quotes", NULL))
        words.quote = *read->name;
    if (read->simple)
        test = fix_function_template(fix, read->function, "test", &words);
    g_autofree char *line = read->several ? one_line(read->left) : NULL;
    g_autofree char *both = line != NULL ? g_strdup_printf("(%s)", line) : NULL;
    words.test = test != NULL ? test : both;
    TSNode statement;
    if ((is_alone(fix, read->node, &statement) || is_own_assignment(fix, read, &statement)) &&
        replace_statement(fix, &words, statement))
        return true;
    const char *section = fix_environment(fix, read->node);
    if (section != NULL)
        return fix_refuse(fix, "it is of the section \"%s\" only: fail where that is chosen and %s is not set", section,
                          read->variables);
    g_autofree char *guard = g_key_file_get_string(fix->rules, "fix", "guard", NULL);
    bool can_guard = guard != NULL && !read->expression_only;
    if (can_guard && with_guard(fix, read, &words))
        return true;
    return with_expression(fix, read, &words) || fix_refuse(fix, "there is no place for a check in front of it");
}

static const char *by_hand(const Fix *fix)
{
    return fix->finding->class == SCAN_TEST
               ? "fail where it is not set, and run the tests with `pgfold testdb -- COMMAND`"
               : "fail at start where it is unset or empty, in a message that names it";
}

static bool no_read(Fix *fix)
{
    if (fix->variable != NULL)
        return fix_refuse(fix, "%s is read through a helper or a settings class: take the default out there, and %s",
                          fix->variable, by_hand(fix));
    if (strcmp(fix->finding->rule->id, "test-fallback") == 0)
        return fix_refuse(fix, "read the variable that `pgfold testdb -- COMMAND` sets, and %s", by_hand(fix));
    return fix_refuse(fix, "it is the default of a setting: make the setting required");
}

/* A constant that only was this default goes with it. */
static void drop_constant(Fix *fix, const FixRead *read)
{
    if (ts_node_is_null(read->otherwise))
        return;
    g_autofree char *name = facts_name(fix->facts, read->otherwise);
    GArray *places = g_hash_table_lookup(fix->facts->bound, name);
    if (places == NULL || places->len != 1)
        return;
    const Fact *bind = &g_array_index(fix->facts->all, Fact, g_array_index(places, guint, 0));
    ScanSpan span;
    if (!fix_only_used_in(fix, bind, read->otherwise, &span))
        return;
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(ScanSpan));
    g_array_append_val(gone, span);
    fix_close_gap(fix->source, gone);
    span = g_array_index(gone, ScanSpan, 0);
    fix_edit(fix, span.start, span.end, g_strdup(""));
}

bool fix_env(Fix *fix)
{
    FixRead read;
    if (!find_read(fix, &read))
        return fix_if_empty(fix) || fix_pattern(fix) || no_read(fix);
    bool mended = fix_mend_read(fix, &read);
    if (mended)
        drop_constant(fix, &read);
    fix_read_clear(&read);
    return mended;
}

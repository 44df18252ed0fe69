/* `if not url: url = "postgres://localhost/app"`: the assignment becomes the failure. */
#include <string.h>

#include "scan/fix_place.h"
#include "scan/fix_read.h"
#include "scan/language.h"

/* How a condition asks whether a value is missing; complete: an empty one too. */
static const struct {
    const char *before, *after;
    bool complete;
} ASKS[] = {
    {"not ", "", true},
    {"!", "", true},
    {"", " == \"\"", true}, /* of Go; elsewhere a variable that is unset stays so, and fails when it is used */
    {"string.IsNullOrEmpty(", ")", true},
    {"string.IsNullOrWhiteSpace(", ")", true},
    {"String.IsNullOrEmpty(", ")", true},
    {"", ".to_s.empty?", true},
    {"", ".blank?", true},
    {"", ".to_s.strip.empty?", true},
    {"", " is None", false},
    {"", " == None", false},
    {"", " === undefined", false},
    {"", " == undefined", false},
    {"", " == null", false},
    {"", " === null", false},
    {"", ".nil?", false},
    {"", " == nil", false},
    {"", " is null", false},
};

static char *slice(const Fix *fix, TSNode node)
{
    return source_slice(fix->source, ts_node_start_byte(node), ts_node_end_byte(node));
}

/* One blank for many, no parentheses around all. Transfer full. */
static char *tidy(const char *text)
{
    GString *tidied = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at++)
        if (!g_ascii_isspace(*at))
            g_string_append_c(tidied, *at);
        else if (tidied->len > 0 && tidied->str[tidied->len - 1] != ' ')
            g_string_append_c(tidied, ' ');
    return g_strstrip(g_string_free(tidied, FALSE));
}

static char *unwrap(char *text_taken)
{
    gsize length = strlen(text_taken);
    int depth = 0;
    if (length < 2 || text_taken[0] != '(')
        return text_taken;
    for (gsize i = 0; i < length; i++) {
        depth += text_taken[i] == '(' ? 1 : text_taken[i] == ')' ? -1 : 0;
        if (depth == 0 && i + 1 < length)
            return text_taken;
    }
    char *inner = g_strndup(text_taken + 1, length - 2);
    g_free(text_taken);
    return unwrap(inner);
}

/* What a condition asks for: "url", "(url := os.getenv("X"))". NULL when it asks for something else. */
static char *asked(const char *condition, bool *ret_complete)
{
    const char *twice = strstr(condition, ".nil? || "); /* "url.nil? || url.empty?" */
    if (twice != NULL) {
        g_autofree char *name = g_strndup(condition, (gsize)(twice - condition));
        g_autofree char *whole = g_strdup_printf("%s.nil? || %s.empty?", name, name);
        *ret_complete = true;
        return strcmp(whole, condition) == 0 ? g_steal_pointer(&name) : NULL;
    }
    for (guint i = 0; i < G_N_ELEMENTS(ASKS); i++) {
        gsize before = strlen(ASKS[i].before), after = strlen(ASKS[i].after), length = strlen(condition);
        if (length <= before + after || !g_str_has_prefix(condition, ASKS[i].before) ||
            !g_str_has_suffix(condition, ASKS[i].after))
            continue;
        *ret_complete = ASKS[i].complete;
        return g_strndup(condition + before, length - before - after);
    }
    return NULL;
}

/* The name that is assigned to, or a read of the variable and of no other ("DATABASE_URL_REPLICA"). */
static bool is_target(const char *text, const char *target, const char *variable)
{
    g_autofree char *walrus = g_strdup_printf("(%s := ", target);
    if (strcmp(text, target) == 0 || g_str_has_prefix(text, walrus))
        return true;
    const char *at = strstr(text, variable);
    gsize length = strlen(variable);
    bool whole = at != NULL && !g_ascii_isalnum(at[length]) && at[length] != '_' &&
                 (at == text || (!g_ascii_isalnum(at[-1]) && at[-1] != '_'));
    return whole && strpbrk(text, "|&=") == NULL && strstr(text, " or ") == NULL && strstr(text, " and ") == NULL;
}

static TSNode function_around(TSNode node)
{
    for (TSNode at = ts_node_parent(node); !ts_node_is_null(at); at = ts_node_parent(at)) {
        const char *kind = ts_node_type(at);
        if (strstr(kind, "function") != NULL || strstr(kind, "method") != NULL || strstr(kind, "lambda") != NULL)
            return at;
    }
    return (TSNode){0};
}

/* In its function the name is given what the environment says, and this default: nothing else. */
static bool is_given_twice(Fix *fix, const Fact *bind)
{
    g_autofree char *name = facts_name(fix->facts, bind->first);
    GArray *places = g_hash_table_lookup(fix->facts->bound, name);
    TSNode scope = function_around(bind->node);
    guint reads = 0, others = 0;
    for (guint i = 0; places != NULL && i < places->len; i++) {
        const Fact *fact = &g_array_index(fix->facts->all, Fact, g_array_index(places, guint, i));
        TSNode around = function_around(fact->node);
        bool same =
            ts_node_is_null(scope) ? ts_node_is_null(around) : !ts_node_is_null(around) && ts_node_eq(scope, around);
        if (!same || ts_node_eq(fact->node, bind->node))
            continue;
        FixRead read;
        if (fix_plain_read(fix, fact->second, &read)) {
            if (fix->variable == NULL)
                fix->variable = g_strdup(read.variable);
            reads += strcmp(read.variable, fix->variable) == 0;
            others += strcmp(read.variable, fix->variable) != 0;
            fix_read_clear(&read);
        } else {
            others++;
        }
    }
    return reads == 1 && others == 0;
}

static const Fact *find_bind(const Fix *fix)
{
    const Fact *found = NULL;
    for (guint i = 0; i < fix->facts->all->len; i++) {
        const Fact *fact = &g_array_index(fix->facts->all, Fact, i);
        if (fact->kind == FACT_BIND && !ts_node_is_null(fact->first) && !ts_node_is_null(fact->second) &&
            ts_node_start_byte(fact->node) <= fix->finding->place.start &&
            ts_node_end_byte(fact->node) >= fix->finding->place.end)
            found = fact; /* the last one is the innermost */
    }
    return found;
}

/* The statement of the assignment, and the if whose only branch it is in. */
static bool find_if(const Fix *fix, TSNode bind, TSNode *ret_statement, TSNode *ret_if)
{
    TSNode statement = bind, parent = ts_node_parent(bind);
    if (!ts_node_is_null(parent) && strstr(ts_node_type(parent), "expression_statement") != NULL) {
        statement = parent;
        parent = ts_node_parent(parent);
    }
    if (fix_node_in(fix, parent, "lists"))
        parent = ts_node_parent(parent);
    /* Some grammars have a list of statements in a block. */
    if (!ts_node_is_null(parent) && fix_node_in(fix, parent, "lists"))
        parent = ts_node_parent(parent);
    if (ts_node_is_null(parent) || !fix_node_in(fix, parent, "if") ||
        !ts_node_is_null(ts_node_child_by_field_name(parent, "alternative", 11)))
        return false;
    *ret_statement = statement;
    *ret_if = parent;
    return true;
}

static bool mend_condition(Fix *fix, TSNode condition, const char *target, FixWords *words)
{
    words->target = target;
    char *empty = fix_template(fix, "empty", words);
    if (empty == NULL)
        return fix_refuse(fix, "the condition does not ask whether it is empty");
    bool wrapped = strstr(ts_node_type(condition), "parenthesized") != NULL;
    fix_edit(fix, ts_node_start_byte(condition) + wrapped, ts_node_end_byte(condition) - wrapped, empty);
    return true;
}

bool fix_if_empty(Fix *fix)
{
    const Fact *bind = find_bind(fix);
    TSNode statement, around;
    if (bind == NULL || !find_if(fix, bind->node, &statement, &around))
        return false;
    TSNode condition = ts_node_child_by_field_name(around, "condition", 9);
    if (ts_node_is_null(condition))
        return false;
    FixRead map;
    bool of_map = fix_plain_read(fix, bind->first, &map); /* process.env.X = ... */
    if (of_map && fix->variable == NULL)
        fix->variable = g_strdup(map.variable);
    if (of_map)
        fix_read_clear(&map);
    if (!of_map && !is_given_twice(fix, bind))
        return fix_refuse(fix, "the name is given other values too: end the program where it is missing");
    g_autofree char *raw = slice(fix, condition), *target = slice(fix, bind->first);
    g_autofree char *text = unwrap(tidy(raw));
    bool complete = false;
    g_autofree char *subject = asked(text, &complete);
    if (subject == NULL || !is_target(subject, target, fix->variable))
        return fix_refuse(fix, "the condition asks for more than whether it is missing");
    FixWords words = {.variables = fix->variable, .target = target};
    fix_style(fix, &words, fix->finding->place.start);
    g_autofree char *indent = NULL;
    (void)fix_indent(fix->source, ts_node_start_byte(statement), &indent);
    g_autofree char *tab = fix_tab(fix, indent == NULL ? "" : indent);
    words.indent = indent;
    words.tab = tab;
    char *fail = fix_fail(fix, &words);
    if (fail == NULL)
        return fix_refuse(fix, "end the program there, in a message that names the variable");
    if (!complete && !mend_condition(fix, condition, subject, &words)) {
        g_free(fail);
        return false;
    }
    fix_edit(fix, ts_node_start_byte(statement), ts_node_end_byte(statement), fail);
    return true;
}

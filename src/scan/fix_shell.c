/* What a shell says in other ways than "${X:-default}". */
#include <string.h>

#include "scan/fix_place.h"
#include "scan/fix_text.h"

static bool has_prefix(TSNode node, const Source *source, const char *word)
{
    guint start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    gsize length = strlen(word);
    return end - start > length && memcmp(source->text + start, word, length) == 0;
}

typedef enum Asks { ASKS_OTHER, ASKS_MISSING, ASKS_SET } Asks;

/* "$X" or "${X}" in text, where it is all that is asked for; NULL otherwise. */
static const char *only_variable(const char *text, const char *variable)
{
    const char *at = strchr(text, '$');
    if (at == NULL || strchr(at + 1, '$') != NULL)
        return NULL;
    const char *name = at[1] == '{' ? at + 2 : at + 1;
    gsize length = strlen(variable);
    if (strncmp(name, variable, length) != 0 || g_ascii_isalnum(name[length]) || name[length] == '_')
        return NULL;
    return name;
}

/* `[ -z "$X" ]`, `test -n "$X"`: what is asked of the variable, and of nothing else. */
static Asks asks_for(const Fix *fix, TSNode node, const char *variable)
{
    g_autofree char *text = source_slice(fix->source, ts_node_start_byte(node), ts_node_end_byte(node));
    if (only_variable(text, variable) == NULL || strstr(text, " -a ") != NULL || strstr(text, " -o ") != NULL ||
        strstr(text, "&&") != NULL || strstr(text, "||") != NULL || strchr(text, '!') != NULL)
        return ASKS_OTHER;
    bool missing = strstr(text, "-z ") != NULL || strstr(text, "= \"\"") != NULL, set = strstr(text, "-n ") != NULL;
    return missing == set ? ASKS_OTHER : missing ? ASKS_MISSING : ASKS_SET;
}

/* "A && B" and "A || B": the sign between them. */
static bool list_is_or(const Fix *fix, TSNode list)
{
    guint from = ts_node_end_byte(ts_node_named_child(list, 0)), to = ts_node_start_byte(ts_node_named_child(list, 1));
    return memmem(fix->source->text + from, to - from, "||", 2) != NULL;
}

/* The statement that gives the variable its default, with what asks for it. */
static bool find_default(const Fix *fix, TSNode assignment, TSNode *ret_all, bool *ret_export)
{
    const char *variable = fix->variable;
    TSNode at = assignment, parent = ts_node_parent(at);
    *ret_export = false;
    if (fix_node_is(parent, "declaration_command")) {
        *ret_export = has_prefix(parent, fix->source, "export ");
        if (ts_node_named_child_count(parent) != 1)
            return false;
        at = parent;
        parent = ts_node_parent(at);
    }
    if (fix_node_is(parent, "if_statement")) {
        *ret_all = parent;
        return ts_node_named_child_count(parent) == 2 &&
               asks_for(fix, ts_node_named_child(parent, 0), variable) == ASKS_MISSING;
    }
    if (!fix_node_is(parent, "list") || ts_node_named_child_count(parent) != 2)
        return false;
    *ret_all = parent;
    return ts_node_eq(ts_node_named_child(parent, 1), at) && asks_for(fix, ts_node_named_child(parent, 0), variable) ==
                                                                 (list_is_or(fix, parent) ? ASKS_SET : ASKS_MISSING);
}

static bool mend_default(Fix *fix, TSNode node)
{
    while (!ts_node_is_null(node) && !fix_node_is(node, "variable_assignment"))
        node = ts_node_parent(node);
    TSNode all;
    bool exported;
    if (!ts_node_is_null(node) && fix->variable == NULL) {
        TSNode name = ts_node_named_child(node, 0);
        fix->variable = source_slice(fix->source, ts_node_start_byte(name), ts_node_end_byte(name));
    }
    if (fix->variable == NULL)
        return fix_refuse(fix, "read it from the environment, and end with a message where it is not set");
    if (ts_node_is_null(node) || !find_default(fix, node, &all, &exported))
        return fix_refuse(fix, "take the default out, and end with a message where %s is not set", fix->variable);
    g_autofree char *required = fix_required(fix, fix->variable);
    fix_edit(fix, ts_node_start_byte(all), ts_node_end_byte(all),
             exported ? g_strdup_printf("export %s=\"%s\"", fix->variable, required)
                      : g_strdup_printf(": \"%s\"", required));
    return true;
}

/* One word that is a connection string as a whole. */
static bool mend_literal(Fix *fix, TSNode node)
{
    const char *variable = fix_own_variable(fix), *file = strrchr(fix->source->file, '/');
    file = file == NULL ? fix->source->file : file + 1;
    if (file[0] == '.')
        return fix_refuse(fix, "this file says where the database is: set the true one");
    while (!fix_node_is(node, "word") && !fix_node_is(node, "string") && !fix_node_is(node, "raw_string") &&
           !fix_node_is(node, "concatenation")) {
        node = ts_node_parent(node);
        if (ts_node_is_null(node))
            return fix_refuse(fix, "read it from %s, and end with a message where that is not set", variable);
    }
    TSNode parent = ts_node_parent(node);
    if (fix_node_is(ts_node_parent(parent), "command_substitution"))
        return fix_refuse(fix, "what ends there goes on around it: read %s in front of it", variable);
    if (fix_node_is(parent, "concatenation") || fix_node_is(parent, "array") || fix_node_is(parent, "case_item"))
        return fix_refuse(fix, "it is a part of a word: read the whole connection string from %s", variable);
    guint start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    g_autofree char *text = source_slice(fix->source, start, end);
    bool quoted = *text == '"' || *text == '\'';
    guint inner = end - start - (quoted ? 2 : 0), place = fix->finding->place.end - fix->finding->place.start;
    if (strpbrk(text, "$`\n") != NULL || (inner != place && end - start != place))
        return fix_refuse(fix, "it is put together: read the whole connection string from %s", variable);
    g_autofree char *required = fix_required(fix, variable);
    fix_edit(fix, start, end, g_strdup_printf("\"%s\"", required));
    return true;
}

bool fix_shell(Fix *fix)
{
    const ScanFinding *finding = fix->finding;
    TSNode node = ts_node_named_descendant_for_byte_range(ts_tree_root_node(fix->source->tree), finding->place.start,
                                                          finding->place.end);
    if (strcmp(finding->rule->id, "local-url") == 0)
        return mend_literal(fix, node);
    return mend_default(fix, node);
}

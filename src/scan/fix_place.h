/* Where in a tree a fix may stand. */
#pragma once

#include "scan/fix.h"

/* The statement around node: one that stands in a list of statements, starts its line, and runs node always and once.
 * *ret_hoisted: it is a class, and node stands in its body. A null node with fix_refuse() where there is none. */
TSNode fix_statement(Fix *fix, TSNode node, bool *ret_hoisted);
/* Blanks in front of the statement at this byte; false where anything else stands there. Transfer full. */
bool fix_indent(const Source *source, guint start, char **ret_indent);
/* One step of indentation in this file, in the style of indent. Transfer full. */
char *fix_tab(const Fix *fix, const char *indent);
const char *fix_newline(const Source *source);
/* The statement with its line, and blank lines that would be left: to be removed. False where something else stands
 * there too. */
bool fix_whole_lines(const Source *source, TSNode statement, guint *ret_start, guint *ret_end);
/* How often a word stands in the code outside of comments. */
guint fix_count_word(const Source *source, const char *word);
/* No other file of the language speaks of the word. */
bool fix_is_private(const Fix *fix, const char *word);
bool fix_node_is(TSNode node, const char *kind);
/* node's kind is one of the list that the key of [fix] names. */
bool fix_node_in(const Fix *fix, TSNode node, const char *key);
TSNode fix_node_at(const Source *source, guint start, guint end);
/* The section of one environment ("development", "staging") that node stands in: what it says is not used by the
 * others. NULL when it is in none. */
const char *fix_environment(const Fix *fix, TSNode node);
/* The name of a plain statement is spoken of in node, and nowhere else: *ret_span are the statement's lines, which may
 * go with it. */
bool fix_only_used_in(const Fix *fix, const Fact *bind, TSNode node, ScanSpan *ret_span);
/* Of two blank lines that would meet where these lines (of ScanSpan, sorted here) are gone, one goes too. */
void fix_close_gap(const Source *source, GArray *spans);

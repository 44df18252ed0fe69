/*
 * Edits that mend a finding, where that is certain; where not, a word on why and what to write by hand.
 *
 *     fix.c           which finding is mended how, and what is said of the rest
 *     fix_env.c       a variable that is read with a default: read it, or fail at start where it is unset or empty
 *     fix_parts.c     parts that one expression puts together: the expression becomes the one variable
 *     fix_literal.c   a literal connection string: becomes a read of the one variable
 *     fix_read.c      the forms of such reads; fix_empty.c: if it is empty, it is given a default; fix_pattern.c:
 * patterns fix_text.c      "${X:-default}" of shells and compose, "${x:default}" of Spring; fix_shell.c: what else a
 * shell says fix_place.c     where in the tree: the statement around it, its indentation, who else uses a name
 * fix_template.c the words of a language: section [fix] of its rules fix_apply.c     the text with its edits, and its
 * proof: it parses, and a scan finds nothing
 *
 * [fix] of src/scan/languages/NAME.rules; a template knows {name} (the variable as the code writes it, with its
 * quotes), {test} and {read} (below), {text} (the message as a literal), {message} (bare), {variable}, {indent} is
 * added to each line, {tab} is one step of indentation, {;} is ";" where the file ends its statements so, {fresh} is a
 * name that the file does not have:
 *
 *     like         another language whose section is taken instead
 *     fail         a statement that ends the program with {text}
 *     guard        statements in front of the one that reads: they end the program where {test} is missing
 *     expression   where there is no guard, or it cannot stand: an expression that ends the program. Knows {left}, what
 *                  was read in front of the default
 *     empty        a condition that is true where {target} is missing (if-empty-then-assign)
 *     reads        functions whose calls with a default are understood; others are helpers
 *     methods      what follows a read, up to the default: ".unwrap_or"
 *     either       functions that take a read and a default: "cmp.Or"
 *     strict_imports  an import that is no longer used is an error
 *     wrappers     functions around a read in front of such a method: "Optional.ofNullable"
 *     primary      an expression stands anywhere without parentheses
 *     own          read of a variable that is not in the code yet, and own_test; needs: a word that the file must have
 *                  for it ("import os")
 *     quotes       strings are written in either quotation marks
 *     narrows      a compiler sees the check in front of a read, but not of a call
 *     keeps        no other file sees a name that is not exported
 *     if           kinds of node that are an if
 *     lists        kinds of node whose children are statements
 *     through      kinds between an expression and its statement that are run with it, always and once
 *     hoist        lists in front of whose owner the guard goes: the body of a class
 *     tab          blanks of a step, where the file does not show any
 *
 * [fix FUNCTION]: test and read of a variable that FUNCTION, or a map of this name, reads.
 */
#pragma once

#include "scan/facts.h"
#include "scan/judge.h"

/* Fills edits, or no_fix, of each. */
void scan_add_fixes(const ScanOptions *options, const Source *source, GPtrArray *findings);

typedef struct Fix {
    const ScanOptions *options;
    const Source *source;
    const Facts *facts; /* NULL where there is no tree */
    const ScanFinding *finding;
    char *variable;   /* that is read: the finding's, or what the code says; or NULL */
    GKeyFile *rules;  /* that have it; NULL: the language has no section */
    GPtrArray *edits; /* of ScanEdit* */
    char *reason;     /* why there is no fix: the first that was given */
} Fix;

/* Each fills fix->edits and returns true, or says why not. */
bool fix_env(Fix *fix);
bool fix_parts(Fix *fix);
bool fix_literal(Fix *fix);
bool fix_text(Fix *fix);
bool fix_shell(Fix *fix);

/* A word on why not; the first one stays. Always false. */
bool fix_refuse(Fix *fix, const char *format, ...) G_GNUC_PRINTF(2, 3);
void fix_edit(Fix *fix, guint start, guint end, char *text_taken);
/* The variable that the application should read. */
const char *fix_own_variable(const Fix *fix);

/* The forms in which a variable is read with a default, that a fix understands. */
#pragma once

#include "scan/fix.h"
#include "scan/fix_template.h"

typedef struct FixRead {
    TSNode otherwise;     /* its default, or a null node */
    TSNode node;          /* the expression with its default: what is replaced */
    char *function;       /* or map, that reads: "os.getenv", "os.environ" */
    char *name;           /* of the variable as the code writes it, with its quotes; NULL where several are read */
    char *left;           /* what is read in front of the default, or would be without it */
    char *variable;       /* the first one */
    char *variables;      /* all of them: "A or B" */
    bool simple;          /* one variable, one read */
    bool several;         /* left is of several reads */
    bool expression_only; /* a check in front would not say to the compiler that the value is there */
} FixRead;

/* False when the fact is none of the forms, or none that is certain. Clear with fix_read_clear(). */
bool fix_read_of(const Fix *fix, const Fact *fact, FixRead *ret_read);
void fix_read_clear(FixRead *read);
/* node is a plain read without a default. Of read only function, name, variable and left are set. */
bool fix_plain_read(const Fix *fix, TSNode node, FixRead *ret_read);

/* If it is empty, it is given a default: the assignment becomes the failure. */
bool fix_if_empty(Fix *fix);
/* A default of a pattern that takes the environment apart. */
bool fix_pattern(Fix *fix);
/* The application's own variable in the place of node, and the check. */
bool fix_put_own(Fix *fix, TSNode node, FixWords *words);
/* The read without its default, and the check. */
bool fix_mend_read(Fix *fix, const FixRead *read);
/* A check in front of the statement around node. */
bool fix_add_guard(Fix *fix, FixWords *words, TSNode node);
/* Quotes and semicolons as the file has them; at: the first byte of a literal. */
void fix_style(const Fix *fix, FixWords *words, guint at);

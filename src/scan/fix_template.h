/* The words of a language, for fixes: section [fix] of its rules (fix.h). */
#pragma once

#include "scan/fix.h"

typedef struct FixWords {
    const char *name;   /* the variable as the code writes it, with its quotes */
    const char *test;   /* an expression that is the value, or empty; NULL: as left */
    const char *read;   /* an expression that is the value */
    const char *left;   /* what was read in front of the default */
    const char *target; /* what is assigned to */
    const char *indent, *tab;
    char quote;            /* that the file prefers */
    bool semicolons;       /* the file ends its statements with them */
    const char *scheme;    /* that the URL must have; or NULL */
    const char *variables; /* to be named in the message: "DATABASE_URL" */
} FixWords;

/* NULL when the language has none. Transfer full. */
char *fix_template(const Fix *fix, const char *key, const FixWords *words);
/* A key of the section [fix FUNCTION]; NULL when there is none. Transfer full. */
char *fix_function_template(const Fix *fix, const char *function, const char *key, const FixWords *words);
bool fix_lists(const Fix *fix, const char *key, const char *word);
/* The statement that ends the program. NULL when the language has none. Transfer full. */
char *fix_fail(const Fix *fix, const FixWords *words);
/* "DATABASE_URL is not set ...", without anything that means something to a shell or YAML. Transfer full. */
char *fix_message(const Fix *fix, const char *variables);

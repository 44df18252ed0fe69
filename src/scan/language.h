/*
 * The languages of src/scan/languages: NAME.rules says which files are of it and what its idioms are called, NAME.scm
 * says where tree-sitter finds them. A language without .scm is read line by line (lines.h).
 *
 * Captures of a .scm: each pattern has one of the first column, and those beside it.
 *
 *     @call     @function @arguments    a call; with a receiver where @function is of several parts
 *     @index    @object @key            an entry of a map: os.environ["X"], process.env.X
 *     @or       @left @right            @right is taken where @left is missing (or, ||, ??, ?:)
 *     @bind     @name @value            an assignment, a keyword argument, a pair of a dictionary, a field
 *     @string                           a literal; children called *content* or *fragment* are its text, other named
 *                                       children are holes
 *     @concat                           its named children are put together
 *     @comment
 *
 * Predicates are not used: the judge looks at names and values.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <tree_sitter/api.h>

typedef enum FactKind {
    FACT_NONE,
    FACT_CALL,
    FACT_INDEX,
    FACT_OR,
    FACT_BIND,
    FACT_STRING,
    FACT_CONCAT,
    FACT_COMMENT
} FactKind;

typedef enum CaptureRole { CAPTURE_WHOLE, CAPTURE_FIRST, CAPTURE_SECOND, CAPTURE_OTHER } CaptureRole;

typedef struct LanguageCapture {
    CaptureRole role;
    FactKind kind; /* with CAPTURE_WHOLE */
} LanguageCapture;

typedef struct Language {
    const char *id;            /* "python" */
    char *name;                /* "Python" */
    char **files;              /* patterns of file names: "*.py" */
    char **shebangs;           /* words: "python3" */
    const TSLanguage *grammar; /* NULL: read line by line */
    char **env_read;           /* functions that read a variable: "os.getenv" */
    char **env_maps;           /* maps of the environment: "os.environ" */
    char **placeholders;       /* of texts: "shell", "spring", "erb", "braces", "tags" */
    char *lines;     /* how it is read line by line: "dotenv", "ini", "dockerfile", "markdown", "text"; or NULL */
    bool words;      /* its texts are of many words: a shell */
    bool data;       /* a file of data: names are keys, there is no code */
    GKeyFile *rules; /* all of it, for fixes */
} Language;

/* Of a file by its name, or by its first line ("#!"). NULL when it is of none. */
const Language *language_of(const char *file, const char *text, gsize length);
const Language *language_by_id(const char *id);
/* All of them, in the order of their names; *ret_n. */
const Language *const *languages(guint *ret_n);

/* Compiled when it is first asked for, once for all threads (10 to 20 ms). *ret_captures: by capture index. */
const TSQuery *language_query(const Language *language, const LanguageCapture **ret_captures);
/* NULL when it takes too long, or on cancel. */
TSTree *language_parse(const Language *language, const char *text, gsize length);
void language_tree_free(TSTree *tree);

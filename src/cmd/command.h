/*
 * One command, one file: each src/cmd/<name>.c exports one `const Command command_<name>`; src/main.c lists them.
 *
 * The options table of a command is the only place where its options are written down: parsing (GOption), --help,
 * the man page (`pgfold help --man NAME`) and shell completion are generated from it.
 *
 * Options that every command has (not in the tables; see command_common_options): --help, --json, --quiet/-q,
 * --verbose/-v, --config/-c FILE, --color WHEN.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "out/out.h"

typedef enum CommandOptionType {
    OPTION_FLAG,   /* no value */
    OPTION_STRING, /* last one wins */
    OPTION_LIST,   /* may be given several times */
    OPTION_INT
} CommandOptionType;

typedef struct CommandOption {
    const char *name; /* long name, without dashes; NULL ends the table */
    char short_name;  /* or 0 */
    CommandOptionType type;
    const char *value; /* placeholder in help: "DIR" */
    const char *help;  /* one line; the man page shows the same */
} CommandOption;

typedef struct CommandExample {
    const char *line;    /* "pgfold audit --json"; NULL ends the table */
    const char *meaning; /* "Compare and print as JSON" */
} CommandExample;

typedef struct CommandArgs CommandArgs;

typedef struct Command {
    const char *name;
    const char *summary;     /* one line for `pgfold help` */
    const char *synopsis;    /* what follows the options: "[SOURCE...]", "-- COMMAND [ARG...]" or "" */
    const char *description; /* paragraphs, separated by an empty line */
    const CommandOption *options;
    const CommandExample *examples;
    const char *exit_codes;  /* extra sentence on exit status for the man page, or NULL */
    bool options_first;      /* stop parsing options at the first other word (testdb -- CMD) */
    /* Returns the exit status; sets *error instead of printing it (main prints it, and its code is the status). */
    int (*run)(const CommandArgs *args, Out *out, GError **error);
} Command;

/* Values of the parsed command line, by the long name of the option. Asking for a name that is in no table aborts. */
bool args_flag(const CommandArgs *args, const char *name);
const char *args_string(const CommandArgs *args, const char *name);            /* NULL when not given */
const char *const *args_list(const CommandArgs *args, const char *name);       /* never NULL, NULL-terminated */
bool args_int(const CommandArgs *args, const char *name, int *ret_value);      /* false when not given */
const char *const *args_words(const CommandArgs *args);                        /* what is not an option; "--" removed */
const char *args_config(const CommandArgs *args);                              /* --config, or NULL */

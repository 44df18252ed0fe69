/*
 * One command, one file: each src/cmd/<name>.c exports one `const Command command_<name>`; src/main.c lists them.
 *
 * The options table of a command is the only place where its options are written down: parsing, --help, the man page
 * (`pgfold help --man NAME`) and shell completion are generated from it. Options may be written --jobs 4, --jobs=4,
 * -j 4, -j4 and -qj4, before or after other words; "--" ends them.
 *
 * Options that every command has (not in the tables; see command_common_options): --help, --json, --quiet/-q,
 * --verbose/-v, --config/-c FILE, --color WHEN.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

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
    const char *value; /* placeholder in help: "DIR"; completion offers files for FILE and folders for DIR, and the
                        * words of "auto|always|never" */
    const char *help;  /* one line; the man page shows the same */
} CommandOption;

typedef struct CommandExample {
    const char *line;    /* "pgfold audit --json"; NULL ends the table */
    const char *meaning; /* "Compare and print as JSON" */
} CommandExample;

typedef struct CommandArgs CommandArgs;

typedef struct Command {
    const char *name;
    const char *summary;  /* one line for `pgfold help` */
    const char *synopsis; /* what follows the options: "[SOURCE...]", "-- COMMAND [ARG...]"; with "" (or NULL) a word
                           * that is not an option is a usage error */
    const char
        *description; /* paragraphs, separated by an empty line; lines that start with a blank are kept as they are */
    const CommandOption *options;   /* or NULL */
    const CommandExample *examples; /* at least one */
    const char *exit_codes;         /* extra sentence on exit status for the man page, or NULL */
    bool options_first;             /* stop parsing options at the first other word (testdb -- CMD) */
    const char *const *actions; /* words, NULL-terminated, that as the first one do not end the options (testdb start
                                 * --port 5434); or NULL. See args_action() */
    /* Returns the exit status; sets *error instead of printing it (main prints it, and its code is the status). */
    int (*run)(const CommandArgs *args, Out *out, GError **error);
} Command;

/* The list of commands, in the order of `pgfold help`; ends with command NULL. */
typedef struct CommandEntry {
    const char *group; /* heading in front of this command, or NULL: it belongs to the group before it */
    const Command *command;
} CommandEntry;

extern const CommandOption command_common_options[]; /* NULL-terminated */

/* What our caller had set before main() tightened it: for a program that runs in our place (testdb -- COMMAND). */
typedef struct CommandCaller {
    mode_t umask;
    struct rlimit core; /* limit of core dumps */
} CommandCaller;

extern CommandCaller command_caller;

/* The program: finds the command, parses its options, runs it, prints its error; returns the exit status. */
int command_main(int argc, char **argv, const CommandEntry *commands);

/* Parses argv (without the name of program and command) by the table of command. NULL with PGF_ERROR_USAGE. */
CommandArgs *args_parse(const CommandEntry *commands, const Command *command, const char *const *argv, GError **error);
void args_free(CommandArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CommandArgs, args_free)

/* By name; NULL with PGF_ERROR_USAGE and the nearest name as hint. */
const Command *command_find(const CommandEntry *commands, const char *name, GError **error);

/* Values of the parsed command line, by the long name of the option. Asking for a name that is in no table aborts. */
bool args_flag(const CommandArgs *args, const char *name);
const char *args_string(const CommandArgs *args, const char *name);       /* NULL when not given */
const char *const *args_list(const CommandArgs *args, const char *name);  /* never NULL, NULL-terminated */
bool args_int(const CommandArgs *args, const char *name, int *ret_value); /* false when not given */
const char *const *args_words(const CommandArgs *args);                   /* what is not an option; "--" removed */
/* Those of them that stand after "--"; NULL when there is none on the command line. */
const char *const *args_after_dashes(const CommandArgs *args);
/* The action that the first word is, unless "--" stands before it; else NULL. It is then not among args_words(). */
const char *args_action(const CommandArgs *args);
const char *args_config(const CommandArgs *args);           /* --config, or NULL */
const CommandEntry *args_commands(const CommandArgs *args); /* the list that command_main() got */

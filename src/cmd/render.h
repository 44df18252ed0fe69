/*
 * Everything that is generated from the command tables: help texts, man pages, shell completion, JSON.
 * Used by command.c, help.c and by the build, which writes man pages and completion by running `pgfold help`.
 */
#pragma once

#include "cmd/command.h"

typedef struct ExitStatus {
    const char *status;
    const char *meaning;
} ExitStatus;

extern const ExitStatus exit_statuses[]; /* ends with status NULL */

/* Printed on out->results; JSON documents (docs/json.md) with --json. */
void help_print_overview(const CommandEntry *commands, Out *out);
void help_print_command(const Command *command, Out *out);

/* Transfer full. */
json_t *help_command_json(const Command *command);
char *help_overview_text(const CommandEntry *commands, const Out *out);
char *help_command_text(const Command *command, const Out *out);

/* A roff page for section 1. command NULL: the overview, pgfold(1). Transfer full. */
char *man_page(const CommandEntry *commands, const Command *command);

/* shell: "bash", "zsh" or "fish". NULL with PGF_ERROR_USAGE for another. Transfer full. */
char *completion_script(const CommandEntry *commands, const char *shell, GError **error);

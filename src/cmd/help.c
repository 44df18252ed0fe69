/* pgfold help: everything that is known about the commands, for people, man and shells. */
#include <string.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/render.h"

static const CommandOption options[] = {
    {"man", 0, OPTION_FLAG, NULL, "print the man page (roff) of COMMAND, or of pgfold itself"},
    {"completion", 0, OPTION_STRING, "bash|zsh|fish", "print the completion script for this shell"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold help", "List the commands"},
    {"pgfold help testdb", "Everything about one command; the same as `pgfold testdb --help`"},
    {"source <(pgfold help --completion bash)", "Complete commands and options in this shell"},
    {"pgfold help --man testdb | man -l -", "Read the man page of a pgfold that is not installed"},
    {NULL},
};

static bool print_man(const CommandEntry *commands, const char *topic, Out *out, GError **error)
{
    const Command *command = NULL;
    if (topic != NULL && strcmp(topic, "pgfold") != 0) {
        command = command_find(commands, topic, error);
        if (command == NULL)
            return false;
    }
    g_autofree char *page = man_page(commands, command);
    out_raw(out, page);
    return true;
}

static bool print_completion(const CommandEntry *commands, const char *shell, Out *out, GError **error)
{
    g_autofree char *script = completion_script(commands, shell, error);
    if (script == NULL)
        return false;
    out_raw(out, script);
    return true;
}

static bool print_help(const CommandEntry *commands, const char *topic, Out *out, GError **error)
{
    if (topic == NULL) {
        help_print_overview(commands, out);
        return true;
    }
    const Command *command = command_find(commands, topic, error);
    if (command == NULL)
        return false;
    help_print_command(command, out);
    return true;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    const char *const *words = args_words(args);
    const char *shell = args_string(args, "completion");
    bool man = args_flag(args, "man"), ok;
    if (words[0] != NULL && words[1] != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "help takes one command, but there is \"%s\" too", words[1]);
        return PGF_ERROR_USAGE;
    }
    if (shell != NULL && (man || out->json)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--completion goes with neither --man nor --json");
        return PGF_ERROR_USAGE;
    }
    if (man && out->json) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--man does not go with --json");
        return PGF_ERROR_USAGE;
    }
    if (shell != NULL)
        ok = print_completion(args_commands(args), shell, out, error);
    else if (man)
        ok = print_man(args_commands(args), words[0], out, error);
    else
        ok = print_help(args_commands(args), words[0], out, error);
    return ok ? 0 : PGF_ERROR_USAGE;
}

const Command command_help = {
    .name = "help",
    .summary = "show the commands, or everything about one of them",
    .synopsis = "[COMMAND]",
    .description = "Without COMMAND, the list of commands. With it, its options, examples and exit status.\n\n"
                   "Man pages and shell completion are made from the same tables: what --help says is what the "
                   "program does.",
    .options = options,
    .examples = examples,
    .run = run,
};

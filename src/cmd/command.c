/* From argv to an exit status: which command, its options, its error. */
#include "cmd/command.h"

#include <errno.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/render.h"
#include "out/text.h"

CommandCaller command_caller;

const Command *command_find(const CommandEntry *commands, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const CommandEntry *entry = commands; entry->command != NULL; entry++) {
        if (strcmp(entry->command->name, name) == 0)
            return entry->command;
        g_ptr_array_add(names, (gpointer)(guintptr)entry->command->name);
    }
    g_ptr_array_add(names, NULL);
    const char *closest = text_closest(name, (const char *const *)names->pdata);
    char *hint = closest == NULL ? g_strdup("see `pgfold help`")
                                 : g_strdup_printf("did you mean `pgfold %s`? See `pgfold help`", closest);
    pgf_error_take_hint(error, PGF_ERROR_USAGE, hint, "there is no command \"%s\"", name);
    return NULL;
}

static OutColor color_of(const char *when)
{
    if (when == NULL || strcmp(when, "auto") == 0)
        return OUT_COLOR_AUTO;
    return strcmp(when, "always") == 0 ? OUT_COLOR_ALWAYS : OUT_COLOR_NEVER;
}

/* Before the options are parsed, an error in them needs to know whether JSON is wanted. */
static bool wants_json(const char *const *argv)
{
    for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
        if (strcmp(*argv, "--json") == 0)
            return true;
    return false;
}

/* Common options may stand before the command: `pgfold -c other.yaml audit`. How many words they are. */
static guint leading_options(const char *const *argv)
{
    guint count = 0;
    while (argv[count] != NULL && argv[count][0] == '-' && argv[count][1] != '\0' && strcmp(argv[count], "--") != 0) {
        const char *option = argv[count++];
        bool has_value = strcmp(option, "-c") == 0 || strcmp(option, "--config") == 0 || strcmp(option, "--color") == 0;
        if (has_value && argv[count] != NULL)
            count++;
    }
    return count;
}

/* A usage error without a hint of its own says where the help is. */
static void add_help_hint(const Command *command, GError *error)
{
    if (error == NULL || !g_error_matches(error, PGF_ERROR, PGF_ERROR_USAGE) || pgf_error_hint(error) != NULL)
        return;
    g_autofree char *hint = g_strdup_printf("see `pgfold help %s`", command->name);
    pgf_error_set_hint(error, hint);
}

/* An interrupted command says how things were left, and how to go on (PGF_ERROR_CANCELLED: nothing had been changed).
 */
static void add_interrupted_state(const Command *command, GError *error)
{
    if (!g_error_matches(error, PGF_ERROR, PGF_ERROR_CANCELLED))
        return;
    if (pgf_error_state(error) == NULL)
        pgf_error_set_state(error, "nothing was changed");
    if (pgf_error_hint(error) == NULL) {
        g_autofree char *hint = g_strdup_printf("`pgfold %s` again starts from the beginning.", command->name);
        pgf_error_set_hint(error, hint);
    }
}

/* An interrupted program ends as if the signal had ended it. */
static int status_of(const GError *error)
{
    int status = pgf_error_exit_status(error);
    return status == PGF_ERROR_CANCELLED && cancel_signal() != 0 ? 128 + cancel_signal() : status;
}

static int run_command(const CommandEntry *commands, const Command *command, const char *const *argv, Out *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CommandArgs) args = args_parse(commands, command, argv, &error);
    int status = 0;
    if (args != NULL) {
        out_init(out, args_flag(args, "json"), args_flag(args, "quiet"), args_flag(args, "verbose"),
                 color_of(args_string(args, "color")));
        if (args_flag(args, "help"))
            help_print_command(command, out);
        else
            status = command->run(args, out, &error);
    }
    if (error == NULL)
        return status;
    add_help_hint(command, error);
    add_interrupted_state(command, error);
    out_error(out, error);
    return status_of(error);
}

/* `pgfold` with options only. */
static int run_alone(const CommandEntry *commands, const char *const *argv, Out *out)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--version") == 0 || strcmp(*argv, "-V") == 0) {
            out->json = false;
            out_line(out, "pgfold %s", PGFOLD_VERSION);
            return 0;
        }
        if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0) {
            help_print_overview(commands, out);
            return 0;
        }
    }
    g_autoptr(GError) error = NULL;
    pgf_error_set(&error, PGF_ERROR_USAGE, "see `pgfold help`", "no command given");
    out_error(out, error);
    return PGF_ERROR_USAGE;
}

static int dispatch(const CommandEntry *commands, const char *const *argv, Out *out)
{
    guint leading = leading_options(argv);
    const char *name = argv[leading];
    if (name == NULL || strcmp(name, "--") == 0) {
        if (leading > 0)
            return run_alone(commands, argv, out);
        out->results = stderr; /* not asked for, so not a result */
        help_print_overview(commands, out);
        return PGF_ERROR_USAGE;
    }
    g_autoptr(GError) error = NULL;
    const Command *command = command_find(commands, name, &error);
    if (command == NULL) {
        out_error(out, error);
        return status_of(error);
    }
    g_autoptr(GPtrArray) rest = g_ptr_array_new();
    for (guint i = 0; i < leading || argv[i] != NULL; i++)
        if (i != leading)
            g_ptr_array_add(rest, (gpointer)(guintptr)argv[i]);
    g_ptr_array_add(rest, NULL);
    return run_command(commands, command, (const char *const *)rest->pdata, out);
}

int command_main(int argc, char **argv, const CommandEntry *commands)
{
    Out out;
    const char *const *words = (const char *const *)argv + MIN(argc, 1);
    out_init(&out, wants_json(words), false, false, OUT_COLOR_AUTO);
    int status = dispatch(commands, words, &out);
    /* A reader that went away (`pgfold audit | head`) took what it wanted; a full disk is a failure. */
    if (!out_flush(&out) && errno != EPIPE && status == 0) {
        g_autoptr(GError) error = NULL;
        pgf_error_set(&error, PGF_ERROR_INTERNAL, "is the disk full?", "the results could not be written: %s",
                      errno == 0 ? "write error" : g_strerror(errno));
        pgf_error_set_state(error,
                            "the command itself has ended well: what it was to do is done, and only what it prints "
                            "is missing");
        out.json = false;
        out_error(&out, error);
        return PGF_ERROR_INTERNAL;
    }
    return status;
}

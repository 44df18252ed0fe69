/* Options of a command line, parsed by the command's table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/command.h"
#include "out/text.h"

const CommandOption command_common_options[] = {
    {"help", 'h', OPTION_FLAG, NULL, "show this help"},
    {"json", 0, OPTION_FLAG, NULL, "print one JSON document, and nothing else, on standard output"},
    {"quiet", 'q', OPTION_FLAG, NULL, "no progress and no remarks"},
    {"verbose", 'v', OPTION_FLAG, NULL, "say more about what is being done"},
    {"config", 'c', OPTION_STRING, "FILE", "read this configuration instead of pgfold.yaml"},
    {"color", 0, OPTION_STRING, "auto|always|never", "colours and bold text (NO_COLOR is respected)"},
    {NULL},
};

typedef struct Slot {
    const CommandOption *option;
    gboolean flag;
    char *string;
    char **list;
    int number;
} Slot;

struct CommandArgs {
    const CommandEntry *commands;
    Slot *slots;
    guint n_slots;
    char **words;
};

static const char *const nothing[] = {NULL};

static guint option_count(const CommandOption *options)
{
    guint count = 0;
    while (options != NULL && options[count].name != NULL)
        count++;
    return count;
}

static CommandArgs *args_new(const CommandEntry *commands, const Command *command)
{
    guint own = option_count(command->options), common = option_count(command_common_options);
    CommandArgs *args = g_new0(CommandArgs, 1);
    args->commands = commands;
    args->n_slots = own + common;
    args->slots = g_new0(Slot, args->n_slots);
    for (guint i = 0; i < args->n_slots; i++)
        args->slots[i].option = i < own ? &command->options[i] : &command_common_options[i - own];
    return args;
}

void args_free(CommandArgs *args)
{
    if (args == NULL)
        return;
    for (guint i = 0; i < args->n_slots; i++) {
        g_free(args->slots[i].string);
        g_strfreev(args->slots[i].list);
    }
    g_free(args->slots);
    g_strfreev(args->words);
    g_free(args);
}

/* One entry a slot, and G_OPTION_REMAINING. Values are taken as file names: those are bytes, whatever the locale. */
static GOptionEntry *option_entries(CommandArgs *args)
{
    GOptionEntry *entries = g_new0(GOptionEntry, args->n_slots + 2);
    for (guint i = 0; i < args->n_slots; i++) {
        Slot *slot = &args->slots[i];
        entries[i].long_name = slot->option->name;
        entries[i].short_name = slot->option->short_name;
        switch (slot->option->type) {
        case OPTION_FLAG:
            entries[i].arg = G_OPTION_ARG_NONE;
            entries[i].arg_data = &slot->flag;
            break;
        case OPTION_LIST:
            entries[i].arg = G_OPTION_ARG_FILENAME_ARRAY;
            entries[i].arg_data = &slot->list;
            break;
        case OPTION_STRING:
        case OPTION_INT:
            entries[i].arg = G_OPTION_ARG_FILENAME;
            entries[i].arg_data = &slot->string;
            break;
        }
    }
    entries[args->n_slots].long_name = G_OPTION_REMAINING;
    entries[args->n_slots].arg = G_OPTION_ARG_FILENAME_ARRAY;
    entries[args->n_slots].arg_data = &args->words;
    return entries;
}

static const CommandOption *find_option(const CommandArgs *args, const char *name)
{
    for (guint i = 0; i < args->n_slots; i++)
        if (strcmp(args->slots[i].option->name, name) == 0)
            return args->slots[i].option;
    return NULL;
}

/* given: "--jbos=4" or "-x". Its value is not repeated: it may be a secret. */
static void set_unknown_option(const CommandArgs *args, const char *given, GError **error)
{
    g_autofree char *option = g_strndup(given, strcspn(given, "="));
    const char *name = option + strspn(option, "-");
    if (g_str_has_prefix(option, "--") && find_option(args, name) != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "option %s takes no value", option);
        return;
    }
    g_autofree const char **names = g_new0(const char *, args->n_slots + 1);
    for (guint i = 0; i < args->n_slots; i++)
        names[i] = args->slots[i].option->name;
    const char *closest = g_str_has_prefix(option, "--") ? text_closest(name, names) : NULL;
    char *hint = closest == NULL ? NULL : g_strdup_printf("did you mean --%s?", closest);
    pgf_error_take_hint(error, PGF_ERROR_USAGE, hint, "unknown option %s", option);
}

/* name: "--jobs" or "-j". */
static void set_missing_value(const CommandArgs *args, const char *name, GError **error)
{
    const char *value = NULL;
    for (guint i = 0; i < args->n_slots; i++) {
        const CommandOption *option = args->slots[i].option;
        bool is_long = g_str_has_prefix(name, "--") && strcmp(name + 2, option->name) == 0;
        bool is_short = name[0] == '-' && name[1] == option->short_name && name[2] == '\0';
        if (option->short_name != 0 ? is_long || is_short : is_long)
            value = option->value;
    }
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "option %s needs a value%s%s", name, value == NULL ? "" : ": ",
                  value == NULL ? "" : value);
}

static const char *after_prefix(const char *text, const char *prefix)
{
    return g_str_has_prefix(text, prefix) ? text + strlen(prefix) : NULL;
}

/* GOption tells which option it was only in its message (English, as no locale is set). */
static void translate_error(const CommandArgs *args, const GError *raw, GError **error)
{
    const char *unknown = after_prefix(raw->message, "Unknown option ");
    const char *missing = after_prefix(raw->message, "Missing argument for ");
    if (unknown != NULL)
        set_unknown_option(args, unknown, error);
    else if (missing != NULL)
        set_missing_value(args, missing, error);
    else
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s", raw->message);
}

static bool parse_options(CommandArgs *args, const Command *command, char ***argv, GError **error)
{
    g_autofree GOptionEntry *entries = option_entries(args);
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_strict_posix(context, command->options_first);
    g_option_context_add_main_entries(context, entries, NULL);
    g_autoptr(GError) raw = NULL;
    bool ok = g_option_context_parse_strv(context, argv, &raw);
    g_option_context_free(context);
    if (!ok)
        translate_error(args, raw, error);
    return ok;
}

static bool parse_number(Slot *slot, GError **error)
{
    char *end;
    errno = 0;
    long value = strtol(slot->string, &end, 10);
    if (errno != 0 || end == slot->string || *end != '\0' || value < G_MININT || value > G_MAXINT) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "option --%s wants a whole number, not \"%s\"", slot->option->name,
                      slot->string);
        return false;
    }
    slot->number = (int)value;
    return true;
}

static bool parse_numbers(CommandArgs *args, GError **error)
{
    for (guint i = 0; i < args->n_slots; i++) {
        Slot *slot = &args->slots[i];
        if (slot->option->type == OPTION_INT && slot->string != NULL && !parse_number(slot, error))
            return false;
    }
    return true;
}

static bool check_words(const CommandArgs *args, const Command *command, GError **error)
{
    bool takes_words = command->synopsis != NULL && *command->synopsis != '\0';
    if (takes_words || args->words == NULL || args->words[0] == NULL || args_flag(args, "help"))
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s takes no arguments, but there is \"%s\"", command->name,
                  args->words[0]);
    return false;
}

static bool check_color(const CommandArgs *args, GError **error)
{
    const char *when = args_string(args, "color");
    if (when == NULL || strcmp(when, "auto") == 0 || strcmp(when, "always") == 0 || strcmp(when, "never") == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "option --color wants auto, always or never, not \"%s\"", when);
    return false;
}

CommandArgs *args_parse(const CommandEntry *commands, const Command *command, const char *const *argv, GError **error)
{
    g_autoptr(CommandArgs) args = args_new(commands, command);
    /* GOption takes the first for the program, and takes out of the vector what it has read. */
    GPtrArray *copy = g_ptr_array_new();
    g_ptr_array_add(copy, g_strdup("pgfold"));
    for (const char *const *arg = argv; *arg != NULL; arg++)
        g_ptr_array_add(copy, g_strdup(*arg));
    g_ptr_array_add(copy, NULL);
    char **vector = (char **)g_ptr_array_free(copy, FALSE);
    bool ok = parse_options(args, command, &vector, error) && parse_numbers(args, error) &&
              check_color(args, error) && check_words(args, command, error);
    g_strfreev(vector);
    return ok ? g_steal_pointer(&args) : NULL;
}

static const Slot *slot_of(const CommandArgs *args, const char *name, CommandOptionType type)
{
    for (guint i = 0; i < args->n_slots; i++)
        if (strcmp(args->slots[i].option->name, name) == 0 && args->slots[i].option->type == type)
            return &args->slots[i];
    g_error("the command has no option --%s of this type", name);
}

bool args_flag(const CommandArgs *args, const char *name)
{
    return slot_of(args, name, OPTION_FLAG)->flag;
}

const char *args_string(const CommandArgs *args, const char *name)
{
    return slot_of(args, name, OPTION_STRING)->string;
}

const char *const *args_list(const CommandArgs *args, const char *name)
{
    const Slot *slot = slot_of(args, name, OPTION_LIST);
    return slot->list == NULL ? nothing : (const char *const *)slot->list;
}

bool args_int(const CommandArgs *args, const char *name, int *ret_value)
{
    const Slot *slot = slot_of(args, name, OPTION_INT);
    if (slot->string == NULL)
        return false;
    *ret_value = slot->number;
    return true;
}

const char *const *args_words(const CommandArgs *args)
{
    return args->words == NULL ? nothing : (const char *const *)args->words;
}

const char *args_config(const CommandArgs *args)
{
    return args_string(args, "config");
}

const CommandEntry *args_commands(const CommandArgs *args)
{
    return args->commands;
}

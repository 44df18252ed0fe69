/* Options of a command line, parsed by the command's table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/wipe.h"
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
    bool flag;
    const char *string;
    GPtrArray *list; /* of const char*, NULL-terminated; NULL for other types */
    int number;
} Slot;

struct CommandArgs {
    const CommandEntry *commands;
    Slot *slots;
    guint n_slots;
    const char *action;
    GPtrArray *words; /* of const char*, NULL-terminated */
    int dashes;       /* how many of them stand before "--"; -1 without it */
    char **argv;      /* a copy: owns the strings of all others */
};

static guint option_count(const CommandOption *options)
{
    guint count = 0;
    while (options != NULL && options[count].name != NULL)
        count++;
    return count;
}

static CommandArgs *args_new(const CommandEntry *commands, const Command *command, const char *const *argv)
{
    guint own = option_count(command->options), common = option_count(command_common_options);
    CommandArgs *args = g_new0(CommandArgs, 1);
    args->commands = commands;
    args->dashes = -1;
    args->n_slots = own + common;
    args->slots = g_new0(Slot, args->n_slots);
    for (guint i = 0; i < args->n_slots; i++) {
        args->slots[i].option = i < own ? &command->options[i] : &command_common_options[i - own];
        if (args->slots[i].option->type == OPTION_LIST)
            args->slots[i].list = g_ptr_array_new();
    }
    args->words = g_ptr_array_new();
    args->argv = g_strdupv((char **)(guintptr)argv);
    return args;
}

void args_free(CommandArgs *args)
{
    if (args == NULL)
        return;
    for (guint i = 0; i < args->n_slots; i++)
        g_clear_pointer(&args->slots[i].list, g_ptr_array_unref);
    g_free(args->slots);
    g_ptr_array_unref(args->words);
    wipe_strv_free(args->argv);
    g_free(args);
}

static Slot *find_long(const CommandArgs *args, const char *name, size_t length)
{
    for (guint i = 0; i < args->n_slots; i++)
        if (strlen(args->slots[i].option->name) == length && strncmp(args->slots[i].option->name, name, length) == 0)
            return &args->slots[i];
    return NULL;
}

static Slot *find_short(const CommandArgs *args, char name)
{
    for (guint i = 0; i < args->n_slots; i++)
        if (args->slots[i].option->short_name == name)
            return &args->slots[i];
    return NULL;
}

/* name: "--jbos", without its value, which may be a secret. */
static void set_unknown_option(const CommandArgs *args, const char *name, GError **error)
{
    g_autofree const char **names = g_new0(const char *, args->n_slots + 1);
    for (guint i = 0; i < args->n_slots; i++)
        names[i] = args->slots[i].option->name;
    const char *closest = text_closest(name + 2, names);
    char *hint = closest == NULL ? NULL : g_strdup_printf("did you mean --%s?", closest);
    pgf_error_take_hint(error, PGF_ERROR_USAGE, hint, "unknown option %s", name);
}

static bool set_number(Slot *slot, GError **error)
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

/* value: what stands behind the option in the same word, or NULL: then it is the next word. */
static bool take_value(Slot *slot, const char *name, const char *value, char ***at, GError **error)
{
    if (value == NULL)
        value = *++*at;
    if (value == NULL) {
        const char *kind = slot->option->value;
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "option %s needs a value%s%s", name, kind == NULL ? "" : ": ",
                      kind == NULL ? "" : kind);
        return false;
    }
    slot->string = value;
    if (slot->option->type == OPTION_LIST)
        g_ptr_array_add(slot->list, (gpointer)(guintptr)value);
    return slot->option->type != OPTION_INT || set_number(slot, error);
}

/* "--name", "--name VALUE" or "--name=VALUE". */
static bool parse_long(const CommandArgs *args, char ***at, GError **error)
{
    size_t length = strcspn(**at, "=");
    g_autofree char *name = g_strndup(**at, length);
    const char *value = (**at)[length] == '=' ? **at + length + 1 : NULL;
    Slot *slot = find_long(args, name + 2, length - 2);
    if (slot == NULL) {
        set_unknown_option(args, name, error);
        return false;
    }
    if (slot->option->type != OPTION_FLAG)
        return take_value(slot, name, value, at, error);
    slot->flag = true;
    if (value != NULL)
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "option %s takes no value", name);
    return value == NULL;
}

/* "-q", several flags as in "-qv", and values as in "-j 4", "-j4" and "-qj4". */
static bool parse_short(const CommandArgs *args, char ***at, GError **error)
{
    for (const char *letter = **at + 1; *letter != '\0'; letter++) {
        const char name[] = {'-', *letter, '\0'};
        Slot *slot = find_short(args, *letter);
        if (slot == NULL) {
            pgf_error_set(error, PGF_ERROR_USAGE, NULL, "unknown option %s", name);
            return false;
        }
        if (slot->option->type != OPTION_FLAG)
            return take_value(slot, name, letter[1] == '\0' ? NULL : letter + 1, at, error);
        slot->flag = true;
    }
    return true;
}

static bool is_action(const CommandArgs *args, const Command *command, const char *word)
{
    bool first = args->action == NULL && args->words->len == 0;
    return first && command->actions != NULL && g_strv_contains(command->actions, word);
}

static bool parse(CommandArgs *args, const Command *command, GError **error)
{
    bool only_words = false;
    for (char **at = args->argv; *at != NULL; at++) {
        if (!only_words && strcmp(*at, "--") == 0) {
            only_words = true;
            args->dashes = (int)args->words->len;
        } else if (!only_words && is_action(args, command, *at)) {
            args->action = *at;
        } else if (only_words || (*at)[0] != '-' || (*at)[1] == '\0') {
            g_ptr_array_add(args->words, *at);
            only_words = only_words || command->options_first;
        } else if (!((*at)[1] == '-' ? parse_long(args, &at, error) : parse_short(args, &at, error))) {
            return false;
        }
    }
    g_ptr_array_add(args->words, NULL);
    for (guint i = 0; i < args->n_slots; i++)
        if (args->slots[i].list != NULL)
            g_ptr_array_add(args->slots[i].list, NULL);
    return true;
}

static bool check_words(const CommandArgs *args, const Command *command, GError **error)
{
    bool takes_words = command->synopsis != NULL && *command->synopsis != '\0';
    const char *word = args_words(args)[0];
    if (takes_words || word == NULL || args_flag(args, "help"))
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s takes no arguments, but there is \"%s\"", command->name, word);
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
    g_autoptr(CommandArgs) args = args_new(commands, command, argv);
    bool ok = parse(args, command, error) && check_color(args, error) && check_words(args, command, error);
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
    return (const char *const *)slot_of(args, name, OPTION_LIST)->list->pdata;
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
    return (const char *const *)args->words->pdata;
}

const char *const *args_after_dashes(const CommandArgs *args)
{
    return args->dashes < 0 ? NULL : args_words(args) + args->dashes;
}

const char *args_action(const CommandArgs *args)
{
    return args->action;
}

const char *args_config(const CommandArgs *args)
{
    return args_string(args, "config");
}

const CommandEntry *args_commands(const CommandArgs *args)
{
    return args->commands;
}

/* Help texts for people, and the same tables as JSON. */
#include "cmd/render.h"

#include "out/text.h"

enum { NARROWEST = 40, WIDEST = 100, LEFT_MAX = 28 };

const ExitStatus exit_statuses[] = {
    {"0", "done and proven"},
    {"1", "something differs or was found"},
    {"2", "wrong usage or configuration"},
    {"3", "cannot connect, or a wrong identity"},
    {"4", "refused by a safety gate; nothing was changed"},
    {"5", "failed midway; the message says in what state things are"},
    {"70", "internal error"},
    {"130", "interrupted with Ctrl-C (143: by SIGTERM) while nothing had been changed"},
    {NULL, NULL},
};

static int text_columns(const Out *out)
{
    return CLAMP(out->width, NARROWEST, WIDEST);
}

static void append_heading(GString *to, const Out *out, const char *heading)
{
    g_autofree char *bold = out_styled(out, OUT_BOLD, heading);
    g_string_append_printf(to, "\n%s\n", bold);
}

/* "  left    right", where right is wrapped in its own column; a left that is too wide gets a line of its own. */
static void append_pair(GString *to, const Out *out, OutStyle style, const char *left, const char *right,
                        int left_width)
{
    g_autofree char *painted = out_styled(out, style, left);
    GString *wrapped = g_string_new(NULL);
    int column = 2 + left_width + 2, width = text_width(left);
    text_wrap(wrapped, right, column, text_columns(out));
    g_string_append_printf(to, "  %s", painted);
    if (width > left_width)
        g_string_append_printf(to, "\n%s", wrapped->str);
    else if (wrapped->len >= (gsize)column)
        g_string_append_printf(to, "%*s%s", left_width + 2 - width, "", wrapped->str + column);
    else
        g_string_append_c(to, '\n');
    g_string_free(wrapped, TRUE);
}

/* "-j, --jobs N", with room for the short name where there is none. */
static char *option_left(const CommandOption *option)
{
    g_autofree char *brief = option->short_name == 0 ? g_strdup("    ") : g_strdup_printf("-%c, ", option->short_name);
    return g_strdup_printf("%s--%s%s%s", brief, option->name, option->value == NULL ? "" : " ",
                           option->value == NULL ? "" : option->value);
}

static int options_width(const CommandOption *options)
{
    int width = 0;
    for (const CommandOption *option = options; option != NULL && option->name != NULL; option++) {
        g_autofree char *left = option_left(option);
        int needed = text_width(left);
        if (needed <= LEFT_MAX)
            width = MAX(width, needed);
    }
    return width;
}

static void append_options(GString *to, const Out *out, const CommandOption *options, int width)
{
    for (const CommandOption *option = options; option != NULL && option->name != NULL; option++) {
        g_autofree char *left = option_left(option);
        g_autofree char *help = option->type == OPTION_LIST ? g_strconcat(option->help, " (may be given again)", NULL)
                                                            : g_strdup(option->help);
        append_pair(to, out, OUT_NAME, left, help, width);
    }
}

static void append_examples(GString *to, const Out *out, const CommandExample *examples)
{
    if (examples == NULL || examples->line == NULL)
        return;
    append_heading(to, out, "Examples");
    for (const CommandExample *example = examples; example->line != NULL; example++) {
        g_autofree char *line = out_styled(out, OUT_NAME, example->line);
        g_string_append_printf(to, "  $ %s\n", line);
        text_wrap(to, example->meaning, 6, text_columns(out));
    }
}

static void append_exit_statuses(GString *to, const Out *out, const Command *command)
{
    append_heading(to, out, "Exit status");
    for (const ExitStatus *exit = exit_statuses; exit->status != NULL; exit++)
        append_pair(to, out, OUT_NAME, exit->status, exit->meaning, 3);
    if (command != NULL && command->exit_codes != NULL)
        text_wrap(to, command->exit_codes, 2, text_columns(out));
}

char *help_command_text(const Command *command, const Out *out)
{
    GString *text = g_string_new(NULL);
    g_autofree char *name = g_strconcat("pgfold ", command->name, NULL);
    g_autofree char *bold = out_styled(out, OUT_BOLD, name);
    const char *synopsis = command->synopsis == NULL ? "" : command->synopsis;
    g_string_append_printf(text, "%s: %s\n", bold, command->summary);
    append_heading(text, out, "Usage");
    g_string_append_printf(text, "  %s [OPTION...]%s%s\n", name, *synopsis == '\0' ? "" : " ", synopsis);
    if (command->description != NULL) {
        g_string_append_c(text, '\n');
        text_wrap(text, command->description, 0, text_columns(out));
    }
    int width = MAX(options_width(command->options), options_width(command_common_options));
    if (command->options != NULL && command->options->name != NULL) {
        append_heading(text, out, "Options");
        append_options(text, out, command->options, width);
    }
    append_heading(text, out, "Options of every command");
    append_options(text, out, command_common_options, width);
    append_examples(text, out, command->examples);
    append_exit_statuses(text, out, command);
    return g_string_free(text, FALSE);
}

char *help_overview_text(const CommandEntry *commands, const Out *out)
{
    GString *text = g_string_new(NULL);
    g_autofree char *bold = out_styled(out, OUT_BOLD, "pgfold");
    g_string_append_printf(text, "%s %s\n", bold, PGFOLD_VERSION);
    text_wrap(text,
              "Fold stray PostgreSQL databases into one server that is the single source of truth, and prove that "
              "nothing was lost.",
              0, text_columns(out));
    append_heading(text, out, "Usage");
    g_string_append(text, "  pgfold COMMAND [OPTION...] [ARGUMENT...]\n");
    int width = 0;
    for (const CommandEntry *entry = commands; entry->command != NULL; entry++)
        width = MAX(width, text_width(entry->command->name));
    for (const CommandEntry *entry = commands; entry->command != NULL; entry++) {
        if (entry->group != NULL)
            append_heading(text, out, entry->group);
        append_pair(text, out, OUT_NAME, entry->command->name, entry->command->summary, width);
    }
    append_heading(text, out, "Options of every command");
    append_options(text, out, command_common_options, options_width(command_common_options));
    append_exit_statuses(text, out, NULL);
    g_string_append(text, "\nMore: `pgfold help COMMAND`, or `man pgfold`.\n");
    return g_string_free(text, FALSE);
}

static json_t *options_json(const CommandOption *options)
{
    static const char *const types[] = {"flag", "string", "list", "integer"};
    json_t *list = json_array();
    for (const CommandOption *option = options; option != NULL && option->name != NULL; option++) {
        char brief[] = {option->short_name, '\0'};
        json_t *object = json_object();
        json_object_set_new(object, "name", json_string(option->name));
        json_object_set_new(object, "short", *brief == '\0' ? json_null() : json_string(brief));
        json_object_set_new(object, "type", json_string(types[option->type]));
        json_object_set_new(object, "value", out_json_string(option->value));
        json_object_set_new(object, "help", out_json_string(option->help));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *help_command_json(const Command *command)
{
    json_t *object = json_object(), *examples = json_array(), *actions = json_array();
    json_object_set_new(object, "name", json_string(command->name));
    json_object_set_new(object, "summary", out_json_string(command->summary));
    json_object_set_new(object, "synopsis", out_json_string(command->synopsis == NULL ? "" : command->synopsis));
    json_object_set_new(object, "description", out_json_string(command->description));
    for (const char *const *action = command->actions; action != NULL && *action != NULL; action++)
        json_array_append_new(actions, json_string(*action));
    json_object_set_new(object, "actions", actions);
    json_object_set_new(object, "options", options_json(command->options));
    for (const CommandExample *example = command->examples; example != NULL && example->line != NULL; example++) {
        json_t *item = json_object();
        json_object_set_new(item, "line", out_json_string(example->line));
        json_object_set_new(item, "meaning", out_json_string(example->meaning));
        json_array_append_new(examples, item);
    }
    json_object_set_new(object, "examples", examples);
    return object;
}

static void print_json(json_t *commands, Out *out)
{
    json_t *document = out_json_new("help");
    json_object_set_new(document, "commands", commands);
    json_object_set_new(document, "common_options", options_json(command_common_options));
    out_json(out, document);
}

void help_print_command(const Command *command, Out *out)
{
    if (out->json) {
        json_t *list = json_array();
        json_array_append_new(list, help_command_json(command));
        print_json(list, out);
        return;
    }
    g_autofree char *text = help_command_text(command, out);
    out_raw(out, text);
}

void help_print_overview(const CommandEntry *commands, Out *out)
{
    if (out->json) {
        json_t *list = json_array();
        for (const CommandEntry *entry = commands; entry->command != NULL; entry++)
            json_array_append_new(list, help_command_json(entry->command));
        print_json(list, out);
        return;
    }
    g_autofree char *text = help_overview_text(commands, out);
    out_raw(out, text);
}

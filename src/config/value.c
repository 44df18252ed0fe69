/* Values of single keys: text, numbers, sizes, flags, rules and lists. */
#include "config/read.h"

#include <string.h>

#include "config/expand.h"
#include "config/secret.h"

#define NAME_MAX_LENGTH 40
#define SPLIT_MIN ((guint64)1 << 20)

static void tell_type(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, const char *advice)
{
    const char *expected = config_kind_name(key->kind);
    const char *article = key->kind == CONFIG_KIND_FLAG || g_str_has_prefix(expected, "text") ? "" : "a ";
    config_mistakes_add(reader->mistakes, node->place, advice, "%s must be %s%s, this is %s", reader->path->str,
                        article, expected, config_node_describe(node));
}

static bool has_variable(const ConfigNode *node)
{
    return strstr(node->text, "${") != NULL;
}

/* Mistakes in it are told by whoever expands it next. */
static bool variables_are_set(const ConfigNode *node)
{
    g_auto(ConfigMistakes) ignored;
    config_mistakes_init(&ignored, "");
    char *text = config_expand(node->text, CONFIG_EXPAND_READ, node->place, &ignored);
    bool set = text != NULL;
    config_wipe(text);
    return set;
}

static bool is_left_out(const ConfigReader *reader, const ConfigKey *key, const ConfigNode *node)
{
    if (!key->connects || !has_variable(node))
        return false;
    return reader->use >= CONFIG_OFFLINE || (reader->use == CONFIG_KNOWN && !variables_are_set(node));
}

static bool check_characters(ConfigReader *reader, const ConfigNode *node, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_iscntrl(*at))
            continue;
        config_mistakes_add(reader->mistakes, node->place, "write it in one line",
                            "%s holds a line break or another control character", reader->path->str);
        return false;
    }
    return true;
}

char *config_take_text(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node)
{
    if (node->type != CONFIG_NODE_SCALAR) {
        tell_type(reader, key, node, NULL);
        return NULL;
    }
    if (config_node_is_null(node)) {
        config_mistakes_add(reader->mistakes, node->place, "give it one, or take the key out", "%s has no value",
                            reader->path->str);
        return NULL;
    }
    bool offline = is_left_out(reader, key, node);
    char *text =
        config_expand(node->text, offline ? CONFIG_EXPAND_MARK : CONFIG_EXPAND_READ, node->place, reader->mistakes);
    if (text == NULL || offline) {
        g_free(text);
        return NULL;
    }
    g_strstrip(text);
    if (*text != '\0' && check_characters(reader, node, text))
        return text;
    if (*text == '\0')
        config_mistakes_add(reader->mistakes, node->place, NULL, "%s is empty", reader->path->str);
    config_wipe(text);
    return NULL;
}

/* As config_take_text(), for kinds whose values are words of their own when they stand without quotation marks. */
static char *take_word(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, const char *advice)
{
    if (node->type == CONFIG_NODE_SCALAR && !node->plain && !has_variable(node)) {
        tell_type(reader, key, node, "take the quotation marks away");
        return NULL;
    }
    if (node->type != CONFIG_NODE_SCALAR || config_node_is_null(node)) {
        tell_type(reader, key, node, advice);
        return NULL;
    }
    return config_take_text(reader, key, node);
}

static char *take_string(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node)
{
    if (node->type == CONFIG_NODE_SCALAR && strcmp(config_node_describe(node), "a boolean") == 0) {
        tell_type(reader, key, node, "put it in quotation marks if it is meant");
        return NULL;
    }
    return config_take_text(reader, key, node);
}

void config_tell_value(ConfigReader *reader, const ConfigNode *node, const char *advice, const char *expected)
{
    /* A value from the environment is not shown: the file says only its name. */
    g_autofree char *shown = config_quote(node->text);
    config_mistakes_add(reader->mistakes, node->place, advice, "%s must be %s, this is %s", reader->path->str, expected,
                        shown);
}

static void read_text(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member)
{
    g_autofree char *text = take_string(reader, key, node);
    if (text == NULL)
        return;
    g_free(*member);
    *member = g_steal_pointer(&text);
}

/* Not expanded: a $ is the shell's. */
static void read_command(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member)
{
    if (node->type != CONFIG_NODE_SCALAR || config_node_is_null(node)) {
        tell_type(reader, key, node, "write what to type, in quotation marks or after \"|\" on lines of its own");
        return;
    }
    g_autofree char *text = g_strchomp(g_strdup(node->text));
    bool usable = *text != '\0';
    for (const char *at = text; *at != '\0'; at++)
        usable = usable && (!g_ascii_iscntrl(*at) || *at == '\n' || *at == '\t');
    if (!usable) {
        config_mistakes_add(reader->mistakes, node->place, NULL, "%s %s", reader->path->str,
                            *text == '\0' ? "is empty" : "holds a control character");
        return;
    }
    g_free(*member);
    *member = g_steal_pointer(&text);
}

static void warn_of_password(ConfigReader *reader, const ConfigNode *node)
{
    /* Mistakes in the variables were told already. */
    g_auto(ConfigMistakes) ignored;
    config_mistakes_init(&ignored, "");
    g_autofree char *marked = config_expand(node->text, CONFIG_EXPAND_MARK, node->place, &ignored);
    if (marked == NULL)
        return;
    char **secrets = config_secrets(marked);
    bool literal = false;
    for (guint i = 0; secrets[i] != NULL; i++)
        literal = literal || strspn(secrets[i], "\001'") != strlen(secrets[i]);
    config_secrets_free(secrets);
    if (!literal)
        return;
    g_ptr_array_add(reader->config->warnings,
                    g_strdup_printf("%s:%d:%d: the password in %s stands in the file; write ${NAME} instead, or leave "
                                    "it to PGPASSFILE or a service file",
                                    reader->mistakes->file, node->place.line, node->place.column, reader->path->str));
}

static void read_url(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member)
{
    char *text = take_string(reader, key, node);
    if (node->type == CONFIG_NODE_SCALAR)
        warn_of_password(reader, node);
    if (reader->use >= CONFIG_OFFLINE)
        g_clear_pointer(&text, config_wipe);
    *member = text;
}

static void read_name(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member)
{
    g_autofree char *text = take_string(reader, key, node);
    if (text == NULL)
        return;
    gsize length = strlen(text);
    bool fits = g_ascii_isalnum(text[0]) && length <= NAME_MAX_LENGTH;
    for (gsize i = 0; i < length; i++)
        fits = fits && (g_ascii_isalnum(text[i]) || strchr("._-", text[i]) != NULL);
    if (!fits)
        config_tell_value(reader, node, NULL,
                          "up to 40 letters, digits, \".\", \"_\" and \"-\", the first a letter or digit");
    else if (g_ascii_strcasecmp(text, "target") == 0)
        config_mistakes_add(reader->mistakes, node->place, "choose another name", "no source can be called \"target\"");
    else
        *member = g_steal_pointer(&text);
}

static bool is_digits(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

static void read_digits(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member)
{
    g_autofree char *text = take_string(reader, key, node);
    if (text == NULL)
        return;
    guint64 value = 0;
    if (is_digits(text) && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT64, &value, NULL))
        *member = g_strdup_printf("%" G_GUINT64_FORMAT, value);
    else
        config_tell_value(reader, node, "psql shows it: SELECT system_identifier FROM pg_control_system()",
                          "the system identifier of a cluster, digits only");
}

static void read_flag(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, bool *member)
{
    g_autofree char *text = take_word(reader, key, node, "write true or false");
    if (text == NULL)
        return;
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "True") == 0 || strcmp(text, "TRUE") == 0;
    bool no = strcmp(text, "false") == 0 || strcmp(text, "False") == 0 || strcmp(text, "FALSE") == 0;
    if (yes || no)
        *member = yes;
    else
        config_tell_value(reader, node, NULL, "true or false");
}

static void read_number(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, int *member)
{
    g_autofree char *text = take_word(reader, key, node, NULL);
    if (text == NULL)
        return;
    gint64 value = 0;
    if (g_ascii_string_to_signed(text, 10, key->min, key->max, &value, NULL)) {
        *member = (int)value;
        return;
    }
    if (key->min == key->max) {
        g_autofree char *only = g_strdup_printf("%d", key->min);
        config_tell_value(reader, node, "a file of a newer format needs a newer pgfold", only);
        return;
    }
    g_autofree char *range = g_strdup_printf("a number from %d to %d", key->min, key->max);
    config_tell_value(reader, node, NULL, range);
}

/* 1GB, 512 MB, 64kB; units are 1024 times each other, as in postgresql.conf. */
static bool parse_size(const char *text, guint64 *ret_bytes)
{
    static const struct {
        const char *unit;
        int shift;
    } UNITS[] = {{"B", 0}, {"kB", 10}, {"MB", 20}, {"GB", 30}, {"TB", 40}};
    gsize digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15)
        return false;
    guint64 number = g_ascii_strtoull(text, NULL, 10);
    const char *unit = text + digits + strspn(text + digits, " ");
    for (gsize i = 0; i < G_N_ELEMENTS(UNITS); i++) {
        if (g_ascii_strcasecmp(unit, UNITS[i].unit) != 0)
            continue;
        *ret_bytes = number << UNITS[i].shift;
        return number <= ((guint64)G_MAXINT64 >> UNITS[i].shift);
    }
    return false;
}

static void read_size(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, guint64 *member)
{
    g_autofree char *text = take_string(reader, key, node);
    if (text == NULL)
        return;
    guint64 bytes = 0;
    if (parse_size(text, &bytes) && bytes >= SPLIT_MIN)
        *member = bytes;
    else
        config_tell_value(reader, node, NULL, "a number with kB, MB, GB or TB, such as 512MB, and 1MB at least");
}

static void read_rule(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, ConfigRule *member)
{
    g_autofree char *text = take_string(reader, key, node), *advice = NULL;
    ConfigRule rule = {0};
    if (text != NULL && config_rule_parse(text, &rule, &advice) &&
        (rule.conflict != CONFIG_CONFLICT_REKEY || !key->no_rekey)) {
        config_rule_clear(member);
        *member = rule;
        return;
    }
    reader->rules_unclear = true;
    if (text == NULL)
        return;
    if (rule.conflict == CONFIG_CONFLICT_REKEY)
        advice = g_strdup("the row has the target's key by then");
    config_tell_value(reader, node, advice,
                      key->no_rekey ? "stop, keep-target, take-source or newest(column)"
                                    : "stop, keep-target, take-source, newest(column) or rekey");
}

static void read_one_of(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, int *member)
{
    g_autofree char *text = config_take_text(reader, key, node);
    for (int i = 0; text != NULL && key->words[i] != NULL; i++) {
        if (strcmp(key->words[i], text) == 0) {
            *member = i;
            return;
        }
    }
    g_autofree char *words = g_strjoinv(", ", (char **)(guintptr)key->words);
    g_autofree char *expected = g_strconcat("one of ", words, NULL);
    if (text != NULL)
        config_tell_value(reader, node, NULL, expected);
}

static void read_table_name(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, ConfigReference *member)
{
    g_autofree char *text = take_string(reader, key, node);
    if (text != NULL && !config_split_table(text, &member->schema, &member->table))
        config_tell_value(reader, node, "write schema.table, such as public.orders",
                          "the name of a table with its schema");
}

static void record_item(ConfigReader *reader, const ConfigNode *item, guint index)
{
    g_hash_table_replace(reader->config->places, g_strdup_printf("%s[%u]", reader->path->str, index),
                         g_memdup2(&item->place, sizeof item->place));
}

static bool holds(const GPtrArray *texts, const char *text)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)(guintptr)texts, text, g_str_equal, NULL);
}

static void read_texts(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char ***member)
{
    if (key->kind == CONFIG_KIND_PATTERNS && node->type == CONFIG_NODE_SCALAR) {
        char *text = take_string(reader, key, node);
        if (text == NULL)
            return;
        g_strfreev(*member);
        *member = g_new0(char *, 2);
        (*member)[0] = text;
        return;
    }
    if (node->type != CONFIG_NODE_LIST) {
        tell_type(reader, key, node, "write [one, two], or a line \"- one\" for each");
        return;
    }
    bool columns = key->kind == CONFIG_KIND_COLUMNS;
    if (columns && node->items->len == 0)
        config_mistakes_add(reader->mistakes, node->place, "name one, or take the key out", "%s names no column",
                            reader->path->str);
    ConfigKey item_key = *key;
    item_key.kind = CONFIG_KIND_TEXT;
    GPtrArray *texts = g_ptr_array_new();
    gsize length = reader->path->len;
    for (guint i = 0; i < node->items->len; i++) {
        const ConfigNode *item = g_ptr_array_index(node->items, i);
        if (item->type == CONFIG_NODE_BROKEN)
            continue;
        g_string_append_printf(reader->path, "[%u]", i);
        char *text = take_string(reader, &item_key, item);
        g_string_truncate(reader->path, length);
        if (text == NULL)
            continue;
        if (columns && holds(texts, text))
            config_mistakes_add(reader->mistakes, item->place, "name it once", "%s names a column twice",
                                reader->path->str);
        record_item(reader, item, texts->len);
        g_ptr_array_add(texts, text);
    }
    g_ptr_array_add(texts, NULL);
    g_strfreev(*member);
    *member = (char **)g_ptr_array_free(texts, FALSE);
}

static bool is_setting_name(const char *text)
{
    bool fits = g_ascii_isalpha(text[0]) || text[0] == '_';
    for (const char *at = text; *at != '\0'; at++)
        fits = fits && (g_ascii_isalnum(*at) || *at == '_' || *at == '.');
    return fits;
}

static void read_settings(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char ***member)
{
    if (node->type != CONFIG_NODE_MAP) {
        tell_type(reader, key, node, "write { name: value }, or a line \"name: value\" for each");
        return;
    }
    ConfigKey item_key = *key;
    item_key.kind = CONFIG_KIND_TEXT;
    GPtrArray *settings = g_ptr_array_new();
    gsize length = reader->path->len;
    for (guint i = 0; i < node->items->len; i++) {
        const ConfigNode *name = g_ptr_array_index(node->names, i);
        const ConfigNode *item = g_ptr_array_index(node->items, i);
        g_autofree char *shown = config_quote(name->text);
        if (!is_setting_name(name->text)) {
            config_mistakes_add(reader->mistakes, name->place, NULL, "%s is not the name of a server setting", shown);
            continue;
        }
        g_string_append_printf(reader->path, ".%s", name->text);
        g_autofree char *value = item->type == CONFIG_NODE_BROKEN ? NULL : config_take_text(reader, &item_key, item);
        g_string_truncate(reader->path, length);
        if (value != NULL)
            g_ptr_array_add(settings, g_strdup_printf("%s=%s", name->text, value));
    }
    g_ptr_array_add(settings, NULL);
    g_strfreev(*member);
    *member = (char **)g_ptr_array_free(settings, FALSE);
}

void config_read_value(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, gpointer member)
{
    switch (key->kind) {
    case CONFIG_KIND_URL:
        read_url(reader, key, node, member);
        break;
    case CONFIG_KIND_TEXT:
    case CONFIG_KIND_INTO:
        read_text(reader, key, node, member);
        break;
    case CONFIG_KIND_COMMAND:
        read_command(reader, key, node, member);
        break;
    case CONFIG_KIND_SSH:
    case CONFIG_KIND_SSH_HOST:
        config_read_ssh_host(reader, key, node, member);
        break;
    case CONFIG_KIND_CHOICE:
        config_read_choice(reader, key, node, member);
        break;
    case CONFIG_KIND_NAME:
        read_name(reader, key, node, member);
        break;
    case CONFIG_KIND_DIGITS:
        read_digits(reader, key, node, member);
        break;
    case CONFIG_KIND_FLAG:
        read_flag(reader, key, node, member);
        break;
    case CONFIG_KIND_NUMBER:
        read_number(reader, key, node, member);
        break;
    case CONFIG_KIND_SIZE:
        read_size(reader, key, node, member);
        break;
    case CONFIG_KIND_RULE:
        read_rule(reader, key, node, member);
        break;
    case CONFIG_KIND_WORD:
        read_one_of(reader, key, node, member);
        break;
    case CONFIG_KIND_TABLE:
        read_table_name(reader, key, node, member);
        break;
    case CONFIG_KIND_TEXTS:
    case CONFIG_KIND_PATTERNS:
    case CONFIG_KIND_COLUMNS:
        read_texts(reader, key, node, member);
        break;
    case CONFIG_KIND_SETTINGS:
        read_settings(reader, key, node, member);
        break;
    case CONFIG_KIND_MAP:
    case CONFIG_KIND_ENTRIES:
    case CONFIG_KIND_TABLES:
        g_assert_not_reached();
    }
}

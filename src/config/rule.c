/* The rules of a merge: their text, and which of them holds for a table. */
#include <string.h>

#include "config/mistakes.h"
#include "config/read.h"

static const char *const NAMES[] = {
    [CONFIG_CONFLICT_UNSET] = "",
    [CONFIG_CONFLICT_STOP] = "stop",
    [CONFIG_CONFLICT_KEEP_TARGET] = "keep-target",
    [CONFIG_CONFLICT_TAKE_SOURCE] = "take-source",
    [CONFIG_CONFLICT_NEWEST] = "newest(column)",
    [CONFIG_CONFLICT_REKEY] = "rekey",
};

const char *config_rule_name(ConfigConflict conflict)
{
    return NAMES[conflict];
}

void config_rule_clear(ConfigRule *rule)
{
    g_clear_pointer(&rule->column, g_free);
    rule->conflict = CONFIG_CONFLICT_UNSET;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " ");
}

/* A quoted name at *at, which moves behind it; NULL where it is not closed. */
static char *take_quoted(const char **at)
{
    GString *name = g_string_new(NULL);
    for ((*at)++; **at != '\0'; (*at)++) {
        if (**at == '"' && *++*at != '"')
            return g_string_free(name, FALSE);
        g_string_append_c(name, **at);
    }
    g_string_free(name, TRUE);
    return NULL;
}

/* "(column)": the name as the database spells it, in double quotes where it is not a single word. */
static char *parse_column(const char *text)
{
    const char *at = skip_blanks(text);
    if (*at++ != '(')
        return NULL;
    at = skip_blanks(at);
    g_autofree char *column = NULL;
    if (*at == '"') {
        column = take_quoted(&at);
    } else {
        gsize length = strcspn(at, " ()\"");
        column = g_strndup(at, length);
        at += length;
    }
    if (column == NULL || *column == '\0')
        return NULL;
    at = skip_blanks(at);
    if (*at++ != ')' || *skip_blanks(at) != '\0')
        return NULL;
    return g_steal_pointer(&column);
}

bool config_rule_parse(const char *text, ConfigRule *ret_rule, char **ret_advice)
{
    *ret_advice = NULL;
    for (ConfigConflict conflict = CONFIG_CONFLICT_STOP; conflict <= CONFIG_CONFLICT_REKEY; conflict++) {
        if (conflict == CONFIG_CONFLICT_NEWEST || strcmp(text, NAMES[conflict]) != 0)
            continue;
        ret_rule->conflict = conflict;
        return true;
    }
    g_autofree char *word = g_strndup(text, strcspn(text, "( "));
    if (strcmp(word, "newest") == 0) {
        ret_rule->column = parse_column(text + strlen(word));
        if (ret_rule->column == NULL)
            *ret_advice = g_strdup("name the column that tells which row is newer: newest(updated_at), or "
                                   "newest(\"Updated At\") where it is not a single word");
        else
            ret_rule->conflict = CONFIG_CONFLICT_NEWEST;
        return ret_rule->column != NULL;
    }
    static const char *const WORDS[] = {"stop", "keep-target", "take-source", "newest", "rekey", NULL};
    const char *meant = config_suggest(word, WORDS);
    if (meant != NULL)
        *ret_advice = g_strdup_printf("did you mean %s%s?", meant, strcmp(meant, "newest") == 0 ? "(column)" : "");
    return false;
}

static const ConfigTable *find_table(const GPtrArray *tables, const char *schema, const char *table)
{
    for (guint i = 0; i < tables->len; i++) {
        const ConfigTable *entry = g_ptr_array_index(tables, i);
        if (strcmp(entry->table, table) == 0 && strcmp(entry->schema, schema) == 0)
            return entry;
    }
    return NULL;
}

static void take_rule(const ConfigRule **rule, const ConfigRule *given)
{
    if (given->conflict != CONFIG_CONFLICT_UNSET)
        *rule = given;
}

static void take_names(const char *const **names, char *const *given)
{
    if (given[0] != NULL)
        *names = (const char *const *)given;
}

/* What entry gives goes before what ret_rule has; its on_conflict is left to the caller. */
static void apply(const ConfigTable *entry, ConfigTableRule *ret_rule)
{
    if (entry->skip_given)
        ret_rule->skip = entry->skip;
    if (entry->key[0] != NULL)
        ret_rule->key_path = entry->path;
    take_names(&ret_rule->key, entry->key);
    take_names(&ret_rule->match_on, entry->match_on);
    take_rule(&ret_rule->on_match, &entry->on_match);
    if (entry->references->len > 0)
        ret_rule->references = entry->references;
}

const char *config_target_schema(const ConfigSource *source, const char *schema)
{
    bool moved = source != NULL && source->into_schema != NULL && g_str_equal(schema, source->from_schema);
    return moved ? source->into_schema : schema;
}

const char *config_source_schema(const ConfigSource *source, const char *schema)
{
    bool moved = source != NULL && source->into_schema != NULL && g_str_equal(schema, source->into_schema);
    return moved ? source->from_schema : schema;
}

/* By the name in the source, else by the one in the target, which is what everything that pgfold shows has. */
static const ConfigTable *find_entry(const GPtrArray *tables, const ConfigSource *source, const char *schema,
                                     const char *table)
{
    const ConfigTable *entry = find_table(tables, config_source_schema(source, schema), table);
    return entry != NULL ? entry : find_table(tables, config_target_schema(source, schema), table);
}

void config_table_rule(const Config *config, const ConfigSource *source, const char *schema, const char *table,
                       ConfigTableRule *ret_rule)
{
    static const char *const NO_NAMES[] = {NULL};
    static const ConfigRule KEEP_TARGET = {.conflict = CONFIG_CONFLICT_KEEP_TARGET};
    const ConfigTable *general = find_entry(config->fold.tables, source, schema, table);
    const ConfigTable *particular = source == NULL ? NULL : find_entry(source->tables, source, schema, table);
    *ret_rule = (ConfigTableRule){
        .on_conflict = &config->fold.on_conflict, .key = NO_NAMES, .match_on = NO_NAMES, .on_match = &KEEP_TARGET};
    if (general != NULL) {
        apply(general, ret_rule);
        take_rule(&ret_rule->on_conflict, &general->on_conflict);
    }
    if (source != NULL)
        take_rule(&ret_rule->on_conflict, &source->on_conflict);
    if (particular != NULL) {
        apply(particular, ret_rule);
        take_rule(&ret_rule->on_conflict, &particular->on_conflict);
    }
    if (ret_rule->on_conflict->conflict != CONFIG_CONFLICT_REKEY)
        ret_rule->match_on = NO_NAMES;
}

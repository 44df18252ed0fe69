/* From the tree of a file to a Config, by the table of keys. */
#pragma once

#include "config/config.h"
#include "config/mistakes.h"
#include "config/node.h"
#include "config/schema.h"

typedef struct ConfigReader {
    Config *config;
    ConfigUse use;
    ConfigMistakes *mistakes;
    GString *path;      /* of the key being read: "sources[0].url" */
    bool rules_unclear; /* one could not be read: what goes by the rules is not judged */
} ConfigReader;

/* Fills config (made by config_new()) from root; what is wrong goes to mistakes. */
void config_read(const ConfigNode *root, ConfigUse use, ConfigMistakes *mistakes, Config *config);

/* A text with its variables; NULL with a mistake told, or where it is not to be read now. Transfer full. */
char *config_take_text(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node);
/* "path must be expected, this is ...". advice may be NULL. */
void config_tell_value(ConfigReader *reader, const ConfigNode *node, const char *advice, const char *expected);
/* Kinds SSH_HOST and CHOICE. */
void config_read_ssh_host(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member);
void config_read_choice(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, char **member);
/* Once all is read and the folder known: paths, defaults, and urls that become routes. */
void config_settle_ssh(Config *config);

/* Used by the former for one key whose kind has no keys below it. member: where key->offset leads. */
void config_read_value(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, gpointer member);

/* "schema.table", either part in double quotes as in SQL. False where text is something else. Transfer full. */
bool config_split_table(const char *text, char **ret_schema, char **ret_table);

/* A rule from its text. False where it is none; *ret_advice (transfer full) may be NULL. */
bool config_rule_parse(const char *text, ConfigRule *ret_rule, char **ret_advice);
void config_rule_clear(ConfigRule *rule);
const char *config_rule_name(ConfigConflict conflict);

/* What is wrong between keys, once all of them are read. */
void config_check(ConfigReader *reader);

/* filter.c */
void config_filter_init(ConfigFilter *filter);
void config_filter_clear(ConfigFilter *filter);
void config_filter_copy(const ConfigFilter *from, ConfigFilter *ret_to);

/* databases.c */
void config_derived_free(gpointer source);

/* With the defaults. */
Config *config_new(void);
gpointer config_source_new(void);
gpointer config_table_new(void);
gpointer config_reference_new(void);
gpointer config_deploy_new(void);

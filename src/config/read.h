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
    GString *path; /* of the key being read: "sources[0].url" */
} ConfigReader;

/* Fills config (made by config_new()) from root; what is wrong goes to mistakes. */
void config_read(const ConfigNode *root, ConfigUse use, ConfigMistakes *mistakes, Config *config);

/* Used by the former for one key whose kind has no keys below it. member: where key->offset leads. */
void config_read_value(ConfigReader *reader, const ConfigKey *key, const ConfigNode *node, gpointer member);

/* "schema.table", either part in double quotes as in SQL. False where text is something else. Transfer full. */
bool config_split_table(const char *text, char **ret_schema, char **ret_table);

/* A Config with the defaults. */
Config *config_new(void);
ConfigTable *config_table_new(void);

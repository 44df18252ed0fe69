/*
 * Every key of pgfold.yaml, declared once. Reading, error messages, and the check that docs/configuration.md has each
 * key with the right words all go by this table.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum ConfigKind {
    CONFIG_KIND_MAP,     /* keys below it; fills the struct at offset */
    CONFIG_KIND_ENTRIES, /* list of maps; a GPtrArray of what create() makes */
    CONFIG_KIND_TABLES,  /* map from "schema.table" to maps; likewise, of ConfigTable */
    CONFIG_KIND_URL,     /* char *; connection string */
    CONFIG_KIND_TEXT,    /* char *; not empty */
    CONFIG_KIND_COMMAND, /* char *; what somebody types into a shell: one or more lines, no ${NAME} read */
    CONFIG_KIND_NAME,    /* char *; letters, digits, ".", "_", "-" */
    CONFIG_KIND_DIGITS,  /* char *; quotation marks are allowed and not needed */
    CONFIG_KIND_FLAG,    /* bool */
    CONFIG_KIND_NUMBER,  /* int from min to max */
    CONFIG_KIND_SIZE,    /* guint64, bytes */
    CONFIG_KIND_RULE,    /* ConfigRule */
    CONFIG_KIND_COLUMNS, /* char **; list of text, one at least, none twice */
    CONFIG_KIND_TABLE,   /* "schema.table"; schema and table of the ConfigReference at offset */
    CONFIG_KIND_INTO,    /* into_database of the ConfigSource at offset; a map has keys below it, for the same struct */
    CONFIG_KIND_SSH,     /* ConfigSsh: the host alone, or a map with keys for that struct */
    CONFIG_KIND_SSH_HOST, /* char *; what ssh takes as a destination */
    CONFIG_KIND_CHOICE,   /* char *; one of words */
    CONFIG_KIND_TEXTS,    /* char **; list of text */
    CONFIG_KIND_PATTERNS, /* char **; list of text, or a text alone */
    CONFIG_KIND_WORD,     /* an enum; the index of one of words */
    CONFIG_KIND_SETTINGS  /* char **; map from name to value, as "name=value" */
} ConfigKind;

typedef struct ConfigKey {
    const char *name; /* NULL ends a table */
    ConfigKind kind;
    bool required;
    bool connects; /* only needed to reach a database: its ${NAME} is not read for CONFIG_OFFLINE */
    gsize offset;  /* in the struct of the level above */
    int min, max;
    bool no_rekey;                /* of RULE: all the others */
    gpointer (*create)(void);     /* of ENTRIES and TABLES: one element with its defaults */
    const char *const *words;     /* of CHOICE and WORD: NULL-terminated */
    const char *example;          /* of ENTRIES: what one looks like */
    const struct ConfigKey *keys; /* of MAP, ENTRIES, TABLES, INTO and SSH */
    bool repeats;                 /* keys are those of another key: config_schema_each() does not go into them again */
    const char *unless_given;     /* the default as the manual shows it, or NULL */
    const char *about;            /* a sentence for the manual */
} ConfigKey;

/* schema_docs.c: below deploy and docs. */
extern const ConfigKey config_deploy_keys[], config_docs_keys[];
/* schema_code.c: below code. */
extern const ConfigKey config_code_keys[];
/* schema_filter.c: below sources[].include and exclude. */
extern const ConfigKey config_filter_keys[];

/* The keys of the top level. */
const ConfigKey *config_schema(void);

/* "number", "list of text", ...: what the manual and messages call a kind. */
const char *config_kind_name(ConfigKind kind);

/* NULL, or where a key of this name would belong: "fold.jobs"; of several places the uppermost. Transfer full. */
char *config_schema_find(const char *name);

/* Calls func for each key of all levels with its path: "fold.jobs", "sources[].url", "fold.tables.*.skip". */
typedef void (*ConfigSchemaFunc)(const char *path, const ConfigKey *key, gpointer data);
void config_schema_each(ConfigSchemaFunc func, gpointer data);

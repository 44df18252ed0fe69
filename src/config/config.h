/*
 * pgfold.yaml: which databases there are, what must not be touched, and how to fold (docs/configuration.md).
 *
 * Loading finds all mistakes of a file at once: one PGF_ERROR_USAGE error whose message has a line
 * "file:line:column: what; what to do" for each, in the order of the file. The keys are declared in one table
 * (config/schema.h) from which parsing, the lists in error messages and the check of the manual are made.
 *
 * A Config is plain data: commands may overwrite values from their options before they start any worker; afterwards
 * it is only read, so that threads may share it. Strings belong to the Config unless said otherwise. Lists of names
 * (char **) are NULL-terminated and never NULL.
 *
 * Connection strings may hold passwords: this room never prints them, and wipes them when a Config is freed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define CONFIG_JOBS_MAX 64
#define CONFIG_LOCK_TIMEOUT_MAX 3600

/* What a command does with the databases that the file names. */
typedef enum ConfigUse {
    CONFIG_CONNECTS, /* reads every ${NAME}; one that is unset or empty is a mistake */
    CONFIG_KNOWN,    /* what is there to connect to: a url whose ${NAME} is unset or empty is NULL (guard) */
    CONFIG_OFFLINE,  /* connects to none of them (testdb, status, report, docs): every url is NULL, its ${NAME} not read
                      */
    CONFIG_CODE      /* likewise, and what is asked is about the code (scan): there may be no target and no sources */
} ConfigUse;

/* What happens to a row of the source that is in conflict with the target (docs/merge.md). */
typedef enum ConfigConflict {
    CONFIG_CONFLICT_UNSET, /* not given here: a less particular rule holds */
    CONFIG_CONFLICT_STOP,
    CONFIG_CONFLICT_KEEP_TARGET,
    CONFIG_CONFLICT_TAKE_SOURCE,
    CONFIG_CONFLICT_NEWEST,
    CONFIG_CONFLICT_REKEY
} ConfigConflict;

typedef struct ConfigRule {
    ConfigConflict conflict;
    char *column; /* of newest(), as the database spells it; else NULL */
} ConfigRule;

/* A reference that no foreign key declares. Both lists have the same length, one at least. */
typedef struct ConfigReference {
    char **columns;
    char *schema, *table; /* referred to */
    char **to;            /* its columns */
} ConfigReference;

/* An entry of fold.tables or sources[].tables. For what holds in the end, ask config_table_rule(). */
typedef struct ConfigTable {
    char *path; /* of the entry, for config_where(): "fold.tables.public.orders" */
    char *schema, *table;
    bool skip, skip_given;  /* neither compared nor folded; every command that leaves it out says so */
    char **key;             /* columns that identify a row where the table has no primary key; empty: none given */
    ConfigRule on_conflict; /* may be unset */
    char **match_on;        /* columns by which rekey finds the same thing on both sides; empty: none given */
    ConfigRule on_match;    /* where these are equal and others differ; may be unset; never rekey */
    GPtrArray *references;  /* of ConfigReference*; empty: none given */
} ConfigTable;

/* The ssh host through which a server is reached. */
typedef struct ConfigSsh {
    char *host;        /* a destination of ssh(1); NULL: the server is reached directly */
    char *config;      /* absolute path of a file for ssh -F, or NULL */
    char *compression; /* "auto", "yes" or "no"; NULL where host is */
} ConfigSsh;

typedef struct ConfigTarget {
    char *url; /* any libpq connection string; with ssh, a route that holds one (base/route.h) */
    ConfigSsh ssh;
    char *identity; /* pinned system_identifier, decimal digits; NULL: not pinned */
    char *database; /* instead of the database in url, or NULL */
} ConfigTarget;

/* Patterns as psql takes them (filter/pattern.h); each list is never NULL, and empty where nothing was given. */
typedef struct ConfigFilter {
    char **schemas, **tables, **extensions;
    char **databases; /* only with databases: all */
} ConfigFilter;

typedef struct ConfigSource {
    char *name; /* unique; letters, digits, ".", "_" and "-": fit for a file name and a label. "NAME/DATABASE" of one of
                 * several databases */
    char *url;  /* as the target's */
    ConfigSsh ssh;
    bool skip;              /* left out, unless the command line names it */
    char *compose;          /* "FILE#SERVICE" that runs it, or NULL; FILE is relative to the folder of the file */
    char *container;        /* the container that runs it, or NULL; never beside compose */
    char *engine;           /* "docker", "podman", or NULL: whichever has it */
    char *into_database;    /* of the target's server, instead of the target's; or NULL */
    char *into_schema;      /* of the target, for what is in from_schema; or NULL: schemas keep their names */
    char *from_schema;      /* public unless given; NULL where into_schema is */
    ConfigRule on_conflict; /* may be unset */
    GPtrArray *tables;      /* of ConfigTable*, in the order of the file */
    ConfigFilter include;   /* what is folded of it; nothing: all */
    ConfigFilter exclude;   /* what is left out of that */
    char *databases;        /* "all": every database of the server, each a source of its own; or NULL */
    /* Of one that config_database_source() made; else NULL. */
    const struct ConfigSource *base; /* the source of its server */
    char *database;                  /* instead of the one in url */
} ConfigSource;

typedef enum ConfigProtectKind {
    CONFIG_PROTECT_DATABASES,
    CONFIG_PROTECT_SCHEMAS,
    CONFIG_PROTECT_TABLES, /* "schema.table" */
    CONFIG_PROTECT_ROLES,
    CONFIG_PROTECT_CONTAINERS,
    CONFIG_PROTECT_PATHS, /* relative to the folder of the file */
    CONFIG_PROTECT_KINDS
} ConfigProtectKind;

/* What of protected things is compared before and after (docs/protect.md). */
typedef enum ConfigFingerprint {
    CONFIG_FINGERPRINT_FULL,    /* definitions and rows */
    CONFIG_FINGERPRINT_CATALOG, /* of databases, schemas and tables their definitions only */
    CONFIG_FINGERPRINT_OFF
} ConfigFingerprint;

typedef struct ConfigFold {
    int jobs;               /* workers, 1..CONFIG_JOBS_MAX; 4 unless given */
    ConfigRule on_conflict; /* never unset: stop unless given */
    bool backup;            /* true unless the file says otherwise */
    guint64 split_above;    /* bytes: larger tables are copied in parts; 1 GB (1 << 30) unless given */
    int lock_timeout;       /* seconds a commit waits for a locked table, 1..CONFIG_LOCK_TIMEOUT_MAX; 10 unless given */
    GPtrArray *tables;      /* of ConfigTable*, in the order of the file */
} ConfigFold;

typedef enum ConfigCodeClass { /* what a file is for */
                               CONFIG_CODE_PRODUCTION,
                               CONFIG_CODE_TESTS,
                               CONFIG_CODE_DOCS,
                               CONFIG_CODE_INFRASTRUCTURE,
                               CONFIG_CODE_CLASSES
} ConfigCodeClass;

typedef struct ConfigCode { /* patterns as in protect.paths, relative to the folder of the file */
    char *variable;         /* the environment variable that the application reads; DATABASE_URL unless given */
    char **classes[CONFIG_CODE_CLASSES]; /* files of each class, where their paths do not say so */
    char **remove;                       /* files that only served the old databases */
    char **local;                        /* files in which a local name is right: the database really is on that host */
    char **skip;                         /* files that scan leaves out */
} ConfigCode;

typedef struct ConfigTestdb {
    int port;        /* loopback port; 0: unix socket only */
    char *database;  /* created, or NULL */
    char **settings; /* "name=value" server settings */
} ConfigTestdb;

/* A step of a deployment, as people type it. None of it is read by pgfold, ${NAME} included: it is the shell's. */
typedef struct ConfigDeploy {
    char *name;
    char *run;   /* one or more lines */
    char *check; /* likewise, that tells whether it worked; or NULL */
} ConfigDeploy;

typedef struct ConfigDocs {
    char *page;  /* relative to the folder of the file, and below it; docs/database.md unless given */
    char *tests; /* the command that runs the project's tests, or NULL */
} ConfigDocs;

typedef struct Config {
    char *path;   /* the file, as messages show it; NULL where the command line took its place */
    char *folder; /* absolute: where the file is, or the current folder */
    char *state;  /* absolute: the folder of ledger, receipts and backups (".pgfold" beside the file); may not exist */
    int version;  /* of the file's format: 1 */
    ConfigTarget target;
    GPtrArray *sources; /* of ConfigSource*, in the order of the file */
    GPtrArray *derived; /* of ConfigSource*: what config_database_source() made */
    char **protect[CONFIG_PROTECT_KINDS];
    ConfigFingerprint fingerprint; /* full unless given */
    ConfigFold fold;
    ConfigCode code;
    ConfigTestdb testdb;
    GPtrArray *deploy; /* of ConfigDeploy*, in the order of the file */
    ConfigDocs docs;
    GPtrArray *warnings; /* of char*: "file:line:column: ..." remarks to be shown once, such as a literal password */
    GHashTable *places;  /* for config_where() */
    GHashTable *written; /* for config_written() */
} Config;

/* Finds the file: given (--config) if not NULL, else pgfold.yaml or pgfold.yml in the current folder or a folder above
 * it, up to the root of the git working tree or the home directory, and in the current folder only where it is under
 * neither. True with *ret_path NULL when there is none; an error when given does not exist, or a folder has both. */
bool config_find(const char *given, char **ret_path, GError **error);

/* Likewise for another folder (absolute) than the current one. */
bool config_find_from(const char *folder, char **ret_path, GError **error);

/* Reads and checks one file. */
Config *config_load(const char *path, ConfigUse use, GError **error);

/* config_find() and config_load(); none found is an error that says how to write one or do without. */
Config *config_open(const char *given, ConfigUse use, GError **error);

/* As config_load(), from memory; path is for messages and for the folder that relative paths start from. */
Config *config_parse(const char *text, gsize length, const char *path, ConfigUse use, GError **error);

/* Without a file, from --source and --target (each may be NULL): one source, called "source", and the defaults for all
 * else; the state folder is .pgfold in the current folder. ${NAME} is left to the shell. */
Config *config_new_adhoc(const char *source_url, const char *target_url);

/* Whether the source is folded in part. */
bool config_is_filtered(const ConfigSource *source);
/* Patterns from the command line, NULL-terminated. They take the place of those that *list has, or come behind them. */
void config_set_patterns(char ***list, const char *const *patterns);
void config_add_patterns(char ***list, const char *const *patterns);

void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* NULL with a PGF_ERROR_USAGE that lists the names there are. */
const ConfigSource *config_source(const Config *config, const char *name, GError **error);

/* One database of a source with databases: all, as a source of its own, called NAME/DATABASE and folded into a database
 * of that name. Owned by config; the same one each time. */
const ConfigSource *config_database_source(const Config *config, const ConfigSource *base, const char *database);
/* The name of a source as part of the name of a file. Transfer full. */
char *config_file_name(const char *source_name);
/* Whether name is NAME/DATABASE of that source: "laptop/app" of "laptop". */
bool config_is_database_of(const char *name, const char *source_name);
/* A source of the file: itself; of one of several databases that of its server. */
const ConfigSource *config_base(const ConfigSource *source);

/* As config_source(), also for NAME/DATABASE. */
const ConfigSource *config_named_source(const Config *config, const char *name, GError **error);

/* What the command line chose: the sources with these names (also NAME/DATABASE) (NULL-terminated), or all that are not
 * skipped where it names none. The elements belong to config. Transfer container. NULL with an error for an unknown
 * name, a name given twice, or when nothing is left. */
GPtrArray *config_choose_sources(const Config *config, const char *const *names, GError **error);

/* What holds for one table of one source; everything is borrowed from config. */
typedef struct ConfigTableRule {
    bool skip;
    const ConfigRule *on_conflict; /* never NULL, never unset */
    const char *const *key;        /* never NULL; empty: none given */
    const char *key_path;          /* of the entry that gives the key, for config_where(); or NULL */
    const char *const *match_on;   /* never NULL; empty unless on_conflict is rekey */
    const ConfigRule *on_match;    /* never NULL, never unset, never rekey: keep-target unless given */
    GPtrArray *references;         /* of ConfigReference*; NULL: none given */
} ConfigTableRule;

/* The rule, from the least particular to the most: fold.on_conflict, fold.tables, source's on_conflict, source's
 * tables. All else comes from source's entry of the table where that gives it, otherwise from fold.tables. source may
 * be NULL: what holds where no source says otherwise. Entries name the schema of the source; schema may also be the one
 * that it has in the target (into.schema). */
void config_table_rule(const Config *config, const ConfigSource *source, const char *schema, const char *table,
                       ConfigTableRule *ret_rule);

/* A schema of source in the target, and back. source may be NULL; the result is borrowed. */
const char *config_target_schema(const ConfigSource *source, const char *schema);
const char *config_source_schema(const ConfigSource *source, const char *schema);

/* "pgfold.yaml:4:13" for a key such as "target.identity", "sources[0].url", "fold.tables.public.t.skip"; the file where
 * the key was not given; "the command line" without a file. Transfer full. */
char *config_where(const Config *config, const char *key);

/* What the file says for a key that is needed to reach a database ("target.url", "target.ssh.host"), its ${NAME} as
 * they stand and without any password; also with CONFIG_OFFLINE. NULL where the key was not given. Owned by config. */
const char *config_written(const Config *config, const char *key);

/* text with the connection strings of config, and every password in them, replaced by "****". For text of others that
 * is about to be shown or stored. Transfer full. */
char *config_redact(const Config *config, const char *text);

#include "config/schema.h"

#include <string.h>

#include "config/read.h"

static const char *const DATABASES[] = {"all", NULL};
static const char *const COMPRESSIONS[] = {"auto", "yes", "no", NULL};

static const ConfigKey SSH_KEYS[] = {
    {.name = "host",
     .kind = CONFIG_KIND_SSH_HOST,
     .offset = offsetof(ConfigSsh, host),
     .required = true,
     .connects = true,
     .about = "The same as the text alone."},
    {.name = "config",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigSsh, config),
     .connects = true,
     .unless_given = "`~/.ssh/config`",
     .about = "A configuration file of ssh's, as for `ssh -F`, relative to pgfold.yaml."},
    {.name = "compression",
     .kind = CONFIG_KIND_CHOICE,
     .offset = offsetof(ConfigSsh, compression),
     .words = COMPRESSIONS,
     .unless_given = "`auto`",
     .about = "Compress what goes through the tunnel. `auto` measures the link."},
    {0},
};

static const ConfigKey TARGET_KEYS[] = {
    {.name = "url",
     .kind = CONFIG_KIND_URL,
     .offset = offsetof(ConfigTarget, url),
     .required = true,
     .connects = true,
     .about = "How to reach the target: any connection string that psql takes. There is no default."},
    {.name = "identity",
     .kind = CONFIG_KIND_DIGITS,
     .offset = offsetof(ConfigTarget, identity),
     .connects = true,
     .about = "The system identifier of the target's cluster, in quotation marks. A cluster with another one is an "
              "error, whatever the URL says."},
    {.name = "database",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigTarget, database),
     .connects = true,
     .about = "The database on the target, instead of the one in `url`. `pgfold fold` creates it if it is missing."},
    {.name = "ssh",
     .kind = CONFIG_KIND_SSH,
     .offset = offsetof(ConfigTarget, ssh),
     .connects = true,
     .keys = SSH_KEYS,
     .about = "Reach the target through this ssh host ([tunnel.md](tunnel.md)): anything that ssh(1) takes, "
              "~/.ssh/config included. Host and port of `url` are then as seen from there."},
    {0},
};

static const ConfigKey REFERENCE_KEYS[] = {
    {.name = "columns",
     .kind = CONFIG_KIND_COLUMNS,
     .offset = offsetof(ConfigReference, columns),
     .required = true,
     .about = "Columns of this table that hold the key of a row of another."},
    {.name = "table",
     .kind = CONFIG_KIND_TABLE,
     .offset = 0,
     .required = true,
     .about = "The table that they refer to."},
    {.name = "to",
     .kind = CONFIG_KIND_COLUMNS,
     .offset = offsetof(ConfigReference, to),
     .required = true,
     .about = "Its columns, as many, in the same order."},
    {0},
};

static const ConfigKey TABLE_KEYS[] = {
    {.name = "skip",
     .kind = CONFIG_KIND_FLAG,
     .offset = offsetof(ConfigTable, skip),
     .unless_given = "`false`",
     .about = "Neither compare nor fold this table. Every command says that it was left out."},
    {.name = "on_conflict",
     .kind = CONFIG_KIND_RULE,
     .offset = offsetof(ConfigTable, on_conflict),
     .unless_given = "`fold.on_conflict`",
     .about = "As `fold.on_conflict`, for this table."},
    {.name = "key",
     .kind = CONFIG_KIND_COLUMNS,
     .offset = offsetof(ConfigTable, key),
     .about = "Columns that identify a row, for a table without a primary key. They must be unique and not NULL on "
              "both sides: "
              "where rows differ, that is proven ([digest.md](digest.md))."},
    {.name = "match_on",
     .kind = CONFIG_KIND_COLUMNS,
     .offset = offsetof(ConfigTable, match_on),
     .about =
         "With the rule `rekey`: columns by which the same thing is found on both sides, whatever its key is there."},
    {.name = "on_match",
     .kind = CONFIG_KIND_RULE,
     .offset = offsetof(ConfigTable, on_match),
     .no_rekey = true,
     .unless_given = "`keep-target`",
     .about = "With `match_on`: what happens where these columns are equal and others differ. Any rule but `rekey`."},
    {.name = "references",
     .kind = CONFIG_KIND_ENTRIES,
     .offset = offsetof(ConfigTable, references),
     .create = config_reference_new,
     .example = "\"- { columns: [customer_id], table: public.customers, to: [id] }\"",
     .keys = REFERENCE_KEYS,
     .about = "References that no foreign key declares: where `rekey` changes a key, they follow."},
    {0},
};

/* These lie in ConfigSource itself. */
static const ConfigKey INTO_KEYS[] = {
    {.name = "database",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigSource, into_database),
     .connects = true,
     .about = "The same as the text alone."},
    {.name = "schema",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigSource, into_schema),
     .connects = true,
     .about = "Another schema of the target, for what is in one schema of the source: see "
              "[Into another schema](#into-another-schema)."},
    {.name = "from",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigSource, from_schema),
     .connects = true,
     .unless_given = "`public`",
     .about = "With `schema`: the schema of the source that goes there."},
    {0},
};

static const ConfigKey SOURCE_KEYS[] = {
    {.name = "name",
     .kind = CONFIG_KIND_NAME,
     .offset = offsetof(ConfigSource, name),
     .required = true,
     .about = "What pgfold calls this source: in messages, on the command line, in file names."},
    {.name = "url",
     .kind = CONFIG_KIND_URL,
     .offset = offsetof(ConfigSource, url),
     .required = true,
     .connects = true,
     .about = "How to reach the source: any connection string that psql takes."},
    {.name = "ssh",
     .kind = CONFIG_KIND_SSH,
     .offset = offsetof(ConfigSource, ssh),
     .connects = true,
     .keys = SSH_KEYS,
     .about = "Reach this source through an ssh host, as `target.ssh`."},
    {.name = "skip",
     .kind = CONFIG_KIND_FLAG,
     .offset = offsetof(ConfigSource, skip),
     .unless_given = "`false`",
     .about = "Leave this source out unless the command line names it."},
    {.name = "compose",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigSource, compose),
     .about = "The compose file and service that run this source (`FILE#SERVICE`, FILE beside pgfold.yaml). Where the "
              "container is there and does not run, that is an error with the command that starts it; `--start` does "
              "([containers.md](containers.md))."},
    {.name = "container",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigSource, container),
     .about = "As `compose`, for a container by its name."},
    {.name = "engine",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigSource, engine),
     .unless_given = "`auto`",
     .about = "`docker`, `podman`, or `auto`: whichever has the container."},
    {.name = "into",
     .kind = CONFIG_KIND_INTO,
     .offset = 0,
     .connects = true,
     .keys = INTO_KEYS,
     .unless_given = "the target's",
     .about = "Another database of the target's server, for this source. `pgfold fold` creates it if it is missing."},
    {.name = "on_conflict",
     .kind = CONFIG_KIND_RULE,
     .offset = offsetof(ConfigSource, on_conflict),
     .about = "As `fold.on_conflict`, for all tables of this source; it goes before what `fold` says."},
    {.name = "tables",
     .kind = CONFIG_KIND_TABLES,
     .offset = offsetof(ConfigSource, tables),
     .create = config_table_new,
     .keys = TABLE_KEYS,
     .repeats = true,
     .about =
         "Rules for single tables of this source, with the keys of `fold.tables`; what is given here goes before it."},
    {.name = "databases",
     .kind = CONFIG_KIND_CHOICE,
     .offset = offsetof(ConfigSource, databases),
     .words = DATABASES,
     .about = "`all`: fold every database of the source's server ([databases.md](databases.md))."},
    {.name = "include",
     .kind = CONFIG_KIND_MAP,
     .offset = offsetof(ConfigSource, include),
     .keys = config_filter_keys,
     .about = "Fold only what matches these patterns, and what that needs ([filters.md](filters.md))."},
    {.name = "exclude",
     .kind = CONFIG_KIND_MAP,
     .offset = offsetof(ConfigSource, exclude),
     .keys = config_filter_keys,
     .about = "Leave out what matches these patterns; it goes before `include`."},
    {0},
};

#define PROTECT_OFFSET(kind) (offsetof(Config, protect) + (gsize)(kind) * sizeof(char **))

static const char *const FINGERPRINTS[] = {"full", "catalog", "off", NULL};

/* These lie in Config itself: the level has no struct of its own. */
static const ConfigKey PROTECT_KEYS[] = {
    {.name = "databases",
     .kind = CONFIG_KIND_TEXTS,
     .offset = PROTECT_OFFSET(CONFIG_PROTECT_DATABASES),
     .about = "Databases that are never a source or a target, nor made on the target."},
    {.name = "schemas",
     .kind = CONFIG_KIND_TEXTS,
     .offset = PROTECT_OFFSET(CONFIG_PROTECT_SCHEMAS),
     .about = "Schemas of the target: nothing is made, changed or dropped in them."},
    {.name = "tables",
     .kind = CONFIG_KIND_TEXTS,
     .offset = PROTECT_OFFSET(CONFIG_PROTECT_TABLES),
     .about = "Tables of the target, as `schema.table`: neither made, changed nor written."},
    {.name = "roles",
     .kind = CONFIG_KIND_TEXTS,
     .offset = PROTECT_OFFSET(CONFIG_PROTECT_ROLES),
     .about = "Roles: neither created, changed, granted anything nor given objects; nor does pgfold connect as one "
              "where it writes."},
    {.name = "containers",
     .kind = CONFIG_KIND_TEXTS,
     .offset = PROTECT_OFFSET(CONFIG_PROTECT_CONTAINERS),
     .about = "Containers that are neither started nor stopped."},
    {.name = "paths",
     .kind = CONFIG_KIND_TEXTS,
     .offset = PROTECT_OFFSET(CONFIG_PROTECT_PATHS),
     .about = "Files and folders, relative to pgfold.yaml, `**` for any depth: nothing is written or removed there."},
    {.name = "fingerprint",
     .kind = CONFIG_KIND_WORD,
     .offset = offsetof(Config, fingerprint),
     .words = FINGERPRINTS,
     .unless_given = "`full`",
     .about = "What of all this is compared before and after a fold: `full`, `catalog` (of databases, schemas and "
              "tables their definitions only) or `off` ([protect.md](protect.md))."},
    {0},
};

static const ConfigKey FOLD_KEYS[] = {
    {.name = "jobs",
     .kind = CONFIG_KIND_NUMBER,
     .offset = offsetof(ConfigFold, jobs),
     .min = 1,
     .max = CONFIG_JOBS_MAX,
     .unless_given = "`4`",
     .about = "Workers; each has one connection to either side. From 1 to 64."},
    {.name = "on_conflict",
     .kind = CONFIG_KIND_RULE,
     .offset = offsetof(ConfigFold, on_conflict),
     .unless_given = "`stop`",
     .about = "What happens to a row of the source that is in conflict with the target: see [merge.md](merge.md). "
              "With `stop` nothing is overwritten, and nothing is committed."},
    {.name = "backup",
     .kind = CONFIG_KIND_FLAG,
     .offset = offsetof(ConfigFold, backup),
     .unless_given = "`true`",
     .about = "Back the source up, and prove the backup, before its rows are copied. `false` asks for confirmation, "
              "as `--no-backup` does, and is written into the receipt."},
    {.name = "split_above",
     .kind = CONFIG_KIND_SIZE,
     .offset = offsetof(ConfigFold, split_above),
     .unless_given = "`1GB`",
     .about = "Tables larger than this (without indexes) may be copied in parts, by several workers at once: where one "
              "of them alone would keep a worker longer than the others. A number with `kB`, `MB`, `GB` or `TB`, 1 MB "
              "at least."},
    {.name = "lock_timeout",
     .kind = CONFIG_KIND_NUMBER,
     .offset = offsetof(ConfigFold, lock_timeout),
     .min = 1,
     .max = CONFIG_LOCK_TIMEOUT_MAX,
     .unless_given = "`10`",
     .about = "Seconds that a commit waits for a table which somebody else has locked. From 1 to 3600."},
    {.name = "tables",
     .kind = CONFIG_KIND_TABLES,
     .offset = offsetof(ConfigFold, tables),
     .create = config_table_new,
     .keys = TABLE_KEYS,
     .about = "Rules for single tables, by `schema.table`. A name with a dot or a quotation mark in it is written as "
              "in SQL: `'\"my.schema\".orders'`."},
    {0},
};

static const ConfigKey TESTDB_KEYS[] = {
    {.name = "port",
     .kind = CONFIG_KIND_NUMBER,
     .offset = offsetof(ConfigTestdb, port),
     .min = 1,
     .max = 65535,
     .about = "Loopback port of the test database; without it, a private unix socket only."},
    {.name = "database",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigTestdb, database),
     .unless_given = "`postgres`",
     .about = "The database that is created in it."},
    {.name = "settings",
     .kind = CONFIG_KIND_SETTINGS,
     .offset = offsetof(ConfigTestdb, settings),
     .about = "Server settings, by name, as in postgresql.conf."},
    {0},
};

static const ConfigKey TOP_KEYS[] = {
    {.name = "version",
     .kind = CONFIG_KIND_NUMBER,
     .offset = offsetof(Config, version),
     .required = true,
     .min = 1,
     .max = 1,
     .about = "Of this file's format: 1."},
    {.name = "target",
     .kind = CONFIG_KIND_MAP,
     .offset = offsetof(Config, target),
     .required = true,
     .keys = TARGET_KEYS,
     .about = "The database that is, or becomes, the single source of truth."},
    {.name = "sources",
     .kind = CONFIG_KIND_ENTRIES,
     .offset = offsetof(Config, sources),
     .required = true,
     .create = config_source_new,
     .example = "\"- name: ...\" with \"url: ...\" under it",
     .keys = SOURCE_KEYS,
     .about = "The databases to be folded into it."},
    {.name = "protect",
     .kind = CONFIG_KIND_MAP,
     .offset = 0,
     .keys = PROTECT_KEYS,
     .about = "What pgfold must not touch, and proves that it did not ([protect.md](protect.md)). Entries are "
              "names or patterns (`*`, `?`, `[abc]`)."},
    {.name = "fold",
     .kind = CONFIG_KIND_MAP,
     .offset = offsetof(Config, fold),
     .keys = FOLD_KEYS,
     .about = "How to fold."},
    {.name = "code",
     .kind = CONFIG_KIND_MAP,
     .offset = offsetof(Config, code),
     .keys = config_code_keys,
     .about = "The project's code."},
    {.name = "testdb",
     .kind = CONFIG_KIND_MAP,
     .offset = offsetof(Config, testdb),
     .keys = TESTDB_KEYS,
     .about = "What `pgfold testdb` starts."},
    {.name = "deploy",
     .kind = CONFIG_KIND_ENTRIES,
     .offset = offsetof(Config, deploy),
     .create = config_deploy_new,
     .example = "\"- name: ...\" with \"run: ...\" and \"check: ...\" under it",
     .keys = config_deploy_keys,
     .about =
         "The steps of a deployment, for the page that `pgfold docs` writes ([database-page.md](database-page.md))."},
    {.name = "docs",
     .kind = CONFIG_KIND_MAP,
     .offset = offsetof(Config, docs),
     .keys = config_docs_keys,
     .about = "What `pgfold docs` writes."},
    {.name = "state",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(Config, state),
     .unless_given = "`.pgfold`",
     .about = "The folder of the ledger, the receipts and the backups, relative to pgfold.yaml."},
    {0},
};

const ConfigKey *config_schema(void)
{
    return TOP_KEYS;
}

const char *config_kind_name(ConfigKind kind)
{
    static const char *const NAMES[] = {
        [CONFIG_KIND_MAP] = "mapping",
        [CONFIG_KIND_ENTRIES] = "list of mappings",
        [CONFIG_KIND_TABLES] = "mapping of tables",
        [CONFIG_KIND_URL] = "connection string",
        [CONFIG_KIND_TEXT] = "text",
        [CONFIG_KIND_COMMAND] = "command",
        [CONFIG_KIND_NAME] = "name",
        [CONFIG_KIND_DIGITS] = "text of digits",
        [CONFIG_KIND_FLAG] = "true or false",
        [CONFIG_KIND_NUMBER] = "number",
        [CONFIG_KIND_SIZE] = "size",
        [CONFIG_KIND_RULE] = "rule",
        [CONFIG_KIND_COLUMNS] = "list of columns",
        [CONFIG_KIND_TABLE] = "table",
        [CONFIG_KIND_SSH] = "host for ssh, or a mapping",
        [CONFIG_KIND_SSH_HOST] = "host for ssh",
        [CONFIG_KIND_CHOICE] = "word",
        [CONFIG_KIND_INTO] = "text or a mapping",
        [CONFIG_KIND_TEXTS] = "list of text",
        [CONFIG_KIND_PATTERNS] = "list of patterns",
        [CONFIG_KIND_WORD] = "word",
        [CONFIG_KIND_SETTINGS] = "mapping of settings",
    };
    return NAMES[kind];
}

static void visit(const ConfigKey *keys, const char *above, ConfigSchemaFunc func, gpointer data)
{
    for (const ConfigKey *key = keys; key->name != NULL; key++) {
        g_autofree char *path = g_strconcat(above, key->name, NULL);
        func(path, key, data);
        if (key->keys == NULL || key->repeats)
            continue;
        const char *join = key->kind == CONFIG_KIND_ENTRIES ? "[]." : key->kind == CONFIG_KIND_TABLES ? ".*." : ".";
        g_autofree char *below = g_strconcat(path, join, NULL);
        visit(key->keys, below, func, data);
    }
}

void config_schema_each(ConfigSchemaFunc func, gpointer data)
{
    visit(TOP_KEYS, "", func, data);
}

typedef struct Search {
    const char *name;
    char *found;
    guint depth;
} Search;

static void match_name(const char *path, const ConfigKey *key, gpointer data)
{
    Search *search = data;
    if (strcmp(key->name, search->name) != 0)
        return;
    guint depth = 0;
    for (const char *at = path; *at != '\0'; at++)
        depth += *at == '.' || *at == '[' ? 1 : 0; /* a list is a level as well */
    if (search->found != NULL && search->depth <= depth)
        return;
    g_free(search->found);
    search->found = g_strdup(path);
    search->depth = depth;
}

char *config_schema_find(const char *name)
{
    Search search = {.name = name};
    config_schema_each(match_name, &search);
    return search.found;
}

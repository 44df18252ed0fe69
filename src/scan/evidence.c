#include "scan/evidence.h"

#include <string.h>

enum { SAYS_POSTGRES = 1, SAYS_FOREIGN = 2 };

static bool text_has(const char *text, gsize length, const char *word)
{
    gsize size = strlen(word);
    for (const char *at = text; (gsize)(at - text) + size <= length; at++) {
        at = memchr(at, word[0], (gsize)(text + length - at));
        if (at == NULL || (gsize)(text + length - at) < size)
            return false;
        if (memcmp(at, word, size) == 0)
            return true;
    }
    return false;
}

static bool has_any(const char *text, gsize length, const char *const *words)
{
    for (guint i = 0; words[i] != NULL; i++)
        if (text_has(text, length, words[i]))
            return true;
    return false;
}

static const char *const POSTGRES_WORDS[] = {
    "postgre",   "pgconn", "pgpool", "pgsql", "psycopg", "asyncpg",    "pg8000",         "aiopg", "npgsql", "postgis",
    "timescale", "pgx",    "lib/pq", "'pg'",  "\"pg\"",  "pg-promise", "tokio_postgres", "5432",  NULL};
static const char *const FOREIGN_WORDS[] = {"mysql", "mariadb",   "mongo",      "sqlserver", "mssql", "oracle",
                                            "3306",  "cassandra", "clickhouse", "redis",     NULL};
static const char *const FOREIGN_DATABASES[] = {"mysql", "mariadb", "mongo",        "sqlserver", "mssql", "3306",
                                                "27017", "myxql",   "adapters.tds", "sqlite",    NULL};

static int engine_says(const char *value)
{
    g_autofree char *lower = g_ascii_strdown(value, -1);
    gsize length = strlen(lower);
    if (has_any(lower, length, POSTGRES_WORDS) || strcmp(lower, "pg") == 0)
        return SAYS_POSTGRES;
    static const char *const MORE[] = {"sqlite",   "smtp",    "amqp",  "kafka", "http",
                                       "memcache", "elastic", "neo4j", "ldap",  NULL};
    return has_any(lower, length, FOREIGN_WORDS) || has_any(lower, length, MORE) ? SAYS_FOREIGN : 0;
}

static bool names_engine(const char *name)
{
    static const char *const NAMES[] = {"engine",
                                        "driver",
                                        "adapter",
                                        "dialect",
                                        "client",
                                        "type",
                                        "provider",
                                        "backend",
                                        "drivername",
                                        "scheme",
                                        "dbtype",
                                        "database_type",
                                        "databasetype",
                                        "db_type",
                                        "driverclassname",
                                        "driver-class-name",
                                        "dialects",
                                        "protocol",
                                        "platform",
                                        "vendor",
                                        "system",
                                        "db_connection",
                                        "subprotocol",
                                        "jdbc",
                                        "conn_type",
                                        "connection_type",
                                        "url",
                                        "dsn",
                                        NULL};
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return g_strv_contains(NAMES, lower);
}

static int setting_says(const Setting *setting)
{
    int says = 0;
    if (setting->name != NULL && names_engine(setting->name))
        says |= engine_says(setting->value);
    NameMeaning meaning = name_meaning(setting->name);
    if (meaning.role == ROLE_PORT && *setting->value != '\0') {
        static const char *const OTHERS[] = {"3306", "6379",  "27017", "5672", "9092", "9200", "587",
                                             "25",   "465",   "1025",  "8080", "3000", "8000", "1433",
                                             "1521", "11211", "7687",  "80",   "443",  NULL};
        if (g_str_has_prefix(setting->value, "54") && strlen(setting->value) == 4)
            says |= SAYS_POSTGRES;
        else if (g_strv_contains(OTHERS, setting->value))
            says |= SAYS_FOREIGN;
    }
    if (setting->owner != NULL) {
        g_autofree char *lower = g_ascii_strdown(setting->owner, -1);
        gsize length = strlen(lower);
        if (has_any(lower, length, POSTGRES_WORDS) || g_str_has_prefix(lower, "pg.") ||
            g_str_has_prefix(lower, "pg::") || g_str_has_prefix(lower, "new pg."))
            says |= SAYS_POSTGRES;
        else if (has_any(lower, length, FOREIGN_WORDS))
            says |= SAYS_FOREIGN;
    }
    return says;
}

Evidence *evidence_read(const Source *source)
{
    Evidence *evidence = g_new0(Evidence, 1);
    g_autofree char *lower = g_ascii_strdown(source->text, (gssize)MIN(source->length, (gsize)1 << 20));
    gsize length = strlen(lower);
    evidence->file_postgres = has_any(lower, length, POSTGRES_WORDS);
    evidence->file_foreign = has_any(lower, length, FOREIGN_DATABASES);
    evidence->containers = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < source->settings->len; i++) {
        const Setting *setting = source->settings->pdata[i];
        if (setting->container == 0)
            continue;
        int says = GPOINTER_TO_INT(g_hash_table_lookup(evidence->containers, GUINT_TO_POINTER(setting->container)));
        says |= setting_says(setting);
        g_hash_table_insert(evidence->containers, GUINT_TO_POINTER(setting->container), GINT_TO_POINTER(says));
    }
    return evidence;
}

void evidence_free(Evidence *evidence)
{
    if (evidence == NULL)
        return;
    g_hash_table_unref(evidence->containers);
    g_free(evidence);
}

/* What the container says, or else the two around it. */
static int around_says(const Evidence *evidence, const Source *source, guint container)
{
    for (guint i = 0; i < 3 && container != 0; i++) {
        int says = GPOINTER_TO_INT(g_hash_table_lookup(evidence->containers, GUINT_TO_POINTER(container)));
        if (says != 0)
            return says;
        container = g_array_index(source->parents, guint, container);
    }
    return 0;
}

/* An address to listen at. */
static bool is_listener(const Setting *setting)
{
    return setting->owner != NULL &&
           (strstr(setting->owner, "listen") != NULL || strstr(setting->owner, "Listen") != NULL) &&
           strstr(setting->owner, "istener.") == NULL && strstr(setting->owner, "LISTEN") == NULL;
}

static bool is_plain(const Setting *setting)
{
    g_autofree char *prefix = name_prefix(setting->name != NULL ? setting->name : setting->variable);
    return *prefix == '\0';
}

/* "host: ${LEDGER_HOST:localhost}": the key is plain, whatever the variable is called. */
static bool has_plain_key(const Setting *setting)
{
    const char *key = setting->path == NULL ? NULL : strrchr(setting->path, '.');
    if (key == NULL || setting->variable == NULL)
        return false;
    g_autofree char *prefix = name_prefix(key + 1);
    return *prefix == '\0' && name_meaning(key + 1).role != ROLE_NONE;
}

/* A port of PostgreSQL's beside it, under a name of the same kind. */
static bool has_port(const Source *source, const Setting *setting)
{
    for (guint i = 0; i < source->settings->len; i++) {
        const Setting *other = source->settings->pdata[i];
        if (other->container == setting->container && other->scope == setting->scope &&
            name_meaning(other->name).role == ROLE_PORT && is_plain(other) && g_str_has_prefix(other->value, "54") &&
            strlen(other->value) == 4)
            return true;
    }
    return false;
}

static bool same_prefix(const Setting *setting, const Setting *other)
{
    g_autofree char *prefix = name_prefix(setting->variable != NULL ? setting->variable : setting->name);
    g_autofree char *theirs = name_prefix(other->variable != NULL ? other->variable : other->name);
    return *prefix != '\0' && strcmp(prefix, theirs) == 0;
}

/* "database.port" of PostgreSQL's for "database.host", whatever else the file speaks of. */
static bool has_port_of_its_own(const Source *source, const Setting *setting)
{
    for (guint i = 0; i < source->settings->len; i++) {
        const Setting *other = source->settings->pdata[i];
        if (other != setting && other->name != NULL && other->container == setting->container &&
            other->scope == setting->scope && strlen(other->value) == 4 && g_str_has_prefix(other->value, "54") &&
            name_meaning(other->name).role == ROLE_PORT && same_prefix(setting, other))
            return true;
    }
    return false;
}

/* "database: X" beside "host: ${LEDGER_HOST:localhost}". */
static bool has_database(const Source *source, const Setting *setting)
{
    for (guint i = 0; setting->container != 0 && i < source->settings->len; i++) {
        const Setting *other = source->settings->pdata[i];
        if (other->container == setting->container && other->name != NULL && strcmp(other->name, "database") == 0)
            return true;
    }
    return false;
}

bool evidence_is_database(const Evidence *evidence, const Source *source, const Setting *setting, NameMeaning meaning)
{
    NameMeaning path = name_meaning(setting->path), owner = name_meaning(setting->owner);
    if (meaning.foreign || (path.foreign && !meaning.database) || is_listener(setting))
        return false;
    if (meaning.postgres || path.postgres)
        return true;
    int says = around_says(evidence, source, setting->container) | (setting->owner == NULL ? 0 : setting_says(setting));
    /* What stands around says of "host" whose it is, but not of "MQTT_HOST". */
    if ((says & SAYS_POSTGRES) != 0 && (meaning.database || is_plain(setting) || has_plain_key(setting)))
        return true;
    if ((says & SAYS_FOREIGN) != 0)
        return false;
    if (evidence->file_foreign && !evidence->file_postgres)
        return meaning.database && has_port_of_its_own(source, setting);
    if (meaning.database || path.database || owner.database)
        return true;
    if (evidence->file_postgres && !evidence->file_foreign && is_plain(setting) && has_port(source, setting))
        return true;
    if (evidence->file_postgres && !evidence->file_foreign && has_plain_key(setting) && has_database(source, setting))
        return true;
    if (setting->owner != NULL && evidence->file_postgres && path.role != ROLE_NONE) {
        static const char *const OWNERS[] = {"Pool(",       "Client(",     "connect(", "createPool(",
                                             "Connection(", "DataSource(", NULL};
        return has_any(setting->owner, strlen(setting->owner), OWNERS) && strstr(setting->owner, "edis") == NULL;
    }
    return false;
}

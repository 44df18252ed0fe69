#include "scan/names.h"

#include <string.h>

typedef struct Word {
    const char *text;
    int meaning;
} Word;

enum { SAYS_DATABASE = 1, SAYS_POSTGRES = 2, SAYS_FOREIGN = 4, SAYS_TEST = 8 };

static const Word WORDS[] = {
    {"db", SAYS_DATABASE},
    {"database", SAYS_DATABASE},
    {"databases", SAYS_DATABASE},
    {"datasource", SAYS_DATABASE},
    {"sqlalchemy", SAYS_DATABASE},
    {"jdbc", SAYS_DATABASE},
    {"r2dbc", SAYS_DATABASE},
    {"dsn", SAYS_DATABASE},
    {"rds", SAYS_DATABASE},
    {"sql", SAYS_DATABASE},
    {"repo", SAYS_DATABASE},
    {"typeorm", SAYS_DATABASE},
    {"flyway", SAYS_DATABASE},
    {"liquibase", SAYS_DATABASE},
    {"hikari", SAYS_DATABASE},
    {"knex", SAYS_DATABASE},
    {"sequelize", SAYS_DATABASE},
    {"alembic", SAYS_DATABASE},
    {"postgres", SAYS_DATABASE | SAYS_POSTGRES},
    {"postgresql", SAYS_DATABASE | SAYS_POSTGRES},
    {"pg", SAYS_DATABASE | SAYS_POSTGRES},
    {"pgsql", SAYS_DATABASE | SAYS_POSTGRES},
    {"psql", SAYS_DATABASE | SAYS_POSTGRES},
    {"npgsql", SAYS_DATABASE | SAYS_POSTGRES},
    {"pgx", SAYS_DATABASE | SAYS_POSTGRES},
    {"timescale", SAYS_DATABASE | SAYS_POSTGRES},
    {"timescaledb", SAYS_DATABASE | SAYS_POSTGRES},
    {"postgis", SAYS_DATABASE | SAYS_POSTGRES},
    {"pgvector", SAYS_DATABASE | SAYS_POSTGRES},
    {"redis", SAYS_FOREIGN},
    {"mysql", SAYS_FOREIGN},
    {"mariadb", SAYS_FOREIGN},
    {"maria", SAYS_FOREIGN},
    {"mongo", SAYS_FOREIGN},
    {"mongodb", SAYS_FOREIGN},
    {"rabbit", SAYS_FOREIGN},
    {"rabbitmq", SAYS_FOREIGN},
    {"amqp", SAYS_FOREIGN},
    {"kafka", SAYS_FOREIGN},
    {"elastic", SAYS_FOREIGN},
    {"elasticsearch", SAYS_FOREIGN},
    {"opensearch", SAYS_FOREIGN},
    {"smtp", SAYS_FOREIGN},
    {"mail", SAYS_FOREIGN},
    {"mailer", SAYS_FOREIGN},
    {"email", SAYS_FOREIGN},
    {"neo4j", SAYS_FOREIGN},
    {"memcache", SAYS_FOREIGN},
    {"memcached", SAYS_FOREIGN},
    {"cassandra", SAYS_FOREIGN},
    {"clickhouse", SAYS_FOREIGN},
    {"influx", SAYS_FOREIGN},
    {"influxdb", SAYS_FOREIGN},
    {"minio", SAYS_FOREIGN},
    {"s3", SAYS_FOREIGN},
    {"ldap", SAYS_FOREIGN},
    {"mssql", SAYS_FOREIGN},
    {"sqlserver", SAYS_FOREIGN},
    {"oracle", SAYS_FOREIGN},
    {"sqlite", SAYS_FOREIGN},
    {"dynamodb", SAYS_FOREIGN},
    {"dynamo", SAYS_FOREIGN},
    {"couchdb", SAYS_FOREIGN},
    {"couch", SAYS_FOREIGN},
    {"nats", SAYS_FOREIGN},
    {"etcd", SAYS_FOREIGN},
    {"consul", SAYS_FOREIGN},
    {"qdrant", SAYS_FOREIGN},
    {"milvus", SAYS_FOREIGN},
    {"chroma", SAYS_FOREIGN},
    {"weaviate", SAYS_FOREIGN},
    {"http", SAYS_FOREIGN},
    {"https", SAYS_FOREIGN},
    {"cors", SAYS_FOREIGN},
    {"celery", SAYS_FOREIGN},
    {"broker", SAYS_FOREIGN},
    {"cache", SAYS_FOREIGN},
    {"session", SAYS_FOREIGN},
    {"mqtt", SAYS_FOREIGN},
    {"statsd", SAYS_FOREIGN},
    {"graphite", SAYS_FOREIGN},
    {"ollama", SAYS_FOREIGN},
    {"ftp", SAYS_FOREIGN},
    {"sftp", SAYS_FOREIGN},
    {"imap", SAYS_FOREIGN},
    {"proxy", SAYS_FOREIGN},
    {"bind", SAYS_FOREIGN},
    {"listen", SAYS_FOREIGN},
    {"api", SAYS_FOREIGN},
    {"web", SAYS_FOREIGN},
    {"grpc", SAYS_FOREIGN},
    {"jaeger", SAYS_FOREIGN},
    {"zipkin", SAYS_FOREIGN},
    {"otel", SAYS_FOREIGN},
    {"public", SAYS_FOREIGN},
    {"frontend", SAYS_FOREIGN},
    {"test", SAYS_TEST},
    {"tests", SAYS_TEST},
    {"testing", SAYS_TEST},
};

typedef struct RoleWord {
    const char *text;
    NameRole role;
} RoleWord;

static const RoleWord ROLES[] = {
    {"url", ROLE_URL},
    {"uri", ROLE_URL},
    {"urls", ROLE_URL},
    {"dsn", ROLE_URL},
    {"conn", ROLE_URL},
    {"connstr", ROLE_URL},
    {"connection", ROLE_URL},
    {"connections", ROLE_URL},
    {"connectionstring", ROLE_URL},
    {"connectionstrings", ROLE_URL},
    {"conninfo", ROLE_URL},
    {"jdbcurl", ROLE_URL},
    {"string", ROLE_URL},
    {"link", ROLE_URL},
    {"host", ROLE_HOST},
    {"hosts", ROLE_HOST},
    {"hostname", ROLE_HOST},
    {"hostaddr", ROLE_HOST},
    {"server", ROLE_HOST},
    {"servername", ROLE_HOST},
    {"servernames", ROLE_HOST},
    {"addr", ROLE_HOST},
    {"address", ROLE_HOST},
    {"ip", ROLE_HOST},
    {"endpoint", ROLE_HOST},
    {"port", ROLE_PORT},
    {"ports", ROLE_PORT},
    {"portnumber", ROLE_PORT},
    {"user", ROLE_USER},
    {"username", ROLE_USER},
    {"usr", ROLE_USER},
    {"login", ROLE_USER},
    {"role", ROLE_USER},
    {"password", ROLE_PASSWORD},
    {"passwd", ROLE_PASSWORD},
    {"pass", ROLE_PASSWORD},
    {"pw", ROLE_PASSWORD},
    {"pwd", ROLE_PASSWORD},
    {"secret", ROLE_PASSWORD},
    {"name", ROLE_DATABASE},
    {"db", ROLE_DATABASE},
    {"database", ROLE_DATABASE},
    {"databasename", ROLE_DATABASE},
    {"dbname", ROLE_DATABASE},
};

/* Names that run together. */
static const struct {
    const char *name, *words;
} JOINED[] = {
    {"pghost", "pg_host"},
    {"pghostaddr", "pg_hostaddr"},
    {"pgport", "pg_port"},
    {"pguser", "pg_user"},
    {"pgpassword", "pg_password"},
    {"pgpass", "pg_pass"},
    {"pgdatabase", "pg_database"},
    {"pgurl", "pg_url"},
    {"pguri", "pg_uri"},
    {"dbhost", "db_host"},
    {"dbhostname", "db_hostname"},
    {"dbserver", "db_server"},
    {"dbport", "db_port"},
    {"dbuser", "db_user"},
    {"dbusername", "db_username"},
    {"dbpass", "db_pass"},
    {"dbpassword", "db_password"},
    {"dbname", "db_name"},
    {"dburl", "db_url"},
    {"dburi", "db_uri"},
    {"dbconn", "db_conn"},
    {"databaseurl", "database_url"},
    {"databasehost", "database_host"},
    {"databaseuri", "database_uri"},
    {"jdbcurl", "jdbc_url"},
    {"jdbcuri", "jdbc_uri"},
    {"postgresurl", "postgres_url"},
};

/* Lower-case words of a name: at every character that is no letter or digit, and before a capital after a small
 * letter. */
static GPtrArray *name_words(const char *name)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) word = g_string_new(NULL);
    char before = 0;
    for (const char *at = name;; at++) {
        bool letter = g_ascii_isalnum(*at);
        bool hump = letter && g_ascii_isupper(*at) &&
                    (g_ascii_islower(before) || (g_ascii_isupper(before) && g_ascii_islower(at[1])));
        if ((!letter || hump) && word->len > 0) {
            g_ptr_array_add(words, g_strdup(word->str));
            g_string_truncate(word, 0);
        }
        if (*at == '\0')
            break;
        if (letter)
            g_string_append_c(word, g_ascii_tolower(*at));
        before = *at;
    }
    return words;
}

static GPtrArray *meaning_words(const char *name)
{
    GPtrArray *words = name_words(name);
    for (guint i = 0; i < words->len; i++)
        for (guint j = 0; j < G_N_ELEMENTS(JOINED); j++)
            if (strcmp(words->pdata[i], JOINED[j].name) == 0) {
                char *second = g_strdup(strchr(JOINED[j].words, '_') + 1);
                char *first = g_strndup(JOINED[j].words, strcspn(JOINED[j].words, "_"));
                g_free(words->pdata[i]);
                words->pdata[i] = first;
                g_ptr_array_insert(words, (gint)++i, second);
                break;
            }
    return words;
}

static NameRole word_role(const char *word)
{
    for (guint i = 0; i < G_N_ELEMENTS(ROLES); i++)
        if (word[0] == ROLES[i].text[0] && strcmp(word, ROLES[i].text) == 0)
            return ROLES[i].role;
    return ROLE_NONE;
}

static int word_says(const char *word)
{
    for (guint i = 0; i < G_N_ELEMENTS(WORDS); i++)
        if (word[0] == WORDS[i].text[0] && strcmp(word, WORDS[i].text) == 0)
            return WORDS[i].meaning;
    return 0;
}

NameMeaning name_meaning(const char *name)
{
    NameMeaning meaning = {.role = ROLE_NONE};
    if (name == NULL || strlen(name) > 200)
        return meaning;
    g_autoptr(GPtrArray) words = meaning_words(name);
    int says = 0;
    for (guint i = 0; i < words->len; i++)
        says |= word_says(words->pdata[i]);
    for (guint i = words->len; i-- > 0 && meaning.role == ROLE_NONE;) {
        const char *word = words->pdata[i];
        /* "db_default", "DATABASE_URL_LOCAL", "host_1" */
        if (i + 1 == words->len || meaning.role == ROLE_NONE)
            meaning.role = word_role(word);
    }
    meaning.database = (says & SAYS_DATABASE) != 0;
    meaning.postgres = (says & SAYS_POSTGRES) != 0;
    meaning.foreign = (says & SAYS_FOREIGN) != 0 && !meaning.postgres;
    meaning.test = (says & SAYS_TEST) != 0;
    meaning.secret = meaning.role == ROLE_PASSWORD;
    return meaning;
}

char *name_prefix(const char *name)
{
    g_autoptr(GPtrArray) words = meaning_words(name);
    GString *prefix = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++) {
        if (i + 1 == words->len && word_role(words->pdata[i]) != ROLE_NONE)
            break;
        g_string_append(prefix, words->pdata[i]);
        g_string_append_c(prefix, '_');
    }
    return g_string_free(prefix, FALSE);
}

const char *role_word(NameRole role)
{
    static const char *const NAMES[] = {"", "url", "host", "port", "user", "password", "name"};
    return NAMES[role];
}

bool name_is_variable(const char *name)
{
    guint letters = 0;
    for (const char *at = name; *at != '\0'; at++) {
        if (!g_ascii_isupper(*at) && !g_ascii_isdigit(*at) && *at != '_')
            return false;
        letters += g_ascii_isupper(*at);
    }
    return letters >= 2;
}

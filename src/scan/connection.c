#include "scan/connection.h"

#include <string.h>

void connection_clear(Connection *connection)
{
    g_clear_pointer(&connection->host, g_free);
    g_clear_pointer(&connection->port, g_free);
    g_clear_pointer(&connection->user, g_free);
    g_clear_pointer(&connection->database, g_free);
}

bool host_is_local(const char *host)
{
    if (host == NULL)
        return false;
    static const char *const NAMES[] = {"localhost",
                                        "localhost.localdomain",
                                        "::1",
                                        "[::1]",
                                        "0.0.0.0",
                                        "[::]",
                                        "host.docker.internal",
                                        "docker.for.mac.localhost",
                                        "docker.for.mac.host.internal",
                                        "host.containers.internal",
                                        "host.lima.internal",
                                        "ip6-localhost",
                                        NULL};
    g_autofree char *lower = g_ascii_strdown(host, -1);
    if (g_strv_contains(NAMES, lower) || g_str_has_suffix(lower, ".localhost"))
        return true;
    if (g_str_has_prefix(lower, "127.")) {
        for (const char *at = lower; *at != '\0'; at++)
            if (!g_ascii_isdigit(*at) && *at != '.')
                return false;
        return true;
    }
    if (g_str_has_prefix(lower, "%2f"))
        return true;
    return *lower == '/' &&
           (strstr(lower, "postgres") != NULL || strcmp(lower, "/tmp") == 0 || strcmp(lower, "/run") == 0);
}

/* The schemes of PostgreSQL, before any "+driver". */
static bool scheme_is_postgres(const char *scheme, gsize length)
{
    static const char *const SCHEMES[] = {"postgres",     "postgresql", "postgis",     "psql",      "pgsql",
                                          "pg",           "pgx",        "pgx5",        "ecto",      "asyncpg",
                                          "psycopg",      "psycopg2",   "postgresext", "timescale", "timescaledb",
                                          "timescalegis", "redshift",   "pgbouncer",   NULL};
    const char *plus = memchr(scheme, '+', length);
    g_autofree char *name = g_ascii_strdown(scheme, plus == NULL ? (gssize)length : plus - scheme);
    if (plus != NULL && (strcmp(name, "db") == 0 || strcmp(name, "sqlalchemy") == 0 || strcmp(name, "sqla") == 0))
        return scheme_is_postgres(plus + 1, length - (gsize)(plus + 1 - scheme));
    return g_strv_contains(SCHEMES, name);
}

static bool is_scheme_char(char c)
{
    return g_ascii_isalnum(c) || c == '+' || c == '-' || c == '.' || c == '_';
}

/* The ">" of "<password>", which is to be filled in; NULL when at begins something else. */
static const char *placeholder_end(const char *at, const char *end)
{
    const char *from = ++at;
    while (at < end && (g_ascii_isalnum(*at) || strchr("_-", *at) != NULL) && *at != '\0')
        at++;
    return at > from && at < end && *at == '>' ? at : NULL;
}

/* Where a URI ends: at what cannot stand in one. */
static const char *uri_end(const char *at, const char *end)
{
    while (at < end && !g_ascii_isspace(*at) && strchr("\"'`>|\\^", *at) == NULL && *at != '\0') {
        const char *close = *at == '{'   ? memchr(at, '}', (gsize)(end - at))
                            : *at == '(' ? memchr(at, ')', (gsize)(end - at))
                                         : NULL;
        if (close == NULL && *at == '<')
            close = placeholder_end(at, end);
        if (close != NULL) { /* a hole */
            at = close + 1;
            continue;
        }
        if (*at == '<')
            break;
        if (*at == ')' || *at == ']' || *at == '}' || *at == ',' || *at == ';') {
            if (*at != ']' && *at != ',')
                break;
            if (*at == ',' && (at + 1 == end || g_ascii_isspace(at[1])))
                break;
        }
        at++;
    }
    while (at[-1] == '.' || at[-1] == ',' || at[-1] == ':')
        at--;
    return at;
}

static char *take(const char *from, const char *to)
{
    return from < to ? g_strndup(from, (gsize)(to - from)) : NULL;
}

/* Not a hole, and not what people write in place of one. */
bool password_is_literal(const char *text, gsize length)
{
    static const char *const EMPTY[] = {"password", "pass", "pwd",           "***",           "xxx",
                                        "xxxx",     "...",  "your-password", "your_password", NULL};
    g_autofree char *lower = g_ascii_strdown(text, (gssize)length);
    return length > 0 && memchr(text, CONNECTION_HOLE, length) == NULL && strpbrk(lower, "${}<>") == NULL &&
           !(lower[0] == '%' && !g_ascii_isxdigit(lower[1])) && !g_strv_contains(EMPTY, lower);
}

/* Of several hosts the first that is local: libpq goes on to it when the others do not answer. */
static void take_host(Connection *connection, const char *from, const char *to)
{
    while (from <= to) {
        const char *comma = from < to ? memchr(from, ',', (gsize)(to - from)) : NULL;
        const char *stop = comma == NULL ? to : comma;
        const char *close = from < stop && *from == '[' ? memchr(from, ']', (gsize)(stop - from)) : NULL;
        const char *colon =
            from < stop ? memchr(close == NULL ? from : close, ':', (gsize)(stop - (close == NULL ? from : close)))
                        : NULL;
        const char *host_end = close != NULL ? close + 1 : colon != NULL ? colon : stop;
        g_autofree char *host = take(from, host_end);
        if (connection->host == NULL || host_is_local(host)) {
            g_free(connection->host);
            g_free(connection->port);
            connection->host = g_steal_pointer(&host);
            connection->port = colon == NULL ? NULL : take(colon + 1, stop);
        }
        if (comma == NULL || host_is_local(connection->host))
            return;
        from = comma + 1;
    }
}

static void parse_authority(Connection *connection, const char *text, const char *from, const char *to)
{
    const char *at = NULL;
    for (const char *c = from; c < to; c++)
        if (*c == '@')
            at = c;
    if (at != NULL) {
        const char *colon = memchr(from, ':', (gsize)(at - from));
        connection->user = take(from, colon == NULL ? at : colon);
        if (colon != NULL && colon + 1 < at) {
            connection->password_start = (guint)(colon + 1 - text);
            connection->password_end = (guint)(at - text);
            connection->has_password = password_is_literal(colon + 1, (gsize)(at - colon - 1));
        }
        from = at + 1;
    }
    take_host(connection, from, to);
}

/* text[start] begins a scheme whose "://" (or JDBC's ":") was seen at rest. */
static void parse_uri(Connection *connection, const char *text, const char *rest, const char *end)
{
    const char *path = rest;
    while (path < end && *path != '/' && *path != '?' && *path != '#')
        path++;
    parse_authority(connection, text, rest, path);
    const char *query = path;
    while (query < end && *query != '?' && *query != '#')
        query++;
    if (path < query)
        connection->database = take(path + 1, query);
    g_autofree char *parameters = take(query, end);
    const char *named = parameters == NULL ? NULL : strstr(parameters, "host=");
    const char *secret = parameters == NULL ? NULL : strstr(parameters, "password=");
    if (secret != NULL && !connection->has_password) {
        secret += strlen("password=");
        connection->password_start = (guint)(query - text) + (guint)(secret - parameters);
        connection->password_end = connection->password_start + (guint)strcspn(secret, "&#");
        connection->has_password = password_is_literal(text + connection->password_start,
                                                       connection->password_end - connection->password_start);
    }
    if (connection->host == NULL && named != NULL && (named[-1] == '?' || named[-1] == '&'))
        connection->host = take(named + 5, named + 5 + strcspn(named + 5, "&#,"));
}

/* The scheme that ends at colon, with JDBC's before it. */
typedef struct Scheme {
    const char *start; /* of all of it: "jdbc:postgresql" */
    bool jdbc;         /* may do without "//" */
} Scheme;

static bool find_scheme(const char *text, const char *colon, Scheme *ret_scheme)
{
    const char *scheme = colon;
    while (scheme > text && is_scheme_char(scheme[-1]))
        scheme--;
    while (scheme < colon && !g_ascii_isalpha(*scheme))
        scheme++;
    if (scheme == colon || !scheme_is_postgres(scheme, (gsize)(colon - scheme)))
        return false;
    *ret_scheme = (Scheme){scheme, false};
    if (scheme - text >= 5 && g_ascii_strncasecmp(scheme - 5, "jdbc:", 5) == 0)
        *ret_scheme = (Scheme){scheme - 5, true};
    else if (scheme - text >= 6 && g_ascii_strncasecmp(scheme - 6, "r2dbc:", 6) == 0)
        *ret_scheme = (Scheme){scheme - 6, false};
    return true;
}

/* A URI whose scheme ends at colon. CONNECTION_NONE: nothing follows that could be one. */
static Connection uri_at(const char *text, const char *colon, const char *end, Scheme scheme)
{
    Connection connection = {.form = CONNECTION_NONE};
    bool slashes = end - colon >= 3 && colon[1] == '/' && colon[2] == '/';
    const char *rest = slashes ? colon + 3 : colon + 1;
    if (!slashes && !(scheme.jdbc && rest < end && (g_ascii_isalpha(*rest) || *rest == '/')))
        return connection;
    const char *stop = uri_end(rest, end);
    if (stop < rest || (stop == rest && !slashes))
        return connection;
    connection.form = CONNECTION_URI;
    connection.sure = true;
    connection.start = (guint)(scheme.start - text);
    connection.end = (guint)(stop - text);
    if (slashes)
        parse_uri(&connection, text, rest, stop);
    else
        connection.database = take(rest, stop);
    if (connection.host == NULL && scheme.jdbc)
        connection.host = g_strdup("localhost");
    return connection;
}

Connection connection_find(const char *text, gsize length, gsize from)
{
    const char *end = text + length;
    for (const char *at = text + from; at < end; at++) {
        at = memchr(at, ':', (gsize)(end - at));
        if (at == NULL)
            break;
        Scheme scheme;
        if (!find_scheme(text + from, at, &scheme))
            continue;
        Connection connection = uri_at(text, at, end, scheme);
        if (connection.form != CONNECTION_NONE)
            return connection;
    }
    return (Connection){.form = CONNECTION_NONE};
}

/* "key<equals>value" pairs, split at separator; values may be quoted. */
typedef struct Pairs {
    guint known, server, host_known, dbname;
    bool foreign; /* of another kind of server */
    Connection *connection;
} Pairs;

static void take_pair(Pairs *pairs, const char *text, const char *key, gsize key_length, const char *value,
                      gsize length)
{
    g_autofree char *name = g_ascii_strdown(key, (gssize)key_length);
    g_strstrip(name);
    char **to = NULL;
    /* Said by SQL Server's connection strings alone. */
    static const char *const OTHERS_SERVER[] = {"trusted_connection",
                                                "integrated security",
                                                "trustservercertificate",
                                                "multipleactiveresultsets",
                                                "attachdbfilename",
                                                "persist security info",
                                                "encrypt",
                                                NULL};
    static const char *const OTHERS[] = {"sslmode",
                                         "connect_timeout",
                                         "application_name",
                                         "options",
                                         "pooling",
                                         "sslrootcert",
                                         "timezone",
                                         "ssl mode",
                                         "include error detail",
                                         "search path",
                                         "target_session_attrs",
                                         "client_encoding",
                                         "service",
                                         "passfile",
                                         "maximum pool size",
                                         "charset",
                                         NULL};
    if (strcmp(name, "host") == 0 || strcmp(name, "hostaddr") == 0 || strcmp(name, "server") == 0 ||
        strcmp(name, "data source") == 0) {
        to = &pairs->connection->host;
        pairs->server += *name != 'h';
        pairs->host_known = true;
    } else if (strcmp(name, "port") == 0) {
        to = &pairs->connection->port;
    } else if (strcmp(name, "user") == 0 || strcmp(name, "username") == 0 || strcmp(name, "user id") == 0 ||
               strcmp(name, "userid") == 0 || strcmp(name, "uid") == 0 || strcmp(name, "user name") == 0) {
        to = &pairs->connection->user;
        pairs->foreign |= length == 2 && memcmp(value, "sa", 2) == 0;
    } else if (strcmp(name, "dbname") == 0 || strcmp(name, "database") == 0 || strcmp(name, "initial catalog") == 0) {
        to = &pairs->connection->database;
        pairs->dbname += strcmp(name, "dbname") == 0; /* libpq's alone */
    } else if (strcmp(name, "password") == 0 || strcmp(name, "pwd") == 0) {
        pairs->connection->password_start = (guint)(value - text);
        pairs->connection->password_end = (guint)(value + length - text);
        pairs->connection->has_password = password_is_literal(value, length);
        pairs->known++;
        return;
    } else if (g_strv_contains(OTHERS_SERVER, name)) {
        pairs->foreign = true;
    } else if (!g_strv_contains(OTHERS, name)) {
        return;
    }
    pairs->known++;
    if (to != NULL && *to == NULL) {
        *to = g_strndup(value, length);
        g_strstrip(*to);
    }
}

static bool is_word(const char *from, const char *to, bool blanks)
{
    for (const char *c = from; c < to; c++)
        if (!g_ascii_isalnum(*c) && *c != '_' && !(blanks && *c == ' '))
            return false;
    return from < to;
}

/* The pair at at; *ret_next: behind it. False: it is none. */
static bool next_pair(Pairs *pairs, const char *text, const char *at, const char *end, char separator,
                      const char **ret_next)
{
    const char *equals = memchr(at, '=', (gsize)(end - at));
    const char *key_end = equals;
    while (equals != NULL && key_end > at && key_end[-1] == ' ')
        key_end--;
    if (equals == NULL || (!is_word(at, key_end, separator == ';') && *at != CONNECTION_HOLE))
        return false;
    const char *value = equals + 1;
    while (separator == ' ' && value < end && *value == ' ')
        value++;
    const char *stop = value;
    if (stop < end && *stop == '\'') {
        value++;
        stop = memchr(value, '\'', (gsize)(end - value));
        if (stop == NULL)
            return false;
        *ret_next = stop + 1;
    } else {
        while (stop < end && (separator == ' ' ? !g_ascii_isspace(*stop) : *stop != separator))
            stop++;
        *ret_next = stop;
    }
    take_pair(pairs, text, at, (gsize)(key_end - at), value, (gsize)(stop - value));
    return true;
}

/* Every piece must be a pair, or it is prose. */
static Connection parse_pairs(const char *text, const char *from, const char *end, char separator, ConnectionForm form)
{
    Connection connection = {.form = CONNECTION_NONE, .start = (guint)(from - text), .end = (guint)(end - text)};
    Pairs pairs = {.connection = &connection};
    bool whole = true;
    for (const char *at = from; at < end && whole;) {
        while (at < end && (g_ascii_isspace(*at) || *at == separator))
            at++;
        if (at < end)
            whole = next_pair(&pairs, text, at, end, separator, &at);
    }
    bool enough = pairs.dbname > 0 || (pairs.known >= 2 && (pairs.host_known || connection.database != NULL));
    if (!whole || pairs.foreign || !(enough || (form == CONNECTION_PDO && pairs.known >= 1))) {
        connection_clear(&connection);
        return (Connection){.form = CONNECTION_NONE};
    }
    connection.form = form;
    connection.sure = pairs.server == 0 || form == CONNECTION_PDO;
    return connection;
}

Connection connection_parse(const char *text, gsize length)
{
    const char *from = text, *end = text + length;
    while (from < end && (g_ascii_isspace(*from) || *from == '"'))
        from++;
    while (end > from && (g_ascii_isspace(end[-1]) || end[-1] == '"'))
        end--;
    if (end - from < 5 || end - from > 4096)
        return (Connection){.form = CONNECTION_NONE};
    Connection connection = connection_find(text, (gsize)(end - text), (gsize)(from - text));
    if (connection.form != CONNECTION_NONE) {
        if (text + connection.start == from)
            return connection;
        connection_clear(&connection);
        return (Connection){.form = CONNECTION_NONE};
    }
    if (g_str_has_prefix(from, "pgsql:"))
        return parse_pairs(text, from + strlen("pgsql:"), end,
                           memchr(from, ';', (gsize)(end - from)) != NULL ? ';' : ' ', CONNECTION_PDO);
    if (memchr(from, '=', (gsize)(end - from)) == NULL)
        return connection;
    if (memchr(from, ';', (gsize)(end - from)) != NULL)
        return parse_pairs(text, from, end, ';', CONNECTION_ADO);
    return parse_pairs(text, from, end, ' ', CONNECTION_KEYWORDS);
}

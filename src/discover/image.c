#include "discover/image.h"

#include <stdlib.h>
#include <string.h>

#include "pg/url.h"

/* What else speaks to PostgreSQL, or of it, and is none. */
static const char *const NOT_SERVERS[] = {"postgrest", "exporter", "pgadmin", "pgbouncer", "postgres-meta",
                                          "adminer",   "pgpool",   "backup",  "-client",   "postgres-operator"};
static const char *const SERVERS[] = {"postgres", "postgis", "timescale", "pgvector", "pgvecto", "paradedb"};

static bool contains_any(const char *text, const char *const *words, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

bool image_is_postgres(const char *image, GHashTable *environment)
{
    if (image != NULL && contains_any(image, NOT_SERVERS, G_N_ELEMENTS(NOT_SERVERS)))
        return false;
    if (image != NULL && contains_any(image, SERVERS, G_N_ELEMENTS(SERVERS)))
        return true;
    /* An application may be given POSTGRES_USER as well, but then also the host to connect to. */
    static const char *const OURS[] = {"PGDATA", "POSTGRES_INITDB_ARGS", "POSTGRES_HOST_AUTH_METHOD"};
    for (gsize i = 0; environment != NULL && i < G_N_ELEMENTS(OURS); i++)
        if (g_hash_table_contains(environment, OURS[i]))
            return true;
    return image == NULL && g_hash_table_contains(environment, "POSTGRES_PASSWORD") &&
           !g_hash_table_contains(environment, "POSTGRES_HOST") && !g_hash_table_contains(environment, "PGHOST");
}

int image_port(GHashTable *environment)
{
    const char *port = g_hash_table_lookup(environment, "PGPORT");
    return port == NULL || atoi(port) <= 0 ? 5432 : atoi(port);
}

void image_fill_url(Place *place, GHashTable *environment)
{
    const char *user = g_hash_table_lookup(environment, "POSTGRES_USER");
    const char *database = g_hash_table_lookup(environment, "POSTGRES_DB");
    user = user == NULL || *user == '\0' ? "postgres" : user;
    pg_url_set(place->url, "user", user);
    pg_url_set(place->url, "dbname", database == NULL || *database == '\0' ? user : database);
    pg_url_set(place->url, "password", g_hash_table_lookup(environment, "POSTGRES_PASSWORD"));
}

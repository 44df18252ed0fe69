/* Variables that name a database: of the environment, and of .env files. */
#include <string.h>

#include "discover/internal.h"
#include "pg/url.h"

static char *unquote(char *value)
{
    g_strstrip(value);
    char quote = *value;
    char *end = quote == '"' || quote == '\'' ? strchr(value + 1, quote) : NULL;
    if (end != NULL)
        return g_strndup(value + 1, (gsize)(end - value) - 1);
    char *comment = strstr(value, " #");
    if (comment != NULL)
        *comment = '\0';
    return g_strdup(g_strchomp(value));
}

static bool is_name(const char *text)
{
    return *text != '\0' && !g_ascii_isdigit(*text) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(text);
}

static void wipe(gpointer text)
{
    explicit_bzero(text, strlen(text));
    g_free(text);
}

GHashTable *variables_read(const char *path)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &text, &length, NULL) || text == NULL || length > (1 << 20))
        return NULL;
    GHashTable *variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
    char *rest = text;
    for (char *line = NULL; (line = strsep(&rest, "\n")) != NULL;) {
        g_strstrip(line);
        line += g_str_has_prefix(line, "export ") ? strlen("export ") : 0;
        char *equals = strchr(line, '=');
        if (*line == '#' || equals == NULL)
            continue;
        *equals = '\0';
        g_autofree char *name = g_strstrip(g_strdup(line));
        if (is_name(name))
            g_hash_table_replace(variables, g_steal_pointer(&name), unquote(equals + 1));
    }
    explicit_bzero(text, length);
    return variables;
}

/* file: that holds it, or NULL for the environment. */
static void add_url(GPtrArray *places, const char *file, const char *name, const char *value)
{
    bool exact = false;
    g_autoptr(GHashTable) parts = foreign_url_parse(value, &exact);
    if (parts == NULL)
        return;
    Place *place = file == NULL ? place_add(places, PLACE_ENVIRONMENT, g_strconcat("$", name, NULL))
                                : place_add(places, PLACE_ENV_FILE, g_strdup_printf("%s: %s", file, name));
    g_hash_table_unref(place->url);
    place->url = g_steal_pointer(&parts);
    place->file = g_strdup(file);
    place->variable = exact ? g_strdup(name) : NULL;
    place->password_name = pg_url_has_secret(place->url)
                               ? g_strdup_printf("%s of %s", name, file == NULL ? "the environment" : file)
                               : NULL;
}

static int compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

/* Databases that are named in parts, as libpq, the image and many frameworks do. */
static void add_parts(GPtrArray *places, const char *file, GHashTable *variables)
{
    static const char *const STYLES[][6] = {
        {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD"},
        {"POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"},
        {"DB_HOST", "DB_PORT", "DB_USER", "DB_NAME", "DB_PASSWORD"},
    };
    static const char *const KEYWORDS[] = {"host", "port", "user", "dbname", "password"};
    for (guint i = 0; i < G_N_ELEMENTS(STYLES); i++) {
        const char *kind = g_hash_table_lookup(variables, "DB_CONNECTION");
        bool other = g_str_has_prefix(STYLES[i][0], "DB_") && g_strcmp0(kind, "pgsql") != 0 &&
                     g_strcmp0(g_hash_table_lookup(variables, "DB_PORT"), "5432") != 0;
        if (g_hash_table_lookup(variables, STYLES[i][0]) == NULL ||
            g_hash_table_lookup(variables, STYLES[i][3]) == NULL || other)
            continue;
        Place *place = place_add(places, PLACE_ENV_FILE, g_strdup_printf("%s: %s", file, STYLES[i][0]));
        place->file = g_strdup(file);
        for (guint k = 0; k < G_N_ELEMENTS(KEYWORDS); k++)
            pg_url_set(place->url, KEYWORDS[k], g_hash_table_lookup(variables, STYLES[i][k]));
        if (pg_url_get(place->url, "password") != NULL)
            place->password_name = g_strdup_printf("%s of %s", STYLES[i][4], file);
    }
}

void find_env_files(GPtrArray *places, const char *folder, const GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++) {
        const char *file = files->pdata[i];
        g_autofree char *path = g_build_filename(folder, file, NULL);
        g_autoptr(GHashTable) variables = variables_read(path);
        if (variables == NULL)
            continue;
        g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(variables), compare_text);
        for (GList *at = names; at != NULL; at = at->next)
            add_url(places, file, at->data, g_hash_table_lookup(variables, at->data));
        add_parts(places, file, variables);
    }
}

void find_environment(GPtrArray *places)
{
    g_auto(GStrv) names = g_listenv();
    g_autoptr(GList) sorted = NULL;
    for (guint i = 0; names[i] != NULL; i++)
        sorted = g_list_insert_sorted(sorted, names[i], compare_text);
    for (GList *at = sorted; at != NULL; at = at->next)
        add_url(places, NULL, at->data, g_getenv(at->data));
    const char *host = g_getenv("PGHOST");
    if (host == NULL || *host == '\0' || *host == '/')
        return; /* a folder: find_sockets() */
    Place *place = place_add(places, PLACE_ENVIRONMENT, g_strdup("$PGHOST"));
    pg_url_set(place->url, "host", host);
    pg_url_set(place->url, "port", g_getenv("PGPORT"));
    pg_url_set(place->url, "dbname", g_getenv("PGDATABASE"));
    pg_url_set(place->url, "user", g_getenv("PGUSER"));
}

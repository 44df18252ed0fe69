/* Services of compose files that run PostgreSQL. A file is read as far as it can be: what it holds that pgfold's own
 * reader refuses (aliases, tags) is passed over. */
#include <stdlib.h>
#include <string.h>

#include "config/node.h"
#include "config/secret.h"
#include "discover/image.h"
#include "discover/internal.h"
#include "pg/url.h"

typedef struct ComposeFile {
    const char *file; /* relative to folder */
    const char *folder;
    GHashTable *variables; /* of the .env file beside it, or NULL */
} ComposeFile;

static const ConfigNode *get_typed(const ConfigNode *map, const char *name, ConfigNodeType type)
{
    const ConfigNode *node = map == NULL || map->type != CONFIG_NODE_MAP ? NULL : config_node_get(map, name);
    return node != NULL && node->type == type ? node : NULL;
}

static char *scalar_text(const ComposeFile *compose, const ConfigNode *node)
{
    return node == NULL || node->type != CONFIG_NODE_SCALAR ? NULL
                                                            : compose_interpolate(node->text, compose->variables);
}

static char *get_text(const ComposeFile *compose, const ConfigNode *map, const char *name)
{
    return scalar_text(compose, get_typed(map, name, CONFIG_NODE_SCALAR));
}

static void wipe(gpointer text)
{
    config_wipe(text);
}

/* "environment:" in either form, as a table. */
static void add_environment(const ComposeFile *compose, const ConfigNode *service, GHashTable *to)
{
    const ConfigNode *map = get_typed(service, "environment", CONFIG_NODE_MAP);
    for (guint i = 0; map != NULL && i < map->items->len; i++) {
        char *value = scalar_text(compose, map->items->pdata[i]);
        if (value != NULL)
            g_hash_table_replace(to, g_strdup(((ConfigNode *)map->names->pdata[i])->text), value);
    }
    const ConfigNode *list = get_typed(service, "environment", CONFIG_NODE_LIST);
    for (guint i = 0; list != NULL && i < list->items->len; i++) {
        g_autofree char *entry = scalar_text(compose, list->items->pdata[i]);
        char *equals = entry == NULL ? NULL : strchr(entry, '=');
        if (equals != NULL)
            g_hash_table_replace(to, g_strndup(entry, (gsize)(equals - entry)), g_strdup(equals + 1));
    }
}

static void add_env_file(const ComposeFile *compose, const ConfigNode *node, GHashTable *to)
{
    g_autofree char *name =
        node != NULL && node->type == CONFIG_NODE_MAP ? get_text(compose, node, "path") : scalar_text(compose, node);
    if (name == NULL)
        return;
    g_autofree char *beside = g_path_get_dirname(compose->file);
    g_autofree char *path =
        g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(compose->folder, beside, name, NULL);
    g_autoptr(GHashTable) variables = variables_read(path);
    if (variables == NULL)
        return;
    GHashTableIter iter;
    gpointer key = NULL, value = NULL;
    g_hash_table_iter_init(&iter, variables);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_replace(to, g_strdup(key), g_strdup(value));
}

static GHashTable *read_environment(const ComposeFile *compose, const ConfigNode *service)
{
    GHashTable *environment = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
    add_env_file(compose, get_typed(service, "env_file", CONFIG_NODE_SCALAR), environment);
    const ConfigNode *files = get_typed(service, "env_file", CONFIG_NODE_LIST);
    for (guint i = 0; files != NULL && i < files->items->len; i++)
        add_env_file(compose, files->items->pdata[i], environment);
    add_environment(compose, service, environment);
    return environment;
}

/* "5433:5432", "127.0.0.1:5433:5432/tcp": the port of this machine, or 0. */
static int published_of(const char *text, int inside)
{
    g_autofree char *plain = g_strdup(text);
    g_strdelimit(plain, "/", '\0');
    char *target = strrchr(plain, ':');
    if (target == NULL || atoi(target + 1) != inside)
        return 0;
    *target = '\0';
    const char *published = strrchr(plain, ':');
    return atoi(published == NULL ? plain : published + 1);
}

static int published_port(const ComposeFile *compose, const ConfigNode *service, int inside)
{
    g_autofree char *mode = get_text(compose, service, "network_mode");
    if (g_strcmp0(mode, "host") == 0)
        return inside;
    const ConfigNode *ports = get_typed(service, "ports", CONFIG_NODE_LIST);
    for (guint i = 0; ports != NULL && i < ports->items->len; i++) {
        const ConfigNode *node = ports->items->pdata[i];
        int port = 0;
        if (node->type == CONFIG_NODE_MAP) {
            g_autofree char *target = get_text(compose, node, "target");
            g_autofree char *published = get_text(compose, node, "published");
            port = target != NULL && published != NULL && atoi(target) == inside ? atoi(published) : 0;
        } else {
            g_autofree char *text = scalar_text(compose, node);
            port = text == NULL ? 0 : published_of(text, inside);
        }
        if (port > 0)
            return port;
    }
    return 0;
}

static bool is_postgres(const ComposeFile *compose, const ConfigNode *service, GHashTable *environment)
{
    g_autofree char *image = get_text(compose, service, "image");
    return image_is_postgres(image, environment);
}

static void add_service(GPtrArray *places, const ComposeFile *compose, const char *name, const ConfigNode *service)
{
    g_autoptr(GHashTable) environment = read_environment(compose, service);
    if (!is_postgres(compose, service, environment))
        return;
    Place *place = place_add(places, PLACE_COMPOSE, g_strdup_printf("%s#%s", compose->file, name));
    place->file = g_strdup(compose->file);
    place->compose = g_strdup(place->name);
    place->container = get_text(compose, service, "container_name");
    image_fill_url(place, environment);
    if (pg_url_get(place->url, "password") != NULL)
        place->password_name = g_strdup_printf("POSTGRES_PASSWORD of %s", compose->file);
    int port = published_port(compose, service, image_port(environment));
    if (port > 0) {
        g_autofree char *number = g_strdup_printf("%d", port);
        pg_url_set(place->url, "host", "127.0.0.1");
        pg_url_set(place->url, "port", number);
        return;
    }
    place->state = PLACE_SILENT;
    place->reason = g_strdup("it publishes no port on this machine");
}

static void read_file(Discovery *discovery, const char *folder, const char *file)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &text, &length, NULL))
        return;
    g_auto(ConfigMistakes) mistakes = {0};
    config_mistakes_init(&mistakes, file);
    g_autoptr(ConfigNode) root = config_node_parse(text, length, &mistakes);
    if (mistakes.items->len > 0)
        g_ptr_array_add(discovery->remarks,
                        g_strdup_printf(root == NULL
                                            ? "%s cannot be read as YAML."
                                            : "%s was read in part (what aliases, merge keys and tags stand for "
                                              "was left out): a database may be missing.",
                                        file));
    const ConfigNode *services = root == NULL ? NULL : get_typed(root, "services", CONFIG_NODE_MAP);
    g_autofree char *beside = g_path_get_dirname(path);
    g_autofree char *env = g_build_filename(beside, ".env", NULL);
    g_autoptr(GHashTable) variables = variables_read(env);
    ComposeFile compose = {.file = file, .folder = folder, .variables = variables};
    for (guint i = 0; services != NULL && i < services->items->len; i++)
        add_service(discovery->places, &compose, ((ConfigNode *)services->names->pdata[i])->text,
                    services->items->pdata[i]);
}

void find_compose(Discovery *discovery, const char *folder, const GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++)
        read_file(discovery, folder, files->pdata[i]);
}

/* What `docker inspect` and `podman inspect` say of containers. */
#include <stdio.h>
#include <string.h>

#include "engine/internal.h"

static void wipe(gpointer text)
{
    explicit_bzero(text, strlen(text));
    g_free(text);
}

void container_free(Container *container)
{
    if (container == NULL)
        return;
    g_free(container->engine);
    g_free(container->id);
    g_free(container->name);
    g_free(container->image);
    g_free(container->service);
    g_free(container->started);
    g_ptr_array_unref(container->files);
    g_ptr_array_unref(container->volumes);
    g_hash_table_unref(container->environment);
    g_hash_table_unref(container->ports);
    g_free(container);
}

int container_port(const Container *container, int inside)
{
    g_autofree char *key = g_strdup_printf("%d", inside);
    const char *port = g_hash_table_lookup(container->ports, key);
    if (port != NULL)
        return (int)g_ascii_strtoll(port, NULL, 10);
    return container->host_network ? inside : 0;
}

static const json_t *get(const json_t *object, const char *first, const char *second)
{
    return json_object_get(json_object_get(object, first), second);
}

static void read_environment(Container *container, const json_t *list)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);
        const char *equals = text == NULL ? NULL : strchr(text, '=');
        if (equals != NULL)
            g_hash_table_replace(container->environment, g_strndup(text, (gsize)(equals - text)), g_strdup(equals + 1));
    }
}

/* {"5432/tcp": [{"HostIp": "", "HostPort": "5433"}]}, null where a port is not published. */
static void read_ports(Container *container, const json_t *bindings)
{
    const char *inside;
    json_t *places;
    json_object_foreach((json_t *)bindings, inside, places)
    {
        const char *port = json_string_value(json_object_get(json_array_get(places, 0), "HostPort"));
        const char *slash = strchr(inside, '/');
        if (port == NULL || *port == '\0' || g_str_equal(port, "0") || (slash != NULL && !g_str_equal(slash, "/tcp")))
            continue;
        g_autofree char *number = slash == NULL ? g_strdup(inside) : g_strndup(inside, (gsize)(slash - inside));
        g_hash_table_replace(container->ports, g_steal_pointer(&number), g_strdup(port));
    }
}

/* Compose v1 writes the files as they were given, beside the folder that they are relative to. */
static void read_compose(Container *container, const json_t *labels)
{
    const char *files = json_string_value(json_object_get(labels, "com.docker.compose.project.config_files"));
    const char *folder = json_string_value(json_object_get(labels, "com.docker.compose.project.working_dir"));
    container->service = g_strdup(json_string_value(json_object_get(labels, "com.docker.compose.service")));
    g_auto(GStrv) parts = g_strsplit(files == NULL ? "" : files, ",", -1);
    for (guint i = 0; parts[i] != NULL; i++)
        g_ptr_array_add(container->files, g_path_is_absolute(parts[i]) || folder == NULL
                                              ? g_strdup(parts[i])
                                              : g_build_filename(folder, parts[i], NULL));
}

static void read_volumes(Container *container, const json_t *mounts)
{
    size_t i;
    json_t *mount;
    json_array_foreach(mounts, i, mount)
    {
        const char *name = json_string_value(json_object_get(mount, "Name"));
        if (name != NULL && g_strcmp0(json_string_value(json_object_get(mount, "Type")), "volume") == 0)
            g_ptr_array_add(container->volumes, g_strdup(name));
    }
}

static const char *image_of(const json_t *document)
{
    const char *image = json_string_value(json_object_get(document, "ImageName")); /* podman */
    return image != NULL ? image : json_string_value(get(document, "Config", "Image"));
}

static Container *read_container(const char *engine, const json_t *document)
{
    Container *container = g_new0(Container, 1);
    const char *name = json_string_value(json_object_get(document, "Name"));
    container->engine = g_strdup(engine);
    container->id = g_strdup(json_string_value(json_object_get(document, "Id")));
    container->name = g_strdup(name != NULL && *name == '/' ? name + 1 : name);
    container->image = g_strdup(image_of(document));
    container->running = json_is_true(get(document, "State", "Running"));
    container->started = g_strdup(json_string_value(get(document, "State", "StartedAt")));
    container->host_network = g_strcmp0(json_string_value(get(document, "HostConfig", "NetworkMode")), "host") == 0;
    const json_t *policy = json_object_get(get(document, "HostConfig", "RestartPolicy"), "Name");
    container->restarts = g_strcmp0(json_string_value(policy), "always") == 0;
    container->files = g_ptr_array_new_with_free_func(g_free);
    container->volumes = g_ptr_array_new_with_free_func(g_free);
    container->environment = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
    container->ports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    read_environment(container, get(document, "Config", "Env"));
    read_ports(container, get(document, "HostConfig", "PortBindings"));
    read_ports(container,
               get(document, "NetworkSettings", "Ports")); /* the port that the engine chose, while it runs */
    read_volumes(container, json_object_get(document, "Mounts"));
    read_compose(container, get(document, "Config", "Labels"));
    return container;
}

static bool is_known(const GPtrArray *list, const char *id)
{
    for (guint i = 0; i < list->len; i++)
        if (g_str_equal(((const Container *)list->pdata[i])->id, id))
            return true;
    return false;
}

void inspect_read(const char *engine, const json_t *document, GPtrArray *list)
{
    size_t i;
    json_t *one;
    json_array_foreach(document, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "Id"));
        if (id != NULL && json_is_string(json_object_get(one, "Name")) && !is_known(list, id))
            g_ptr_array_add(list, read_container(engine, one));
    }
}

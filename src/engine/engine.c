#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "engine/internal.h"

static const char *const ENGINES[] = {"docker", "podman"};

static void free_container(gpointer container)
{
    container_free(container);
}

static bool inspect(const char *engine, const char *ids, GPtrArray *list, Deadline deadline, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(ids, "\n\r ", -1);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, (gpointer)engine);
    g_ptr_array_add(argv, (gpointer) "inspect");
    for (guint i = 0; words[i] != NULL; i++)
        if (*words[i] != '\0')
            g_ptr_array_add(argv, words[i]);
    if (argv->len == 2)
        return true;
    g_ptr_array_add(argv, NULL);
    g_autofree char *text = NULL;
    if (!engine_run((const char *const *)argv->pdata, NULL, deadline, &text, error))
        return false;
    json_t *document = json_loads(text, 0, NULL);
    explicit_bzero(text, strlen(text));
    inspect_read(engine, document, list);
    json_decref(document);
    return true;
}

static bool list_one(const char *engine, GPtrArray *list, Deadline deadline, GError **error)
{
    const char *const argv[] = {engine, "ps", "--all", "--quiet", "--no-trunc", NULL};
    g_autofree char *ids = NULL;
    return engine_run(argv, NULL, deadline, &ids, error) && inspect(engine, ids, list, deadline, error);
}

static void remark(GPtrArray *remarks, const char *engine, const GError *cause)
{
    g_auto(GStrv) lines = g_strsplit(cause->message, "\n", 2);
    if (remarks != NULL)
        g_ptr_array_add(remarks, g_strdup_printf("Containers of %s are not known: %s", engine, lines[0]));
}

GPtrArray *engine_list(const char *engine, Deadline deadline, bool *ret_complete, GPtrArray *remarks, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(free_container);
    *ret_complete = true;
    for (gsize i = 0; i < G_N_ELEMENTS(ENGINES); i++) {
        g_autofree char *path = g_find_program_in_path(ENGINES[i]);
        g_autoptr(GError) cause = NULL;
        if (path == NULL || (engine != NULL && !g_str_equal(engine, ENGINES[i])))
            continue;
        if (list_one(ENGINES[i], list, deadline, &cause))
            continue;
        *ret_complete = false;
        if (!cancel_check(error))
            return NULL;
        remark(remarks, ENGINES[i], cause);
    }
    return g_steal_pointer(&list);
}

/* A compose file may be gone, and its container still be there. */
static bool same_file(const char *a, const char *b)
{
    char *real_a = realpath(a, NULL);
    char *real_b = realpath(b, NULL);
    g_autofree char *plain_a = g_canonicalize_filename(a, NULL), *plain_b = g_canonicalize_filename(b, NULL);
    bool same = real_a != NULL && real_b != NULL ? strcmp(real_a, real_b) == 0
                                                 : real_a == real_b && strcmp(plain_a, plain_b) == 0;
    free(real_a);
    free(real_b);
    return same;
}

static char *compose_file(const EngineRef *ref)
{
    const char *hash = strrchr(ref->compose, '#');
    g_autofree char *file = g_strndup(ref->compose, (gsize)(hash - ref->compose));
    return g_path_is_absolute(file) ? g_steal_pointer(&file) : g_build_filename(ref->folder, file, NULL);
}

static bool is_meant(const EngineRef *ref, const Container *container)
{
    if (ref->container != NULL)
        return g_str_equal(container->name, ref->container) ||
               (strlen(ref->container) >= 12 && g_str_has_prefix(container->id, ref->container));
    if (container->service == NULL || !g_str_equal(container->service, strrchr(ref->compose, '#') + 1))
        return false;
    g_autofree char *file = compose_file(ref);
    for (guint i = 0; i < container->files->len; i++)
        if (same_file(container->files->pdata[i], file))
            return true;
    return false;
}

bool engine_find(const EngineRef *ref, Container **ret_container, bool *ret_known, GError **error)
{
    *ret_container = NULL;
    bool installed = false;
    for (gsize i = 0; i < G_N_ELEMENTS(ENGINES); i++) {
        g_autofree char *path = g_find_program_in_path(ENGINES[i]);
        installed = installed || (path != NULL && (ref->engine == NULL || g_str_equal(ref->engine, ENGINES[i])));
    }
    g_autoptr(GPtrArray) list = engine_list(ref->engine, deadline_in_ms(ENGINE_LIST_MS), ret_known, NULL, error);
    if (list == NULL)
        return false;
    gint best = -1;
    for (guint i = 0; i < list->len; i++) {
        const Container *container = list->pdata[i];
        if (is_meant(ref, container) && (best < 0 || container->running))
            best = (gint)i;
    }
    *ret_known = installed && (*ret_known || best >= 0);
    if (best >= 0)
        *ret_container = g_ptr_array_steal_index(list, (guint)best);
    return true;
}

/* The words that make and start a service, or NULL where there is no compose. Transfer container. */
static GPtrArray *compose_words(const EngineRef *ref, GPtrArray *owned)
{
    const char *const *command = compose_command(ref->engine);
    if (command == NULL)
        return NULL;
    const char *hash = strrchr(ref->compose, '#');
    char *file = g_strndup(ref->compose, (gsize)(hash - ref->compose));
    g_ptr_array_add(owned, file);
    GPtrArray *argv = g_ptr_array_new();
    for (guint i = 0; command[i] != NULL; i++)
        g_ptr_array_add(argv, (gpointer)command[i]);
    const char *const rest[] = {"-f", file, "up", "-d", "--no-deps", "--no-recreate", hash + 1, NULL};
    for (guint i = 0; i < G_N_ELEMENTS(rest); i++)
        g_ptr_array_add(argv, (gpointer)rest[i]);
    return argv;
}

char *engine_start_line(const EngineRef *ref, const Container *found)
{
    if (found != NULL)
        return g_strdup_printf("%s start %s", found->engine, found->name);
    if (ref->compose == NULL)
        return g_strdup_printf("%s start %s", ref->engine == NULL ? "docker" : ref->engine, ref->container);
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) argv = compose_words(ref, owned);
    if (argv != NULL)
        return g_strjoinv(" ", (char **)argv->pdata);
    const char *hash = strrchr(ref->compose, '#');
    return g_strdup_printf("docker compose -f %.*s up -d %s", (int)(hash - ref->compose), ref->compose, hash + 1);
}

bool engine_start(const EngineRef *ref, const Container *found, Deadline deadline, GError **error)
{
    if (found != NULL) {
        const char *const argv[] = {found->engine, "start", found->id, NULL};
        return engine_run(argv, NULL, deadline, NULL, error);
    }
    if (ref->compose == NULL) {
        pgf_error_set(error, PGF_ERROR_CONNECT, "`docker ps -a` and `podman ps -a` list the containers that there are.",
                      "there is no container %s", ref->container);
        return false;
    }
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) argv = compose_words(ref, owned);
    if (argv != NULL)
        return engine_run((const char *const *)argv->pdata, ref->folder, deadline, NULL, error);
    pgf_error_set(error, PGF_ERROR_CONNECT,
                  "Install docker compose, docker-compose or podman-compose, or start it yourself.",
                  "no compose is installed that could start %s", ref->compose);
    return false;
}

bool engine_stop(const char *engine, const char *id, Deadline deadline, GError **error)
{
    const char *const argv[] = {engine, "stop", id, NULL};
    return engine_run(argv, NULL, deadline, NULL, error);
}

/* Whether what an engine says of an error means that there is none of the name. */
static bool is_gone(const GError *cause)
{
    g_autofree char *text = g_ascii_strdown(cause->message, -1);
    return strstr(text, "no such container") != NULL || strstr(text, "no such volume") != NULL ||
           strstr(text, "no container with") != NULL || strstr(text, "no volume with") != NULL;
}

static bool remove_one(const char *const *argv, Deadline deadline, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (engine_run(argv, NULL, deadline, NULL, &cause) || is_gone(cause))
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

bool engine_remove(const char *engine, const char *id, Deadline deadline, GError **error)
{
    const char *const argv[] = {engine, "rm", id, NULL};
    return remove_one(argv, deadline, error);
}

bool engine_remove_volume(const char *engine, const char *name, Deadline deadline, GError **error)
{
    const char *const argv[] = {engine, "volume", "rm", name, NULL};
    return remove_one(argv, deadline, error);
}

/* Containers: id and state, as the command lines of docker and podman tell them. */
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/spawn.h"
#include "protect/internal.h"

enum { ASK_MS = 10000 };

static const char METHOD[] = "id and state";
static const char *const ENGINES[] = {"docker", "podman"};

/* The output, or NULL: *ret_problem (transfer full) says why, or *error is set: cancelled. */
static char *ask(const char *const *argv, char **ret_problem, GError **error)
{
    SpawnSpec spec = {.argv = argv, .out = SPAWN_CAPTURE, .err = SPAWN_CAPTURE};
    g_auto(SpawnResult) result = {0};
    g_autoptr(GError) failure = NULL;
    if (!spawn_run(&spec, deadline_in_ms(ASK_MS), &result, &failure)) {
        if (cancel_requested())
            g_propagate_error(error, g_steal_pointer(&failure));
        else
            *ret_problem = g_strdup(failure->message);
        return NULL;
    }
    if (result.status == 0)
        return g_steal_pointer(&result.out);
    g_autofree char *said = spawn_tail(result.err == NULL ? "" : result.err, 1);
    *ret_problem = g_strdup_printf("%s says: %s", argv[0], said);
    return NULL;
}

static bool inspect(GPtrArray *items, const char *engine, const char *name, GError **error)
{
    const char *argv[] = {engine, "inspect", "--type", "container", "--format", "{{.Id}} {{.State.Status}}",
                          name,   NULL};
    g_autofree char *problem = NULL;
    g_autofree char *said = ask(argv, &problem, error);
    if (said == NULL && problem == NULL)
        return false;
    ProtectItem *item = items_add(items, item_new("container", name, engine, METHOD));
    if (said == NULL) {
        item_blind(item, "the container", problem);
        return true;
    }
    g_auto(GStrv) words = g_strsplit(g_strstrip(said), " ", 2);
    item_part(item, "its id", words[0]);
    item_part(item, "its state", words[0] == NULL ? NULL : words[1]);
    return true;
}

/* *ret_problem: nobody could be asked, so nothing is known of the entries that name no container seen elsewhere. */
static bool take_engine(GPtrArray *items, const Config *config, const char *engine, char **ret_problem, GError **error)
{
    const char *argv[] = {engine, "ps", "--all", "--format", "{{.Names}}", NULL};
    g_autofree char *said = ask(argv, ret_problem, error);
    if (said == NULL)
        return *ret_problem != NULL;
    g_auto(GStrv) names = g_strsplit_set(said, "\n,", -1);
    for (guint i = 0; names[i] != NULL; i++) {
        const char *name = g_strstrip(names[i]);
        if (*name != '\0' && config_protects_container(config, name) != NULL && !inspect(items, engine, name, error))
            return false;
    }
    return true;
}

static bool is_found(const GPtrArray *items, const char *entry)
{
    for (guint i = 0; i < items->len; i++) {
        const ProtectItem *item = items->pdata[i];
        if (strcmp(item->kind, "container") == 0 && strcmp(item->name, entry) == 0)
            return true;
    }
    return false;
}

static void add_unknown(GPtrArray *items, const Config *config, const char *problem)
{
    char *const *entries = config->protect[CONFIG_PROTECT_CONTAINERS];
    for (guint i = 0; entries[i] != NULL; i++) {
        if (!is_found(items, entries[i]))
            item_blind(items_add(items, item_new("container", entries[i], NULL, METHOD)), "its state is unknown",
                       problem);
    }
}

bool protect_containers(GPtrArray *items, const Config *config, GError **error)
{
    g_autofree char *problem = NULL;
    bool asked = false;
    if (config->protect[CONFIG_PROTECT_CONTAINERS][0] == NULL)
        return true;
    for (gsize i = 0; i < G_N_ELEMENTS(ENGINES); i++) {
        g_autofree char *program = g_find_program_in_path(ENGINES[i]);
        g_autofree char *failed = NULL;
        if (program == NULL)
            continue;
        if (!take_engine(items, config, ENGINES[i], &failed, error))
            return false;
        asked = true;
        if (failed != NULL && problem == NULL)
            problem = g_steal_pointer(&failed);
    }
    if (!asked || problem != NULL)
        add_unknown(items, config, problem != NULL ? problem : "there is neither docker nor podman here");
    else
        items_add_absent(items, config, CONFIG_PROTECT_CONTAINERS, "container", METHOD);
    return true;
}

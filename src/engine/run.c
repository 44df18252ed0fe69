/* Running the command lines of engines and of compose. */
#include <string.h>

#include "base/error.h"
#include "base/spawn.h"
#include "engine/internal.h"

bool engine_run(const char *const *argv, const char *folder, Deadline deadline, char **ret_out, GError **error)
{
    SpawnSpec spec = {.argv = argv, .cwd = folder, .out = SPAWN_CAPTURE, .err = SPAWN_CAPTURE, .new_session = true};
    g_auto(SpawnResult) result = {0};
    if (!spawn_run(&spec, deadline, &result, error))
        return false;
    if (result.status != 0) {
        g_autofree char *line = g_strjoinv(" ", (char **)argv);
        g_autofree char *tail = spawn_tail(result.err == NULL || *result.err == '\0' ? result.out : result.err, 3);
        pgf_error_set(error, PGF_ERROR_CONNECT, NULL, "%s: exit %d: %s", line, result.status, tail);
        return false;
    }
    if (ret_out != NULL)
        *ret_out = g_steal_pointer(&result.out);
    return true;
}

/* The first in the order of how likely its containers are there. podman 4 has no "compose"; docker's is a plugin. */
static const char *const COMMANDS[][3] = {
    {"docker", "compose", NULL}, {"docker-compose", NULL}, {"podman", "compose", NULL}, {"podman-compose", NULL}};

static bool serves(const char *program, const char *engine)
{
    /* docker-compose speaks to whatever DOCKER_HOST names. */
    return engine == NULL || g_str_has_prefix(program, engine) || g_str_equal(program, "docker-compose");
}

static bool works(const char *const *command)
{
    g_autofree char *path = g_find_program_in_path(command[0]);
    const char *const argv[] = {command[0], command[1], "version", NULL};
    return path != NULL && (command[1] == NULL || engine_run(argv, NULL, deadline_in_ms(ENGINE_LIST_MS), NULL, NULL));
}

const char *const *compose_command(const char *engine)
{
    const char *const *other = NULL; /* that speaks to more than one engine: after those of this one */
    for (gsize i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        if (!serves(COMMANDS[i][0], engine) || !works(COMMANDS[i]))
            continue;
        if (engine == NULL || g_str_has_prefix(COMMANDS[i][0], engine))
            return COMMANDS[i];
        other = COMMANDS[i];
    }
    return other;
}

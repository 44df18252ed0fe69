/* Shared by the files of src/engine only. */
#pragma once

#include <jansson.h>

#include "engine/engine.h"

/* Adds the containers of an `inspect` document to list; those whose id is there already are left out. */
void inspect_read(const char *engine, const json_t *document, GPtrArray *list);

/* Runs an engine or compose. *ret_out (may be NULL): what it printed, transfer full. A status other than 0 is an error
 * with the last lines that it said. */
bool engine_run(const char *const *argv, const char *folder, Deadline deadline, char **ret_out, GError **error);

/* The words in front of "-f FILE": "docker", "compose"; NULL-terminated; NULL where no compose is installed for the
 * engine (NULL: any). Owned by the program. */
const char *const *compose_command(const char *engine);

/*
 * The containers that sources run in: checked before a command connects, started with --start, and stopped again when
 * it ends, however it ends. The ledger knows of each before it is started (docs/containers.md).
 *
 * Main thread only.
 */
#pragma once

#include "cmd/command.h"
#include "config/config.h"
#include "engine/engine.h"
#include "ledger/ledger.h"

#define CONTAINERS_OPTION                                                                                              \
    {                                                                                                                  \
        "start", 0, OPTION_FLAG, NULL, "start the container of a source that does not run, and stop it in the end"     \
    }

typedef struct Containers Containers;

/* sources: of const ConfigSource*. True with *ret_containers NULL where none of them names a container. A container
 * that is there and does not run is PGF_ERROR_CONNECT with the command that starts it, unless start is given; then this
 * returns when its server answers. */
bool containers_begin(Out *out, const Config *config, const GPtrArray *sources, bool start, Containers **ret_containers,
                      GError **error);
/* Stops what was started; on Ctrl-C as well. */
void containers_end(Containers *containers);

/* What pgfold.yaml says of the container of a source. Borrowed from both. */
EngineRef containers_ref(const Config *config, const ConfigSource *source);

/* Lines for `pgfold status` about containers that a killed pgfold left running: of char*, transfer full. */
GPtrArray *containers_left(Ledger *ledger, GError **error);

/*
 * Container engines, docker and podman, through their command lines: which containers there are, and starting and
 * stopping the one that a source names.
 *
 * Containers that compose made are known by the labels that every compose writes (v1, v2, podman's): the file and the
 * service. Nothing here makes a container anew that is there, or removes one, or a volume, but engine_remove() and
 * engine_remove_volume(), which `retire --volumes` calls.
 *
 * The environment of a container may hold passwords: it stays in memory, and is wiped. Main thread only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"

#define ENGINE_LIST_MS 5000    /* how long an engine may take to say what there is */
#define ENGINE_START_MS 600000 /* an image may have to be fetched first */
#define ENGINE_STOP_MS 60000

typedef struct Container {
    char *engine; /* "docker" or "podman" */
    char *id, *name, *image;
    bool running;
    char *started;           /* when it was last: a text, to be compared */
    char *service;           /* of compose, or NULL */
    GPtrArray *files;        /* absolute paths of the compose files that made it: char* */
    GHashTable *environment; /* name -> value, wiped */
    GHashTable *ports;       /* port inside ("5432") -> port of this machine ("5433") */
    GPtrArray *volumes;      /* names of those that are mounted in it: char* */
    bool restarts;           /* its engine starts it with the next boot, though it was stopped */
    bool host_network;       /* ports inside are those of this machine */
} Container;

void container_free(Container *container);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Container, container_free)

/* Where a port inside is on this machine; 0: nowhere. */
int container_port(const Container *container, int inside);

/* Of every engine that is installed (engine: only of this one, or NULL), running or not. *ret_complete: false where an
 * engine did not answer; why is added to remarks (of char*, may be NULL). NULL only when cancelled. */
GPtrArray *engine_list(const char *engine, Deadline deadline, bool *ret_complete, GPtrArray *remarks, GError **error);

/* What pgfold.yaml says of a source. Either compose or container is given. */
typedef struct EngineRef {
    const char *engine;    /* "docker", "podman", or NULL: whichever has it */
    const char *folder;    /* that FILE is relative to */
    const char *compose;   /* "FILE#SERVICE" */
    const char *container; /* a name or an id */
} EngineRef;

/* The container of ref, a running one before others; *ret_container NULL when there is none. *ret_known: false where
 * nobody could tell, for no engine is installed or one does not answer. False only when cancelled. */
bool engine_find(const EngineRef *ref, Container **ret_container, bool *ret_known, GError **error);

/* What a person would type to start it: "docker start app-db", "docker-compose -f compose.yml up -d db". found: what
 * engine_find() gave. Transfer full. */
char *engine_start_line(const EngineRef *ref, const Container *found);
/* Starts found, or where there is none has compose make it. A container that runs is left alone. */
bool engine_start(const EngineRef *ref, const Container *found, Deadline deadline, GError **error);
bool engine_stop(const char *engine, const char *id, Deadline deadline, GError **error);
/* One that does not run; and a volume that no container has any more. What is not there is gone already. */
bool engine_remove(const char *engine, const char *id, Deadline deadline, GError **error);
bool engine_remove_volume(const char *engine, const char *name, Deadline deadline, GError **error);

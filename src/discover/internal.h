/* Shared by the files of src/discover only: one function for each kind of place. They add to places. */
#pragma once

#include "base/deadline.h"
#include "discover/discover.h"

/* The place is owned by places. */
Place *place_add(GPtrArray *places, PlaceKind kind, char *name_taken);
void place_free(Place *place);

/* A connection string of any program (libpq, SQLAlchemy, Prisma, JDBC): its parts as libpq knows them, or NULL when it
 * is not PostgreSQL's. *ret_exact: libpq can read it as it stands. Transfer full. */
GHashTable *foreign_url_parse(const char *text, bool *ret_exact);

/* NAME=value lines of a file of variables, name -> value. NULL when it cannot be read. Transfer full. */
GHashTable *variables_read(const char *path);

void find_environment(GPtrArray *places);
void find_sockets(GPtrArray *places);
bool find_ports(GPtrArray *places, GError **error);
void find_services(GPtrArray *places);
/* files: of char*, relative to folder, as project_files() found them. */
void find_env_files(GPtrArray *places, const char *folder, const GPtrArray *files);
/* What of a file cannot be read becomes a remark. */
void find_compose(Discovery *discovery, const char *folder, const GPtrArray *files);
/* After find_compose(): containers that it named are joined with what the engines say of them. */
bool find_containers(Discovery *discovery, const char *folder, GError **error);

/* Compose files and files of variables under folder, relative to it, sorted. Transfer full. */
typedef struct ProjectFiles {
    GPtrArray *compose, *env; /* of char* */
} ProjectFiles;

ProjectFiles project_files(const char *folder);
void project_files_clear(ProjectFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProjectFiles, project_files_clear)

/* text of a compose file with ${NAME}, ${NAME:-default} and the like replaced from the environment, then from
 * variables (may be NULL). Transfer full. */
char *compose_interpolate(const char *text, GHashTable *variables);

/* Places whose host has no address, or none in time, become silent. */
void check_names(GPtrArray *places, Deadline deadline);
/* Connects to every place that was not asked yet, all at once, and sorts them to servers. False only when cancelled. */
bool ask_places(Discovery *discovery, GError **error);
/* Numbers what was found. Call once. */
void list_candidates(Discovery *discovery);
/* One more, numbered after all others. name: owned by server or place. */
Candidate *candidate_add(Discovery *discovery, Server *server, Place *place, const char *name, gint64 bytes);

/* The port, where the place is one of this machine over TCP; else NULL. */
const char *place_loopback(const Place *place);

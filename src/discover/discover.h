/*
 * Finding the databases that a project may mean: servers that run on this machine, and what its files name.
 *
 *     place      where something says that a database is: a socket, a port, a container, a compose service, a variable
 *     server     a running cluster; several places may lead to it
 *     candidate  one database of a server, or of a place that does not answer; candidates are numbered for people, from
 *                1, in an order that does not change while the same things are there
 *
 * Nothing is written, and nothing is sent but a question for TLS (to ports) and a login with what the environment, the
 * files or ~/.pgpass give. Connection strings here may hold passwords; they are wiped with the discovery. Main thread
 * only; places are asked by a pool of threads.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define DISCOVER_ANSWER_MS 1500 /* how long one place may take to answer */

typedef enum PlaceKind { /* in the order of trust: the first that leads to a database is how it is written down */
                         PLACE_GIVEN, /* on the command line */
                         PLACE_ENVIRONMENT,
                         PLACE_ENV_FILE,
                         PLACE_SERVICE,
                         PLACE_COMPOSE,
                         PLACE_CONTAINER,
                         PLACE_SOCKET,
                         PLACE_PORT
} PlaceKind;

typedef enum PlaceState {
    PLACE_UNASKED,
    PLACE_REACHED,
    PLACE_STOPPED, /* a container that is there, or could be, and does not run */
    PLACE_SILENT   /* it does not answer, or does not let us in; reason says why */
} PlaceState;

struct Server;

typedef struct Place {
    PlaceKind kind;
    PlaceState state;
    char *name;      /* for people: "$DATABASE_URL", ".env: DATABASE_URL", "docker-compose.yml#db", "127.0.0.1:5433" */
    char *file;      /* that names it, relative to the folder that was searched; or NULL */
    GHashTable *url; /* parts (pg/url.h), secrets among them */
    char *variable;  /* of the environment or a file, whose value libpq can read as it stands; or NULL */
    char *password_name;   /* where the password stands ("POSTGRES_PASSWORD in docker-compose.yml"), or NULL */
    char *compose;         /* "FILE#SERVICE", or NULL */
    char *container;       /* its name, or NULL */
    char *engine;          /* "docker" or "podman", with container */
    char *reason;          /* in one line, without secrets; or NULL */
    bool used_password;    /* it was reached with the password of url, and not without */
    struct Server *server; /* when reached; not owned */
} Place;

typedef struct FoundDatabase {
    char *name;
    gint64 bytes; /* -1: may not be known */
} FoundDatabase;

typedef struct Server {
    char *system_identifier;
    char *started; /* moment of its start, which tells copies of a cluster apart */
    char *version; /* "15.4" */
    bool in_recovery;
    GPtrArray *databases; /* of FoundDatabase* */
    GPtrArray *places;    /* of Place*, not owned, the most trusted first */
} Server;

typedef struct Candidate {
    guint number;       /* from 1; 0: it cannot be chosen, because nobody knows what is there */
    Server *server;     /* NULL: the place was not reached */
    Place *place;       /* the most trusted that leads to it */
    const char *name;   /* of the database; "" where that is not known */
    gint64 bytes;       /* -1: not known */
    bool is_test;       /* its name, or the file or service that names it, says so */
    bool is_named;      /* a file or the environment names this database, not only its server */
    GPtrArray *origins; /* of char*: names of all places that lead to it */
} Candidate;

typedef struct Discovery {
    GPtrArray *places;     /* of Place* */
    GPtrArray *servers;    /* of Server* */
    GPtrArray *candidates; /* of Candidate* */
    GPtrArray *remarks;    /* of char*: what could not be looked at, for people */
} Discovery;

/* Looks everywhere; folder: of the project, whose files are read. NULL only when cancelled. */
Discovery *discover(const char *folder, GError **error);
/* Asks one more connection string and adds its database. The candidate belongs to the discovery; NULL with an error
 * when it does not answer. label: for its messages. */
Candidate *discovery_add(Discovery *discovery, const char *label, const char *url, GError **error);
void discovery_free(Discovery *discovery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Discovery, discovery_free)

/* By number; NULL when there is none. */
Candidate *discovery_candidate(const Discovery *discovery, guint number);

/* The variable that holds its connection string, or NULL. */
const char *candidate_variable(const Candidate *candidate);
/* Its connection string, as a URI without secrets. Transfer full. */
char *candidate_url(const Candidate *candidate);
/* With that, a password is still needed. */
bool candidate_lacks_password(const Candidate *candidate);
/* "FILE#SERVICE" or the container that it runs in, or NULL. Owned by the discovery. */
const Place *candidate_compose(const Candidate *candidate);
const Place *candidate_container(const Candidate *candidate);

/*
 * Both ends of a comparison or a fold: connected, identified, and allowed.
 *
 * Opening checks, in this order, before anything is done anywhere: both ends answer; neither is protected; they are not
 * the same database, whatever their URLs say; the target's pinned identity; that the target is no standby.
 */
#pragma once

#include "config/config.h"
#include "filter/filter.h"
#include "pg/conn.h"
#include "pg/snapshot.h"

typedef struct Ends {
    const Config *config;              /* not owned */
    const ConfigSource *source_config; /* not owned */
    PgConn *source;                    /* holds the snapshot once there is one */
    PgConn *target;        /* to the target database, or, where it is missing, to another one of its server */
    char *target_missing;  /* name of the target database when it does not exist yet; else NULL */
    char *target_database; /* its name, whether it exists or not */
    PgSnapshot *snapshot;  /* of the source; NULL until ends_snapshot() */
    bool definitions_only; /* no rows: as if every table had skip: true */
    Filter *filter;        /* what include and exclude leave out, once ends_find_filter() has looked; NULL: nothing */
} Ends;

/* False with PGF_ERROR_CONNECT when pgfold.yaml pins another cluster than the one that the target's url leads to. */
bool ends_check_pinned(const Config *config, const PgIdentity *target, GError **error);

/* needs_target: false for commands that only read the source (backup): target stays NULL. */
Ends *ends_open(const Config *config, const ConfigSource *source, bool needs_target, GError **error);
void ends_free(Ends *ends);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ends, ends_free)

/* Opens again the tunnels that have ended. In another thread than the main one it is an error when one has: call it
 * before such threads connect. */
bool ends_reach(const Ends *ends, GError **error);

/* What pgfold.yaml says of a table of this source: whether it is left out; the columns that tell its rows apart, or
 * NULL, with the place of the file in *ret_where (transfer full). data: the Ends. For AuditSpec. */
bool ends_skips(const char *schema, const char *name, gpointer data);
const char *const *ends_key(const char *schema, const char *name, char **ret_where, gpointer data);

/* Exports the snapshot of the source on ends->source. */
bool ends_snapshot(Ends *ends, GError **error);
/* Looks up, under the snapshot, what of the source is left out. */
bool ends_find_filter(Ends *ends, GError **error);
/* Lets it go, so that the source can vacuum again. Further reads of the source would see a later moment. */
bool ends_release_snapshot(Ends *ends, GError **error);

/* Whether the target database that was missing is there by now: the last statement of a run that was killed may have
 * been carried out since. */
bool ends_target_has_come(const Ends *ends, bool *ret_has, GError **error);

/* n more connections to the source, inside the snapshot if there is one. The array frees its connections. */
GPtrArray *ends_source_connections(const Ends *ends, guint n, GError **error);
/* n more connections to a database of the target's server (NULL: the target database). */
GPtrArray *ends_target_connections(const Ends *ends, const char *database, guint n, GError **error);

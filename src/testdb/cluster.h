/* One server process on one data folder: configured, started, waited for, stopped. Internal to this room. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "testdb/server.h"
#include "testdb/testdb.h"

typedef struct Cluster Cluster;

/* folder: of this cluster, empty. Starts a server in it (<folder>/data, <folder>/log, the socket) and waits until it is
 * ready for queries, with options' database created. */
Cluster *cluster_start(const Server *server, const char *folder, const TestDbOptions *options, Deadline deadline,
                       GError **error);

/* A pidfd: readable once the server has ended. */
int cluster_exit_fd(const Cluster *cluster);
/* An error for a server that has ended by itself: what happened, and the end of its log. */
void cluster_set_failed(const Cluster *cluster, const char *what, GError **error);
const char *cluster_url(const Cluster *cluster);
/* As testdb_environment(). */
const char *const *cluster_environment(const Cluster *cluster);

/* At once, without a checkpoint: the data is thrown away. Returns when it has ended, and frees. */
void cluster_stop(Cluster *cluster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cluster, cluster_stop)

/* "name=value" -> a line of postgresql.conf. NULL, with an error, where it is not that. Transfer full. */
char *cluster_setting_line(const char *setting, GError **error);

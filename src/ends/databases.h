/*
 * Sources with databases: all, as the sources that their servers hold at this moment (docs/databases.md).
 */
#pragma once

#include "config/config.h"

/* Puts in the place of each such source of `sources` (of const ConfigSource*) one for each database of its server
 * (config_database_source()). Connects to it; a tunnel is opened where it needs one. Main thread only. What is left out
 * by a protection goes to notices (of char*). PGF_ERROR_USAGE where nothing is left. */
bool ends_find_databases(const Config *config, GPtrArray *sources, GPtrArray *notices, GError **error);

/* Whether somebody has made anything in a database of the server that url leads to. */
bool ends_is_used(const char *label, const char *url, const char *database, bool *ret_used, GError **error);

/* False with PGF_ERROR_USAGE where one of the sources is a database (NAME/DATABASE, from the command line) that
 * ends_find_databases() would not find for NAME. Before that. */
bool ends_check_named_databases(const Config *config, const GPtrArray *sources, GError **error);

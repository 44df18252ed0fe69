/* initdb takes a second or so; its result is kept and copied. Internal to this room. docs/testdb.md, "The cache". */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "testdb/server.h"

/* Puts a fresh data folder at to, from the cached template of this server, which is made first where there is none. */
bool template_copy(const Server *server, const char *to, GError **error);

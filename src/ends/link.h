/* How fast the way to one end is, and whether ssh had better compress what goes over it (docs/tunnel.md). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pg/conn.h"

typedef enum LinkDirection { LINK_FROM_SERVER, LINK_TO_SERVER } LinkDirection;

/* Bits a second, measured with as much as takes about a tenth of a second, 8 MB at most. 0 with an error. */
gint64 link_measure(PgConn *conn, LinkDirection direction, GError **error);
/* Measures where it matters: an amount of bytes that is worth it. False when it is fast, or cannot be told. */
bool link_is_slow(PgConn *conn, LinkDirection direction, gint64 bytes);

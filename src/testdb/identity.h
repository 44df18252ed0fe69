/* Every cluster of the world has its own system identifier; copies of one template would share theirs, and pgfold tells
 * servers apart by it. Internal to this room. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Gives a data folder whose server does not run, and was shut down cleanly, a new identifier. */
bool identity_renew(const char *data, GError **error);

/* CRC-32C (Castagnoli) of data, as PostgreSQL computes it. */
guint32 identity_crc(const void *data, gsize len);

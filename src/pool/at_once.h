/* A few pieces of work at once, where each spends its time waiting for a server. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* i: from 0 to n - 1. Each call runs in a thread of its own; what it touches must be its own until all have ended. */
typedef bool (*AtOnceFunc)(guint i, gpointer data, GError **error);

/* Returns when all n have ended: false with the failure of the lowest i that failed. Call 0 runs in the caller's
 * thread.
 */
bool pool_at_once(guint n, AtOnceFunc func, gpointer data, GError **error);

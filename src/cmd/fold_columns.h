/* `pgfold fold --add-columns`. */
#pragma once

#include "cmd/analysis.h"

/* Gives the target's tables the columns that only the source's have, in one transaction. What takes them away again is
 * in the ledger before, as the run's own: a fold that fails does so. *ret_marker: a schema that comes with them, and
 * without which nothing is taken away: the fold's commit drops it. Unchanged where nothing was done; else both sides
 * must be looked at anew. Transfer full. */
bool fold_add_columns(const Analysis *analysis, Ledger *ledger, gint64 run, Out *out, char **ret_marker,
                      GError **error);

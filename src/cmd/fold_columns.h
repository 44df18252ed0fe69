/* `pgfold fold --add-columns`. */
#pragma once

#include "cmd/analysis.h"

/* Gives the target's tables the columns that only the source's have, in one transaction. What takes them away again is
 * in the ledger before, as the run's own: a fold that fails does so. *ret_added: something was done, and both sides
 * must be looked at anew. */
bool fold_add_columns(const Analysis *analysis, Ledger *ledger, gint64 run, Out *out, bool *ret_added, GError **error);

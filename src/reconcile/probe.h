/*
 * Probe: whether two sides look alike, from a few groups that are read through the index (src/reconcile only).
 *
 * A guess, which decides only how a relation is read: where both sides are alike, one sum over all of it is enough and
 * costs two thirds of the sums of groups. Where the guess was wrong, the groups are read after all.
 */
#pragma once

#include "reconcile/internal.h"

/* *ret_alike is false too where a guess would cost more than it saves. */
bool probe_alike(const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target, bool *ret_alike,
                 GError **error);

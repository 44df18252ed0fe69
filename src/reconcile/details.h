/* The values of rows that differ, for people (src/reconcile only). */
#pragma once

#include "reconcile/internal.h"

/* A row to describe. */
typedef struct Wanted {
    RowVerdict verdict;
    char **key; /* NULL without a key: then both hashes */
    gint64 hash, second_hash;
    guint64 times;
} Wanted;

/* Adds a RowDifference for each of the wanted (of Wanted*) to the result. */
bool details_fetch(const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                   const GPtrArray *wanted, Reconciled *result, GError **error);

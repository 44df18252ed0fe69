/* The last two steps of reconcile: pairs of one leaf, and the rows behind those that differ (src/reconcile only). */
#pragma once

#include "reconcile/key.h"

typedef struct RowsJob {
    const ReconcileSide *source, *target;
    const KeyPlan *plan;
    const char *const *columns;
    guint max_details;
    Reconciled *result; /* counted and added to */
} RowsJob;

/* Compares the rows for which `where` (SQL, alike on both sides) holds. All pairs of both sides are held in memory. */
bool rows_compare(const RowsJob *job, const char *where, GError **error);

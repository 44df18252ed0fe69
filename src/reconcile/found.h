/* Rows that differ: counted, handed to the sink, and described (src/reconcile only). */
#pragma once

#include "reconcile/internal.h"

typedef struct Finder {
    const ReconcileScan *scan;
    const ReconcileSide *source, *target;
    const ReconcileSink *sink; /* or NULL */
    guint max_details;
    Reconciled *result;                  /* counted and added to */
    GPtrArray *wanted;                   /* of Wanted*: rows to describe, in the order they were found */
    GArray *source_pairs, *target_pairs; /* scratch of finder_compare() */
    GPtrArray *key_texts;
} Finder;

void finder_init(Finder *finder, const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                 guint max_details, const ReconcileSink *sink, Reconciled *result);
void finder_clear(Finder *finder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Finder, finder_clear)

/* Whether rows of this verdict need not be read where their number is known. */
bool finder_only_counts(const Finder *finder, RowVerdict verdict);

/* One group's rows of both sides, each as key->pack_sql; bytes may be NULL. */
bool finder_compare(Finder *finder, const guint8 *source, gsize source_length, const guint8 *target,
                    gsize target_length, GError **error);

/* Fetches and describes the wanted rows: one statement a side. */
bool finder_describe(Finder *finder, GError **error);

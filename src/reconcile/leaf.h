/*
 * Leaves: groups that differ, and the statements that read them again (src/reconcile only).
 *
 * A leaf's rows stand in LEAF_SHARES shares, by their place in the range or by other bits of their key's hash; the mask
 * says which of them differ.
 * Where an index serves the order of the key, many leaves are read through it in one statement; otherwise one more scan
 * picks the rows of all leaves.
 */
#pragma once

#include "reconcile/internal.h"

enum { LEAF_ALL = (1 << LEAF_SHARES) - 1 };

typedef struct Leaf {
    guint32 group;
    guint32 mask;
    guint64 rows; /* of both sides, in the shares of the mask: an estimate once some have been left out */
} Leaf;

typedef enum LeafRead {
    LEAF_SUMS, /* rows (group as text, bytea of: share in 1 byte, sum of row hashes modulo 2^64 in 8) */
    LEAF_PAIRS /* rows (group as text, bytea of the rows, each as key->pack_sql) */
} LeafRead;

/* Whether leaves of this scan are read through an index. */
bool leaf_by_index(const ReconcileScan *scan);
/* leaves: in the order of their groups. part of parts: only rows of that part (by hash); 0 of 1: all. Transfer full. */
char *leaf_sql(const ReconcileScan *scan, const CatalogRelation *relation, const Leaf *leaves, guint n, LeafRead read,
               guint64 part, guint64 parts);

/*
 * Reconcile: which rows of two relations differ. Both relations are read in whatever transaction their connection is
 * in.
 *
 * One scan a side groups the rows into ranges and sums their hashes; only ranges that differ are read again, as (key,
 * row hash) pairs; only rows that differ are fetched. With a key, ranges follow the order of its first column, with
 * bounds taken from the source; without one, the rows are a multiset and stand in ranges of a 128-bit hash of their
 * own. Traffic follows the difference. Memory: one leaf of pairs at a time, ROWS_PER_LEAF at most.
 */
#pragma once

#include "reconcile/digest.h"

typedef enum RowVerdict {
    ROW_MISSING,  /* in the source, not in the target */
    ROW_EXTRA,    /* in the target, not in the source */
    ROW_DIFFERENT /* same key, another value */
} RowVerdict;

typedef struct RowColumn {
    char *name;
    char *source, *target; /* as text; NULL for SQL NULL, and on the side where there is no row */
} RowColumn;

typedef struct RowDifference {
    RowVerdict verdict;
    char *key;          /* for people: "id=5", "a=1, b=x"; of a relation without a key: "(no key)" */
    guint64 times;      /* without a key: how many equal rows too many or too few; else 1 */
    GPtrArray *columns; /* of RowColumn*: those that differ; all of them where there is only one row */
} RowDifference;

typedef struct Reconciled {
    Digest source, target;
    guint64 missing, extra, different; /* all of them, also those whose details were not asked for */
    GPtrArray *rows;                   /* of RowDifference*: the first max_details in each leaf's order */
} Reconciled;

typedef struct ReconcileSide {
    PgConn *conn;
    const CatalogRelation *relation;
    guint64 rows; /* exact number, where it is known; 0: the planner's estimate decides how many ranges there are */
} ReconcileSide;

/* Count and digest of both sides, both servers at work at once. */
bool reconcile_digests(const ReconcileSide *source, const ReconcileSide *target, const char *const *columns,
                       DigestText text, Digest *ret_source, Digest *ret_target, GError **error);

/* Down to the rows. Columns that are not on both sides with one type are an error: look for drift first. */
bool reconcile_rows(const ReconcileSide *source, const ReconcileSide *target, DigestText text, guint max_details,
                    Reconciled *ret_result, GError **error);
void reconciled_clear(Reconciled *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reconciled, reconciled_clear)

/* DIGEST_TEXT_NATIVE when both catalogs have one encoding. */
DigestText reconcile_text_mode(const PgIdentity *a, const PgIdentity *b);

/* Names of source's columns that the target lacks or has with another type: those rows cannot be compared.
 * NULL when there are none; otherwise a sentence for people. Transfer full. */
char *reconcile_obstacle(const CatalogRelation *source, const CatalogRelation *target);

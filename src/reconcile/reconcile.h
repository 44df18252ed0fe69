/*
 * Reconcile: the one algorithm of pgfold. Which rows of two relations differ? Both are read in whatever transaction
 * their connection is in, both servers at work at once.
 *
 *   scan     one scan a side: count and digest of every group of rows, and so of the whole relation
 *   descend  only groups that differ are read again: first as digests of smaller groups, then as pairs of key and row
 *            hash; the rows that differ come out, missing, extra or different
 *
 * Groups are ranges of the key's first column, with bounds from a small sample of both sides, and, where ranges alone
 * would be too large or the type has no order that every server shares, split by a hash of the key. A relation
 * without a key is a multiset: its rows are told apart by a hash of 128 bits of their own. Bounds matter for speed
 * only. Traffic follows the difference; memory is one batch of pairs (docs/digest.md).
 */
#pragma once

#include "reconcile/digest.h"

typedef enum RowVerdict {
    ROW_MISSING,  /* in the source, not in the target */
    ROW_EXTRA,    /* in the target, not in the source */
    ROW_DIFFERENT /* same key, another value */
} RowVerdict;

/* A row that the two sides do not share; valid during the call. */
typedef struct RowFound {
    RowVerdict verdict;
    /* The key's columns as text (the types' output), in the order of reconcile_key(); NULL for a relation without. */
    const char *const *key;
    gint64 source_hash, target_hash; /* digest_row_sql(columns of the source, salt 0) on the side that has the row */
    gint64 second_hash;              /* without a key: digest_row_sql(salt 1) */
    guint64 times;                   /* without a key: how often too many or too few; else 1 */
} RowFound;

typedef struct ReconcileSink {
    /* Called in the worker's thread; both connections are idle during the call, so it may use them, as long as it
     * leaves them in the transaction they were in. False stops. */
    bool (*row)(const RowFound *row, gpointer data, GError **error);
    /* All rows of the source for which where_sql (columns unqualified) holds are missing in the target: it has none
     * there. May be NULL: then they come one by one. */
    bool (*range_missing)(const char *where_sql, guint64 rows, gpointer data, GError **error);
    gpointer data;
    bool ignore_extra; /* rows that only the target has are counted, but not handed over */
} ReconcileSink;

typedef struct RowColumn {
    char *name;
    /* As text, a long one only as it begins, with its length; NULL for SQL NULL, and on the side where there is no row.
     * Two that differ may look alike. */
    char *source, *target;
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
    GPtrArray *rows;                   /* of RowDifference*: the first max_details that were found; or NULL */
} Reconciled;

typedef struct ReconcileSide {
    PgConn *conn;
    const CatalogRelation *relation;
    guint64 rows; /* exact number, where it is known; 0: the planner's estimate decides how many groups there are */
} ReconcileSide;

/* What one scan a side found. Its relations (not its connections) must outlive it. */
typedef struct ReconcileScan ReconcileScan;

/* Columns that are not on both sides with one type are an error: look for reconcile_obstacle() first. */
ReconcileScan *reconcile_scan(const ReconcileSide *source, const ReconcileSide *target, DigestText text,
                              GError **error);
/* Reads the target once more, in the same groups: what it holds after a merge, against what the source held. */
bool reconcile_scan_target(ReconcileScan *scan, const ReconcileSide *target, GError **error);
void reconcile_scan_free(ReconcileScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReconcileScan, reconcile_scan_free)
/* Of the whole relation: the same as digest_relation_sql() gives. Owned by the scan. */
const Digest *reconcile_scan_source_digest(const ReconcileScan *scan);
const Digest *reconcile_scan_target_digest(const ReconcileScan *scan);

/* Of a key that was given (catalog_give_key()): whether it is unique and not null on both sides, by one more scan each.
 * *ret_obstacle: "key (a, b) is not unique in the source", or NULL. Transfer full. */
bool reconcile_prove_key(ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                         char **ret_obstacle, GError **error);

/* From a scan down to the rows. A key that was given must have been proven. sink: or NULL. The sides may be other
 * connections than those of the scan; where they do not see the same rows, what comes out is what they see now in the
 * groups that differed then. */
bool reconcile_descend(const ReconcileScan *scan, const ReconcileSide *source, const ReconcileSide *target,
                       guint max_details, const ReconcileSink *sink, Reconciled *ret_result, GError **error);

/* All of it: scan, prove a key that was given, descend. */
bool reconcile_rows(const ReconcileSide *source, const ReconcileSide *target, DigestText text, guint max_details,
                    Reconciled *ret_result, GError **error);
/* Appends one to result->rows; key is taken over. */
RowDifference *reconciled_add(Reconciled *result, RowVerdict verdict, char *key);
void row_difference_add(RowDifference *difference, const char *column, const char *source, const char *target);
void reconciled_clear(Reconciled *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reconciled, reconciled_clear)

/* Count and digest of both sides, both servers at work at once. */
bool reconcile_digests(const ReconcileSide *source, const ReconcileSide *target, const char *const *columns,
                       DigestText text, Digest *ret_source, Digest *ret_target, GError **error);

/* DIGEST_TEXT_NATIVE when both catalogs have one encoding. */
DigestText reconcile_text_mode(const PgIdentity *a, const PgIdentity *b);

/* The columns by which rows are told apart: the source's key, when the same columns (in any order) are the key of the
 * target too. NULL: a multiset. Owned by source. */
const char *const *reconcile_key(const CatalogRelation *source, const CatalogRelation *target);

/* Names of source's columns that the target lacks or has with another type: those rows cannot be compared.
 * NULL when there are none; otherwise a sentence for people. Transfer full. */
char *reconcile_obstacle(const CatalogRelation *source, const CatalogRelation *target);

/*
 * The receipt of a fold: the evidence that everything in the source is in the target (docs/receipt.md,
 * docs/schema/receipt.json). One JSON file each in `.pgfold/receipts`, named <UTC time>-<run>-<source>.json, 0600.
 *
 * A receipt holds the SHA-256 of itself and the name and SHA-256 of the one before, so that a change, a removal or an
 * exchange is found. It is evidence against mistakes and rot, not a signature: whoever can write the folder can
 * compute hashes too.
 *
 * A Receipt is plain data: fill it, receipt_write(), receipt_free(). Strings, arrays and elements belong to it; set a
 * string with receipt_text(). Counts are RECEIPT_UNKNOWN where they were not taken (null in the file). Times are
 * microseconds since 1970. Relations are those that hold rows themselves: a partitioned table's leaves, not its root.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ledger/ledger.h"

#define RECEIPT_UNKNOWN ((gint64)-1)

typedef enum ReceiptAction { RECEIPT_NEW, RECEIPT_SAME, RECEIPT_MERGE, RECEIPT_SKIP } ReceiptAction;
typedef enum ReceiptVerdict { RECEIPT_CONTAINED, RECEIPT_SKIPPED, RECEIPT_DIFFERENT } ReceiptVerdict;

typedef struct ReceiptEnd {
    char *name; /* of the configuration: "laptop"; "target" */
    char *system_identifier;
    char *database;
    gint64 database_oid;
    gint64 version; /* server_version_num */
    char *version_text;
    char *role;
    char *address;
} ReceiptEnd;

typedef struct ReceiptRelation {
    char *schema, *name;
    char *kind; /* "table", "partitioned table", "materialized view"... */
    ReceiptAction action;
    gint64 rows, bytes; /* in the source, at the snapshot */
    char *digest;       /* or NULL where it was not read (skipped) */
    gint64 target_rows;
    char *target_digest; /* or NULL */
    /* Of a merge (docs/merge.md): what became of the source's rows that were not there already. */
    gint64 inserted, overwritten, kept, settled, rekeyed, matched;
    ReceiptVerdict verdict;
    char *reason; /* why skipped, what differs, or how rows beyond the source's were told apart; else NULL */
} ReceiptRelation;

typedef struct ReceiptValue {
    bool used; /* whether nextval() was ever called (is_called); value counts only then */
    gint64 value;
} ReceiptValue;

typedef struct ReceiptSequence {
    char *schema, *name;
    gint64 increment;
    ReceiptValue source, target; /* contained: the target stands at the source's value or beyond */
    ReceiptVerdict verdict;
    char *reason;
} ReceiptSequence;

typedef struct ReceiptObjects { /* how many objects of a kind ("index", "trigger") each side has */
    char *kind;
    gint64 source, target;
    ReceiptVerdict verdict; /* contained: the target has at least as many */
    char *reason;
} ReceiptObjects;

typedef struct ReceiptLargeObjects {
    gint64 count, target_count;
    char *digest, *target_digest; /* or NULL where there are none */
    ReceiptVerdict verdict;
    char *reason;
} ReceiptLargeObjects;

typedef struct ReceiptBackup {
    bool made; /* false: only reason, by and at count */
    char *path;
    char *sha256; /* of its manifest */
    bool proven;
    char *how;    /* "restored into PostgreSQL 15.4 and compared: 24 tables, 12,345 rows" */
    char *reason; /* why there is none ("the source holds no row", "--no-backup"), else NULL */
    char *by;     /* who confirmed to go without: login name, or NULL */
    gint64 at;    /* when: of the backup, or of that confirmation */
} ReceiptBackup;

typedef struct ReceiptProtected { /* something that must not be touched, looked at before and after */
    char *kind;                   /* "database", "schema", "table", "role", "container", "path" */
    char *name;
    char *server; /* "target", "source laptop", "docker"; NULL: this machine, or nowhere */
    char *method; /* what was looked at */
    gint64 count; /* tables, of a path files */
    gint64 rows;
    char *before, *after; /* SHA-256; NULL: there was nothing, or nothing of it could be read */
    char *verdict;        /* "same", "changed", "unreadable", "absent" */
    char *reason;         /* what changed or cannot be read; else NULL */
} ReceiptProtected;

typedef struct Receipt {
    gint64 format;        /* version of the document: the newest, unless it was read from an older file */
    char *pgfold_version; /* receipt_new() sets it */
    char *client_tools;   /* "pg_dump (PostgreSQL) 15.4", or NULL */
    gint64 run;
    gint64 started, finished;
    ReceiptEnd source, target;
    char *snapshot;
    char *lsn;            /* of the snapshot: "0/3000148", or NULL */
    char *filter;         /* patterns by which a part of the source was left out, or NULL: all of it was folded */
    char *archive;        /* folder with rows that lost and keys that changed, or NULL */
    GPtrArray *relations; /* of ReceiptRelation* */
    GPtrArray *sequences; /* of ReceiptSequence* */
    GPtrArray *objects;   /* of ReceiptObjects* */
    char *fingerprint;    /* "full", "catalog" or "off": what of protected things was looked at; NULL: unknown */
    GPtrArray *protected; /* of ReceiptProtected* */
    ReceiptLargeObjects large_objects;
    ReceiptBackup backup;
    bool contained;   /* the verdict; receipt_judge() */
    GPtrArray *notes; /* of char* */
    /* Set by receipt_write() and receipt_read(). */
    char *previous_file; /* NULL for the first */
    char *previous_sha256;
    char *sha256;
} Receipt;

Receipt *receipt_new(void);
void receipt_free(Receipt *receipt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Receipt, receipt_free)

/* Replaces *field by a copy of value. */
void receipt_text(char **field, const char *value);
void receipt_set_end(ReceiptEnd *end, const char *name, const PgIdentity *identity);
/* Append an empty element, owned by the receipt, counts unknown, verdict DIFFERENT until said otherwise. */
ReceiptRelation *receipt_add_relation(Receipt *receipt, const char *schema, const char *name, const char *kind);
ReceiptSequence *receipt_add_sequence(Receipt *receipt, const char *schema, const char *name);
ReceiptObjects *receipt_add_objects(Receipt *receipt, const char *kind, gint64 source, gint64 target);
ReceiptProtected *receipt_add_protected(Receipt *receipt, const char *kind, const char *name);
void receipt_add_note(Receipt *receipt, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Sets and returns receipt->contained: true when no relation, sequence, kind of object nor the large objects have the
 * verdict DIFFERENT. */
bool receipt_judge(Receipt *receipt);

/* Writes it into the ledger's folder, chained to the newest one, and records it. The caller holds ledger_lock(). A
 * receipt that contradicts itself (receipt_check) is not written: PGF_ERROR_INTERNAL. Either the whole file is there
 * and durable, or none. *ret_path (may be NULL): absolute. */
bool receipt_write(Receipt *receipt, Ledger *ledger, char **ret_path, GError **error);

/* Reads one file and checks its form and its own hash, not the chain. PGF_ERROR_USAGE when it cannot be read or is no
 * receipt; PGF_ERROR_DIFFERS when it was changed. */
Receipt *receipt_read(const char *path, GError **error);

/* Checks a file: form, own hash, that its verdicts follow from its contents, and the chain back to the first receipt,
 * whose files must be beside it. *ret_chain (may be NULL): how many receipts that were. PGF_ERROR_DIFFERS names the
 * file and what does not match. */
bool receipt_check(const char *path, guint *ret_chain, GError **error);
/* As receipt_check() for the newest, and that every receipt that was ever recorded is still there, unchanged. */
bool receipt_check_all(Ledger *ledger, guint *ret_count, GError **error);

/* The path of the newest receipt (of that source; NULL: of any), or NULL with *error unset when there is none. */
char *receipt_newest(Ledger *ledger, const char *source_name, GError **error);

/* The path of the receipt of one run, or NULL with *error unset when it has none. */
char *receipt_of_run(Ledger *ledger, gint64 run, GError **error);

/* The document that the file holds. New reference. */
json_t *receipt_to_json(const Receipt *receipt);

/* "12 inserted, 3 overwritten": what became of the rows of a relation that was merged; empty where there is nothing to
 * say. Transfer full. */
char *receipt_merge_text(const ReceiptRelation *relation);
const char *receipt_action_text(ReceiptAction action);
const char *receipt_verdict_text(ReceiptVerdict verdict);

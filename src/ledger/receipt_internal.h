/* Shared between the receipt files of src/ledger. */
#pragma once

#include "ledger/receipt.h"

#define RECEIPT_VERSION 4 /* of those that are written; older ones are read */

typedef enum FieldType {
    FIELD_TEXT,      /* char *, must be there */
    FIELD_TEXT_NULL, /* char *, may be NULL */
    FIELD_SHA256,    /* char *, 64 hexadecimal digits */
    FIELD_SHA256_NULL,
    FIELD_INT,   /* gint64 */
    FIELD_COUNT, /* gint64, RECEIPT_UNKNOWN is null */
    FIELD_VALUE, /* ReceiptValue, null when not used */
    FIELD_BOOL,
    FIELD_TIME, /* gint64, as "2026-01-31T09:30:00.000000Z" */
    FIELD_ACTION,
    FIELD_VERDICT
} FieldType;

/* One member of a struct and of the JSON object it becomes. Both directions are driven by tables of these; a NULL name
 * ends a table. */
typedef struct Field {
    const char *name;
    FieldType type;
    size_t offset;
} Field;

json_t *fields_to_json(const Field *fields, const void *base);
/* Sets what is in object. where: "relations[3]", for errors. Missing, unknown or ill-typed members are errors. */
bool fields_from_json(const Field *fields, void *base, json_t *object, const char *where, GError **error);
/* An error that a receipt's form is wrong; false. */
bool fields_bad(GError **error, const char *where, const char *problem);

/* The whole document. The struct is filled from what is there; "schema", "version" and "sha256" included. */
Receipt *receipt_from_json(json_t *document, GError **error);
bool receipt_version_known(const json_t *version);
/* SHA-256, in hexadecimal, over the canonical form of document without its "sha256". Transfer full. */
char *receipt_hash(json_t *document);
/* "20260131T093000Z-000012-laptop.json". Transfer full. */
char *receipt_file_name(const Receipt *receipt);
/* What in the receipt contradicts its verdicts, or NULL. Transfer full. */
char *receipt_contradiction(const Receipt *receipt);

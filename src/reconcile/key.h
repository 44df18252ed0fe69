/* How the rows of a relation are ordered, told apart and packed (shared by the files of src/reconcile). */
#pragma once

#include "reconcile/reconcile.h"

/* The order of the key's first column. Numbers: an order that a 64-bit number stands for, alike on every server. */
typedef enum KeyOrder {
    ORDER_NONE, /* hashes only: no key, or texts of two encodings */
    ORDER_TEXT, /* the text under COLLATE "C": collations differ between machines */
    ORDER_INT,
    ORDER_OID,
    ORDER_UUID,
    ORDER_DATE,
    ORDER_TIME,
    ORDER_TIMESTAMP
} KeyOrder;

/* SQL pieces, alike for both sides. Columns are unqualified. */
typedef struct KeyPlan {
    const char *const *key; /* NULL: a multiset. Owned by the source relation */
    KeyOrder order;
    bool indexed;     /* both sides have an index that begins with the first column and serves its order */
    char *order_sql;  /* compared with bounds; NULL for ORDER_NONE */
    char *bound_type; /* what a bound's literal is cast to: "pg_catalog.int8" */
    char *row_sql;    /* the row's hash, bigint */
    char *second_sql; /* without a key: another hash of the row */
    char *hash_sql;   /* a hash of the key, bigint; without a key the row's */
    char *pack_sql;   /* bytea: the row's hash, then the key's columns; or a second hash without a key */
    bool *numbers;    /* for each key column: packed as a number of 8 bytes, not as its text after its length in 4 */
} KeyPlan;

void key_plan_init(KeyPlan *plan, const CatalogRelation *source, const CatalogRelation *target,
                   const char *const *columns, DigestText text);
void key_plan_clear(KeyPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeyPlan, key_plan_clear)

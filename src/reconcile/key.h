/* How the rows of a relation are put into ranges and told apart (shared by the files of src/reconcile). */
#pragma once

#include "reconcile/reconcile.h"

/* SQL pieces, alike for both sides. Columns are unqualified. */
typedef struct KeyPlan {
    bool keyed;
    char *order_sql;  /* what ranges are made of: the first key column, or its text; without a key the row's hash */
    char *order_type; /* its type, for a cast: "pg_catalog.int4" */
    char *key_sql;    /* the whole key as one text, unambiguous */
    char *row_sql;    /* the row's hash, bigint */
} KeyPlan;

void key_plan_init(KeyPlan *plan, const CatalogRelation *source, const CatalogRelation *target,
                   const char *const *columns, DigestText text);
/* How many ranges there may be at most; how many rows of the source one should have; how many ranges to make where they
 * are even. From the exact number of rows where source has it. */
guint64 key_plan_max_ranges(const KeyPlan *plan);
guint64 key_plan_rows_per_range(const KeyPlan *plan, const ReconcileSide *source);
guint64 key_plan_ranges(const KeyPlan *plan, const ReconcileSide *source);
void key_plan_clear(KeyPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeyPlan, key_plan_clear)

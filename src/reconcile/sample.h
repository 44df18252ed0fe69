/* Keys from a few blocks of a relation, spread over it evenly (src/reconcile only). */
#pragma once

#include "reconcile/key.h"

/* First key columns of both sides, as 64-bit numbers in order (of guint64), with the smallest and the largest where an
 * index tells them. Transfer full. */
GArray *sample_points(const KeyPlan *key, const ReconcileSide *source, const ReconcileSide *target, GError **error);
/* At most n - 1 texts of the source, in order, each once, that part it into n shares. Transfer full. */
GPtrArray *sample_texts(const KeyPlan *key, const ReconcileSide *source, guint n, GError **error);

/* What a point stands for: of ORDER_INT and ORDER_OID the value. */
gint64 sample_number(guint64 point);
/* The literal of a point, without quotes; NULL where there is none (a timestamp of the year 20000). Transfer full. */
char *sample_literal(KeyOrder order, guint64 point);

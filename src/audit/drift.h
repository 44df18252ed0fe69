/* Differences between two definitions of one relation, as sentences for people (src/audit only). */
#pragma once

#include "catalog/catalog.h"

/* Array of char*, empty when there are none. Transfer full. */
GPtrArray *drift_find(const CatalogRelation *source, const CatalogRelation *target);
/* Whether two texts that the server made of a definition say the same: one that was written, read and written again
 * has the casts of a list in other places. */
bool drift_same_sql(const char *a, const char *b);

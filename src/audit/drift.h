/* Differences between two definitions of one relation, as sentences for people (src/audit only). */
#pragma once

#include "catalog/catalog.h"

/* Array of char*, empty when there are none. Transfer full. */
GPtrArray *drift_find(const CatalogRelation *source, const CatalogRelation *target);

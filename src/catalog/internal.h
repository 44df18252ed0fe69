/* Shared by the files of src/catalog only. */
#pragma once

#include "catalog/catalog.h"

CatalogRelation *catalog_relation_new(void);
Catalog *catalog_new(void);
/* leave_out.c: marks the relations that filter leaves out, and takes everything else of it away. */
void catalog_leave_out(Catalog *catalog, const Filter *filter);

/* Shared by the files of src/catalog only. */
#pragma once

#include "catalog/catalog.h"

CatalogRelation *catalog_relation_new(void);
Catalog *catalog_new(void);

/* The keys of sources[].include and exclude: patterns as psql and pg_dump take them. */
#include "config/schema.h"

#include "config/config.h"

const ConfigKey config_filter_keys[] = {
    {.name = "schemas",
     .kind = CONFIG_KIND_PATTERNS,
     .offset = offsetof(ConfigFilter, schemas),
     .about = "Schemas, with all that is in them."},
    {.name = "tables",
     .kind = CONFIG_KIND_PATTERNS,
     .offset = offsetof(ConfigFilter, tables),
     .about = "Tables, views, materialized views, foreign tables and sequences, as `table` or `schema.table`."},
    {.name = "extensions",
     .kind = CONFIG_KIND_PATTERNS,
     .offset = offsetof(ConfigFilter, extensions),
     .about = "Extensions."},
    {.name = "databases",
     .kind = CONFIG_KIND_PATTERNS,
     .offset = offsetof(ConfigFilter, databases),
     .about = "With `databases: all`: databases."},
    {0},
};

/* The keys of code: what files are for. */
#include "config/schema.h"

#include "config/config.h"

#define CODE_OFFSET(class) (offsetof(ConfigCode, classes) + (class) * sizeof(char **))

const ConfigKey config_code_keys[] = {
    {.name = "variable",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigCode, variable),
     .unless_given = "`DATABASE_URL`",
     .about =
         "The environment variable from which the application takes its connection string: `pgfold guard` reads it."},
    {.name = "production",
     .kind = CONFIG_KIND_TEXTS,
     .offset = CODE_OFFSET(CONFIG_CODE_PRODUCTION),
     .about = "Patterns of files that are the application itself, where `pgfold scan` takes them for something else "
              "([scan.md](scan.md))."},
    {.name = "tests",
     .kind = CONFIG_KIND_TEXTS,
     .offset = CODE_OFFSET(CONFIG_CODE_TESTS),
     .about = "Likewise files that are tests: they may use the ephemeral database of `testdb`, and no other."},
    {.name = "docs",
     .kind = CONFIG_KIND_TEXTS,
     .offset = CODE_OFFSET(CONFIG_CODE_DOCS),
     .about = "Likewise documentation."},
    {.name = "infrastructure",
     .kind = CONFIG_KIND_TEXTS,
     .offset = CODE_OFFSET(CONFIG_CODE_INFRASTRUCTURE),
     .about = "Likewise what builds and runs the application."},
    {.name = "remove",
     .kind = CONFIG_KIND_TEXTS,
     .offset = offsetof(ConfigCode, remove),
     .about = "Files that only served the old databases: `pgfold scan` reports what refers to them, `pgfold retire` "
              "removes them."},
    {.name = "local",
     .kind = CONFIG_KIND_TEXTS,
     .offset = offsetof(ConfigCode, local),
     .about = "Files in which a local name is right, because the true database is on that host: a deployment."},
    {.name = "skip",
     .kind = CONFIG_KIND_TEXTS,
     .offset = offsetof(ConfigCode, skip),
     .about = "Files that `pgfold scan` leaves out."},
    {0},
};

/* The keys of `deploy` and `docs`: what `pgfold docs` writes. */
#include "config/config.h"
#include "config/schema.h"

const ConfigKey config_deploy_keys[] = {
    {.name = "name",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigDeploy, name),
     .required = true,
     .about = "What the step does, in a few words."},
    {.name = "run",
     .kind = CONFIG_KIND_COMMAND,
     .offset = offsetof(ConfigDeploy, run),
     .required = true,
     .about = "What to type. pgfold shows it, and never runs it."},
    {.name = "check",
     .kind = CONFIG_KIND_COMMAND,
     .offset = offsetof(ConfigDeploy, check),
     .about = "What to type then, to see that it worked."},
    {0},
};

const ConfigKey config_docs_keys[] = {
    {.name = "page",
     .kind = CONFIG_KIND_TEXT,
     .offset = offsetof(ConfigDocs, page),
     .unless_given = "`docs/database.md`",
     .about = "The project's database page, relative to pgfold.yaml and below it."},
    {.name = "tests",
     .kind = CONFIG_KIND_COMMAND,
     .offset = offsetof(ConfigDocs, tests),
     .unless_given = "by the files of the project",
     .about = "The command that runs the tests, as the page shows it behind `pgfold testdb --`."},
    {0},
};

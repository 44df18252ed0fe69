/* What is written, with {places} for what is filled in. Every piece ends its last line. */
#include "docs/internal.h"

const char docs_text_page_title[] = "# The database\n\n";

const char docs_text_page_start[] =
    "<!-- pgfold:page Made by `pgfold docs` from pgfold.yaml and its receipts. What stands between this mark and the "
    "one at the end is replaced each time. -->\n";
const char docs_text_page_end[] = "<!-- /pgfold:page -->\n";

const char docs_text_intro[] = "There is one database{database}, the same for everybody. The application takes its "
                               "connection string from {variable}, and from\n"
                               "nowhere else: no local copy, no default, no fallback. A program that does not find the "
                               "variable fails at its start.\n"
                               "\n"
                               "| the database | |\n"
                               "| --- | --- |\n"
                               "{rows}";

const char docs_text_reach_ssh[] =
    "\n## Reaching it\n\n"
    "It is behind the ssh host {host}{config}. pgfold holds the tunnel, on a private socket, and lets nothing through "
    "to another\n"
    "cluster. What runs behind `--` gets `DATABASE_URL`.\n\n"
    "```sh\n"
    "pgfold tunnel -- psql                  # a psql on it\n"
    "pgfold tunnel -- COMMAND               # any other program\n"
    "pgfold tunnel                          # holds the tunnel open until Ctrl-C, and prints the DATABASE_URL to use\n"
    "pgfold tunnel --port 6432 -- COMMAND   # for a program that cannot use a unix socket\n"
    "```\n\n"
    "`pgfold doctor` says what is missing where this does not work.\n";

const char docs_text_reach[] = "\n## Reaching it\n\n"
                               "Set {variable} to the connection string; the password belongs into it, into "
                               "`~/.pgpass` or into a service file, and never into git.\n\n"
                               "```sh\n"
                               "psql \"${name}\"\n"
                               "pgfold guard -- COMMAND      # runs COMMAND only if {name} leads to this database\n"
                               "```\n\n"
                               "`pgfold doctor` says what is missing where this does not work.\n";

const char docs_text_other_variable[] = "\n`pgfold tunnel` and `pgfold testdb` set `DATABASE_URL`: pass it on, as in\n"
                                        "`pgfold testdb -- sh -c '{name}=\"$DATABASE_URL\" exec COMMAND'`.\n";

const char docs_text_tests[] =
    "\n## Running the tests\n\n"
    "Tests never run on this database. They get an empty server of their own, which is gone when they end:\n\n"
    "{code}"
    "\n{port}Whatever else runs tests is kept away from the real data by `pgfold guard --testdb -- COMMAND`.\n";
const char docs_text_tests_port[] = "It listens on port {port} of this machine. ";

const char docs_text_deploy[] =
    "\n## Deploying\n\nOne step after the other, each with its check. Where a check fails, stop there.\n\n";
const char docs_text_no_deploy[] =
    "\n## Deploying\n\nNo steps are written down: they belong under `deploy:` in pgfold.yaml.\n";

const char docs_text_sources[] = "\n## Where its data came from\n\n"
                                 "| source | state | date | rows | from | into | receipt | fenced | retired |\n"
                                 "| --- | --- | --- | ---: | --- | --- | --- | --- | --- |\n";

const char docs_text_back[] = "\n## Going back\n\n";
const char docs_text_nothing_back[] = "Nothing was folded that could be taken back.\n";
const char docs_text_undo[] = "- `pgfold undo {run}` takes the fold of {source} out of the database again, or refuses "
                              "where a later change would be lost.\n";
const char docs_text_lift[] =
    "- `pgfold fence {source} --lift` opens the source {source} for writing again, as it was.\n";
const char docs_text_unretire[] = "- `pgfold retire {source} --undo` brings back what served the source {source}; `git "
                                  "revert` of its commits brings back the code alone.\n";

const char docs_text_protect[] = "\n## Not to be touched\n\n";

const char docs_text_entry[] =
    "<!-- pgfold:database -->\n"
    "**Database:** there is one{database}, the same for everybody, and the application finds it through {variable} "
    "alone. Start no local\n"
    "PostgreSQL server for it, and give the variable no default. Tests: `pgfold testdb -- {tests}`.\n"
    "How to reach it, to deploy and to go back: [{page}]({link}).\n"
    "<!-- /pgfold:database -->\n";

const char docs_text_env[] = "# pgfold docs: the connection string of the one database, the same for everybody. There "
                             "is no default and no fallback.\n"
                             "{how}"
                             "# pgfold docs: tests: pgfold testdb -- {tests}. All else: {page}\n";
const char docs_text_env_ssh[] = "# pgfold docs: empty on purpose: `pgfold tunnel` opens the way through {host} and "
                                 "prints the value; `pgfold tunnel -- COMMAND` sets it.\n";
const char docs_text_env_plain[] = "# pgfold docs: empty on purpose: the value belongs into .env or the environment, "
                                   "and its password never into git.\n";

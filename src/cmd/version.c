/* pgfold version: what is running, for bug reports and scripts. */
#include "cmd/command.h"
#include "pg/conn.h"

enum { OLDEST_SERVER = 12, NEWEST_SERVER = 18 };

static const CommandExample examples[] = {
    {"pgfold version", "What to put into a bug report"},
    {"pgfold version --json | jq -r .pgfold", "The number alone, for a script"},
    {NULL},
};

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_autofree char *libpq = pg_library_version();
    if (out->json) {
        json_t *document = out_json_new("version");
        json_object_set_new(document, "libpq", json_string(libpq));
        json_object_set_new(document, "build", json_string(PGFOLD_BUILD_TYPE));
        json_object_set_new(document, "compiler", json_string(PGFOLD_COMPILER));
        json_object_set_new(document, "oldest_server", json_integer(OLDEST_SERVER));
        json_object_set_new(document, "newest_server", json_integer(NEWEST_SERVER));
        out_json(out, document);
        return 0;
    }
    out_line(out, "pgfold %s", PGFOLD_VERSION);
    out_line(out, "build: %s, %s", PGFOLD_BUILD_TYPE, PGFOLD_COMPILER);
    out_line(out, "libpq: %s", libpq);
    out_line(out, "servers: PostgreSQL %d to %d", OLDEST_SERVER, NEWEST_SERVER);
    return 0;
}

const Command command_version = {
    .name = "version",
    .summary = "show the version, and which servers it works with",
    .synopsis = "",
    .description = "The version of pgfold, how it was built, and the PostgreSQL servers that it works with. "
                   "`pgfold --version` prints the first line only.",
    .examples = examples,
    .run = run,
};

/* pgfold testdb: a PostgreSQL server for the length of one command, or until it is stopped. */
#include "testdb/testdb.h"

#include <string.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/program.h"
#include "config/protect.h"

static const char *const actions[] = {"start", "stop", "url", NULL};

enum { STOP_MS = 60000 };

static const CommandOption options[] = {
    {"name", 0, OPTION_STRING, "NAME", "which server start, stop and url mean (default: default)"},
    {"bindir", 0, OPTION_STRING, "DIR", "use the server programs in DIR"},
    {"pg-version", 0, OPTION_INT, "N", "use PostgreSQL N (default: the newest that is installed)"},
    {"port", 'p', OPTION_INT, "N", "listen on 127.0.0.1:N too, with a random password; 0: unix socket only"},
    {"database", 'd', OPTION_STRING, "NAME", "create this database and lead DATABASE_URL to it (default: postgres)"},
    {"set", 0, OPTION_LIST, "NAME=VALUE", "a server setting"},
    {"dir", 0, OPTION_STRING, "DIR", "keep the server's folder in DIR (default: /dev/shm, $TMPDIR or /tmp)"},
    {"disk", 0, OPTION_FLAG, NULL, "keep the data on disk rather than in memory, for large databases"},
    {"user", 0, OPTION_STRING, "NAME",
     "when root: run the server as this user (default: who called sudo, or postgres)"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold testdb -- pytest -q", "Run the tests with a server of their own"},
    {"pgfold testdb --port 5434 --database app_test -- npm test", "For programs that cannot use a unix socket"},
    {"pgfold testdb --set wal_level=logical -- psql", "Look around in a server with a setting of yours"},
    {"export DATABASE_URL=\"$(pgfold testdb start)\"", "Start one that stays; starting again prints the same URL"},
    {"pgfold testdb stop", "Stop it and remove its data"},
    {NULL},
};

/* What pgfold.yaml says about it, where there is one; the command line wins. */
static bool read_config(const CommandArgs *args, Config **ret_config, GError **error)
{
    g_autofree char *path = NULL;
    if (!config_find(args_config(args), &path, error))
        return false;
    if (path != NULL)
        *ret_config = config_load(path, CONFIG_OFFLINE, error);
    return path == NULL || *ret_config != NULL;
}

/* The strings belong to args and config, the array to the caller. */
static GPtrArray *collect_settings(const CommandArgs *args, const Config *config)
{
    GPtrArray *all = g_ptr_array_new();
    const char *const *lists[] = {config == NULL ? NULL : (const char *const *)config->testdb.settings,
                                  args_list(args, "set")};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        for (const char *const *setting = lists[i]; setting != NULL && *setting != NULL; setting++)
            g_ptr_array_add(all, (gpointer)(guintptr)*setting);
    g_ptr_array_add(all, NULL);
    return all;
}

static TestDbOptions collect_options(const CommandArgs *args, const Config *config, const GPtrArray *settings)
{
    TestDbOptions wish = {
        .bindir = args_string(args, "bindir"),
        .database = args_string(args, "database"),
        .user = args_string(args, "user"),
        .dir = args_string(args, "dir"),
        .durable_data = args_flag(args, "disk"),
        .settings = (const char *const *)settings->pdata,
    };
    (void)args_int(args, "pg-version", &wish.version);
    if (!args_int(args, "port", &wish.port) && config != NULL)
        wish.port = config->testdb.port;
    if (wish.database == NULL && config != NULL)
        wish.database = config->testdb.database;
    return wish;
}

static int run_with(const TestDbOptions *wish, const char *const *words, Out *out, GError **error)
{
    if (out->json) {
        pgf_error_set(error, PGF_ERROR_USAGE, "The output is the command's own; --json goes with start, stop and url.",
                      "--json does not go with a command");
        return PGF_ERROR_USAGE;
    }
    if (!program_exists(words[0], error))
        return PGF_ERROR_USAGE;
    g_autoptr(TestDb) db = testdb_open(wish, error);
    if (db == NULL)
        return PGF_ERROR_CONNECT;
    if (out->verbose)
        out_notice(out, "PostgreSQL %d in %s", testdb_version(db), testdb_folder(db));
    g_autoptr(Child) child = program_start(words, testdb_environment(db), error);
    if (child == NULL)
        return PGF_ERROR_USAGE;
    int status = program_wait(child);
    g_autoptr(GError) death = NULL;
    if (!testdb_alive(db, &death))
        out_warning(out, "while the command ran, %s", death == NULL ? "the test server ended" : death->message);
    return status;
}

static json_t *describe(const char *action, const char *name, const TestDbNamed *named)
{
    json_t *document = out_json_new("testdb");
    bool runs = named != NULL && named->name != NULL;
    json_object_set_new(document, "action", json_string(action));
    json_object_set_new(document, "name", out_json_string(name));
    json_object_set_new(document, "running", json_boolean(runs));
    if (runs) {
        json_object_set_new(document, "url", out_json_string(named->url));
        json_object_set_new(document, "server_version", json_integer(named->version));
        json_object_set_new(document, "folder", out_json_string(named->folder));
    }
    return document;
}

static int run_start(const char *name, const TestDbOptions *wish, Out *out, GError **error)
{
    g_auto(TestDbNamed) named = {0};
    if (!testdb_named_start(name, wish, &named, error))
        return PGF_ERROR_CONNECT;
    if (out->json) {
        json_t *document = describe("start", name, &named);
        json_object_set_new(document, "started", json_boolean(named.fresh));
        out_json(out, document);
        return 0;
    }
    out_line(out, "%s", named.url);
    out_notice(out, named.fresh ? "PostgreSQL %d started in %s" : "PostgreSQL %d runs already, in %s", named.version,
               named.folder);
    return 0;
}

static int run_url(const char *name, Out *out, GError **error)
{
    g_auto(TestDbNamed) named = {0};
    if (!testdb_named_find(name, &named, error))
        return PGF_ERROR_USAGE;
    if (named.name == NULL) {
        pgf_error_set(error, PGF_ERROR_CONNECT, "`pgfold testdb start` starts it.", "the test server %s does not run",
                      name);
        return PGF_ERROR_CONNECT;
    }
    if (out->json)
        out_json(out, describe("url", name, &named));
    out_line(out, "%s", named.url);
    return 0;
}

static int run_stop(const char *name, Out *out, GError **error)
{
    bool stopped = false;
    if (!testdb_named_stop(name, deadline_in_ms(STOP_MS), &stopped, error))
        return PGF_ERROR_CONNECT;
    if (out->json) {
        json_t *document = describe("stop", name, NULL);
        json_object_set_new(document, "stopped", json_boolean(stopped));
        out_json(out, document);
        return 0;
    }
    out_notice(out,
               stopped ? "The test server %s is stopped, and its data removed." : "The test server %s did not run.",
               name);
    return 0;
}

/* A test database of a protected name is one slip away from the protected one. */
static bool check_protected(const Config *config, const TestDbOptions *wish, GError **error)
{
    if (config == NULL)
        return true;
    return (wish->database == NULL || config_check_protected(config, "testdb", wish->database, error)) &&
           (wish->dir == NULL || config_check_protected_path(config, "the folder of the server", wish->dir, error));
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    const char *const *words = args_words(args);
    const char *action = args_action(args);
    const char *name = args_string(args, "name") == NULL ? "default" : args_string(args, "name");
    if ((action == NULL) == (words[0] == NULL)) {
        pgf_error_set(error, PGF_ERROR_USAGE, "As in `pgfold testdb -- pytest`, or one of start, stop and url.",
                      action == NULL ? "no command to run" : "%s takes no arguments", action);
        return PGF_ERROR_USAGE;
    }
    if (g_strcmp0(action, "url") == 0)
        return run_url(name, out, error);
    if (g_strcmp0(action, "stop") == 0)
        return run_stop(name, out, error);
    g_autoptr(Config) config = NULL;
    if (!read_config(args, &config, error))
        return PGF_ERROR_USAGE;
    g_autoptr(GPtrArray) settings = collect_settings(args, config);
    TestDbOptions wish = collect_options(args, config, settings);
    if (!check_protected(config, &wish, error))
        return PGF_ERROR_REFUSED;
    return action != NULL ? run_start(name, &wish, out, error) : run_with(&wish, words, out, error);
}

const Command command_testdb = {
    .name = "testdb",
    .summary = "run a command with a PostgreSQL server of its own",
    .synopsis = "start | stop | url | [--] COMMAND [ARG...]",
    .description =
        "Makes a new, empty PostgreSQL server, runs COMMAND with DATABASE_URL and the PG* variables leading to it, and "
        "removes it again, however COMMAND or pgfold ends. A warm start takes about a tenth of a second: the server's "
        "folder is a copy of a cached one, in memory where there is room, and nothing is synced to disk.\n\n"
        "The server listens on a unix socket in a folder that only its user may enter; with --port also on 127.0.0.1, "
        "with a random password that is part of DATABASE_URL.\n\n"
        "`start` leaves a server running and prints its URL, `url` prints it again, `stop` ends it and removes its "
        "data. "
        "A program that is called like one of these three is run after --.\n\n"
        "Server programs are looked for in $PGFOLD_SERVERS (folders separated by colons), PATH and where packages put "
        "them. Root is never the user who runs the server. Port, database and settings may stand in pgfold.yaml under "
        "testdb.",
    .options = options,
    .examples = examples,
    .exit_codes =
        "The status of COMMAND, 128 and the number of the signal where one ended it. When there is no server to "
        "run it with: 2 or 3.",
    .options_first = true,
    .actions = actions,
    .run = run,
};

/* pgfold guard: runs a program only where its DATABASE_URL leads to the right database. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/spawn.h"
#include "cmd/command.h"
#include "config/secret.h"
#include "doctor/where.h"
#include "tunnel/routes.h"

static const CommandOption options[] = {
    {"testdb", 0, OPTION_FLAG, NULL, "run it only if this is neither the target nor a source nor protected"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold guard -- ./migrate.sh", "Only against the pinned target"},
    {"pgfold guard --testdb -- pytest", "Never against the target, a source or a protected database"},
    {NULL},
};

static const char *read_variable(const Config *config, GError **error)
{
    const char *name = config->code.variable;
    const char *value = g_getenv(name);
    if (value != NULL && *value != '\0')
        return value;
    char *hint = g_strdup_printf("Set %s to the database that the program is to use. There is no default: without it a "
                                 "program may find another database by itself.",
                                 name);
    pgf_error_take_hint(error, PGF_ERROR_REFUSED, hint, "the environment variable %s is %s", name,
                        value == NULL ? "not set" : "empty");
    return NULL;
}

static bool check_pinned(const Config *config, GError **error)
{
    if (config->target.identity != NULL)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "Write it under target: `pgfold doctor` shows it. Without it nothing tells the target from another "
                  "server under its URL.",
                  "target.identity is not pinned in %s", config->path);
    return false;
}

static bool check_one_host(const char *name, const char *url, GError **error)
{
    g_autofree char *plain = pg_url_without_driver(url);
    bool several = pg_url_has_several_hosts(plain);
    explicit_bzero(plain, strlen(plain));
    if (several)
        pgf_error_set(error, PGF_ERROR_REFUSED, "Name one host.",
                      "%s names several hosts: the program may reach another one than pgfold", name);
    return !several;
}

static bool refuse(GError **error, const char *name, const Where *where, const char *wanted, const char *hint)
{
    g_autofree char *sentence = where_sentence(where);
    pgf_error_set(error, PGF_ERROR_REFUSED, hint, "%s %s", name, sentence);
    if (error != NULL) {
        g_prefix_error(error, "%s: ", wanted);
        pgf_error_set_state(*error, "the program was not started");
    }
    return false;
}

static bool check_target(const char *name, const Where *where, GError **error)
{
    if (where->kind == WHERE_TARGET && where->named)
        return true;
    if (where->kind == WHERE_TARGET) {
        pgf_error_set(error, PGF_ERROR_CONNECT,
                      "Set the variable that target.url in pgfold.yaml names, or write target.database.",
                      "%s leads to the target's server, but which of its databases is the target cannot be told", name);
        return false;
    }
    return refuse(error, name, where, "not the target", "Set it to the URL of the target.");
}

/* What cannot be told from the target must not be written to by tests either. */
static bool check_testdb(const char *name, const Where *where, GError **error)
{
    if (where->kind != WHERE_UNKNOWN)
        return refuse(error, name, where, "not a test database",
                      "Set it to a database for tests, or use `pgfold testdb -- COMMAND`.");
    if (!where->compared) {
        pgf_error_set(error, PGF_ERROR_CONNECT,
                      "Pin target.identity in pgfold.yaml (`pgfold doctor` shows it): then the target need not answer.",
                      "whether %s leads to the target cannot be told: %s", name, (const char *)where->doubts->pdata[0]);
        return false;
    }
    return true;
}

/* The program is the user's, not ours: it has the limits that it would have without us. */
static void replace(const char *const *words, GError **error)
{
    tunnel_routes_close();
    mode_t mask = umask(command_caller.umask);
    struct rlimit core = {0};
    getrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_CORE, &command_caller.core);
    spawn_replace(words, error);
    setrlimit(RLIMIT_CORE, &core);
    umask(mask);
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    const char *const *words = args_words(args);
    bool testdb = args_flag(args, "testdb");
    if (words[0] == NULL || out->json) {
        pgf_error_set(error, PGF_ERROR_USAGE, "As in `pgfold guard -- ./migrate.sh`; `pgfold doctor --url` has --json.",
                      out->json ? "--json does not go with a command" : "no command to run");
        return PGF_ERROR_USAGE;
    }
    g_autoptr(Config) config = config_open(args_config(args), CONFIG_KNOWN, error);
    const char *url = config == NULL ? NULL : read_variable(config, error);
    if (url == NULL || (!testdb && !check_pinned(config, error)) || !check_one_host(config->code.variable, url, error))
        return PGF_ERROR_REFUSED;
    const char *name = config->code.variable;
    g_autoptr(Where) where = where_leads(config, name, url, error);
    if (where == NULL)
        return PGF_ERROR_CONNECT;
    if (testdb ? !check_testdb(name, where, error) : !check_target(name, where, error))
        return PGF_ERROR_REFUSED;
    for (guint i = 0; i < where->doubts->len; i++)
        out_warning(out, "%s", (const char *)where->doubts->pdata[i]);
    if (out->verbose) {
        g_autofree char *sentence = where_sentence(where);
        out_notice(out, "%s %s", name, sentence);
    }
    g_clear_pointer(&where, where_free);
    out_flush(out);
    replace(words, error);
    return PGF_ERROR_USAGE;
}

const Command command_guard = {
    .name = "guard",
    .summary = "run a program only if its DATABASE_URL leads to the pinned target",
    .synopsis = "[--] COMMAND [ARG...]",
    .description =
        "Reads DATABASE_URL (or the variable that code.variable in pgfold.yaml names) as libpq does, connects, asks "
        "the "
        "server who it is, and becomes COMMAND if that is the target of pgfold.yaml: the cluster that target.identity "
        "pins, and its database. Otherwise COMMAND is not started. A variable that is unset or empty is refused: "
        "programs have defaults.\n\n"
        "A standby and a copied data folder of the target have its identity too: where the target answers under its "
        "own URL, both must be the same running server.\n\n"
        "With --testdb it is the other way round: COMMAND runs only if the variable leads to none of the target, the "
        "sources and the protected databases. Sources that do not answer are known from earlier runs; one that is not "
        "is named in a warning.",
    .options = options,
    .examples = examples,
    .exit_codes =
        "The status of COMMAND, which takes the place of pgfold. Where it was not started: 2, 3 when the "
        "variable leads nowhere or nothing can tell where, 4 when it is unset or leads to the wrong database.",
    .options_first = true,
    .run = run,
};

/* pgfold doctor: is everything there that a fold needs? And where does a connection string lead? */
#include "base/error.h"
#include "cmd/doctor_view.h"
#include "cmd/shared.h"

static const CommandOption options[] = {
    SHARED_OPTIONS,
    {"no-owner", 0, OPTION_FLAG, NULL, "for a fold with --no-owner: owners of the source need not be there"},
    {"no-privileges", 0, OPTION_FLAG, NULL, "for a fold with --no-privileges"},
    {"url", 0, OPTION_STRING, "URL", "tell where this leads: to the target, a source, or something else"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold doctor", "Check this machine, the target and every source of pgfold.yaml"},
    {"pgfold doctor laptop --verbose", "One source, with all that is good as well"},
    {"pgfold doctor --json | jq -r '.results[].statements[]'", "Every statement that is missing, for an administrator"},
    {"pgfold doctor --url \"$DATABASE_URL\"", "Is that the target, or a local server that looks like it?"},
    {NULL},
};

static int run_url(const CommandArgs *args, Out *out, GError **error)
{
    if (args_words(args)[0] != NULL || args_string(args, "source") != NULL || args_string(args, "target") != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "--url goes with neither --source, --target nor a name");
        return PGF_ERROR_USAGE;
    }
    g_autoptr(Config) config = config_open(args_config(args), CONFIG_KNOWN, error);
    g_autoptr(Where) where = config == NULL ? NULL : where_leads(config, "--url", args_string(args, "url"), error);
    if (where == NULL)
        return PGF_ERROR_CONNECT;
    if (out->json)
        out_json(out, where_json(where));
    else
        where_show(where, out);
    return where->kind == WHERE_TARGET ? 0 : PGF_ERROR_DIFFERS;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    if (args_string(args, "url") != NULL)
        return run_url(args, out, error);
    g_auto(Choice) choice = {0};
    if (!shared_choose(args, out, &choice, error))
        return PGF_ERROR_USAGE;
    DoctorSpec spec = {.config = choice.config,
                       .sources = choice.sources,
                       .no_owner = args_flag(args, "no-owner"),
                       .no_privileges = args_flag(args, "no-privileges")};
    g_autoptr(Doctor) doctor = doctor_run(&spec, error);
    if (doctor == NULL)
        return PGF_ERROR_INTERNAL;
    if (out->json)
        out_json(out, doctor_json(doctor));
    else
        doctor_show(doctor, out);
    return doctor_status(doctor);
}

const Command command_doctor = {
    .name = "doctor",
    .summary = "check all that a fold needs, and say how to mend it",
    .synopsis = "[SOURCE...]",
    .description =
        "Asks this machine, the target and each source for everything that a fold depends on: programs, versions, "
        "identities, extensions, collations, privileges (as the statements that grant them), connections, disk room, "
        "replication, locks that others hold, and what earlier runs left. It only reads, takes about a second, and "
        "shows what can be shown when an end cannot be reached.\n\n"
        "With --url it tells where a connection string leads, by what the server says it is: to the target, to a "
        "source, to a protected database, or to none of them. A tunnel on localhost that looks like the local server "
        "is found out that way.",
    .options = options,
    .examples = examples,
    .exit_codes = "1 when a check failed, 3 when an end cannot be reached or is not the one that is pinned, 4 when one "
                  "is protected. With --url: 0 when it leads to the target, 1 when it leads elsewhere, 3 when nowhere.",
    .run = run,
};

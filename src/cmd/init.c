/* pgfold init: finds databases, and writes pgfold.yaml. */
#include "cmd/init.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "config/config.h"
#include "config/secret.h"

static const CommandOption options[] = {
    {"target", 't', OPTION_STRING, "WHICH", "the database that stays: its number, its name, or a connection string"},
    {"source", 's', OPTION_LIST, "NAME=WHICH", "a database to be folded into it, and what to call it"},
    {"test", 0, OPTION_LIST, "WHICH", "a test database: kept out of everything, and written under testdb"},
    {"protect", 0, OPTION_LIST, "WHAT", "a database (number or name) or path that must not be touched"},
    {"force", 'f', OPTION_FLAG, NULL, "replace a pgfold.yaml that is there; it is kept beside it, as pgfold.yaml.TIME"},
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"dry-run", 'n', OPTION_FLAG, NULL, "print the file instead of writing it"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold init", "Show what is there, ask, and write pgfold.yaml"},
    {"pgfold init --target '$DATABASE_URL' --source laptop=2 --yes",
     "Without questions: pgfold reads the variable itself, and number 2 of the list is the source"},
    {"pgfold init --json", "What was found, and nothing else"},
    {NULL},
};

/* An earlier file is not overwritten without being told so; said before anything is looked for. */
static bool check_free(const char *path, bool force, bool *ret_exists, GError **error)
{
    *ret_exists = access(path, F_OK) == 0;
    if (!*ret_exists || force)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "--force replaces it and keeps the old one beside it; --dry-run shows what would be written.",
                  "%s is there already", path);
    return false;
}

static bool keep_copy(const char *path, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    g_autofree char *copy = g_strdup_printf("%s.%s", path, time);
    if (link(path, copy) == 0 || (errno == EEXIST && access(copy, F_OK) == 0))
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, "Move it away yourself, and run `pgfold init` again.",
                  "%s cannot be kept as %s: %s", path, copy, g_strerror(errno));
    return false;
}

/* For everybody to read who may read the project: it holds no secret. */
static bool write_file(const char *path, const char *text, GError **error)
{
    g_autoptr(GError) cause = NULL;
    mode_t ours = umask(command_caller.umask);
    bool written = g_file_set_contents_full(path, text, -1,
                                            G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666, &cause);
    umask(ours);
    if (written)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "Change to a folder that can be written to, or give --config FILE.",
                  "%s cannot be written: %s", path, cause->message);
    return false;
}

/* What is written can be read again, whatever names and connection strings hold. */
static bool check_text(const char *text, const char *path, GError **error)
{
    g_autoptr(Config) config = config_parse(text, strlen(text), path, CONFIG_OFFLINE, error);
    if (config != NULL)
        return true;
    g_prefix_error(error, "what init would write cannot be read: ");
    return false;
}

static void warn_of_password(Out *out, const char *option, const char *text)
{
    char **secrets = config_secrets(text);
    if (secrets[0] != NULL)
        out_warning(out,
                    "everybody on this machine can read the password in %s while this runs; it is not written "
                    "down. A variable may be named instead, in single quotes: '$DATABASE_URL'",
                    option);
    config_secrets_free(secrets);
}

static void warn_of_passwords(const CommandArgs *args, Out *out)
{
    if (args_string(args, "target") != NULL)
        warn_of_password(out, "--target", args_string(args, "target"));
    for (guint i = 0; args_list(args, "source")[i] != NULL; i++)
        warn_of_password(out, "--source", args_list(args, "source")[i]);
}

typedef struct Job {
    const CommandArgs *args;
    Out *out;
    const char *path;
    bool exists;
} Job;

/* A file of a folder above holds here until now. */
static void warn_of_other(const Job *job)
{
    g_autofree char *other = NULL;
    if (!job->exists && args_config(job->args) == NULL && config_find(NULL, &other, NULL) && other != NULL)
        out_warning(job->out, "%s is what pgfold uses in this folder until now: the new file goes before it", other);
}

static void say_written(Out *out, const InitAnswers *answers, const char *path)
{
    g_autoptr(GPtrArray) needs = init_file_needs(answers);
    out_line(out, "Wrote %s: %u source%s, target %s pinned to cluster %s.", path, answers->sources->len,
             answers->sources->len == 1 ? "" : "s", answers->target->name, answers->target->server->system_identifier);
    for (guint i = 0; i < needs->len; i++)
        out_notice(out, "Before it can be used, %s", (const char *)needs->pdata[i]);
    out_notice(out, "Next: `pgfold audit` compares, `pgfold fold` folds.");
}

/* ret_written: whether there is a file now. */
static bool finish(const Job *job, const InitAnswers *answers, const char *text, bool *ret_written, GError **error)
{
    Out *out = job->out;
    bool yes = args_flag(job->args, "yes");
    *ret_written = false;
    if (!check_text(text, job->path, error))
        return false;
    if (args_flag(job->args, "dry-run")) {
        if (!out->json)
            out_raw(out, text);
        return true;
    }
    if (!yes && out_can_ask(out))
        out_notice(out, "\n%s", text);
    if (!out_confirm(out, yes, "Write %s?", job->path)) {
        if (cancel_check(error))
            pgf_error_set(
                error, PGF_ERROR_REFUSED, out_can_ask(out) ? NULL : "Add --yes to write it, or --dry-run to see it.",
                out_can_ask(out) ? "not confirmed: nothing was written" : "init cannot ask here whether to write %s",
                job->path);
        return false;
    }
    if ((job->exists && !keep_copy(job->path, error)) || !write_file(job->path, text, error))
        return false;
    *ret_written = true;
    say_written(out, answers, job->path);
    return true;
}

static void print_json(Out *out, const Discovery *discovery, const char *path, const char *text, bool written)
{
    json_t *document = out_json_new("init");
    json_object_set_new(document, "databases", init_view_json(discovery));
    json_t *remarks = json_array();
    for (guint i = 0; i < discovery->remarks->len; i++)
        json_array_append_new(remarks, out_json_string(discovery->remarks->pdata[i]));
    json_object_set_new(document, "remarks", remarks);
    json_object_set_new(document, "file", out_json_string(path));
    json_object_set_new(document, "written", json_boolean(written));
    json_object_set_new(document, "text", out_json_string(text));
    out_json(out, document);
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    const char *path = args_config(args) != NULL         ? args_config(args)
                       : access("pgfold.yml", F_OK) == 0 ? "pgfold.yml"
                                                         : "pgfold.yaml";
    bool dry_run = args_flag(args, "dry-run");
    bool finds_only = out->json && args_string(args, "target") == NULL && args_list(args, "source")[0] == NULL;
    Job job = {.args = args, .out = out, .path = path};
    if (!check_free(path, dry_run || finds_only || args_flag(args, "force"), &job.exists, error))
        return 0;
    warn_of_passwords(args, out);
    g_autoptr(Discovery) discovery = discover(".", error);
    if (discovery == NULL)
        return 0;
    init_view_print(out, discovery, dry_run);
    if (!finds_only)
        warn_of_other(&job);
    if (finds_only) {
        print_json(out, discovery, NULL, NULL, false);
        return 0;
    }
    g_auto(InitAnswers) answers = {0};
    if (!init_answers_get(args, out, discovery, &answers, error))
        return 0;
    g_autofree char *text = init_file_text(&answers);
    bool written = false;
    if (finish(&job, &answers, text, &written, error) && out->json)
        print_json(out, discovery, path, text, written);
    return 0;
}

const Command command_init = {
    .name = "init",
    .summary = "find databases, and write pgfold.yaml",
    .description =
        "Looks for PostgreSQL servers on this machine: unix sockets in the usual folders and in PGHOST, loopback ports "
        "that answer as PostgreSQL, containers of docker and podman. Reads what names one: the environment, .env files "
        "and compose files under the "
        "current "
        "folder, and libpq's service files. Shows every database with its size, version and the system "
        "identifier of its cluster; places that lead to one server are one line.\n\n"
        "Then it asks which database is the target, which are sources, which are for tests and which must not be "
        "touched, "
        "and writes a commented pgfold.yaml with the target's identity pinned. Without a terminal the options "
        "answer.\n\n"
        "A password is never written: the file names a variable, or leaves it to ~/.pgpass and says so. Nothing is "
        "changed in any database. docs/init.md says what is asked of whom.",
    .options = options,
    .examples = examples,
    .exit_codes = "4 means that there is a pgfold.yaml already, or that writing was not confirmed.",
    .run = run,
};

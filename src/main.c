/* The commands, in the order of `pgfold help`, and what the process needs before any of them runs. */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wipe.h"
#include "cmd/command.h"
#include "config/secret.h"
#include "testdb/testdb.h"
#include "tunnel/routes.h"

extern const Command command_audit, command_backup, command_docs, command_doctor, command_fence, command_fold,
    command_guard, command_help, command_init, command_plan, command_report, command_retire, command_scan,
    command_status, command_testdb, command_tunnel, command_undo, command_verify, command_version;

static const CommandEntry commands[] = {
    {"Before a fold", &command_init},
    {NULL, &command_doctor},
    {"Folding", &command_audit},
    {NULL, &command_plan},
    {NULL, &command_backup},
    {NULL, &command_fold},
    {NULL, &command_fence},
    {NULL, &command_verify},
    {NULL, &command_undo},
    {"What was done", &command_status},
    {NULL, &command_report},
    {"The code", &command_scan},
    {NULL, &command_retire},
    {NULL, &command_docs},
    {"In daily use", &command_guard},
    {NULL, &command_tunnel},
    {"Servers for tests", &command_testdb},
    {"About pgfold", &command_help},
    {NULL, &command_version},
    {NULL, NULL},
};

/* A core dump would hold passwords. Not dumpable: nor does a program get one to which the kernel pipes it, and others
 * of this user cannot look into our memory. Programs that we start are as they would be without us. The limit may be
 * raised again by whoever debugs (the hard one stays). */
static void forbid_core_dumps(void)
{
    prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_CORE, &command_caller.core) != 0)
        return;
    struct rlimit limit = command_caller.core;
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &limit);
}

/* A failed assertion, or no memory: GLib has said what, and raises one of these. Servers and other children see that we
 * are gone and end. */
static void on_bug(int number)
{
    static const char message[] = "pgfold: error: internal error\n"
                                  "  hint: this is a bug of pgfold: please report it with the lines above and "
                                  "`pgfold version`\n";
    ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored;
    _exit(PGF_ERROR_INTERNAL);
}

static void catch_bugs(void)
{
    struct sigaction action = {.sa_handler = on_bug};
    sigemptyset(&action.sa_mask);
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
}

/* A command line is there for every user of the machine to read. The words are copied, and the passwords of connection
 * strings are covered where they were given. Transfer full. */
static char **take_words(int argc, char **argv)
{
    char **words = g_new0(char *, (gsize)argc + 1);
    for (int i = 0; i < argc; i++) {
        words[i] = g_strdup(argv[i]);
        const char *value = g_str_has_prefix(argv[i], "--") ? strchr(argv[i], '=') : NULL;
        char **secrets = config_secrets(value == NULL ? words[i] : words[i] + (value - argv[i]) + 1);
        for (guint k = 0; secrets[k] != NULL; k++)
            for (char *at = strstr(argv[i], secrets[k]); at != NULL; at = strstr(at + strlen(secrets[k]), secrets[k]))
                memset(at, '*', strlen(secrets[k]));
        config_secrets_free(secrets);
    }
    return words;
}

int main(int argc, char **argv)
{
    forbid_core_dumps();
    if (testdb_keeper_called(argc, argv))
        return testdb_keeper_main(argc, argv);
    command_caller.umask = umask(077); /* whatever is written may hold rows of a database */
    cancel_init();
    catch_bugs();
    char **words = take_words(argc, argv);
    tunnel_routes_install();
    int status = command_main(argc, words, commands);
    tunnel_routes_close();
    wipe_strv_free(words);
    return status;
}

#include "cmd/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/command.h"

bool program_exists(const char *program, GError **error)
{
    g_autofree char *path = g_find_program_in_path(program);
    if (path != NULL)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "Give a program and its arguments after --, not a line for the shell.",
                  "there is no program %s", program);
    return false;
}

/* Ctrl-C on a terminal goes to every program in its foreground, so the command has it already. */
static bool sent_by_terminal(int number)
{
    int terminal = number == SIGINT ? open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
    if (terminal < 0)
        return false;
    bool foreground = tcgetpgrp(terminal) == getpgrp();
    close(terminal);
    return foreground;
}

void program_pass_signal(const Child *child)
{
    int number = cancel_signal();
    cancel_reset();
    if (number != 0 && !sent_by_terminal(number))
        child_signal(child, number);
}

int program_wait(Child *child)
{
    int status = PGF_ERROR_INTERNAL;
    while (!child_wait(child, DEADLINE_NONE, &status, NULL))
        program_pass_signal(child);
    return status;
}

Child *program_start(const char *const *words, const char *const *environment, GError **error)
{
    SpawnSpec spec = {.argv = words,
                      .setenv = environment,
                      .inherit_stdin = true,
                      .keep_all_fds = true,
                      .out = SPAWN_INHERIT,
                      .err = SPAWN_INHERIT};
    mode_t mask = umask(command_caller.umask);
    struct rlimit core = {0};
    getrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_CORE, &command_caller.core);
    Child *child = spawn_start(&spec, error);
    setrlimit(RLIMIT_CORE, &core);
    umask(mask);
    return child;
}

#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"
#include "base/wipe.h"

enum { KILL_GRACE_MS = 5000 };

struct Child {
    pid_t pid;
    int pid_fd;
    bool reaped;
    int status;
};

typedef struct Setup {
    const SpawnSpec *spec;
    pid_t parent;
} Setup;

/* Runs between fork and exec: async-signal-safe calls only. */
static void in_child(gpointer data)
{
    const Setup *setup = data;
    const SpawnSpec *spec = setup->spec;
    if (spec->new_session)
        (void)setsid();
    if (spec->uid != 0) {
        /* A failure to drop privileges must never be ignored. */
        if (setgroups(0, NULL) != 0 || setgid(spec->gid) != 0 || setuid(spec->uid) != 0)
            _exit(126);
    }
    /* After setuid(2), which clears it (prctl(2), PR_SET_PDEATHSIG). */
    if (spec->death_signal >= 0) {
        prctl(PR_SET_PDEATHSIG, spec->death_signal == 0 ? SIGTERM : spec->death_signal);
        if (getppid() != setup->parent)
            _exit(126);
    }
    struct sigaction defaults = {.sa_handler = SIG_DFL};
    sigemptyset(&defaults.sa_mask);
    sigaction(SIGPIPE, &defaults, NULL);
    if (spec->keeps_on) {
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        sigemptyset(&ignore.sa_mask);
        sigaction(SIGINT, &ignore, NULL);
        sigaction(SIGQUIT, &ignore, NULL);
        sigaction(SIGHUP, &ignore, NULL);
    }
}

static GSpawnFlags flags_of(const SpawnSpec *spec)
{
    GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD;
    if (spec->inherit_stdin)
        flags |= G_SPAWN_CHILD_INHERITS_STDIN;
    if (spec->keep_all_fds)
        flags |= G_SPAWN_LEAVE_DESCRIPTORS_OPEN;
    if (spec->out == SPAWN_DISCARD)
        flags |= G_SPAWN_STDOUT_TO_DEV_NULL;
    if (spec->err == SPAWN_DISCARD)
        flags |= G_SPAWN_STDERR_TO_DEV_NULL;
    return flags;
}

static char **environment_of(const SpawnSpec *spec)
{
    char **env = g_get_environ();
    for (const char *const *entry = spec->setenv; entry != NULL && *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals == NULL) {
            env = g_environ_unsetenv(env, *entry);
            continue;
        }
        g_autofree char *name = g_strndup(*entry, (gsize)(equals - *entry));
        env = g_environ_setenv(env, name, equals + 1, TRUE);
    }
    return env;
}

static Child *start(const SpawnSpec *spec, int *ret_in, int *ret_out, int *ret_err, GError **error)
{
    Setup setup = {.spec = spec, .parent = getpid()};
    g_auto(WipedStrv) env = environment_of(spec);
    GPid pid = 0;
    g_autoptr(GError) cause = NULL;
    const int keep[1] = {spec->keep_fd};
    if (!g_spawn_async_with_pipes_and_fds(spec->cwd, spec->argv, (const char *const *)env, flags_of(spec), in_child,
                                          &setup, -1, -1, spec->err == SPAWN_TO_FD ? spec->err_fd : -1, keep, keep,
                                          spec->keep_fd > 0 ? 1 : 0, &pid, ret_in, ret_out, ret_err, &cause)) {
        char *hint =
            g_strdup_printf("Install the program that provides `%s`, or put its folder into PATH.", spec->argv[0]);
        pgf_error_take_hint(error, PGF_ERROR_USAGE, hint, "cannot run %s: %s", spec->argv[0], cause->message);
        return NULL;
    }
    Child *child = g_new0(Child, 1);
    child->pid = pid;
    child->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return child;
}

static void reap(Child *child, bool block)
{
    int status = 0;
    pid_t got;
    if (child->reaped)
        return;
    do
        got = waitpid(child->pid, &status, block ? 0 : WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return;
    child->reaped = true;
    if (got < 0)
        child->status = PGF_ERROR_INTERNAL;
    else
        child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Child *spawn_start(const SpawnSpec *spec, GError **error)
{
    g_assert(spec->out != SPAWN_CAPTURE && spec->err != SPAWN_CAPTURE && spec->input == NULL);
    return start(spec, NULL, NULL, NULL, error);
}

pid_t child_pid(const Child *child)
{
    return child->pid;
}

int child_exit_fd(const Child *child)
{
    return child->pid_fd;
}

bool child_running(const Child *child)
{
    if (child->reaped)
        return false;
    struct pollfd fd = {.fd = child->pid_fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 0;
}

bool child_wait(Child *child, Deadline deadline, int *ret_status, GError **error)
{
    if (!child->reaped) {
        struct pollfd fd = {.fd = child->pid_fd, .events = POLLIN};
        if (!wait_fds(&fd, 1, deadline, error))
            return false;
        reap(child, true);
    }
    if (ret_status != NULL)
        *ret_status = child->status;
    return true;
}

void child_signal(const Child *child, int signal_number)
{
    if (!child->reaped)
        kill(child->pid, signal_number);
}

void child_terminate(Child *child, int first_signal, int grace_ms)
{
    if (child->reaped)
        return;
    kill(child->pid, first_signal);
    struct pollfd fd = {.fd = child->pid_fd, .events = POLLIN};
    Deadline deadline = deadline_in_ms(grace_ms);
    int n;
    /* Not wait_fds(): this also runs after a cancel. */
    do
        n = poll(&fd, 1, deadline_poll_ms(deadline));
    while (n < 0 && errno == EINTR);
    if (n == 0)
        kill(child->pid, SIGKILL);
    reap(child, true);
}

void child_detach(Child *child)
{
    if (child->pid_fd >= 0)
        close(child->pid_fd);
    g_free(child);
}

void child_free(Child *child)
{
    if (child == NULL)
        return;
    child_terminate(child, SIGTERM, KILL_GRACE_MS);
    child_detach(child);
}

void spawn_result_clear(SpawnResult *result)
{
    g_clear_pointer(&result->out, g_free);
    g_clear_pointer(&result->err, g_free);
    result->out_len = 0;
}

/* One pipe of a running child. fd is -1 once it has ended. */
typedef struct Pipe {
    int fd;
    GString *text;
} Pipe;

static void pipe_open(Pipe *pipe, int fd)
{
    pipe->fd = fd;
    pipe->text = fd < 0 ? NULL : g_string_new(NULL);
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void pipe_shut(Pipe *pipe)
{
    if (pipe->fd >= 0)
        close(pipe->fd);
    pipe->fd = -1;
}

static void pipe_read(Pipe *pipe)
{
    g_assert(pipe->text != NULL); /* pipe_open() makes it with the descriptor */
    char buffer[65536];
    ssize_t n = read(pipe->fd, buffer, sizeof buffer);
    if (n > 0 && pipe->text->len < SPAWN_CAPTURE_MAX)
        g_string_append_len(pipe->text, buffer, n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        pipe_shut(pipe);
}

static void pipe_write(Pipe *in, const char *input, gsize *written)
{
    gsize len = strlen(input);
    ssize_t n = write(in->fd, input + *written, len - *written);
    if (n > 0)
        *written += (gsize)n;
    if (*written == len || (n < 0 && errno != EAGAIN && errno != EINTR))
        pipe_shut(in);
}

/* Feeds and drains the pipes until the child has ended and its output has been read. */
static bool pump(Child *child, const SpawnSpec *spec, Pipe *in, Pipe *out, Pipe *err, Deadline deadline, GError **error)
{
    gsize written = 0;
    bool ended = false;
    while (!ended || out->fd >= 0 || err->fd >= 0) {
        struct pollfd fds[4] = {
            {.fd = out->fd, .events = POLLIN},
            {.fd = err->fd, .events = POLLIN},
            {.fd = in->fd, .events = POLLOUT},
            {.fd = ended ? -1 : child->pid_fd, .events = POLLIN},
        };
        /* A grandchild may hold the pipes open: after the end, read what is there and no more. */
        if (ended && poll(fds, 2, 0) <= 0)
            break;
        if (!ended && !wait_fds(fds, 4, deadline, error))
            return false;
        if (fds[0].revents != 0)
            pipe_read(out);
        if (fds[1].revents != 0)
            pipe_read(err);
        if (fds[2].revents != 0)
            pipe_write(in, spec->input, &written);
        ended = ended || fds[3].revents != 0;
    }
    reap(child, true);
    return true;
}

bool spawn_run(const SpawnSpec *spec, Deadline deadline, SpawnResult *ret_result, GError **error)
{
    int in_fd = -1, out_fd = -1, err_fd = -1;
    *ret_result = (SpawnResult){0};
    /* Without an input GLib gives the child /dev/null, unless it inherits ours. */
    g_autoptr(Child) child =
        start(spec, spec->input != NULL ? &in_fd : NULL, spec->out == SPAWN_CAPTURE ? &out_fd : NULL,
              spec->err == SPAWN_CAPTURE ? &err_fd : NULL, error);
    if (child == NULL)
        return false;
    Pipe in = {.fd = in_fd}, out, err;
    if (in_fd >= 0)
        (void)fcntl(in_fd, F_SETFL, O_NONBLOCK);
    pipe_open(&out, out_fd);
    pipe_open(&err, err_fd);
    bool ok = pump(child, spec, &in, &out, &err, deadline, error);
    /* Ctrl-C on a terminal reaches the child as well: what it says then is no failure of its own. */
    if (ok && child->status != 0)
        ok = cancel_check(error);
    if (!ok) {
        g_prefix_error(error, "%s: ", spec->argv[0]);
        child_terminate(child, SIGTERM, KILL_GRACE_MS);
    }
    pipe_shut(&in);
    pipe_shut(&out);
    pipe_shut(&err);
    ret_result->status = child->status;
    ret_result->out_len = out.text == NULL ? 0 : out.text->len;
    ret_result->out = out.text == NULL ? NULL : g_string_free(out.text, FALSE);
    ret_result->err = err.text == NULL ? NULL : g_string_free(err.text, FALSE);
    if (!ok)
        spawn_result_clear(ret_result);
    return ok;
}

char *spawn_tail(const char *text, int lines)
{
    g_auto(GStrv) all = g_strsplit(text == NULL ? "" : text, "\n", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (guint i = 0; all[i] != NULL; i++)
        if (*g_strstrip(all[i]) != '\0')
            g_ptr_array_add(kept, all[i]);
    if ((int)kept->len > lines)
        g_ptr_array_remove_range(kept, 0, kept->len - (guint)lines);
    g_ptr_array_add(kept, NULL);
    return g_strjoinv("\n", (char **)kept->pdata);
}

void spawn_replace(const char *const *argv, GError **error)
{
    /* What is ignored stays ignored over execve(2); handlers go by themselves. */
    struct sigaction defaults = {.sa_handler = SIG_DFL}, ours = {0};
    sigemptyset(&defaults.sa_mask);
    sigaction(SIGPIPE, &defaults, &ours);
    execvp(argv[0], (char *const *)(guintptr)argv);
    int code = errno;
    sigaction(SIGPIPE, &ours, NULL);
    pgf_error_set(error, PGF_ERROR_USAGE, "Give a program and its arguments after --, not a line for the shell.",
                  "cannot run %s: %s", argv[0], g_strerror(code));
}

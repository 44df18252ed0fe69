/* What moves branches and the user's tree. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "git/internal.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

bool git_branch_set(const Git *git, const char *branch, const char *commit, const char *old, GError **error)
{
    g_autofree char *ref = g_strconcat("refs/heads/", branch, NULL);
    if (commit == NULL)
        return git_run(git, WORDS("update-ref", "-d", ref, old), NULL, NULL, NULL, NULL, NULL, error);
    return git_run(git, WORDS("update-ref", "-m", "pgfold retire", ref, commit, old == NULL ? "" : old), NULL, NULL,
                   NULL, NULL, NULL, error);
}

/* Cancelled or not, it is waited for: half a checkout helps nobody. */
static bool wait_out(Child *child, int *ret_status, GError **error)
{
    bool cancelled = false;
    for (;;) {
        g_autoptr(GError) cause = NULL;
        if (child_wait(child, deadline_in_ms(GIT_MS), ret_status, &cause))
            break;
        if (!cancel_requested()) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        cancelled = true;
        cancel_reset();
    }
    if (cancelled)
        cancel_request();
    return true;
}

static char *read_back(int fd)
{
    char buffer[4096];
    GString *text = g_string_new(NULL);
    ssize_t n;
    (void)lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        g_string_append_len(text, buffer, n);
    return g_string_free(text, FALSE);
}

/* It is no child that dies with us: a tree that was half changed would be left. */
static bool run_to_its_end(const Git *git, const char *const *argv, GError **error)
{
    g_autofree char *name = g_build_filename(git->own, "pgfold-XXXXXX", NULL);
    int fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        pgf_error_set(error, PGF_ERROR_REFUSED, NULL, "no file can be made in %s", git->own);
        return false;
    }
    (void)unlink(name);
    SpawnSpec spec = {.argv = argv,
                      .setenv = GIT_ENVIRONMENT,
                      .cwd = git->top,
                      .out = SPAWN_DISCARD,
                      .err = SPAWN_TO_FD,
                      .err_fd = fd,
                      .new_session = true,
                      .death_signal = -1};
    int status = 0;
    mode_t ours = umask(git->file_mask);
    g_autoptr(Child) child = cancel_check(error) ? spawn_start(&spec, error) : NULL;
    umask(ours);
    bool ok = child != NULL && wait_out(child, &status, error);
    if (ok && status != 0) {
        g_autofree char *text = read_back(fd);
        g_autofree char *said = spawn_tail(text, 4);
        pgf_error_set(error, PGF_ERROR_MIDWAY, NULL, "git failed: %s", said);
        ok = false;
    }
    close(fd);
    return ok;
}

bool git_switch(const Git *git, const char *to, bool detach, GError **error)
{
    return run_to_its_end(git,
                          WORDS("git", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false", "checkout",
                                "--quiet", "--no-recurse-submodules", detach ? "--detach" : "--no-guess", to, "--"),
                          error);
}

bool git_forward(const Git *git, const char *commit, GError **error)
{
    return run_to_its_end(git, WORDS("git", "-c", "core.hooksPath=/dev/null", "merge", "--quiet", "--ff-only", commit),
                          error);
}

bool git_back(const Git *git, const char *commit, GError **error)
{
    return run_to_its_end(git, WORDS("git", "-c", "core.hooksPath=/dev/null", "reset", "--quiet", "--keep", commit),
                          error);
}

/* What moves branches and the user's tree. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "git/internal.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A branch that another work tree has checked out is not taken from under it. */
static bool check_other_trees(const Git *git, const char *ref, const char *branch, GError **error)
{
    g_autofree char *at = git_line(git, WORDS("for-each-ref", "--format=%(worktreepath)", ref), NULL, error);
    if (at == NULL)
        return false;
    if (*at == '\0' || strcmp(at, git->top) == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED,
                  "Check out another branch there, or remove it (git worktree remove), and run this again.",
                  "branch %s is checked out in the work tree %s", branch, at);
    return false;
}

bool git_branch_set(const Git *git, const char *branch, const char *commit, const char *old, GError **error)
{
    g_autofree char *ref = g_strconcat("refs/heads/", branch, NULL);
    if (old != NULL && !check_other_trees(git, ref, branch, error))
        return false;
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
    if (!ok && child != NULL && child_running(child)) { /* half a checkout would help nobody: it goes on without us */
        child_detach(g_steal_pointer(&child));
        pgf_error_set_code(*error, PGF_ERROR_MIDWAY);
        pgf_error_set_state(*error, "git is still at work in %s", git->top);
        pgf_error_set_hint(*error, "Wait until it has ended (git status), and run the same command again.");
    }
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
                                "--quiet", "--no-overwrite-ignore", "--no-recurse-submodules",
                                detach ? "--detach" : "--no-guess", to, "--"),
                          error);
}

bool git_forward(const Git *git, const char *commit, GError **error)
{
    return run_to_its_end(git,
                          WORDS("git", "-c", "core.hooksPath=/dev/null", "merge", "--quiet", "--no-overwrite-ignore",
                                "--ff-only", commit),
                          error);
}

/* `git reset` would write over files that are ignored: those that come back must not be there. */
static bool check_in_the_way(const Git *git, const char *commit, GError **error)
{
    g_autofree char *names = NULL;
    gsize length = 0;
    if (!git_run(git, WORDS("diff", "--name-only", "-z", "--no-renames", "--diff-filter=D", commit, "HEAD", "--"), NULL,
                 NULL, NULL, &names, &length, error))
        return false;
    for (const char *at = names; at < names + length; at += strlen(at) + 1) {
        g_autofree char *path = g_build_filename(git->top, at, NULL);
        struct stat about;
        if (lstat(path, &about) != 0)
            continue;
        pgf_error_set(error, PGF_ERROR_REFUSED, "Move it away, and run this again.",
                      "%s would be written over: git does not keep what stands there now", path);
        return false;
    }
    return true;
}

bool git_back(const Git *git, const char *commit, GError **error)
{
    if (!check_in_the_way(git, commit, error))
        return false;
    return run_to_its_end(git, WORDS("git", "-c", "core.hooksPath=/dev/null", "reset", "--quiet", "--keep", commit),
                          error);
}

/*
 * Child processes: the only room that starts one. GSubprocess underneath, never a shell.
 *
 * Every child gets PR_SET_PDEATHSIG, so it goes when pgfold is killed with -9, and every wait watches
 * cancel_fd() and a deadline. A password goes to a child through its environment or a 0600 file, never argv.
 * Call from the main thread only (the parent-death signal follows the thread that started the child).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/deadline.h"

typedef struct Child Child;

typedef enum SpawnStdio {
    SPAWN_CAPTURE, /* kept in memory, SPAWN_CAPTURE_MAX bytes at most; the rest is read and dropped */
    SPAWN_INHERIT, /* the terminal's, or whatever pgfold has */
    SPAWN_DISCARD, /* /dev/null */
    SPAWN_TO_FD    /* of standard error only: spec->err_fd */
} SpawnStdio;

#define SPAWN_CAPTURE_MAX ((gsize)256 << 20)

typedef struct SpawnSpec {
    const char *const *argv;   /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *setenv; /* "NAME=value" adds to our environment, "NAME" takes away; NULL-terminated, or NULL */
    const char *cwd;           /* or NULL */
    const char *input;         /* text for standard input; NULL: /dev/null, or ours with inherit_stdin */
    bool inherit_stdin;
    SpawnStdio out, err;
    int err_fd; /* with SPAWN_TO_FD; stays the caller's */
    uid_t uid;  /* other than 0: become this user and gid first, with no supplementary groups */
    gid_t gid;
    bool keeps_on;     /* Ctrl-C and a hangup of the terminal do not end it (it may still ask there) */
    bool new_session;  /* setsid(2): Ctrl-C on the terminal does not reach it */
    int death_signal;  /* sent to it when we die; 0 means SIGTERM, -1 none */
    bool keep_all_fds; /* inherits what has no FD_CLOEXEC: for a program that the user named, not we */
    int keep_fd;       /* a descriptor that the child inherits under the same number; 0 means none */
} SpawnSpec;

typedef struct SpawnResult {
    int status; /* exit status; 128 + signal when a signal ended it, as a shell counts */
    char *out;  /* NUL-terminated; NULL unless captured */
    gsize out_len;
    char *err;
} SpawnResult;

void spawn_result_clear(SpawnResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpawnResult, spawn_result_clear)

/* Runs a child to its end. A status other than 0 is not an error here: the caller knows what it means.
 * On cancel or at the deadline the child is sent SIGTERM, five seconds later SIGKILL, and it is an error. */
bool spawn_run(const SpawnSpec *spec, Deadline deadline, SpawnResult *ret_result, GError **error);

/* Becomes the program, found in PATH, with our environment. Returns only when that fails: PGF_ERROR_USAGE. Our own
 * descriptors go; threads must have ended. */
void spawn_replace(const char *const *argv, GError **error);

/* Starts a child and returns at once. spec->out must not be SPAWN_CAPTURE. Free with child_free(), which ends it. */
Child *spawn_start(const SpawnSpec *spec, GError **error);
pid_t child_pid(const Child *child);
int child_exit_fd(const Child *child); /* a pidfd: readable once the child has ended */

/* Waits for the end. Cancel or the deadline is an error, and leaves the child running. */
bool child_wait(Child *child, Deadline deadline, int *ret_status, GError **error);
bool child_running(const Child *child);
void child_signal(const Child *child, int signal_number);
/* SIGTERM (or another first signal), then SIGKILL after grace_ms. Returns when it has ended. */
void child_terminate(Child *child, int first_signal, int grace_ms);
/* Frees without ending it: it outlives us (start it with death_signal -1). */
void child_detach(Child *child);
void child_free(Child *child);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Child, child_free)

/* The last non-empty lines of a program's error output, for use in a message. Transfer full. */
char *spawn_tail(const char *text, int lines);

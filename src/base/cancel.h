/*
 * Ctrl-C, SIGTERM and a worker that failed: one flag and one file descriptor that every wait watches.
 *
 * The flag is set from a signal handler or from any thread and is never lowered while a command runs.
 * cancel_fd() becomes and stays readable once it is set, so poll(2) on it together with sockets returns.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Makes the descriptor and installs handlers for SIGINT, SIGTERM and SIGHUP; SIGPIPE is ignored. Call once, first. */
void cancel_init(void);

/* Sets the flag. Async-signal-safe. */
void cancel_request(void);

bool cancel_requested(void);

/* The signal that asked, or 0 when nothing or another thread did. */
int cancel_signal(void);

/* -1 before cancel_init(): poll(2) ignores negative descriptors. */
int cancel_fd(void);

/* False, with PGF_ERROR_CANCELLED, once the flag is set. */
bool cancel_check(GError **error);

/* Lowers the flag, so that what a cancelled command leaves can be cleaned up with the same waits. */
void cancel_reset(void);

/* The one place that waits on descriptors: some of them, the cancel flag and a deadline at once. */
#pragma once

#include <glib.h>
#include <poll.h>
#include <stdbool.h>

#include "base/deadline.h"

/* Polls fds (revents are set) and cancel_fd(). False with an error when cancelled, or at the deadline
 * (PGF_ERROR_CONNECT, "timed out"). True when at least one of fds has something. nfds: at most 63. */
bool wait_fds(struct pollfd *fds, nfds_t nfds, Deadline deadline, GError **error);

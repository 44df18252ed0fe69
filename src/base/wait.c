#include "base/wait.h"

#include <errno.h>

#include "base/cancel.h"
#include "base/error.h"

enum { MAX_FDS = 63 };

bool wait_fds(struct pollfd *fds, nfds_t nfds, Deadline deadline, GError **error)
{
    g_assert(nfds <= MAX_FDS);
    struct pollfd all[MAX_FDS + 1];
    for (;;) {
        if (!cancel_check(error))
            return false;
        for (nfds_t i = 0; i < nfds; i++)
            all[i] = (struct pollfd){.fd = fds[i].fd, .events = fds[i].events};
        all[nfds] = (struct pollfd){.fd = cancel_fd(), .events = POLLIN};
        int n = poll(all, nfds + 1, deadline_poll_ms(deadline));
        if (n < 0 && errno != EINTR) {
            pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "poll: %s", g_strerror(errno));
            return false;
        }
        if (n < 0)
            continue;
        if (n == 0) {
            pgf_error_set(error, PGF_ERROR_CONNECT, NULL, "timed out");
            return false;
        }
        bool ready = false;
        for (nfds_t i = 0; i < nfds; i++) {
            fds[i].revents = all[i].revents;
            ready = ready || fds[i].revents != 0;
        }
        if (ready)
            return true;
    }
}

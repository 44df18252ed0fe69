#include "base/cancel.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"

static atomic_bool flag;
static atomic_int by_signal;
static int event_fd = -1;

void cancel_request(void)
{
    int saved = errno;
    atomic_store(&flag, true);
    if (event_fd >= 0) {
        uint64_t one = 1;
        /* An eventfd only refuses when its counter is full, and then it is readable already. */
        ssize_t ignored = write(event_fd, &one, sizeof one);
        (void)ignored;
    }
    errno = saved;
}

static void on_signal(int number)
{
    atomic_store(&by_signal, number);
    cancel_request();
}

void cancel_init(void)
{
    if (event_fd < 0)
        event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
}

bool cancel_requested(void)
{
    return atomic_load(&flag);
}

int cancel_signal(void)
{
    return atomic_load(&by_signal);
}

int cancel_fd(void)
{
    return event_fd;
}

bool cancel_check(GError **error)
{
    if (!cancel_requested())
        return true;
    pgf_error_set(error, PGF_ERROR_CANCELLED, NULL, "interrupted");
    return false;
}

void cancel_reset(void)
{
    uint64_t count;
    if (event_fd >= 0) {
        ssize_t ignored = read(event_fd, &count, sizeof count);
        (void)ignored;
    }
    atomic_store(&flag, false);
}

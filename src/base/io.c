#include "base/io.h"

#include <errno.h>
#include <unistd.h>

bool io_write_all(int fd, const void *data, gsize length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        length -= (gsize)n;
    }
    return true;
}

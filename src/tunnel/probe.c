#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wait.h"
#include "tunnel/internal.h"

/* SSLRequest of PostgreSQL's protocol: answered with one letter, before anybody is asked who he is, and not logged. */
static const guint8 QUESTION[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static TunnelAnswer ask(int fd, Deadline deadline, GError **error)
{
    char letter = '\0';
    if (send(fd, QUESTION, sizeof QUESTION, MSG_NOSIGNAL) != (ssize_t)sizeof QUESTION)
        return TUNNEL_CLOSED;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (!wait_fds(&wait, 1, deadline, error))
            return TUNNEL_FAILED;
        ssize_t n = recv(fd, &letter, 1, 0);
        if (n == 1)
            return letter == 'S' || letter == 'N' ? TUNNEL_POSTGRES : TUNNEL_OTHER;
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return TUNNEL_CLOSED;
    }
}

TunnelAnswer tunnel_probe(const char *socket, Deadline deadline, GError **error)
{
    int fd = connect_to(socket);
    if (fd < 0)
        return TUNNEL_CLOSED;
    TunnelAnswer answer = ask(fd, deadline, error);
    close(fd);
    return answer;
}

#include "tunnel/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wait.h"

/* SSLRequest of PostgreSQL's protocol: answered with one letter, before anybody is asked who he is, and not logged. */
static const guint8 QUESTION[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

/* -1: nobody listens. */
static int connect_to(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address, length) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static TunnelAnswer ask(int fd, Deadline deadline, GError **error)
{
    char answer[16]; /* PostgreSQL's is one letter; an ssh server, say, greets with more */
    if (send(fd, QUESTION, sizeof QUESTION, MSG_NOSIGNAL) != (ssize_t)sizeof QUESTION)
        return TUNNEL_CLOSED;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (!wait_fds(&wait, 1, deadline, error))
            return TUNNEL_FAILED;
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        if (n > 0)
            return n == 1 && (answer[0] == 'S' || answer[0] == 'N') ? TUNNEL_POSTGRES : TUNNEL_OTHER;
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return TUNNEL_CLOSED;
    }
}

static TunnelAnswer probe(const struct sockaddr *address, socklen_t length, Deadline deadline, GError **error)
{
    int fd = connect_to(address, length); /* of this machine: answered at once */
    if (fd < 0)
        return TUNNEL_NOBODY;
    TunnelAnswer answer = ask(fd, deadline, error);
    close(fd);
    return answer;
}

TunnelAnswer tunnel_probe(const char *socket, Deadline deadline, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (g_strlcpy(address.sun_path, socket, sizeof address.sun_path) >= sizeof address.sun_path)
        return TUNNEL_NOBODY;
    return probe((const struct sockaddr *)&address, sizeof address, deadline, error);
}

TunnelAnswer tunnel_probe_port(int port, Deadline deadline, GError **error)
{
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_port = htons((guint16)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons((guint16)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    TunnelAnswer answer = probe((const struct sockaddr *)&four, sizeof four, deadline, error);
    return answer != TUNNEL_NOBODY ? answer : probe((const struct sockaddr *)&six, sizeof six, deadline, error);
}

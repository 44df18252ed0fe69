#include "pg/probe.h"

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

/* Connected when it returns PG_ANSWER_SERVER. A full queue of connections may keep us waiting. */
static PgAnswer connect_to(int fd, const struct sockaddr *address, socklen_t length, Deadline deadline, GError **error)
{
    int failed = 0;
    socklen_t size = sizeof failed;
    if (connect(fd, address, length) == 0)
        return PG_ANSWER_SERVER;
    if (errno == EAGAIN)
        return PG_ANSWER_CLOSED;
    if (errno != EINPROGRESS)
        return PG_ANSWER_NOBODY;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (!wait_fds(&wait, 1, deadline, error))
        return PG_ANSWER_FAILED;
    bool connected = getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed == 0;
    return connected ? PG_ANSWER_SERVER : PG_ANSWER_NOBODY;
}

static PgAnswer ask(int fd, Deadline deadline, GError **error)
{
    char answer[16]; /* PostgreSQL's is one letter; an ssh server, say, greets with more */
    if (send(fd, QUESTION, sizeof QUESTION, MSG_NOSIGNAL) != (ssize_t)sizeof QUESTION)
        return PG_ANSWER_CLOSED;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (!wait_fds(&wait, 1, deadline, error))
            return PG_ANSWER_FAILED;
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        if (n > 0)
            return n == 1 && (answer[0] == 'S' || answer[0] == 'N') ? PG_ANSWER_SERVER : PG_ANSWER_OTHER;
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return PG_ANSWER_CLOSED;
    }
}

static PgAnswer probe(const struct sockaddr *address, socklen_t length, Deadline deadline, GError **error)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return PG_ANSWER_NOBODY;
    PgAnswer answer = connect_to(fd, address, length, deadline, error);
    if (answer == PG_ANSWER_SERVER)
        answer = ask(fd, deadline, error);
    close(fd);
    return answer;
}

PgAnswer pg_probe_socket(const char *path, Deadline deadline, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        return PG_ANSWER_NOBODY;
    return probe((const struct sockaddr *)&address, sizeof address, deadline, error);
}

PgAnswer pg_probe_port(int port, bool v6, Deadline deadline, GError **error)
{
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_port = htons((guint16)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons((guint16)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return v6 ? probe((const struct sockaddr *)&six, sizeof six, deadline, error)
              : probe((const struct sockaddr *)&four, sizeof four, deadline, error);
}

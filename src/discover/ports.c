/* Loopback ports on which something listens, and which of them is PostgreSQL: a server answers an SSLRequest with one
 * byte, S or N, before anybody logs in. All are asked at once. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/wait.h"
#include "discover/internal.h"
#include "pg/url.h"

enum { AT_ONCE = 60, ANSWER_MS = 300, LISTENING = 0x0A };

typedef struct Port {
    int number;
    bool v6_only; /* listens on ::1 and not on 127.0.0.1 */
    int fd;
    bool asked, answered, done;
} Port;

static const guint8 SSL_REQUEST[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

/* Of /proc/net/tcp: does this address take connections from the loopback interface? */
static bool is_loopback(const char *address)
{
    static const char V6_ANY[] = "00000000000000000000000000000000";
    static const char V6_LOOPBACK[] = "00000000000000000000000001000000";
    if (strlen(address) == 8)
        return g_str_equal(address, "00000000") || g_str_equal(address + 6, "7F");
    return g_str_equal(address, V6_ANY) || g_str_equal(address, V6_LOOPBACK);
}

static void add_port(GArray *ports, int number, bool v6_only)
{
    for (guint i = 0; i < ports->len; i++) {
        Port *known = &g_array_index(ports, Port, i);
        if (known->number != number)
            continue;
        known->v6_only = known->v6_only && v6_only;
        return;
    }
    Port port = {.number = number, .v6_only = v6_only, .fd = -1};
    g_array_append_val(ports, port);
}

/* False where there is no such file (not Linux). */
static bool read_listening(GArray *ports, const char *path)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char address[33] = "";
        unsigned number = 0, state = 0;
        if (sscanf(lines[i], " %*d: %32[0-9A-F]:%4X %*[0-9A-F]:%*4X %2X", address, &number, &state) == 3 &&
            state == LISTENING && is_loopback(address))
            add_port(ports, (int)number, strlen(address) == 32 && strspn(address, "0") != 32);
    }
    return true;
}

static int connect_to(const Port *port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((guint16)port->number)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((guint16)port->number)};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_addr = in6addr_loopback;
    int fd = socket(port->v6_only ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int rc =
        port->v6_only ? connect(fd, (struct sockaddr *)&v6, sizeof v6) : connect(fd, (struct sockaddr *)&v4, sizeof v4);
    if (rc == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

/* The descriptor is ready: asks, or reads the answer. */
static void go_on(Port *port)
{
    if (!port->asked) {
        port->asked = true;
        port->done = send(port->fd, SSL_REQUEST, sizeof SSL_REQUEST, MSG_NOSIGNAL) != sizeof SSL_REQUEST;
        return;
    }
    char answer[2];
    ssize_t length = recv(port->fd, answer, sizeof answer, 0);
    /* One byte and no more: others greet with a sentence. */
    port->answered = length == 1 && (answer[0] == 'S' || answer[0] == 'N');
    port->done = true;
}

static void ask(Port *ports, guint n, Deadline deadline)
{
    for (guint i = 0; i < n; i++)
        ports[i].done = (ports[i].fd = connect_to(&ports[i])) < 0;
    for (;;) {
        struct pollfd fds[AT_ONCE];
        Port *waiting[AT_ONCE];
        nfds_t count = 0;
        for (guint i = 0; i < n; i++) {
            if (ports[i].done)
                continue;
            waiting[count] = &ports[i];
            fds[count++] = (struct pollfd){.fd = ports[i].fd, .events = ports[i].asked ? POLLIN : POLLOUT};
        }
        if (count == 0 || !wait_fds(fds, count, deadline, NULL))
            break;
        for (nfds_t i = 0; i < count; i++)
            if (fds[i].revents != 0)
                go_on(waiting[i]);
    }
    for (guint i = 0; i < n; i++)
        if (ports[i].fd >= 0)
            close(ports[i].fd);
}

static void add_place(GPtrArray *places, const Port *port)
{
    const char *host = port->v6_only ? "::1" : "127.0.0.1";
    g_autofree char *number = g_strdup_printf("%d", port->number);
    Place *place = place_add(places, PLACE_PORT, g_strdup_printf(port->v6_only ? "[%s]:%s" : "%s:%s", host, number));
    pg_url_set(place->url, "host", host);
    pg_url_set(place->url, "port", number);
}

static int compare_ports(gconstpointer a, gconstpointer b)
{
    return ((const Port *)a)->number - ((const Port *)b)->number;
}

bool find_ports(GPtrArray *places, GError **error)
{
    g_autoptr(GArray) ports = g_array_new(FALSE, TRUE, sizeof(Port));
    bool listed = read_listening(ports, "/proc/net/tcp");
    listed = read_listening(ports, "/proc/net/tcp6") || listed;
    for (int number = 5432; !listed && number <= 5442; number++)
        add_port(ports, number, false);
    g_array_sort(ports, compare_ports);
    for (guint i = 0; i < ports->len; i += AT_ONCE)
        ask(&g_array_index(ports, Port, i), MIN((guint)AT_ONCE, ports->len - i), deadline_in_ms(ANSWER_MS));
    for (guint i = 0; i < ports->len; i++)
        if (g_array_index(ports, Port, i).answered)
            add_place(places, &g_array_index(ports, Port, i));
    return cancel_check(error);
}

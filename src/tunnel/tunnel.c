#include "tunnel/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"
#include "pg/probe.h"
#include "tunnel/internal.h"

enum {
    ASKING_MS = 120000, /* a person looks for his key */
    SSH_MS = 11000,     /* ssh gives up by itself before that */
    PORT_TRIES = 3,
    END_GRACE_MS = 2000,
    SEEN_MS = 300 /* between the end of a connection and that of ssh */
};

struct Tunnel {
    TunnelSpec spec;
    TunnelFolder folder;
    char *socket, *ready, *server;
    int port;
    Child *child;
    int exit_fd; /* the child's; read by other threads */
};

Tunnel *tunnel_new(const TunnelSpec *spec, GError **error)
{
    g_autoptr(Tunnel) tunnel = g_new0(Tunnel, 1);
    tunnel->exit_fd = -1;
    tunnel->folder.log_fd = -1;
    tunnel->spec = *spec;
    tunnel->spec.label = g_strdup(spec->label);
    tunnel->spec.ssh_host = g_strdup(spec->ssh_host);
    tunnel->spec.config = g_strdup(spec->config);
    tunnel->spec.host = g_strdup(spec->host);
    tunnel->spec.port = g_strdup(spec->port);
    tunnel->server = tunnel_describe(spec);
    if (!tunnel_folder_make(&tunnel->folder, error))
        return NULL;
    tunnel->socket = g_strdup_printf("%s/.s.PGSQL.%s", tunnel->folder.path, spec->port);
    tunnel->ready = g_strdup_printf("%s/ready", tunnel->folder.path);
    return g_steal_pointer(&tunnel);
}

void tunnel_stop(Tunnel *tunnel)
{
    if (tunnel->child == NULL)
        return;
    child_terminate(tunnel->child, SIGTERM, END_GRACE_MS);
    g_clear_pointer(&tunnel->child, child_free);
    tunnel->exit_fd = -1;
}

void tunnel_free(Tunnel *tunnel)
{
    if (tunnel == NULL)
        return;
    tunnel_stop(tunnel);
    tunnel_folder_remove(&tunnel->folder);
    g_free((char *)(guintptr)tunnel->spec.label);
    g_free((char *)(guintptr)tunnel->spec.ssh_host);
    g_free((char *)(guintptr)tunnel->spec.config);
    g_free((char *)(guintptr)tunnel->spec.host);
    g_free((char *)(guintptr)tunnel->spec.port);
    g_free(tunnel->socket);
    g_free(tunnel->ready);
    g_free(tunnel->server);
    g_free(tunnel);
}

/* One that is free now; ssh refuses to go on if it is not any more. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &length) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? ntohs(address.sin_port) : 0;
}

static bool may_ask(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

static bool run_ssh(Tunnel *tunnel, GError **error)
{
    g_auto(GStrv) argv = tunnel_ssh_argv(&tunnel->spec, tunnel->socket, tunnel->ready, tunnel->port, may_ask());
    SpawnSpec spec = {.argv = (const char *const *)argv,
                      .out = SPAWN_DISCARD,
                      .err = SPAWN_TO_FD,
                      .err_fd = tunnel->folder.log_fd,
                      .keeps_on = true};
    (void)unlink(tunnel->socket);
    (void)unlink(tunnel->ready);
    tunnel_folder_empty_log(&tunnel->folder);
    tunnel->child = spawn_start(&spec, error);
    if (tunnel->child == NULL) {
        if (error != NULL)
            pgf_error_set_hint(*error, "Install OpenSSH's client (Debian: openssh-client).");
        return false;
    }
    tunnel->exit_fd = child_exit_fd(tunnel->child);
    return true;
}

static void drain(int watch)
{
    char buffer[4096];
    while (read(watch, buffer, sizeof buffer) > 0)
        continue;
}

/* watch: an inotify of the folder, from before ssh was started. */
static bool wait_ready(Tunnel *tunnel, int watch, Deadline deadline, GError **error)
{
    while (access(tunnel->ready, F_OK) != 0) {
        struct pollfd fds[2] = {{.fd = watch, .events = POLLIN}, {.fd = tunnel->exit_fd, .events = POLLIN}};
        g_autoptr(GError) cause = NULL;
        if (!wait_fds(fds, 2, deadline, &cause) && cause->code != PGF_ERROR_CONNECT) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        g_autofree char *log = tunnel_folder_log(&tunnel->folder);
        if (cause != NULL || fds[1].revents != 0) {
            g_autofree char *told = cause == NULL ? NULL : g_strconcat(log, "timed out\n", NULL);
            tunnel_set_ended(&tunnel->spec, told == NULL ? log : told, error);
            return false;
        }
        drain(watch);
    }
    (void)unlink(tunnel->ready);
    return true;
}

static bool start_once(Tunnel *tunnel, GError **error)
{
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0 || inotify_add_watch(watch, tunnel->folder.path, IN_CREATE) < 0) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot watch %s: %s", tunnel->folder.path, g_strerror(errno));
        if (watch >= 0)
            close(watch);
        return false;
    }
    bool ok =
        run_ssh(tunnel, error) && wait_ready(tunnel, watch, deadline_in_ms(may_ask() ? ASKING_MS : SSH_MS), error);
    close(watch);
    return ok;
}

static bool listen_ready(Tunnel *tunnel, GError **error)
{
    for (int tries = 1;; tries++) {
        if (tunnel->spec.loopback)
            tunnel->port = tunnel->spec.port_wish > 0 ? tunnel->spec.port_wish : free_port();
        g_autoptr(GError) cause = NULL;
        if (start_once(tunnel, &cause))
            return true;
        tunnel_stop(tunnel);
        g_autofree char *log = tunnel_folder_log(&tunnel->folder);
        bool again = tunnel->spec.port_wish == 0 && tunnel->port > 0 && tries < PORT_TRIES &&
                     tunnel_log_tells_port_taken(log, tunnel->port) && !cancel_requested();
        if (again)
            continue;
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
}

static bool database_answers(Tunnel *tunnel, Deadline deadline, GError **error)
{
    g_autoptr(GError) cause = NULL;
    PgAnswer answer = pg_probe_socket(tunnel->socket, deadline, &cause);
    if (answer == PG_ANSWER_SERVER)
        return true;
    if (answer == PG_ANSWER_FAILED && cause->code != PGF_ERROR_CONNECT) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    g_autofree char *log = tunnel_folder_log(&tunnel->folder);
    if (answer == PG_ANSWER_NOBODY)
        answer = PG_ANSWER_CLOSED; /* ssh has just ended */
    if (answer == PG_ANSWER_CLOSED && !tunnel_is_up(tunnel))
        tunnel_set_ended(&tunnel->spec, log, error);
    else if (answer == PG_ANSWER_CLOSED)
        tunnel_set_silent(&tunnel->spec, log, error);
    else
        pgf_error_set(error, PGF_ERROR_CONNECT, "Host and port of the url are as seen from the ssh host.",
                      "%s: the ssh tunnel works, but %s (%s)", tunnel->spec.label,
                      answer == PG_ANSWER_OTHER ? "what answers behind it is no PostgreSQL"
                                                : "nothing answers behind it: timed out",
                      tunnel->server);
    return false;
}

bool tunnel_start(Tunnel *tunnel, GError **error)
{
    tunnel_stop(tunnel);
    Deadline deadline = deadline_in_ms(TUNNEL_READY_MS);
    if (!listen_ready(tunnel, error))
        return false;
    if (may_ask())
        deadline = deadline_in_ms(TUNNEL_READY_MS);
    if (database_answers(tunnel, deadline, error))
        return true;
    tunnel_stop(tunnel);
    return false;
}

void tunnel_set_compression(Tunnel *tunnel, bool compress)
{
    tunnel->spec.compress = compress;
}

static bool has_ended(const Tunnel *tunnel, int wait_ms)
{
    struct pollfd fd = {.fd = tunnel->exit_fd, .events = POLLIN};
    return fd.fd < 0 || poll(&fd, 1, wait_ms) > 0;
}

bool tunnel_is_up(const Tunnel *tunnel)
{
    return !has_ended(tunnel, 0);
}

int tunnel_exit_fd(const Tunnel *tunnel)
{
    return tunnel->exit_fd;
}

char *tunnel_why(const Tunnel *tunnel)
{
    bool ended = has_ended(tunnel, SEEN_MS);
    g_autofree char *log = tunnel_folder_log(&tunnel->folder);
    g_autofree char *tail = spawn_tail(log, 2);
    if (g_str_has_suffix(tail, "."))
        tail[strlen(tail) - 1] = '\0';
    if (ended)
        return g_strdup_printf("the ssh tunnel to %s ended%s%s", tunnel->spec.ssh_host, *tail == '\0' ? "" : ": ",
                               tail);
    return tunnel_log_failed_channel(log);
}

const char *tunnel_socket_folder(const Tunnel *tunnel)
{
    return tunnel->folder.path;
}

const char *tunnel_socket_port(const Tunnel *tunnel)
{
    return tunnel->spec.port;
}

const char *tunnel_socket_path(const Tunnel *tunnel)
{
    return tunnel->socket;
}

int tunnel_loopback_port(const Tunnel *tunnel)
{
    return tunnel->port;
}

const char *tunnel_server(const Tunnel *tunnel)
{
    return tunnel->server;
}

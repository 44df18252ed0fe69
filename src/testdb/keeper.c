/*
 * The keeper: owns one cluster from its start to its end.
 *
 *   starter                          keeper                        postgres
 *   testdb_open() -- request ------> becomes the owner
 *                                    folder, template, start ----> ...
 *                 <----- reply ----- ready
 *   ... uses it ...                  waits for: the starter's end of the socket to close, SIGTERM, postgres to end
 *   testdb_close() -- SIGTERM -----> SIGQUIT --------------------> ends
 *                                    removes the folder, exits
 *
 * It works in a session of its own, so that Ctrl-C does not reach it, and has no output but the server's log.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"
#include "testdb/cluster.h"
#include "testdb/folder.h"
#include "testdb/message.h"
#include "testdb/testdb.h"

enum { REQUEST_MS = 10000, START_MS = 120000 };

static volatile sig_atomic_t starter_fd = -1;

bool testdb_keeper_called(int argc, char **argv)
{
    return argc == 3 && g_str_equal(argv[1], TESTDB_KEEPER_WORD);
}

/* Runs on every event of the socket. Only the other end's closing counts, however far we have come. */
static void on_starter(int number)
{
    int saved = errno;
    struct pollfd fd = {.fd = starter_fd};
    if (poll(&fd, 1, 0) > 0 && (fd.revents & (POLLHUP | POLLNVAL)) != 0)
        cancel_request();
    errno = saved;
}

/* From here on the end of the starter is a cancel, which every wait and loop of this program answers. */
static void watch_starter(int fd)
{
    starter_fd = fd;
    struct sigaction action = {.sa_handler = on_starter};
    sigemptyset(&action.sa_mask);
    sigaction(SIGIO, &action, NULL);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETOWN, getpid());
    (void)fcntl(fd, F_SETFL, O_ASYNC);
    on_starter(SIGIO); /* it may have gone before */
}

static int forget_starter(int fd)
{
    (void)fcntl(fd, F_SETFL, 0);
    close(fd);
    return -1;
}

static bool open_log(const Folder *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder->path, "log", NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0;
    if (!ok)
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot write %s: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool report_ready(int fd, const Cluster *cluster, const Folder *folder, int version, GError **error)
{
    /* Borrowed, so not cleared. */
    Reply reply = {.url = (char *)cluster_url(cluster),
                   .folder = folder->path,
                   .version = version,
                   .keeper = getpid(),
                   .environment = (char **)cluster_environment(cluster)};
    g_autofree char *line = reply_write(&reply);
    if (line == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Choose another with --dir DIR.", "the path of the folder is not UTF-8");
        return false;
    }
    bool ok = message_send(fd, line, error);
    explicit_bzero(line, strlen(line));
    return ok;
}

/* True once it is time to go; false, with an error, when the server ended by itself. */
static bool hold(int fd, const Cluster *cluster, GError **error)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = cluster_exit_fd(cluster), .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        if (!wait_fds(fds, 2, DEADLINE_NONE, NULL))
            return true;
        if (fds[0].revents != 0) {
            cluster_set_failed(cluster, "the test server ended by itself", error);
            return false;
        }
        g_autofree char *line = message_receive(fd, deadline_in_ms(REQUEST_MS), NULL);
        if (line == NULL || !g_str_equal(line, MESSAGE_DETACH))
            return true;
        fd = forget_starter(fd);
    }
}

static bool serve(int fd, const TestDbOptions *options, GError **error)
{
    Deadline deadline = deadline_in_ms(START_MS);
    g_autoptr(Server) server = server_find(options, error);
    if (server == NULL)
        return false;
    g_autoptr(Folder) folder = folder_new(options->dir, !options->durable_data, error);
    if (folder == NULL || !open_log(folder, error))
        return false;
    /* Declared after the folder: stopped before the folder goes. */
    g_autoptr(Cluster) cluster = cluster_start(server, folder->path, options, deadline, error);
    if (cluster == NULL || !report_ready(fd, cluster, folder, server->version, error))
        return false;
    folder_sweep(folder);
    return hold(fd, cluster, error);
}

static bool keep(int fd, GError **error)
{
    g_auto(Request) request = {0};
    g_autofree char *line = message_receive(fd, deadline_in_ms(REQUEST_MS), error);
    if (line == NULL || !request_read(line, &request, error) || !owner_become(&request.owner, error))
        return false;
    owner_clean_environment(&request.owner);
    return serve(fd, &request.options, error);
}

int testdb_keeper_main(int argc, char **argv)
{
    int fd = atoi(argv[2]);
    g_autoptr(GError) error = NULL;
    prctl(PR_SET_NAME, "pgfold-keeper");
    umask(077);
    if (chdir("/") != 0)
        return PGF_ERROR_INTERNAL;
    cancel_init();
    watch_starter(fd);
    if (keep(fd, &error))
        return 0;
    g_autofree char *line = reply_write_error(error);
    message_send(fd, line, NULL); /* who started us may be gone */
    return pgf_error_exit_status(error);
}

#include "testdb/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <unistd.h>

#include "base/error.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "pg/conn.h"
#include "testdb/identity.h"
#include "testdb/template.h"

enum { SOCKET_PORT = 5432, STOP_GRACE_MS = 10000, SEGMENT_LINE = 7, STATUS_LINE = 8, LOG_LINES = 5, SECRET_BYTES = 18 };

/* Nothing here survives a power failure, and nothing has to. Memory is mapped from files in the data folder, so that
 * nothing outlives it in /dev/shm. */
static const char BASE_SETTINGS[] = "\n# Of this throw-away cluster:\n"
                                    "fsync = off\n"
                                    "synchronous_commit = off\n"
                                    "full_page_writes = off\n"
                                    "wal_level = minimal\n"
                                    "max_wal_senders = 0\n"
                                    "wal_init_zero = off\n"
                                    "max_wal_size = 1GB\n"
                                    "checkpoint_timeout = 1h\n"
                                    "shared_buffers = 128MB\n"
                                    "huge_pages = off\n"
                                    "dynamic_shared_memory_type = mmap\n"
                                    "jit = off\n"
                                    "logging_collector = off\n"
                                    "unix_socket_permissions = 0700\n";

static const char HBA_SOCKET[] = "# The socket's folder is private.\nlocal all all trust\n";
static const char HBA_PORT[] = "host all all 127.0.0.1/32 scram-sha-256\n";

/* What DATABASE_URL stands on. */
static const char *const OURS[] = {"port",     "listen_addresses", "unix_socket_directories", "data_directory",
                                   "hba_file", "config_file",      "external_pid_file"};

/* libpq reads these too, and each could lead a program away from this server. */
static const char *const UNSET[] = {
    "PGHOSTADDR",    "PGSERVICE",        "PGSERVICEFILE",        "PGPASSFILE",    "PGOPTIONS",       "PGSSLMODE",
    "PGSSLCERT",     "PGSSLKEY",         "PGSSLROOTCERT",        "PGSSLCRL",      "PGREQUIRESSL",    "PGGSSENCMODE",
    "PGREQUIREAUTH", "PGCHANNELBINDING", "PGTARGETSESSIONATTRS", "PGREQUIREPEER", "PGSSLNEGOTIATION"};

struct Cluster {
    Child *postgres;
    char *folder, *data, *log;
    int port;       /* 0: no loopback port */
    char *password; /* NULL without a port */
    char *url;
    GPtrArray *environment;
};

static void forget(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

/* A server that was killed leaves its pid file and the small segment of System V memory that the file's seventh line
 * names (key and id). */
static void remove_segment(const Cluster *cluster)
{
    g_autofree char *pid_file = g_build_filename(cluster->data, "postmaster.pid", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(pid_file, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    struct shmid_ds segment;
    unsigned long key;
    int id;
    if (g_strv_length(lines) >= SEGMENT_LINE && sscanf(lines[SEGMENT_LINE - 1], "%lu %d", &key, &id) == 2 &&
        shmctl(id, IPC_STAT, &segment) == 0 && segment.shm_cpid == child_pid(cluster->postgres))
        shmctl(id, IPC_RMID, NULL);
}

void cluster_stop(Cluster *cluster)
{
    if (cluster == NULL)
        return;
    if (cluster->postgres != NULL) {
        child_terminate(cluster->postgres, SIGQUIT, STOP_GRACE_MS);
        remove_segment(cluster);
    }
    child_free(cluster->postgres);
    g_free(cluster->folder);
    g_free(cluster->data);
    g_free(cluster->log);
    forget(cluster->password);
    forget(cluster->url);
    g_ptr_array_unref(cluster->environment);
    g_free(cluster);
}

int cluster_exit_fd(const Cluster *cluster)
{
    return child_exit_fd(cluster->postgres);
}

const char *cluster_url(const Cluster *cluster)
{
    return cluster->url;
}

const char *const *cluster_environment(const Cluster *cluster)
{
    return (const char *const *)cluster->environment->pdata;
}

static gsize name_length(const char *setting)
{
    gsize n = 0;
    if (!g_ascii_isalpha(*setting) && *setting != '_')
        return 0;
    while (g_ascii_isalnum(setting[n]) || setting[n] == '_' || setting[n] == '.')
        n++;
    return n;
}

static char *setting_line(const char *setting)
{
    gsize n = name_length(setting);
    const char *value = setting + n + 1;
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "%.*s = '", (int)n, setting);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\')
            g_string_append_c(line, *c);
        g_string_append_c(line, *c);
    }
    g_string_append(line, "'\n");
    return g_string_free(line, FALSE);
}

char *cluster_setting_line(const char *setting, GError **error)
{
    gsize n = name_length(setting);
    if (n == 0 || setting[n] != '=' || strpbrk(setting, "\r\n") != NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Write --set name=value, as in --set work_mem=64MB.",
                      "not a server setting: %s", setting);
        return NULL;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(OURS); i++)
        if (strlen(OURS[i]) == n && g_ascii_strncasecmp(setting, OURS[i], n) == 0) {
            pgf_error_set(error, PGF_ERROR_USAGE, "The port is chosen with --port N, the folder with --dir DIR.",
                          "the setting %s of a test server cannot be changed", OURS[i]);
            return NULL;
        }
    return setting_line(setting);
}

static bool write_file(const char *folder, const char *name, int flags, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    gsize len = strlen(text);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    if (!ok)
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot write %s: %s", path, g_strerror(saved));
    return ok;
}

static bool configure(const Cluster *cluster, const TestDbOptions *options, GError **error)
{
    g_autoptr(GString) conf = g_string_new(BASE_SETTINGS);
    g_autofree char *folder_setting = g_strconcat("unix_socket_directories=", cluster->folder, NULL);
    g_autofree char *folder_line = setting_line(folder_setting);
    g_string_append_printf(conf, "%sport = %d\nlisten_addresses = '%s'\n", folder_line,
                           cluster->port == 0 ? SOCKET_PORT : cluster->port, cluster->port == 0 ? "" : "127.0.0.1");
    if (cluster->port != 0)
        g_string_append(conf, "password_encryption = 'scram-sha-256'\n");
    /* The last of several lines with one name counts: the user's come last. */
    for (const char *const *setting = options->settings; setting != NULL && *setting != NULL; setting++) {
        g_autofree char *line = cluster_setting_line(*setting, error);
        if (line == NULL)
            return false;
        g_string_append(conf, line);
    }
    g_autofree char *hba = g_strconcat(HBA_SOCKET, cluster->port == 0 ? "" : HBA_PORT, NULL);
    return write_file(cluster->data, "postgresql.conf", O_APPEND, conf->str, error) &&
           write_file(cluster->data, "pg_hba.conf", O_TRUNC, hba, error);
}

void cluster_set_failed(const Cluster *cluster, const char *what, GError **error)
{
    g_autofree char *text = NULL;
    g_file_get_contents(cluster->log, &text, NULL, NULL);
    g_autofree char *tail = spawn_tail(text, LOG_LINES);
    bool port_taken = text != NULL && strstr(text, "Address already in use") != NULL;
    const char *hint = "The lines above are the end of the server's log: is a --set wrong?";
    if (port_taken)
        hint =
            "Another program listens on that port: choose another with --port N, or leave it out (unix socket only).";
    pgf_error_set(error, port_taken ? PGF_ERROR_USAGE : PGF_ERROR_CONNECT, hint, "%s%s%s", what,
                  *tail == '\0' ? "" : ":\n", tail);
}

/* The last line of postmaster.pid tells (src/include/utils/pidfile.h of PostgreSQL): "starting", then "ready". */
static bool says_ready(const char *pid_file)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(pid_file, &text, NULL, NULL))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strv_length(lines) >= STATUS_LINE && g_str_has_prefix(lines[STATUS_LINE - 1], "ready");
}

static bool wait_ready(const Cluster *cluster, int watch, Deadline deadline, GError **error)
{
    g_autofree char *pid_file = g_build_filename(cluster->data, "postmaster.pid", NULL);
    while (!says_ready(pid_file)) {
        struct pollfd fds[] = {{.fd = watch, .events = POLLIN}, {.fd = cluster_exit_fd(cluster), .events = POLLIN}};
        if (!wait_fds(fds, 2, deadline, error)) {
            g_prefix_error(error, "the server is not ready: ");
            return false;
        }
        if (fds[1].revents != 0) {
            cluster_set_failed(cluster, "the server did not start", error);
            return false;
        }
        char events[4096];
        ssize_t ignored = read(watch, events, sizeof events);
        (void)ignored;
    }
    return true;
}

static bool launch(Cluster *cluster, const Server *server, Deadline deadline, GError **error)
{
    const char *argv[] = {server->postgres, "-D", cluster->data, NULL};
    /* Our own output is the log already (keeper.c). */
    SpawnSpec spec = {
        .argv = argv, .out = SPAWN_INHERIT, .err = SPAWN_INHERIT, .new_session = true, .death_signal = SIGQUIT};
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0 || inotify_add_watch(watch, cluster->data, IN_MODIFY | IN_CREATE | IN_CLOSE_WRITE) < 0) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, "Raise fs.inotify.max_user_instances.", "inotify: %s",
                      g_strerror(errno));
        if (watch >= 0)
            close(watch);
        return false;
    }
    cluster->postgres = spawn_start(&spec, error);
    bool ok = cluster->postgres != NULL && wait_ready(cluster, watch, deadline, error);
    close(watch);
    return ok;
}

static void describe(Cluster *cluster, const char *database)
{
    g_autofree char *name = g_uri_escape_string(database, NULL, FALSE);
    g_autofree char *host = g_uri_escape_string(cluster->folder, "/", FALSE);
    g_autofree char *port = g_strdup_printf("%d", cluster->port == 0 ? SOCKET_PORT : cluster->port);
    if (cluster->port == 0)
        cluster->url = g_strdup_printf("postgresql:///%s?host=%s&user=postgres", name, host);
    else
        cluster->url = g_strdup_printf("postgresql://postgres:%s@127.0.0.1:%s/%s", cluster->password, port, name);
    GPtrArray *env = cluster->environment;
    g_ptr_array_add(env, g_strconcat("DATABASE_URL=", cluster->url, NULL));
    g_ptr_array_add(env, g_strconcat("PGHOST=", cluster->port == 0 ? cluster->folder : "127.0.0.1", NULL));
    g_ptr_array_add(env, g_strconcat("PGPORT=", port, NULL));
    g_ptr_array_add(env, g_strdup("PGUSER=postgres"));
    g_ptr_array_add(env, g_strconcat("PGDATABASE=", database, NULL));
    g_ptr_array_add(env,
                    cluster->port == 0 ? g_strdup("PGPASSWORD") : g_strconcat("PGPASSWORD=", cluster->password, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(UNSET); i++)
        g_ptr_array_add(env, g_strdup(UNSET[i]));
    g_ptr_array_add(env, NULL);
}

static bool make_password(Cluster *cluster, GError **error)
{
    guchar bytes[SECRET_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "getrandom: %s", g_strerror(errno));
        return false;
    }
    cluster->password = g_base64_encode(bytes, sizeof bytes);
    /* Without characters that mean something in a URL. */
    g_strdelimit(g_strdelimit(cluster->password, "+", '-'), "/", '_');
    return true;
}

/* Over the socket, where no password is needed yet. */
static bool furnish(const Cluster *cluster, const char *database, Deadline deadline, GError **error)
{
    if (database == NULL && cluster->port == 0)
        return true;
    g_autofree char *host = g_uri_escape_string(cluster->folder, "/", FALSE);
    g_autofree char *url = g_strdup_printf("postgresql:///postgres?host=%s&port=%d&user=postgres&sslmode=disable", host,
                                           cluster->port == 0 ? SOCKET_PORT : cluster->port);
    g_autoptr(PgConn) conn = pg_conn_open("testdb", url, NULL, deadline, error);
    if (conn == NULL)
        return false;
    if (cluster->password != NULL &&
        !pg_execf(conn, deadline, error, "ALTER ROLE postgres PASSWORD '%s'", cluster->password))
        return false;
    if (database == NULL || g_str_equal(database, "postgres") || g_str_equal(database, "template1"))
        return true;
    g_autofree char *name = pg_quote_ident(database);
    /* Copying files beats logging each page where nothing is synced. */
    return pg_execf(conn, deadline, error, "CREATE DATABASE %s%s", name,
                    pg_conn_identity(conn)->version >= 150000 ? " STRATEGY file_copy" : "");
}

Cluster *cluster_start(const Server *server, const char *folder, const TestDbOptions *options, Deadline deadline,
                       GError **error)
{
    const char *database = options->database;
    g_autoptr(Cluster) cluster = g_new0(Cluster, 1);
    cluster->folder = g_strdup(folder);
    cluster->data = g_build_filename(folder, "data", NULL);
    cluster->log = g_build_filename(folder, "log", NULL);
    cluster->port = options->port;
    cluster->environment = g_ptr_array_new_with_free_func((GDestroyNotify)forget);
    if (cluster->port != 0 && !make_password(cluster, error))
        return NULL;
    if (!template_copy(server, cluster->data, error) || !identity_renew(cluster->data, error) ||
        !configure(cluster, options, error) || !launch(cluster, server, deadline, error) ||
        !furnish(cluster, database, deadline, error))
        return NULL;
    describe(cluster, database == NULL ? "postgres" : database);
    return g_steal_pointer(&cluster);
}

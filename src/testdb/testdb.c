#include "testdb/testdb.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "testdb/internal.h"

/* Set in the keeper's environment until it has begun: a program that does not hand over to it is noticed. */
#define KEEPER_MARK "PGFOLD_KEEPER"

/* The keeper gives up earlier than we do, so that its error arrives. */
enum { ANSWER_MS = 300000, CLOSE_MS = 30000, PORT_MAX = 65535 };

static bool check_options(const TestDbOptions *options, GError **error)
{
    const char *texts[] = {options->bindir, options->database, options->user, options->dir};
    bool utf8 = true;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        utf8 = utf8 && (texts[i] == NULL || g_utf8_validate(texts[i], -1, NULL));
    for (const char *const *setting = options->settings; setting != NULL && *setting != NULL; setting++)
        utf8 = utf8 && g_utf8_validate(*setting, -1, NULL);
    if (!utf8) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "an option of the test database is not UTF-8");
        return false;
    }
    if (options->port < 0 || options->port > PORT_MAX) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Choose one from 1024 to 65535.", "%d is not a port", options->port);
        return false;
    }
    if (options->database != NULL && (*options->database == '\0' || strlen(options->database) > 63)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "the name of a database has 1 to 63 bytes");
        return false;
    }
    return true;
}

static Child *start_keeper(int fd, GError **error)
{
    g_autofree char *number = g_strdup_printf("%d", fd);
    const char *argv[] = {"/proc/self/exe", TESTDB_KEEPER_WORD, number, NULL};
    const char *env[] = {KEEPER_MARK "=1", NULL};
    SpawnSpec spec = {.argv = argv,
                      .setenv = env,
                      .out = SPAWN_DISCARD,
                      .err = SPAWN_DISCARD,
                      .new_session = true,
                      .death_signal = -1,
                      .keep_fd = fd};
    return spawn_start(&spec, error);
}

static bool converse(TestDb *db, const TestDbOptions *options, const Owner *owner, GError **error)
{
    /* The keeper works in another folder. */
    TestDbOptions absolute = *options;
    g_autofree char *bindir = options->bindir == NULL ? NULL : g_canonicalize_filename(options->bindir, NULL);
    g_autofree char *dir = options->dir == NULL ? NULL : g_canonicalize_filename(options->dir, NULL);
    absolute.bindir = bindir;
    absolute.dir = dir;
    g_autofree char *request = request_write(&absolute, owner);
    if (!message_send(db->fd, request, error))
        return false;
    g_autofree char *answer = message_receive(db->fd, deadline_in_ms(ANSWER_MS), error);
    if (answer == NULL)
        return false;
    bool ok = reply_read(answer, &db->reply, error);
    explicit_bzero(answer, strlen(answer));
    return ok;
}

TestDb *testdb_open(const TestDbOptions *options, GError **error)
{
    Owner owner;
    int ends[2];
    if (g_getenv(KEEPER_MARK) != NULL) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL,
                      "main() of this program does not begin with testdb_keeper_called()");
        return NULL;
    }
    if (!check_options(options, error) || !owner_find(options->user, &owner, error))
        return NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "socketpair: %s", g_strerror(errno));
        return NULL;
    }
    g_autoptr(TestDb) db = g_new0(TestDb, 1);
    db->fd = ends[0];
    db->keeper = start_keeper(ends[1], error);
    close(ends[1]);
    if (db->keeper == NULL || !converse(db, options, &owner, error))
        return NULL;
    return g_steal_pointer(&db);
}

const char *testdb_url(const TestDb *db)
{
    return db->reply.url;
}

const char *const *testdb_environment(const TestDb *db)
{
    return (const char *const *)db->reply.environment;
}

int testdb_version(const TestDb *db)
{
    return db->reply.version;
}

const char *testdb_folder(const TestDb *db)
{
    return db->reply.folder;
}

bool testdb_alive(const TestDb *db, GError **error)
{
    struct pollfd fd = {.fd = db->fd, .events = POLLIN};
    /* After its reply a keeper only speaks to say that the server is gone. */
    if (poll(&fd, 1, 0) <= 0)
        return true;
    g_auto(Reply) reply = {0};
    g_autofree char *line = message_receive(db->fd, deadline_in_ms(CLOSE_MS), error);
    if (line != NULL)
        (void)reply_read(line, &reply, error);
    else if (error != NULL && *error != NULL)
        g_prefix_error(error, "the test server was lost: ");
    return false;
}

void testdb_close(TestDb *db)
{
    if (db == NULL)
        return;
    if (db->keeper != NULL)
        child_terminate(db->keeper, SIGTERM, CLOSE_MS);
    child_free(db->keeper);
    close(db->fd);
    reply_clear(&db->reply);
    g_free(db);
}

bool testdb_detach(TestDb *db, GError **error)
{
    if (!message_send(db->fd, MESSAGE_DETACH, error))
        return false;
    /* It closes its end only when it no longer watches ours. */
    struct pollfd fd = {.fd = db->fd, .events = POLLIN};
    if (!wait_fds(&fd, 1, deadline_in_ms(CLOSE_MS), error))
        return false;
    if (!testdb_alive(db, NULL) && !child_running(db->keeper)) {
        pgf_error_set(error, PGF_ERROR_CONNECT, NULL, "the test server ended by itself");
        return false;
    }
    child_detach(g_steal_pointer(&db->keeper));
    return true;
}

TestDb *testdb_open_at_least(const TestDbOptions *options, GError **error)
{
    g_autoptr(GError) cause = NULL;
    TestDb *db = testdb_open(options, &cause);
    if (db != NULL || !g_error_matches(cause, PGF_ERROR, PGF_ERROR_USAGE)) {
        if (db == NULL)
            g_propagate_error(error, g_steal_pointer(&cause));
        return db;
    }
    TestDbOptions later = *options;
    later.min_version = options->version;
    later.version = 0;
    return testdb_open(&later, error);
}

char *testdb_own_url(const TestDb *db, const char *database)
{
    const char *port = NULL;
    for (const char *const *entry = testdb_environment(db); *entry != NULL; entry++)
        if (g_str_has_prefix(*entry, "PGPORT="))
            port = *entry + strlen("PGPORT=");
    return g_strdup_printf("%s&dbname=%s&port=%s&hostaddr=&options=&sslmode=disable&gssencmode=disable"
                           "&target_session_attrs=any",
                           testdb_url(db), database, port);
}

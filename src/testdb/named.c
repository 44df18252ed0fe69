/* Clusters that outlive the process that started them. A file per name, private to the user, says where each is. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/wait.h"
#include "testdb/folder.h"
#include "testdb/internal.h"

#define ROOT_STATE "/run/pgfold"

typedef struct State {
    char *file;
    int lock; /* on the folder */
} State;

static void state_clear(State *state)
{
    g_free(state->file);
    if (state->lock >= 0)
        close(state->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(State, state_clear)

void testdb_named_clear(TestDbNamed *named)
{
    g_free(named->name);
    g_free(named->url);
    g_free(named->folder);
    *named = (TestDbNamed){0};
}

static char *state_folder(GError **error)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    g_autofree char *folder = NULL;
    if (geteuid() == 0)
        folder = g_strdup(ROOT_STATE);
    else if (runtime != NULL && *runtime == '/' && access(runtime, W_OK | X_OK) == 0)
        folder = g_build_filename(runtime, "pgfold", NULL);
    else
        return folder_of_user("run", error);
    if (!folder_private(folder, error))
        return NULL;
    return g_steal_pointer(&folder);
}

static bool check_name(const char *name, GError **error)
{
    gsize n = 0;
    while (g_ascii_isalnum(name[n]) || name[n] == '-' || name[n] == '_')
        n++;
    if (n > 0 && n <= 63 && name[n] == '\0')
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "Use letters, digits, '-' and '_'.", "not a name for a test database: %s",
                  name);
    return false;
}

/* Locked: calls follow one another, and each ends in bounded time. */
static bool state_open(const char *name, State *state, GError **error)
{
    if (!check_name(name, error))
        return false;
    g_autofree char *folder = state_folder(error);
    if (folder == NULL)
        return false;
    state->file = g_strdup_printf("%s/%s.json", folder, name);
    state->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    while (state->lock < 0 || flock(state->lock, LOCK_EX) != 0) {
        if (state->lock >= 0 && errno == EINTR && cancel_check(error))
            continue;
        if (!cancel_requested())
            pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot lock %s: %s", folder, g_strerror(errno));
        return false;
    }
    return true;
}

/* The reply of the keeper that lives under this name. False when there is none. */
static bool state_read(const State *state, Reply *ret_reply)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(state->file, &text, NULL, NULL) || !reply_read(text, ret_reply, NULL))
        return false;
    /* The file may be older than the last reboot or kill. */
    return ret_reply->folder != NULL && ret_reply->url != NULL && ret_reply->keeper > 0 &&
           folder_held(ret_reply->folder);
}

static bool state_write(const State *state, const Reply *reply, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = reply_write(reply);
    bool ok = g_file_set_contents_full(state->file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &cause);
    if (!ok)
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot write %s: %s", state->file, cause->message);
    explicit_bzero(text, strlen(text));
    return ok;
}

static void fill(TestDbNamed *named, const char *name, const Reply *reply, bool fresh)
{
    named->name = g_strdup(name);
    named->url = g_strdup(reply->url);
    named->folder = g_strdup(reply->folder);
    named->version = reply->version;
    named->fresh = fresh;
}

bool testdb_named_start(const char *name, const TestDbOptions *options, TestDbNamed *ret_named, GError **error)
{
    g_auto(State) state = {.lock = -1};
    g_auto(Reply) running = {0};
    *ret_named = (TestDbNamed){0};
    if (!state_open(name, &state, error))
        return false;
    if (state_read(&state, &running)) {
        fill(ret_named, name, &running, false);
        return true;
    }
    g_autoptr(TestDb) db = testdb_open(options, error);
    if (db == NULL)
        return false;
    /* Written first: a cluster that lives alone can always be found. */
    if (!state_write(&state, &db->reply, error) || !testdb_detach(db, error)) {
        unlink(state.file);
        return false;
    }
    fill(ret_named, name, &db->reply, true);
    return true;
}

bool testdb_named_find(const char *name, TestDbNamed *ret_named, GError **error)
{
    g_auto(State) state = {.lock = -1};
    g_auto(Reply) running = {0};
    *ret_named = (TestDbNamed){0};
    if (!state_open(name, &state, error))
        return false;
    if (state_read(&state, &running))
        fill(ret_named, name, &running, false);
    return true;
}

static bool end_keeper(const Reply *running, Deadline deadline, GError **error)
{
    int fd = (int)syscall(SYS_pidfd_open, running->keeper, 0);
    if (fd < 0 && errno == ESRCH)
        return true;
    /* The folder's lock was held a moment ago, so the process of this number is its keeper. */
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    bool signalled = fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0;
    if (!signalled)
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot stop the test server (process %d): %s", running->keeper,
                      g_strerror(errno));
    bool ok = signalled && wait_fds(&ended, 1, deadline, error);
    if (signalled && !ok)
        g_prefix_error(error, "waiting for the test server (process %d): ", running->keeper);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool testdb_named_stop(const char *name, Deadline deadline, bool *ret_stopped, GError **error)
{
    g_auto(State) state = {.lock = -1};
    g_auto(Reply) running = {0};
    *ret_stopped = false;
    if (!state_open(name, &state, error))
        return false;
    if (state_read(&state, &running)) {
        if (!end_keeper(&running, deadline, error))
            return false;
        *ret_stopped = true;
    }
    unlink(state.file);
    return true;
}

/*
 * Kernel locks on bytes of `.pgfold/lock`: byte 0 for the run that may write, byte <id> for each run that is alive.
 * They go when their process goes, however it goes, and can be asked about without being taken: no pid is ever guessed
 * at.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ledger/internal.h"

#ifndef F_OFD_SETLK /* systems without locks of an open file: those of the process do, as it opens the file once */
#define F_OFD_SETLK F_SETLK
#define F_OFD_GETLK F_GETLK
#endif

#define WRITER_BYTE 0

static int byte_lock(int fd, int command, short type, gint64 byte, short *ret_type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result = fcntl(fd, command, &lock);
    if (ret_type != NULL)
        *ret_type = lock.l_type;
    return result;
}

static bool is_held_by_other(int fd, gint64 byte)
{
    short type = F_UNLCK;
    return byte_lock(fd, F_OFD_GETLK, F_WRLCK, byte, &type) == 0 && type != F_UNLCK;
}

bool lock_open(Ledger *ledger, GError **error)
{
    g_autofree char *path = g_build_filename(ledger->dir, "lock", NULL);
    ledger->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ledger->lock_fd >= 0)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, "see who owns the file, and run pgfold as that user", "cannot open %s: %s",
                  path, g_strerror(errno));
    return false;
}

bool lock_run(Ledger *ledger, gint64 run, GError **error)
{
    if (byte_lock(ledger->lock_fd, F_OFD_SETLK, F_WRLCK, run, NULL) != 0) {
        pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot lock run %" G_GINT64_FORMAT " in %s: %s", run,
                      ledger->dir, g_strerror(errno));
        return false;
    }
    gint64 *key = g_new(gint64, 1);
    *key = run;
    g_hash_table_add(ledger->alive, key);
    return true;
}

void lock_release_run(Ledger *ledger, gint64 run)
{
    byte_lock(ledger->lock_fd, F_OFD_SETLK, F_UNLCK, run, NULL);
    g_hash_table_remove(ledger->alive, &run);
}

bool lock_run_is_held(Ledger *ledger, gint64 run)
{
    return g_hash_table_contains(ledger->alive, &run) || is_held_by_other(ledger->lock_fd, run);
}

void ledger_holder_clear(LedgerHolder *holder)
{
    g_clear_pointer(&holder->host, g_free);
    g_clear_pointer(&holder->command, g_free);
    holder->pid = 0;
    holder->since = 0;
}

/* The holder writes itself down right after it got the lock; what cannot be read yet stays 0 and NULL. */
static void read_holder(int fd, LedgerHolder *ret_holder)
{
    char text[1024];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    json_t *root = n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
    const char *host = NULL, *command = NULL;
    json_int_t pid = 0, since = 0;
    if (root != NULL && json_unpack(root, "{s:I, s:s, s:s, s:I}", "pid", &pid, "host", &host, "command", &command,
                                    "since", &since) == 0) {
        ret_holder->pid = pid;
        ret_holder->since = since;
        ret_holder->host = g_strdup(host);
        ret_holder->command = g_strdup(command);
    }
    json_decref(root);
}

static bool write_holder(int fd, const char *command)
{
    json_t *root = json_pack("{s:I, s:s, s:s, s:I}", "pid", (json_int_t)getpid(), "host", g_get_host_name(), "command",
                             command, "since", (json_int_t)g_get_real_time());
    char *text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    size_t length = text == NULL ? 0 : strlen(text);
    bool ok = length > 0 && pwrite(fd, text, length, 0) == (ssize_t)length && ftruncate(fd, (off_t)length) == 0;
    free(text);
    json_decref(root);
    return ok;
}

bool ledger_locked_by_other(Ledger *ledger, LedgerHolder *ret_holder)
{
    if (ledger->has_lock || !is_held_by_other(ledger->lock_fd, WRITER_BYTE))
        return false;
    if (ret_holder != NULL)
        read_holder(ledger->lock_fd, ret_holder);
    return true;
}

static void set_refused(Ledger *ledger, GError **error)
{
    g_auto(LedgerHolder) holder = {0};
    read_holder(ledger->lock_fd, &holder);
    if (holder.command == NULL) {
        pgf_error_set(error, PGF_ERROR_REFUSED, "wait until it has ended", "another pgfold is working in %s",
                      ledger->dir);
        return;
    }
    g_autoptr(GDateTime) since = g_date_time_new_from_unix_utc(holder.since / G_USEC_PER_SEC);
    g_autofree char *when = g_date_time_format(since, "%Y-%m-%d %H:%M:%S UTC");
    pgf_error_take_hint(error, PGF_ERROR_REFUSED,
                        g_strdup_printf("wait until it has ended, or stop it: kill %" G_GINT64_FORMAT, holder.pid),
                        "`pgfold %s` (process %" G_GINT64_FORMAT " on %s, since %s) is working in %s", holder.command,
                        holder.pid, holder.host, when, ledger->dir);
}

bool ledger_lock(Ledger *ledger, const char *command, GError **error)
{
    if (ledger->has_lock)
        return true;
    if (byte_lock(ledger->lock_fd, F_OFD_SETLK, F_WRLCK, WRITER_BYTE, NULL) == 0) {
        ledger->has_lock = true;
        if (!write_holder(ledger->lock_fd, command)) {
            pgf_error_set(error, PGF_ERROR_MIDWAY, "see whether the disk is full", "cannot write %s/lock: %s",
                          ledger->dir, g_strerror(errno));
            return false;
        }
        return run_reap(ledger, error);
    }
    if (errno == EAGAIN || errno == EACCES) {
        set_refused(ledger, error);
        return false;
    }
    pgf_error_set(error, PGF_ERROR_MIDWAY, "the file system of the state folder must support locks: use another one",
                  "cannot lock %s/lock: %s", ledger->dir, g_strerror(errno));
    return false;
}

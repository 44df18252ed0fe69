#include "testdb/template.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/spawn.h"
#include "testdb/folder.h"
#include "testdb/tree.h"

#define FORMAT "1" /* part of the key: raise it when initdb's options change */
enum { INITDB_MS = 120000 };

/* <cache>/<key>/data, .../server (path of the program) and <cache>/<key>.lock: shared while copying, exclusive while
 * making or removing. */
typedef struct Template {
    char *cache, *path, *data;
    int lock;
} Template;

static void template_clear(Template *template)
{
    g_free(template->cache);
    g_free(template->path);
    g_free(template->data);
    if (template->lock >= 0)
        close(template->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Template, template_clear)

/* C.UTF-8 sorts by code point and knows letters; it is there on Debian, Fedora and Alpine, and on older systems not. */
static const char *locale_of_machine(void)
{
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    if (utf8 == (locale_t)0)
        return "C";
    freelocale(utf8);
    return "C.UTF-8";
}

static bool lock_template(const Template *template, int how, GError **error)
{
    while (flock(template->lock, how) != 0) {
        if (errno == EINTR && cancel_check(error))
            continue;
        if (errno != EINTR)
            pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot lock %s.lock: %s", template->path, g_strerror(errno));
        return false;
    }
    return true;
}

static int open_lock(const char *path)
{
    g_autofree char *name = g_strconcat(path, ".lock", NULL);
    return open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool template_init(Template *template, const Server *server, GError **error)
{
    template->lock = -1;
    template->cache = folder_of_user("testdb", error);
    if (template->cache == NULL)
        return false;
    g_autofree char *what = g_strjoin("\n", FORMAT, server->stamp, locale_of_machine(), NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, what, -1);
    g_autofree char *key = g_strdup_printf("%d-%.16s", server->version, hash);
    template->path = g_build_filename(template->cache, key, NULL);
    template->data = g_build_filename(template->path, "data", NULL);
    template->lock = open_lock(template->path);
    if (template->lock >= 0)
        return true;
    pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot write to %s: %s", template->cache, g_strerror(errno));
    return false;
}

static bool run_initdb(const Server *server, const char *data, GError **error)
{
    g_autofree char *locale = g_strconcat("--locale=", locale_of_machine(), NULL);
    const char *argv[] = {server->initdb, "-D", data,    "-U",        "postgres",          "-E", "UTF8",
                          locale,         "-A", "trust", "--no-sync", "--no-instructions", NULL};
    /* Not known before 14, and only cosmetic. */
    if (server->version < 14)
        argv[G_N_ELEMENTS(argv) - 2] = NULL;
    SpawnSpec spec = {.argv = argv, .out = SPAWN_DISCARD, .err = SPAWN_CAPTURE};
    g_auto(SpawnResult) result = {0};
    if (!spawn_run(&spec, deadline_in_ms(INITDB_MS), &result, error))
        return false;
    if (result.status == 0)
        return true;
    g_autofree char *tail = spawn_tail(result.err, 5);
    pgf_error_set(error, PGF_ERROR_CONNECT, NULL, "%s failed: %s", server->initdb, tail);
    return false;
}

static bool is_older_one_of(const char *path, const Server *server)
{
    g_autofree char *name = g_build_filename(path, "server", NULL);
    g_autofree char *text = NULL;
    return g_file_get_contents(name, &text, NULL, NULL) && g_str_equal(text, server->postgres);
}

/* After an upgrade of the programs their old template serves nobody. One that is being copied is left for next time. */
static void remove_older(const Template *template, const Server *server)
{
    g_autoptr(GDir) dir = g_dir_open(template->cache, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(template->cache, name, NULL);
        if (strchr(name, '.') != NULL || !is_older_one_of(path, server))
            continue;
        int lock = open_lock(path);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
            g_autofree char *lock_name = g_strconcat(path, ".lock", NULL);
            tree_remove(path, NULL);
            unlink(lock_name);
        }
        if (lock >= 0)
            close(lock);
    }
}

/* Under the exclusive lock: beside its place, then renamed, so that a half-made one is never taken for a whole one. */
static bool template_make(const Template *template, const Server *server, GError **error)
{
    g_autofree char *new = g_strconcat(template->path, ".new", NULL);
    g_autofree char *raw = g_build_filename(new, "raw", NULL);
    g_autofree char *data = g_build_filename(new, "data", NULL);
    g_autofree char *label = g_build_filename(new, "server", NULL);
    g_autoptr(GError) cause = NULL;
    remove_older(template, server);
    /* The copy has holes where initdb wrote zeros; the cache stays small, and later copies read less. */
    bool ok = tree_remove(new, error) && folder_private(new, error) && run_initdb(server, raw, error) &&
              tree_copy(raw, data, error) && tree_remove(raw, error);
    if (ok && (!g_file_set_contents(label, server->postgres, -1, &cause) || rename(new, template->path) != 0)) {
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "cannot write %s: %s", template->path,
                      cause == NULL ? g_strerror(errno) : cause->message);
        ok = false;
    }
    if (!ok)
        tree_remove(new, NULL);
    return ok;
}

static bool template_exists(const Template *template)
{
    return access(template->data, X_OK) == 0;
}

bool template_copy(const Server *server, const char *to, GError **error)
{
    g_auto(Template) template = {.lock = -1};
    if (!template_init(&template, server, error) || !lock_template(&template, LOCK_SH, error))
        return false;
    while (!template_exists(&template)) {
        if (!lock_template(&template, LOCK_EX, error))
            return false;
        if (!template_exists(&template) && !template_make(&template, server, error))
            return false;
        /* Turning one lock into the other is not atomic: hence the loop. */
        if (!lock_template(&template, LOCK_SH, error))
            return false;
    }
    return tree_copy(template.data, to, error);
}

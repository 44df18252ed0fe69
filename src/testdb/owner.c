#include "testdb/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static const char *const KEPT[] = {
    "PATH", "TMPDIR", "TZ",   "TZDIR",        "LD_LIBRARY_PATH", "LD_PRELOAD",   "PGFOLD_SERVERS", "XDG_CACHE_HOME",
    "HOME", "USER",   "LANG", "ASAN_OPTIONS", "LSAN_OPTIONS",    "TSAN_OPTIONS", "UBSAN_OPTIONS",  "LLVM_PROFILE_FILE"};

static void take(const struct passwd *entry, Owner *owner)
{
    owner->uid = entry->pw_uid;
    owner->gid = entry->pw_gid;
    owner->drop = true;
}

static bool take_named(const char *user, Owner *owner, GError **error)
{
    const struct passwd *entry = getpwnam(user);
    if (entry == NULL || entry->pw_uid == 0) {
        pgf_error_set(error, PGF_ERROR_USAGE, "PostgreSQL refuses to run as root: name an existing, ordinary user.",
                      entry == NULL ? "no user is called %s" : "the server cannot run as user %s", user);
        return false;
    }
    take(entry, owner);
    return true;
}

static const struct passwd *caller_of_sudo(void)
{
    const char *text = g_getenv("SUDO_UID");
    guint64 uid = 0;
    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, &uid, NULL))
        return NULL;
    return getpwuid((uid_t)uid);
}

bool owner_find(const char *user, Owner *ret_owner, GError **error)
{
    *ret_owner = (Owner){.uid = geteuid(), .gid = getegid()};
    if (geteuid() != 0) {
        const struct passwd *self = getpwuid(geteuid());
        if (user == NULL || (self != NULL && g_str_equal(self->pw_name, user)))
            return true;
        pgf_error_set(error, PGF_ERROR_USAGE, "Leave --user out, or run this as root.",
                      "only root can run the server as another user (%s)", user);
        return false;
    }
    if (user != NULL)
        return take_named(user, ret_owner, error);
    const struct passwd *entry = caller_of_sudo();
    if (entry == NULL)
        entry = getpwnam("postgres");
    if (entry == NULL)
        entry = getpwnam("nobody");
    if (entry == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE, "Name an ordinary user with --user NAME.",
                      "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody");
        return false;
    }
    take(entry, ret_owner);
    return true;
}

bool owner_become(const Owner *owner, GError **error)
{
    if (!owner->drop)
        return true;
    if (setgroups(0, NULL) == 0 && setgid(owner->gid) == 0 && setuid(owner->uid) == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_INTERNAL, NULL, "cannot become user %u: %s", (unsigned)owner->uid,
                  g_strerror(errno));
    return false;
}

static void set_home(uid_t uid)
{
    const struct passwd *entry = getpwuid(uid);
    g_unsetenv("XDG_CACHE_HOME");
    if (entry == NULL)
        return;
    g_setenv("HOME", entry->pw_dir, TRUE);
    g_setenv("USER", entry->pw_name, TRUE);
}

void owner_clean_environment(const Owner *owner)
{
    g_auto(GStrv) names = g_listenv();
    for (guint i = 0; names[i] != NULL; i++) {
        bool kept = false;
        for (gsize k = 0; k < G_N_ELEMENTS(KEPT); k++)
            kept = kept || g_str_equal(names[i], KEPT[k]);
        if (!kept)
            g_unsetenv(names[i]);
    }
    if (owner->drop)
        set_home(owner->uid);
}

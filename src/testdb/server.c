#include "testdb/server.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/spawn.h"

enum { VERSION_MS = 10000 };

/* Debian and Ubuntu, Red Hat and SUSE, Alpine, source builds, Homebrew. */
static const char *const USUAL[] = {
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",     "/usr/libexec/postgresql*",
    "/usr/lib/postgresql*/bin",  "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql@*/bin",
};

static const char NONE_HINT[] =
    "Install one (Debian, Ubuntu: apt-get install postgresql), or name the folder of its programs with --bindir DIR or "
    "PGFOLD_SERVERS.";

void server_free(Server *server)
{
    if (server == NULL)
        return;
    g_free(server->bindir);
    g_free(server->postgres);
    g_free(server->initdb);
    g_free(server->stamp);
    g_free(server);
}

int server_parse_version(const char *text)
{
    const char *at = strstr(text, "(PostgreSQL) ");
    return at == NULL ? 0 : atoi(at + strlen("(PostgreSQL) "));
}

static int ask_version(const char *postgres, GError **error)
{
    const char *argv[] = {postgres, "--version", NULL};
    SpawnSpec spec = {.argv = argv, .out = SPAWN_CAPTURE, .err = SPAWN_CAPTURE};
    g_auto(SpawnResult) result = {0};
    if (!spawn_run(&spec, deadline_in_ms(VERSION_MS), &result, error))
        return 0;
    int version = result.status == 0 ? server_parse_version(result.out) : 0;
    if (version == 0) {
        g_autofree char *tail = spawn_tail(result.err, 1);
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s --version does not work: %s", postgres, tail);
    }
    return version;
}

/* Debian's folders carry the version in their name, which saves a process on every start. */
static int version_of_path(const char *bindir)
{
    int version = 0, end = 0;
    if (sscanf(bindir, "/usr/lib/postgresql/%d/bin%n", &version, &end) == 1 && end == (int)strlen(bindir))
        return version;
    return 0;
}

/* The programs may be symbolic links to a package's own folder: one server, one template. Transfer full. */
static char *real_bindir(const char *bindir)
{
    g_autofree char *postgres = g_build_filename(bindir, "postgres", NULL);
    char *real = realpath(postgres, NULL);
    char *dir = g_path_get_dirname(real == NULL ? postgres : real);
    free(real);
    return dir;
}

/* NULL without an error when the folder holds no server. */
static Server *server_in(const char *bindir)
{
    g_autoptr(Server) server = g_new0(Server, 1);
    server->bindir = real_bindir(bindir);
    server->postgres = g_build_filename(server->bindir, "postgres", NULL);
    server->initdb = g_build_filename(server->bindir, "initdb", NULL);
    struct stat st;
    if (access(server->postgres, X_OK) != 0 || access(server->initdb, X_OK) != 0 || stat(server->postgres, &st) != 0)
        return NULL;
    server->stamp = g_strdup_printf("%s %llu %lld.%09ld %lld", server->postgres, (unsigned long long)st.st_ino,
                                    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_size);
    return g_steal_pointer(&server);
}

static void add_folder(GPtrArray *folders, const char *folder)
{
    if (*folder == '/' && !g_ptr_array_find_with_equal_func(folders, folder, g_str_equal, NULL))
        g_ptr_array_add(folders, g_strdup(folder));
}

static void add_folders(GPtrArray *folders, const char *list)
{
    g_auto(GStrv) parts = g_strsplit(list == NULL ? "" : list, ":", -1);
    for (guint i = 0; parts[i] != NULL; i++)
        add_folder(folders, parts[i]);
}

static GPtrArray *folders_of_machine(void)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
    add_folders(folders, g_getenv("PGFOLD_SERVERS"));
    add_folders(folders, g_getenv("PATH"));
    for (gsize i = 0; i < G_N_ELEMENTS(USUAL); i++) {
        glob_t found = {0};
        if (glob(USUAL[i], 0, NULL, &found) == 0)
            for (gsize k = 0; k < found.gl_pathc; k++)
                add_folder(folders, found.gl_pathv[k]);
        globfree(&found);
    }
    return folders;
}

static bool satisfies(const TestDbOptions *options, int version)
{
    return (options->version == 0 || version == options->version) && version >= options->min_version;
}

static char *wish_of(const TestDbOptions *options)
{
    if (options->version != 0)
        return g_strdup_printf("PostgreSQL %d", options->version);
    if (options->min_version != 0)
        return g_strdup_printf("PostgreSQL %d or later", options->min_version);
    return g_strdup("PostgreSQL");
}

static void set_none_found(const TestDbOptions *options, const char *seen, GError **error)
{
    g_autofree char *wish = wish_of(options);
    int package = MAX(options->version, options->min_version);
    char *hint = package == 0
                     ? g_strdup(NONE_HINT)
                     : g_strdup_printf("Install it (Debian, Ubuntu: apt-get install postgresql-%d), or name the "
                                       "folder of its programs with --bindir DIR or PGFOLD_SERVERS.",
                                       package);
    pgf_error_take_hint(error, PGF_ERROR_USAGE, hint, "no server programs of %s found%s%s%s", wish,
                        *seen == '\0' ? "" : " (there is ", seen, *seen == '\0' ? "" : ")");
}

static Server *find_in_bindir(const TestDbOptions *options, GError **error)
{
    g_autoptr(Server) server = server_in(options->bindir);
    if (server == NULL) {
        pgf_error_set(error, PGF_ERROR_USAGE,
                      "Name the folder that holds postgres and initdb (/usr/lib/postgresql/15/bin).",
                      "%s: no PostgreSQL server programs that this user may run", options->bindir);
        return NULL;
    }
    server->version = ask_version(server->postgres, error);
    if (server->version == 0)
        return NULL;
    if (!satisfies(options, server->version)) {
        g_autofree char *wish = wish_of(options);
        pgf_error_set(error, PGF_ERROR_USAGE, NULL, "%s holds PostgreSQL %d, but %s is wanted", options->bindir,
                      server->version, wish);
        return NULL;
    }
    return g_steal_pointer(&server);
}

Server *server_find(const TestDbOptions *options, GError **error)
{
    if (options->bindir != NULL)
        return find_in_bindir(options, error);
    g_autoptr(GPtrArray) folders = folders_of_machine();
    g_autoptr(Server) best = NULL;
    g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < folders->len; i++) {
        g_autoptr(Server) server = server_in(folders->pdata[i]);
        if (server == NULL || g_ptr_array_find_with_equal_func(seen, server->bindir, g_str_equal, NULL))
            continue;
        g_ptr_array_add(seen, g_strdup(server->bindir));
        server->version = version_of_path(server->bindir);
        /* A program that does not even tell its version is passed over: another one may work. */
        if (server->version == 0 && (server->version = ask_version(server->postgres, NULL)) == 0)
            continue;
        g_string_append_printf(list, "%s%d in %s", list->len > 0 ? ", " : "", server->version, server->bindir);
        if (satisfies(options, server->version) && (best == NULL || server->version > best->version)) {
            server_free(best);
            best = g_steal_pointer(&server);
        }
    }
    if (best == NULL)
        set_none_found(options, list->str, error);
    return g_steal_pointer(&best);
}

bool testdb_server_find(const TestDbOptions *options, int *ret_version, char **ret_bindir, GError **error)
{
    g_autoptr(Server) server = server_find(options, error);
    if (server == NULL)
        return false;
    *ret_version = server->version;
    *ret_bindir = g_steal_pointer(&server->bindir);
    return true;
}

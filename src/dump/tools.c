#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/spawn.h"
#include "dump/dump.h"

enum { VERSION_MS = 10000 };

/* Where distributions keep the client programs of each version. */
static const char *const PLACES[] = {
    "/usr/lib/postgresql/*/bin",        /* Debian, Ubuntu */
    "/usr/pgsql-*/bin",                 /* RPM packages of the PostgreSQL project */
    "/usr/local/pgsql*/bin",            /* built from source */
    "/opt/homebrew/opt/libpq*/bin",     /* Homebrew */
    "/opt/homebrew/opt/postgresql*/bin" /* Homebrew */
};

/* Debian's /usr/bin/pg_dump is a script that chooses a version by rules of its own: what it runs is found in PLACES. */
static bool is_wrapper(const char *path)
{
    char *real = realpath(path, NULL);
    bool wrapper = real != NULL && g_str_has_suffix(real, "/pg_wrapper");
    free(real);
    return wrapper;
}

static GPtrArray *candidate_folders(void)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) path = g_strsplit(g_getenv("PATH") == NULL ? "" : g_getenv("PATH"), ":", -1);
    for (guint i = 0; path[i] != NULL; i++)
        if (g_path_is_absolute(path[i]))
            g_ptr_array_add(folders, g_strdup(path[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(PLACES); i++) {
        glob_t found = {0};
        if (glob(PLACES[i], 0, NULL, &found) == 0)
            for (gsize j = 0; j < found.gl_pathc; j++)
                g_ptr_array_add(folders, g_strdup(found.gl_pathv[j]));
        globfree(&found);
    }
    return folders;
}

/* "pg_dump (PostgreSQL) 15.4 (Debian 15.4-1)" or "pg_dump (PostgreSQL) 18beta1" -> "15.4", "18beta1"; or NULL. */
static char *version_in(const char *text)
{
    const char *mark = strstr(text, "(PostgreSQL) ");
    if (mark == NULL)
        return NULL;
    mark += strlen("(PostgreSQL) ");
    return g_strndup(mark, strcspn(mark, " \n"));
}

/* NULL where the program does not run or is no PostgreSQL program: then it is no candidate. False only on cancel. */
static bool program_version(const char *program, char **ret_version, GError **error)
{
    const char *argv[] = {program, "--version", NULL};
    const char *env[] = {"LC_ALL=C", NULL};
    SpawnSpec spec = {.argv = argv, .setenv = env, .out = SPAWN_CAPTURE, .err = SPAWN_DISCARD};
    g_auto(SpawnResult) result = {0};
    g_autoptr(GError) cause = NULL;
    *ret_version = NULL;
    if (spawn_run(&spec, deadline_in_ms(VERSION_MS), &result, &cause)) {
        *ret_version = result.status == 0 ? version_in(result.out) : NULL;
        return true;
    }
    if (!g_error_matches(cause, PGF_ERROR, PGF_ERROR_CANCELLED))
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* The tools of one folder; version 0 unless both are there, run, and have the same version. */
static bool tools_in(const char *folder, DumpTools *ret_tools, GError **error)
{
    g_auto(DumpTools) tools = {.pg_dump = g_build_filename(folder, "pg_dump", NULL),
                               .pg_restore = g_build_filename(folder, "pg_restore", NULL)};
    g_autofree char *restore_version = NULL;
    *ret_tools = (DumpTools){0};
    if (!g_file_test(tools.pg_dump, G_FILE_TEST_IS_EXECUTABLE) || is_wrapper(tools.pg_dump))
        return true;
    if (!program_version(tools.pg_dump, &tools.version_text, error) ||
        !program_version(tools.pg_restore, &restore_version, error))
        return false;
    if (tools.version_text == NULL || g_strcmp0(tools.version_text, restore_version) != 0)
        return true;
    tools.version = atoi(tools.version_text);
    *ret_tools = tools;
    tools = (DumpTools){0};
    return true;
}

static bool no_tools(int wanted, int newest, GError **error)
{
    char *hint = g_strdup_printf("Install the package postgresql-client-%d (Debian and Ubuntu; other versions than the "
                                 "distribution's come from apt.postgresql.org), or put a newer pg_dump into PATH.",
                                 wanted);
    if (newest == 0)
        pgf_error_take_hint(error, PGF_ERROR_USAGE, hint, "pg_dump and pg_restore are not installed");
    else
        pgf_error_take_hint(error, PGF_ERROR_USAGE, hint,
                            "the server is PostgreSQL %d, but the newest pg_dump here is %d, which cannot read it",
                            wanted, newest);
    return false;
}

bool dump_tools_find(int server_version, DumpTools *ret_tools, GError **error)
{
    int wanted = server_version / 10000;
    int newest = 0;
    g_auto(DumpTools) best = {0};
    g_autoptr(GPtrArray) folders = candidate_folders();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < folders->len && best.version != wanted; i++) {
        g_auto(DumpTools) tools = {0};
        if (!g_hash_table_add(seen, folders->pdata[i]))
            continue;
        if (!tools_in(folders->pdata[i], &tools, error))
            return false;
        newest = MAX(newest, tools.version);
        if (tools.version < wanted || (best.version != 0 && best.version <= tools.version))
            continue;
        dump_tools_clear(&best);
        best = tools;
        tools = (DumpTools){0};
    }
    if (best.version == 0)
        return no_tools(wanted, newest, error);
    *ret_tools = best;
    best = (DumpTools){0};
    return true;
}

void dump_tools_clear(DumpTools *tools)
{
    g_clear_pointer(&tools->pg_dump, g_free);
    g_clear_pointer(&tools->pg_restore, g_free);
    g_clear_pointer(&tools->version_text, g_free);
    tools->version = 0;
}

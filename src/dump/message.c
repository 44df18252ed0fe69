#include <string.h>

#include "base/spawn.h"
#include "dump/dump.h"

enum { LINES_MAX = 10 };

/* "pg_dump: error: ..." and what follows it: "pg_dump: detail:", "pg_dump: hint:", "Command was:". */
static bool starts_remark(const char *line)
{
    return g_str_has_prefix(line, "pg_dump: ") || g_str_has_prefix(line, "pg_restore: ");
}

char *dump_program_message(const char *stderr_text)
{
    g_auto(GStrv) lines = g_strsplit(stderr_text == NULL ? "" : stderr_text, "\n", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    bool inside = false;
    for (guint i = 0; lines[i] != NULL && kept->len < LINES_MAX; i++) {
        if (starts_remark(lines[i]))
            inside = strstr(lines[i], "error: ") != NULL || strstr(lines[i], "fatal: ") != NULL ||
                     (inside && (strstr(lines[i], ": detail: ") != NULL || strstr(lines[i], ": hint: ") != NULL));
        if (inside && *g_strchomp(lines[i]) != '\0')
            g_ptr_array_add(kept, lines[i]);
    }
    if (kept->len == 0)
        return spawn_tail(stderr_text, LINES_MAX);
    g_ptr_array_add(kept, NULL);
    return g_strjoinv("\n", (char **)kept->pdata);
}

PgfErrorCode dump_program_code(const char *stderr_text)
{
    if (stderr_text == NULL)
        return PGF_ERROR_MIDWAY;
    if (strstr(stderr_text, "permission denied") != NULL || strstr(stderr_text, "row-level security") != NULL)
        return PGF_ERROR_REFUSED;
    static const char *const lost[] = {"connection to server", "could not connect", "server closed the connection",
                                       "terminating connection", "the database system is"};
    for (gsize i = 0; i < G_N_ELEMENTS(lost); i++)
        if (strstr(stderr_text, lost[i]) != NULL)
            return PGF_ERROR_CONNECT;
    return PGF_ERROR_MIDWAY;
}

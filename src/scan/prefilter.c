#include "scan/prefilter.h"

const char prefilter_pattern[] =
    "localhost|127\\.[0-9]|::1\\b|0\\.0\\.0\\.0|docker\\.internal|containers\\.internal|lima\\.internal|"
    "postgres|postgis|pgsql|pgvector|timescale|psycopg|asyncpg|jdbc:|ecto:|pg:/|psql|dbname=|password=|"
    "pg_isready|createdb|pg_ctl";

struct Prefilter {
    GRegex *regex;
};

Prefilter *prefilter_new(const GPtrArray *words)
{
    GString *pattern = g_string_new(prefilter_pattern);
    for (guint i = 0; words != NULL && i < words->len; i++) {
        g_autofree char *escaped = g_regex_escape_string(words->pdata[i], -1);
        g_string_append_printf(pattern, "|%s", escaped);
    }
    Prefilter *prefilter = g_new0(Prefilter, 1);
    prefilter->regex = g_regex_new(pattern->str, G_REGEX_CASELESS | G_REGEX_OPTIMIZE | G_REGEX_RAW, 0, NULL);
    g_string_free(pattern, TRUE);
    return prefilter;
}

void prefilter_free(Prefilter *prefilter)
{
    if (prefilter == NULL)
        return;
    g_regex_unref(prefilter->regex);
    g_free(prefilter);
}

bool prefilter_passes(const Prefilter *prefilter, const char *text, gsize length)
{
    return g_regex_match_full(prefilter->regex, text, (gssize)length, 0, 0, NULL, NULL);
}

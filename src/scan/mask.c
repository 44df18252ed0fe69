#include "scan/mask.h"

#include <pthread.h>
#include <string.h>

#include "scan/connection.h"

#define NAME "(?:password|passwd|passphrase|passcode|pwd|secret|pass(?![a-z])|(?<![a-z])pw(?![a-z]))\\w*"

/* A quoted text, unless it is the name of a variable. */
#define LITERAL "([\"'`])(?!(?-i:[A-Z0-9_]*(?:PASS|PWD|SECRET|PW)[A-Z0-9_]*)\\1)((?:\\\\.|(?!\\1)[^\\\\\\n])+)"

/* In each the last group is the secret. */
static const char *const PATTERNS[] = {
    /* Any URI: "://user:SECRET@" */
    "://[^\\s:@/\"'`]*:([^\\s@\"'`]+)@",
    /* password="SECRET", "password": "SECRET", get("PASSWORD", 'SECRET'), PASSWORD || "SECRET"; a name of a variable
     * is none */
    NAME "[\"'`]?[\\])}]*[^\"'`\\n;,]{0,40}?" LITERAL,
    NAME "[\"'`]?[\\])}]*\\s*,\\s*[bruf]{0,2}" LITERAL,
    /* PASSWORD=SECRET, password: SECRET, ${PASSWORD:-SECRET} */
    NAME "[\"'`]?\\s*(?:=>|:[-=?]|[:=])\\s*([^\\s\"'`;,&(){}\\[\\]<>$%|]+)",
    /* --password SECRET, ENV PASSWORD SECRET */
    "(?:--|ENV\\s+|ARG\\s+)[\\w-]*?" NAME "[\\s=]+([^\\s\"'`]+)",
};

static GRegex *regexes[G_N_ELEMENTS(PATTERNS)];
static pthread_once_t compile_once = PTHREAD_ONCE_INIT;

static void compile(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(PATTERNS); i++) {
        g_autoptr(GError) error = NULL;
        regexes[i] = g_regex_new(PATTERNS[i], G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
        if (regexes[i] == NULL)
            g_error("mask: %s", error->message); /* a mistake of the build: every test meets it */
    }
}

static void add(GArray *ranges, gsize start, gsize end)
{
    MaskRange range = {start, end};
    if (start < end)
        g_array_append_val(ranges, range);
}

static void add_connections(GArray *ranges, const char *line)
{
    gsize length = strlen(line);
    for (gsize from = 0; from < length;) {
        g_auto(Connection) connection = connection_find(line, length, from);
        if (connection.form == CONNECTION_NONE)
            break;
        from = connection.end;
        add(ranges, connection.password_start, connection.password_end);
    }
}

static void add_matches(GArray *ranges, const GRegex *regex, const char *line)
{
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(regex, line, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL)) {
        int start, end;
        if (g_match_info_fetch_pos(match, g_match_info_get_match_count(match) - 1, &start, &end) && start >= 0)
            add(ranges, (gsize)start, (gsize)end);
    }
}

static int by_start(gconstpointer a, gconstpointer b)
{
    const MaskRange *left = a, *right = b;
    return (left->start > right->start) - (left->start < right->start);
}

GArray *mask_ranges(const char *line)
{
    pthread_once(&compile_once, compile);
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(MaskRange));
    add_connections(ranges, line);
    for (guint i = 0; i < G_N_ELEMENTS(PATTERNS); i++)
        add_matches(ranges, regexes[i], line);
    g_array_sort(ranges, by_start);
    guint kept = 0;
    for (guint i = 0; i < ranges->len; i++) {
        MaskRange range = g_array_index(ranges, MaskRange, i);
        MaskRange *last = kept == 0 ? NULL : &g_array_index(ranges, MaskRange, kept - 1);
        if (last != NULL && range.start <= last->end)
            last->end = MAX(last->end, range.end);
        else
            g_array_index(ranges, MaskRange, kept++) = range;
    }
    g_array_set_size(ranges, kept);
    return ranges;
}

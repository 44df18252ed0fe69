#include "scan/talk.h"

#include <glib.h>
#include <string.h>

bool function_talks(const char *function)
{
    static const char *const WORDS[] = {
        "print",        "printf",      "log",      "warn",        "error",    "info",       "debug",     "fatal",
        "panic",        "raise",       "throw",    "exception",   "abort",    "echo",       "puts",      "usage",
        "assert",       "expect",      "describe", "fail",        "exit",     "write_line", "writeline", "message",
        "startswith",   "starts_with", "contains", "includes",    "match",    "equals",     "die",       "notice",
        "trace",        "secho",       "help",     "warning",     "critical", "example",    "examples",  "placeholder",
        "title",        "meta",        "each",     "parametrize", "throws",   "rejects",    "toequal",   "tobe",
        "assert_raise", NULL};
    g_autofree char *lower = g_ascii_strdown(function, -1);
    gsize length = strlen(lower);
    while (length > 0 && !g_ascii_isalnum(lower[length - 1]))
        lower[--length] = '\0';
    const char *last = lower + length;
    while (last > lower && (g_ascii_isalnum(last[-1]) || last[-1] == '_'))
        last--;
    if (strcmp(last, "sprintf") == 0 || strcmp(last, "catalog") == 0 || strcmp(last, "blueprint") == 0)
        return false;
    for (guint i = 0; WORDS[i] != NULL; i++)
        if (g_str_has_prefix(last, WORDS[i]) || g_str_has_suffix(last, WORDS[i]))
            return true;
    return strstr(lower, "logger") != NULL || strstr(lower, "console.") != NULL;
}

bool name_is_default(const char *name)
{
    static const char *const NAMES[] = {"default",      "default_value",   "defaultvalue",   "default_value_t",
                                        "fallback",     "devdefault",      "orelse",         "withdefault",
                                        "getordefault", "default_factory", "initial",        "missing",
                                        "def",          "cast_default",    "server_default", NULL};
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return g_strv_contains(NAMES, lower);
}

bool name_is_prose(const char *name)
{
    static const char *const NAMES[] = {
        "help", "description", "desc",  "message", "msg",     "example", "examples",    "title", "label",  "doc",
        "docs", "summary",     "usage", "hint",    "comment", "text",    "explanation", "error", "errors", NULL};
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return g_strv_contains(NAMES, lower) || strstr(lower, "example") != NULL || strstr(lower, "sample") != NULL ||
           strstr(lower, "placeholder") != NULL;
}

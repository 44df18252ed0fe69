/*
 * Texts that name the old schema. Outside of quotes pg_dump writes what the server rewrote; inside, in the bodies of
 * functions and in constants, the name is a text to the server.
 */
#include <string.h>

#include "rename/internal.h"

/* Code, or what is handed to code. */
static const char *const CODE[] = {"FUNCTION", "PROCEDURE", "TRIGGER", "EVENT TRIGGER", NULL};
/* For people; nothing acts on them. */
static const char *const PROSE[] = {"COMMENT", "SECURITY LABEL", NULL};

/* The schema as the start of a qualified name: from.x, "from".x; in code also with blanks around the dot, which in a
 * constant end a sentence. */
static GRegex *qualified_regex(const char *name, bool code)
{
    g_autofree char *escaped = g_regex_escape_string(name, -1);
    const char *blanks = code ? "\\s*" : "";
    g_autofree char *pattern = g_strdup_printf("(?<![\\w$.\"])(?:%s|\"%s\"|\"\"%s\"\")%s\\.%s[\\w\"%%]", escaped,
                                               escaped, escaped, blanks, blanks);
    return g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, NULL);
}

/* The schema as a constant ('from'), as code gives it to to_regclass(), format() or information_schema; or in a
 * search_path. */
static GRegex *constant_regex(const char *name)
{
    g_autofree char *escaped = g_regex_escape_string(name, -1);
    g_autofree char *pattern =
        g_strdup_printf("'\\s*%s\\s*'|search_path\\b[^;]*(?<![\\w$])%s(?![\\w$])|\\bSCHEMA\\s+\"?%s(?![\\w$])", escaped,
                        escaped, escaped);
    return g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, NULL);
}

/* The schema as a constant of type name, as views of the catalogs compare it. */
static GRegex *name_regex(const char *name)
{
    g_autofree char *escaped = g_regex_escape_string(name, -1);
    g_autofree char *pattern = g_strdup_printf("'%s'::name\\b", escaped);
    return g_regex_new(pattern, G_REGEX_OPTIMIZE, 0, NULL);
}

/* All that stands in quotes in one statement; $$ bodies with their quotes. Transfer full. */
static char *quoted_texts(const char *sql)
{
    GString *texts = g_string_new(NULL);
    const char *end = sql + strlen(sql);
    for (const char *at = sql; at < end;) {
        const char *after = dump_lex_token(sql, at, end);
        if (after == NULL) { /* does not end: all of it may be a text */
            g_string_append(texts, at);
            break;
        }
        if ((*at == '\'' || *at == '$') && after - at > 1)
            g_string_append_printf(texts, "%.*s\n", (int)(after - at), at);
        at = after;
    }
    return g_string_free(texts, FALSE);
}

typedef struct Patterns {
    GRegex *in_code, *in_constant, *constant, *name;
} Patterns;

static bool names_schema(const DumpEntry *entry, const Patterns *patterns)
{
    bool code = g_strv_contains(CODE, entry->type);
    g_autofree char *texts = quoted_texts(entry->sql);
    if (g_regex_match(patterns->name, entry->sql, 0, NULL))
        return true;
    return code ? g_regex_match(patterns->in_code, texts, 0, NULL) ||
                      g_regex_match(patterns->constant, entry->sql, 0, NULL)
                : g_regex_match(patterns->in_constant, texts, 0, NULL);
}

void texts_check(const RenameSpec *spec, Renamed *renamed)
{
    g_autoptr(GRegex) in_code = qualified_regex(spec->from, true);
    g_autoptr(GRegex) in_constant = qualified_regex(spec->from, false);
    g_autoptr(GRegex) constant = constant_regex(spec->from);
    g_autoptr(GRegex) name = name_regex(spec->from);
    const Patterns patterns = {.in_code = in_code, .in_constant = in_constant, .constant = constant, .name = name};
    for (guint i = 0; i < renamed->dump->entries->len; i++) {
        const DumpEntry *entry = renamed->dump->entries->pdata[i];
        if (g_strv_contains(PROSE, entry->type) || !names_schema(entry, &patterns))
            continue;
        rename_block(renamed,
                     "%s %s%s%s names the schema %s in its text, which does not follow to %s: take the name out of it "
                     "in the source, or fold into a database of its own (into: NAME)",
                     entry->type, entry->schema == NULL ? "" : spec->from, entry->schema == NULL ? "" : ".",
                     entry->name, spec->from, spec->to);
    }
}

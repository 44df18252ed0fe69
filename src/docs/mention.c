/* Lines that speak of files that go, or of a local database. */
#include <string.h>

#include "config/path.h"
#include "config/protect.h"
#include "docs/internal.h"

struct Mentions {
    const Config *config;
    GPtrArray *entries; /* of char*: of code.remove, and compose files of sources */
    GRegex *words, *local;
};

#define POSTGRES "(?:postgres(?:ql)?|pg(?:vector)?|databases?|db)"
#define HOST "(?:localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[?::1\\]?|0\\.0\\.0\\.0|host\\.docker\\.internal)"

/* Words that are said of a local database. */
static const char LOCAL[] =
    "(?i)\\blocal(?:ly)?(?:[- ][\\w-]+){0,2}?[- ]" POSTGRES "\\b"
    "|\\b" POSTGRES "\\b[^.]{0,40}\\blocally\\b|\\blocally\\b[^.]{0,40}\\b" POSTGRES "\\b"
    "|\\bcompose[.-]local\\b"
    "|\\bpsql\\b.*(?:-h ?|--host[= ])" HOST "|\\b(?:DB|POSTGRES(?:QL)?|PG|DATABASE)_?HOST\\s*[=:]\\s*[\"']?" HOST
    "|(?<!//)" HOST ":543[23]\\b"
    "|\\bbrew services start postgres|\\bpg_ctl(?:cluster)?\\b.*\\bstart\\b";

Mentions *mentions_new(const Config *config)
{
    Mentions *mentions = g_new0(Mentions, 1);
    mentions->config = config;
    mentions->entries = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; config->code.remove[i] != NULL; i++)
        g_ptr_array_add(mentions->entries, g_strdup(config->code.remove[i]));
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = config->sources->pdata[i];
        const char *hash = source->compose == NULL ? NULL : strrchr(source->compose, '#');
        if (hash != NULL)
            g_ptr_array_add(mentions->entries, g_strndup(source->compose, (gsize)(hash - source->compose)));
    }
    mentions->words = g_regex_new("[\\w./+:@%?=&,\\[\\]-]+", G_REGEX_RAW, 0, NULL);
    mentions->local = g_regex_new(LOCAL, G_REGEX_RAW, 0, NULL);
    return mentions;
}

void mentions_free(Mentions *mentions)
{
    if (mentions == NULL)
        return;
    g_ptr_array_unref(mentions->entries);
    g_regex_unref(mentions->words);
    g_regex_unref(mentions->local);
    g_free(mentions);
}

static bool ends_with_path(const char *path, const char *end)
{
    gsize length = strlen(path), tail = strlen(end);
    return tail <= length && strcmp(path + length - tail, end) == 0 &&
           (tail == length || path[length - tail - 1] == '/');
}

/* A word is the path of an entry, the end of it, or the end of a longer path that ends as the entry. */
static bool means(const char *entry, const char *word)
{
    while (g_str_has_prefix(entry, "./"))
        entry += 2;
    while (g_str_has_prefix(word, "./"))
        word += 2;
    if (*word == '\0')
        return false;
    return path_matches(entry, word) ||
           (!config_is_pattern(entry) && (ends_with_path(entry, word) || ends_with_path(word, entry)));
}

/* Without what ends a sentence. */
static void trim_word(char *word)
{
    for (gsize length = strlen(word); length > 0 && strchr(".,:/?", word[length - 1]) != NULL; length--)
        word[length - 1] = '\0';
}

static const char *about_word(const Mentions *mentions, char *word)
{
    if (strstr(word, "://") != NULL)
        return docs_value_is_local(mentions->config, word) ? "a local database" : NULL;
    trim_word(word);
    for (guint i = 0; i < mentions->entries->len; i++) {
        if (means(mentions->entries->pdata[i], word))
            return mentions->entries->pdata[i];
    }
    return NULL;
}

char *mentions_about(const Mentions *mentions, const char *line, MentionKinds kinds)
{
    g_autoptr(GMatchInfo) match = NULL;
    const char *found = NULL;
    for (g_regex_match(mentions->words, line, 0, &match); g_match_info_matches(match) && found == NULL;
         g_match_info_next(match, NULL)) {
        g_autofree char *word = g_match_info_fetch(match, 0);
        const char *equals = strchr(word, '='), *scheme = strstr(word, "://");
        bool assigned = equals != NULL && scheme != NULL && equals < scheme; /* NAME=postgresql://... */
        found = about_word(mentions, assigned ? word + (equals - word) + 1 : word);
    }
    if (found == NULL && kinds == MENTION_ALL && g_regex_match(mentions->local, line, 0, NULL))
        found = "a local database";
    return g_strdup(found);
}

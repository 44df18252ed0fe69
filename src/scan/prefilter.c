#include "scan/prefilter.h"

#include <string.h>

const char prefilter_pattern[] =
    "localhost|127\\.[0-9]|::1\\b|0\\.0\\.0\\.0|docker\\.internal|containers\\.internal|lima\\.internal|"
    "postgres|postgis|pgsql|pgvector|timescale|psycopg|asyncpg|jdbc:|ecto:|pg:/|psql|dbname=|password=|pgpassword|"
    "pg_isready|createdb|pg_ctl";

/* The same for the matcher, but for "::1"; "127." is followed by a digit. */
static const char *const WORDS[] = {"localhost",     "127.",     "0.0.0.0", "docker.internal", "containers.internal",
                                    "lima.internal", "postgres", "postgis", "pgsql",           "pgvector",
                                    "timescale",     "psycopg",  "asyncpg", "jdbc:",           "ecto:",
                                    "pg:/",          "psql",     "dbname=", "password=",       "pgpassword",
                                    "pg_isready",    "createdb", "pg_ctl"};

typedef struct Word {
    char *text; /* lower case */
    gsize length;
    bool whole;   /* must stand alone: no letter, digit or "_" on either side */
    guint32 next; /* of the same last pair; index + 1 */
} Word;

/*
 * Wu and Manber's: pairs of bytes are looked up, and most of them say how far to jump. All words are cut to the first
 * `width` bytes for that; words that are shorter have a matcher of their own, which jumps less.
 */
typedef struct Matcher {
    gsize width;
    GArray *words;          /* of Word */
    guint8 jump[1 << 16];   /* by pair of bytes, in any case; 0: a word may end its first `width` bytes here */
    guint32 first[1 << 16]; /* index + 1 of the first word of this pair; 0: none */
} Matcher;

struct Prefilter {
    Matcher *wide, *narrow; /* narrow: NULL when there is no short word */
};

static guint pair_of(const char *at)
{
    guint16 pair;
    memcpy(&pair, at, sizeof pair);
    return pair;
}

static Matcher *matcher_new(gsize width)
{
    Matcher *matcher = g_new0(Matcher, 1);
    matcher->width = width;
    matcher->words = g_array_new(FALSE, FALSE, sizeof(Word));
    memset(matcher->jump, (int)width - 1, sizeof matcher->jump);
    return matcher;
}

static void matcher_free(Matcher *matcher)
{
    if (matcher == NULL)
        return;
    for (guint i = 0; i < matcher->words->len; i++)
        g_free(g_array_index(matcher->words, Word, i).text);
    g_array_unref(matcher->words);
    g_free(matcher);
}

/* The pair at offset of a word, in all four cases. */
static void add_pair(Matcher *matcher, const char *text, gsize offset)
{
    guint8 jump = (guint8)(matcher->width - 2 - offset);
    for (guint cases = 0; cases < 4; cases++) {
        char pair[2] = {text[offset], text[offset + 1]};
        for (guint i = 0; i < 2; i++)
            if ((cases & (1u << i)) != 0)
                pair[i] = g_ascii_toupper(pair[i]);
        guint at = pair_of(pair);
        matcher->jump[at] = MIN(matcher->jump[at], jump);
        if (jump == 0)
            matcher->first[at] = matcher->words->len;
    }
}

static void add_word(Matcher *matcher, const char *text, bool whole)
{
    Word word = {.text = g_ascii_strdown(text, -1), .length = strlen(text), .whole = whole};
    word.next = matcher->first[pair_of(word.text + matcher->width - 2)];
    g_array_append_val(matcher->words, word);
    for (gsize offset = 0; offset + 2 <= matcher->width; offset++)
        add_pair(matcher, word.text, offset);
}

/* Pairs that no word has yet would be passed over: any byte, and the first of "::1". */
static void add_loopback(Matcher *matcher)
{
    for (guint byte = 0; byte < 256; byte++) {
        const char pair[2] = {(char)byte, ':'};
        guint at = pair_of(pair);
        matcher->jump[at] = MIN(matcher->jump[at], 2);
    }
    add_word(matcher, "\001::1", false);
}

Prefilter *prefilter_new(const GPtrArray *words)
{
    Prefilter *prefilter = g_new0(Prefilter, 1);
    prefilter->wide = matcher_new(4);
    for (guint i = 0; i < G_N_ELEMENTS(WORDS); i++)
        add_word(prefilter->wide, WORDS[i], false);
    add_loopback(prefilter->wide);
    for (guint i = 0; words != NULL && i < words->len; i++) {
        const char *text = words->pdata[i];
        gsize length = strlen(text);
        if (length < 2)
            continue;
        if (length < 4 && prefilter->narrow == NULL)
            prefilter->narrow = matcher_new(2);
        add_word(length < 4 ? prefilter->narrow : prefilter->wide, text, true);
    }
    return prefilter;
}

void prefilter_free(Prefilter *prefilter)
{
    if (prefilter == NULL)
        return;
    matcher_free(prefilter->wide);
    matcher_free(prefilter->narrow);
    g_free(prefilter);
}

static bool is_word_char(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

static bool is_loopback(const Word *word)
{
    return word->text[0] == '\001';
}

static bool word_is_here(const Word *word, const char *text, const char *at, const char *end)
{
    if ((gsize)(end - at) < word->length)
        return false;
    gsize from = is_loopback(word) ? 1 : 0;
    for (gsize i = from; i < word->length; i++)
        if (g_ascii_tolower(at[i]) != word->text[i])
            return false;
    const char *behind = at + word->length;
    if (word->whole)
        return (at == text || !is_word_char(at[-1]) || !is_word_char(at[0])) &&
               (behind == end || !is_word_char(*behind) || !is_word_char(behind[-1]));
    if (is_loopback(word))
        return behind == end || !is_word_char(*behind);
    if (word->length == 4 && memcmp(word->text, "127.", 4) == 0)
        return behind < end && g_ascii_isdigit(*behind);
    return true;
}

static bool matcher_finds(const Matcher *matcher, const char *text, gsize length)
{
    if (length < matcher->width)
        return false;
    gsize back = matcher->width - 2;
    const char *end = text + length, *last = end - 1;
    for (const char *at = text + back; at < last;) {
        guint pair = pair_of(at);
        guint8 jump = matcher->jump[pair];
        if (jump != 0) {
            at += jump;
            continue;
        }
        for (guint32 i = matcher->first[pair]; i != 0;) {
            const Word *word = &g_array_index(matcher->words, Word, i - 1);
            if (word_is_here(word, text, at - back, end))
                return true;
            i = word->next;
        }
        at++;
    }
    return false;
}

bool prefilter_passes(const Prefilter *prefilter, const char *text, gsize length)
{
    return (length >= 3 && memcmp(text, "::1", 3) == 0 && (length == 3 || !is_word_char(text[3]))) ||
           matcher_finds(prefilter->wide, text, length) ||
           (prefilter->narrow != NULL && matcher_finds(prefilter->narrow, text, length));
}

#include "scan/spoken.h"

#include <string.h>

#include "scan/language.h"
#include "scan/names.h"

static bool opens_nothing(const Source *source, const Setting *setting)
{
    static const char *const WORDS[] = {"onnect",     "engine",   "Engine",    "Pool",       "Client",    "pool",
                                        "client",     "Open",     "open",      "DataSource", "create",    "Establish",
                                        "establish",  "PDO",      "postgres(", "knex",       "Sequelize", "UseNpgsql",
                                        "start_link", "Database", NULL};
    NameMeaning meaning = name_meaning(setting->name);
    if (setting->kind == SETTING_GIVEN && (meaning.role != ROLE_NONE || meaning.database))
        return false;
    g_autofree char *whole = source_slice(source, setting->whole_start, setting->whole_end);
    for (guint i = 0; setting->kind == SETTING_GIVEN && WORDS[i] != NULL; i++)
        if (strstr(whole, WORDS[i]) != NULL)
            return false;
    for (guint i = 0; setting->owner != NULL && WORDS[i] != NULL; i++)
        if (strstr(setting->owner, WORDS[i]) != NULL)
            return false;
    return true;
}

/* A row of a table of cases: "want: X" stands beside it, or beside what holds it. */
static bool has_expectation(const Source *source, const Setting *setting)
{
    guint container = setting->container;
    for (guint level = 0; level < 3 && container != 0; level++) {
        for (guint i = 0; i < source->settings->len; i++) {
            const Setting *other = source->settings->pdata[i];
            if (other->container == container && other->name != NULL &&
                (g_ascii_strncasecmp(other->name, "want", 4) == 0 ||
                 g_ascii_strncasecmp(other->name, "expect", 6) == 0))
                return true;
        }
        container = g_array_index(source->parents, guint, container);
    }
    return false;
}

static guint indent_of(const char *line)
{
    return (guint)strspn(line, " \t");
}

static bool line_has_word(const char *line, gsize length, const char *word)
{
    gsize size = strlen(word);
    for (const char *at = line; (at = memmem(at, length - (gsize)(at - line), word, size)) != NULL; at += size) {
        char before = at == line ? ' ' : at[-1], after = at[size];
        if (!g_ascii_isalnum(before) && before != '_' && !g_ascii_isalnum(after) && after != '_')
            return true;
    }
    return false;
}

static bool line_asserts(const char *line, gsize length)
{
    static const char *const WORDS[] = {"assert", "expect(", "Assert", "require.", "should", "Should", NULL};
    for (guint i = 0; WORDS[i] != NULL; i++)
        if (memmem(line, length, WORDS[i], strlen(WORDS[i])) != NULL)
            return true;
    return false;
}

/* A name that its block uses in assertions only. */
static bool is_only_asserted(const Source *source, const Setting *setting)
{
    if (setting->kind != SETTING_GIVEN || setting->container != 0 || setting->name == NULL || strlen(setting->name) < 2)
        return false;
    const char *start = source->text + setting->whole_start;
    while (start > source->text && start[-1] != '\n')
        start--;
    guint indent = indent_of(start), uses = 0;
    for (const char *at = strchr(source->text + setting->whole_end, '\n'); at != NULL && indent > 0;
         at = strchr(at, '\n')) {
        at++;
        gsize length = strcspn(at, "\n");
        if (length > indent_of(at) && indent_of(at) < indent)
            break;
        if (!line_has_word(at, length, setting->name))
            continue;
        if (!line_asserts(at, length))
            return false;
        uses++;
    }
    return uses > 0;
}

bool spoken_of_only(const Source *source, const Setting *setting)
{
    if (setting->kind == SETTING_DEFAULT || setting->words || source->language->grammar == NULL ||
        source->language->data)
        return false;
    return has_expectation(source, setting) || is_only_asserted(source, setting) || opens_nothing(source, setting);
}

/*
 * Takes the script that `pg_restore -v` writes apart again.
 *
 * In verbose mode each entry is preceded by
 *     --
 *     -- TOC entry 218 (class 1259 OID 16731)
 *     -- Dependencies: 882 7
 *     -- Name: orders; Type: TABLE; Schema: public; Owner: app
 *     -- Data Pos: 0
 *     --
 * and between entries stand SET statements that hold until the next one of their kind. A function body or a comment of
 * the user may contain the same lines: they only count outside quoted texts, where pg_restore alone writes.
 */
#include <stdlib.h>
#include <string.h>

#include "dump/internal.h"

static const char TOC_LINE[] = "--\n-- TOC entry ";
static const char SET_TABLESPACE[] = "SET default_tablespace = ";
static const char SET_METHOD[] = "SET default_table_access_method = ";
static const char COMPLETED[] = "-- Completed on ";
static const char COMPLETE[] = "--\n-- PostgreSQL database dump complete\n";

typedef enum Mark { MARK_NONE, MARK_ENTRY, MARK_TABLESPACE, MARK_METHOD, MARK_END } Mark;

typedef struct Splitter {
    const char *begin, *end;
    DumpSection section;
    DumpListing *listing;
    GPtrArray *entries;
    char *tablespace, *method; /* the SET statements in force, or NULL */
} Splitter;

static bool starts_with(const char *at, const char *end, const char *prefix)
{
    gsize length = strlen(prefix);
    return (gsize)(end - at) >= length && memcmp(at, prefix, length) == 0;
}

static Mark mark_at(const char *at, const char *end)
{
    if (*at == 'S')
        return starts_with(at, end, SET_TABLESPACE) ? MARK_TABLESPACE
               : starts_with(at, end, SET_METHOD)   ? MARK_METHOD
                                                    : MARK_NONE;
    if (*at != '-')
        return MARK_NONE;
    if (starts_with(at, end, TOC_LINE))
        return MARK_ENTRY;
    return starts_with(at, end, COMPLETED) || starts_with(at, end, COMPLETE) ? MARK_END : MARK_NONE;
}

static bool not_understood(GError **error, const char *what)
{
    pgf_error_set(error, PGF_ERROR_INTERNAL,
                  "Please report this, with the versions of server and pg_restore: pgfold will not guess.",
                  "cannot understand what pg_restore wrote: %s", what);
    return false;
}

/* Moves *at to the next mark that stands at the start of a line and outside every quoted text; at the end of the
 * script, MARK_NONE. False where a quoted text does not end. */
static bool next_mark(const char *begin, const char **at, const char *end, Mark *ret_mark, GError **error)
{
    const char *p = *at;
    *ret_mark = MARK_NONE;
    while (p != NULL && p < end) {
        if ((p == begin || p[-1] == '\n') && (*ret_mark = mark_at(p, end)) != MARK_NONE)
            break;
        p = dump_lex_token(begin, p, end);
    }
    *at = p;
    return p != NULL || not_understood(error, "a quoted text does not end");
}

/* The line at *at without its newline; moves behind it. Transfer full. */
static char *take_line(const char **at, const char *end)
{
    const char *line = *at;
    const char *newline = memchr(line, '\n', (gsize)(end - line));
    *at = newline == NULL ? end : newline + 1;
    return g_strndup(line, (gsize)((newline == NULL ? end : newline) - line));
}

static bool parse_toc_line(const char *line, DumpEntry *entry)
{
    guint32 id = 0;
    bool ok = dump_take_number(&line, "-- TOC entry ", &id) && dump_take_number(&line, " (class ", &entry->class_oid) &&
              dump_take_number(&line, " OID ", &entry->oid) && strcmp(line, ")") == 0;
    entry->id = (int)id;
    return ok;
}

static void parse_dependencies(const char *list, GArray *depends)
{
    char *end = NULL;
    for (int id = (int)strtol(list, &end, 10); end != list; id = (int)strtol(list, &end, 10)) {
        g_array_append_val(depends, id);
        list = end;
    }
}

static char *none_if_hyphen(const char *text, gsize length)
{
    return length == 0 || (length == 1 && *text == '-') ? NULL : g_strndup(text, length);
}

/* Takes the parts between these places, if they are what the listing says about the entry. */
static bool take_parts(DumpEntry *entry, const char *name, const char *type, const char *schema, const char *owner,
                       gsize owner_length, const char *listed)
{
    g_autofree char *name_text = g_strndup(name, (gsize)(type - name));
    type += strlen("; Type: ");
    g_autofree char *type_text = g_strndup(type, (gsize)(schema - type));
    schema += strlen("; Schema: ");
    gsize schema_length = (gsize)(owner - schema);
    owner += strlen("; Owner: ");
    g_autofree char *owner_text = none_if_hyphen(owner, owner_length);
    g_autofree char *line = g_strdup_printf("%s %.*s %s %s", type_text, (int)schema_length, schema, name_text,
                                            owner_text == NULL ? "" : owner_text);
    g_autofree char *same = g_strdup(listed);
    if (g_str_has_suffix(same, " -") && owner_text == NULL)
        same[strlen(same) - 1] = '\0';
    if (strcmp(g_strchomp(line), g_strchomp(same)) != 0)
        return false;
    entry->name = g_steal_pointer(&name_text);
    entry->type = g_steal_pointer(&type_text);
    entry->schema = none_if_hyphen(schema, schema_length);
    entry->owner = g_steal_pointer(&owner_text);
    return true;
}

/* The owner is the last part, or the last but one: "; Tablespace: x" may follow. */
static bool take_with_owner(DumpEntry *entry, const char *name, const char *type, const char *schema, const char *owner,
                            const char *listed)
{
    const char *text = owner + strlen("; Owner: ");
    if (take_parts(entry, name, type, schema, owner, strlen(text), listed))
        return true;
    const char *more = strstr(text, "; Tablespace: ");
    for (; more != NULL; more = strstr(more + 1, "; Tablespace: "))
        if (take_parts(entry, name, type, schema, owner, (gsize)(more - text), listed))
            return true;
    return false;
}

/* "orders; Type: TABLE; Schema: public; Owner: app". A name may contain "; Type: " itself, so each place where the line
 * could be cut is tried, and the listing tells which is right. */
static bool parse_name_line(const char *name, const char *listed, DumpEntry *entry)
{
    for (const char *type = strstr(name, "; Type: "); type != NULL; type = strstr(type + 1, "; Type: "))
        for (const char *schema = strstr(type, "; Schema: "); schema != NULL; schema = strstr(schema + 1, "; Schema: "))
            for (const char *owner = strstr(schema, "; Owner: "); owner != NULL; owner = strstr(owner + 1, "; Owner: "))
                if (take_with_owner(entry, name, type, schema, owner, listed))
                    return true;
    return false;
}

/* Reads the comment in front of an entry; moves *at behind it. */
static bool parse_header(Splitter *s, const char **at, DumpEntry *entry, GError **error)
{
    g_autofree char *first = take_line(at, s->end);
    g_autofree char *toc = take_line(at, s->end);
    const char *listed = NULL;
    if (parse_toc_line(toc, entry))
        listed = g_hash_table_lookup(s->listing, GINT_TO_POINTER(entry->id));
    if (listed == NULL)
        return not_understood(error, toc);
    while (*at < s->end) {
        g_autofree char *line = take_line(at, s->end);
        const char *name = strstr(line, "Name: ");
        if (strcmp(line, "--") == 0)
            break;
        if (g_str_has_prefix(line, "-- Dependencies: "))
            parse_dependencies(line + strlen("-- Dependencies: "), entry->depends);
        else if (entry->name == NULL && name != NULL && !parse_name_line(name + strlen("Name: "), listed, entry))
            return not_understood(error, line);
    }
    return entry->name != NULL || not_understood(error, toc);
}

static bool is_one_of(const char *type, const char *const *types)
{
    return g_strv_contains(types, type);
}

/* "-- *not* creating schema, since initdb creates it" and the like. */
static bool only_comments(const char *sql)
{
    const char *end = sql + strlen(sql);
    for (const char *at = sql; at < end; at++) {
        if (g_ascii_isspace(*at))
            continue;
        if (!starts_with(at, end, "--"))
            return false;
        at = dump_lex_token(sql, at, end);
        if (at == end)
            break;
    }
    return true;
}

/* The statements of an entry, complete with the settings that pg_restore had made before. */
static char *complete_sql(const Splitter *s, const DumpEntry *entry, const char *from, const char *to)
{
    static const char *const stored[] = {"TABLE", "MATERIALIZED VIEW", "INDEX", "CONSTRAINT", NULL};
    static const char *const with_method[] = {"TABLE", "MATERIALIZED VIEW", NULL};
    g_autofree char *statements = g_strndup(from, (gsize)(to - from));
    g_strstrip(statements);
    if (only_comments(statements))
        return g_strdup("");
    GString *sql = g_string_new(NULL);
    if (s->tablespace != NULL && is_one_of(entry->type, stored))
        g_string_append_printf(sql, "%s\n", s->tablespace);
    if (s->method != NULL && is_one_of(entry->type, with_method))
        g_string_append_printf(sql, "%s\n", s->method);
    g_string_append(sql, statements);
    return g_string_free(sql, FALSE);
}

static void set_state(char **statement, const char *from, const char *to)
{
    g_free(*statement);
    *statement = g_strstrip(g_strndup(from, (gsize)(to - from)));
}

static bool take_entry(Splitter *s, const char **at, Mark *mark, GError **error)
{
    DumpEntry *entry = dump_entry_new();
    g_ptr_array_add(s->entries, entry);
    entry->section = s->section;
    if (!parse_header(s, at, entry, error))
        return false;
    const char *from = *at;
    if (!next_mark(s->begin, at, s->end, mark, error))
        return false;
    entry->sql = complete_sql(s, entry, from, *at);
    if (strcmp(entry->type, "USER MAPPING") == 0)
        dump_entry_drop_password(entry);
    return true;
}

static bool take_setting(Splitter *s, const char **at, Mark *mark, GError **error)
{
    char **statement = *mark == MARK_TABLESPACE ? &s->tablespace : &s->method;
    const char *from = (*at)++;
    if (!next_mark(s->begin, at, s->end, mark, error))
        return false;
    set_state(statement, from, *at);
    return true;
}

bool dump_split(const char *script, gsize length, DumpSection section, DumpListing *listing, GPtrArray *entries,
                GError **error)
{
    Splitter s = {.begin = script, .end = script + length, .section = section, .listing = listing, .entries = entries};
    const char *at = script;
    Mark mark = MARK_NONE;
    bool ok = next_mark(s.begin, &at, s.end, &mark, error);
    while (ok && mark != MARK_END && mark != MARK_NONE)
        ok = mark == MARK_ENTRY ? take_entry(&s, &at, &mark, error) : take_setting(&s, &at, &mark, error);
    g_free(s.tablespace);
    g_free(s.method);
    if (ok && mark != MARK_END)
        return not_understood(error, "the script has no end");
    return ok;
}

/* Comments ("-- *not* dropping schema, since initdb creates it") say nothing to a server. */
static char *without_comments(const char *from, const char *to)
{
    GString *text = g_string_new(NULL);
    const char *after = NULL;
    for (const char *at = from; at < to; at = after) {
        after = dump_lex_token(from, at, to);
        if (after == NULL)
            after = to;
        if (!starts_with(at, to, "--"))
            g_string_append_len(text, at, after - at);
    }
    return g_strstrip(g_string_free(text, FALSE));
}

char *dump_split_drops(const char *script, gsize length, GError **error)
{
    /* The last of the settings that every script of pg_restore begins with, in all versions. */
    static const char last_setting[] = "\nSET row_security = off;\n";
    const char *end = script + length;
    const char *from = memmem(script, length, last_setting, strlen(last_setting));
    Mark mark = MARK_NONE;
    if (from == NULL) {
        not_understood(error, "the script does not begin with its settings");
        return NULL;
    }
    from += strlen(last_setting);
    const char *to = from;
    if (!next_mark(from, &to, end, &mark, error))
        return NULL;
    return without_comments(from, to);
}

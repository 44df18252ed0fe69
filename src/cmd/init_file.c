/* pgfold.yaml as `pgfold init` writes it. */
#include <string.h>

#include "cmd/init.h"
#include "out/text.h"
#include "pg/url.h"

/* "text", as YAML and pgfold's own reading of ${NAME} want it. */
static char *quote(const char *text)
{
    GString *quoted = g_string_new("\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            g_string_append_printf(quoted, "\\%c", *at);
        else if ((guchar)*at < 0x20 || *at == 0x7f)
            g_string_append_printf(quoted, "\\x%02x", (unsigned)(guchar)*at);
        else if (*at == '$')
            g_string_append(quoted, "$$");
        else
            g_string_append_c(quoted, *at);
    }
    g_string_append_c(quoted, '"');
    return g_string_free(quoted, FALSE);
}

static void append_comment(GString *text, const char *indent, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void append_comment(GString *text, const char *indent, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_escape(line);
    g_string_append_printf(text, "%s# %s\n", indent, safe);
}

static void append_value(GString *text, const char *key, const char *value)
{
    g_autofree char *quoted = quote(value);
    g_string_append_printf(text, "%s: %s\n", key, quoted);
}

/* A variable is written where it holds a password, or where the environment has it already; and not for a source, where
 * it is the target's, or will be: today's DATABASE_URL is the first thing that changes after a fold. */
static const char *written_variable(const Candidate *candidate, bool is_target)
{
    const char *variable = candidate_variable(candidate);
    if (variable == NULL || (!is_target && g_str_equal(variable, "DATABASE_URL")))
        return NULL;
    return g_getenv(variable) != NULL || (is_target && candidate_lacks_password(candidate)) ? variable : NULL;
}

/* host:port:database:user, as in ~/.pgpass. */
static char *pgpass_line(const Candidate *candidate)
{
    static const char *const FIELDS[] = {"host", "port", "dbname", "user"};
    g_autofree char *url = candidate_url(candidate);
    g_autoptr(GHashTable) parts = pg_url_parse(url);
    GString *line = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
        const char *value = parts == NULL ? NULL : pg_url_get(parts, FIELDS[i]);
        g_autoptr(GString) escaped = g_string_new(value == NULL ? "*" : value);
        g_string_replace(escaped, "\\", "\\\\", 0);
        g_string_replace(escaped, ":", "\\:", 0);
        g_string_append_printf(line, "%s:", escaped->str);
    }
    g_string_append(line, "PASSWORD");
    return g_string_free(line, FALSE);
}

static void describe(GString *text, const char *indent, const Candidate *candidate)
{
    g_autoptr(GString) origins = g_string_new(NULL);
    for (guint i = 0; i < candidate->origins->len; i++)
        g_string_append_printf(origins, "%s%s", i > 0 ? ", " : "", (const char *)candidate->origins->pdata[i]);
    if (candidate->server != NULL)
        append_comment(text, indent, "Database %s, PostgreSQL %s.%s%s", candidate->name, candidate->server->version,
                       origins->len == 0 ? "" : " Found as ", origins->str);
    else
        append_comment(text, indent, "Database %s, which did not answer (%s). Found as %s", candidate->name,
                       candidate->place->reason, origins->str);
}

static void append_url(GString *text, const char *indent, const Candidate *candidate, bool is_target)
{
    g_autofree char *key = g_strconcat(indent, "url", NULL);
    g_autofree char *url = candidate_url(candidate);
    const char *variable = written_variable(candidate, is_target);
    describe(text, indent, candidate);
    if (variable != NULL) {
        append_comment(text, indent, "%s is the whole connection string: %s", variable, url);
        g_string_append_printf(text, "%s: \"${%s}\"\n", key, variable);
        return;
    }
    if (candidate_lacks_password(candidate)) {
        g_autofree char *line = pgpass_line(candidate);
        const char *name = candidate->place->password_name;
        append_comment(text, indent,
                       "Its password does not belong here: put this line into ~/.pgpass, with the password%s%s",
                       name == NULL ? "" : " that is ", name == NULL ? "" : name);
        append_comment(text, indent, "  %s", line);
    }
    append_value(text, key, url);
}

static void append_source(GString *text, const InitSource *source)
{
    const Place *compose = candidate_compose(source->candidate);
    append_value(text, "  - name", source->name);
    append_url(text, "    ", source->candidate, false);
    const Place *container = candidate_container(source->candidate);
    if (compose != NULL)
        append_value(text, "    compose", compose->compose);
    else if (container != NULL)
        append_value(text, "    container", container->container);
    if (container != NULL && container->engine != NULL)
        append_value(text, "    engine", container->engine);
}

static void append_list(GString *text, const char *key, const GPtrArray *values)
{
    if (values->len == 0)
        return;
    g_string_append_printf(text, "  %s:\n", key);
    for (guint i = 0; i < values->len; i++) {
        g_autofree char *quoted = quote(values->pdata[i]);
        g_string_append_printf(text, "    - %s\n", quoted);
    }
}

static void append_protect(GString *text, const InitAnswers *answers)
{
    if (answers->databases->len + answers->paths->len + answers->containers->len == 0) {
        g_string_append(text, "# What pgfold must not touch: databases, schemas, tables, roles, containers, paths.\n"
                              "# protect:\n#   databases: [other_app]\n\n");
        return;
    }
    g_string_append(text, "# What pgfold must not touch.\nprotect:\n");
    append_list(text, "databases", answers->databases);
    append_list(text, "containers", answers->containers);
    append_list(text, "paths", answers->paths);
    g_string_append_c(text, '\n');
}

static void append_testdb(GString *text, const Candidate *test)
{
    if (test == NULL)
        return;
    const char *port = pg_url_get(test->place->url, "port");
    const char *host = pg_url_get(test->place->url, "host");
    g_string_append(text,
                    "# What `pgfold testdb` starts for tests, in place of the database that they used.\ntestdb:\n");
    if (port != NULL && (host == NULL || *host != '/'))
        g_string_append_printf(text, "  port: %s\n", port);
    append_value(text, "  database", test->name);
    g_string_append_c(text, '\n');
}

char *init_file_text(const InitAnswers *answers)
{
    GString *text = g_string_new(
        "# Which databases pgfold folds into which. Every key is explained by docs/configuration.md and `man pgfold`.\n"
        "# No password belongs in this file: ${NAME} is read from the environment, and ~/.pgpass works as for psql.\n"
        "version: 1\n\n"
        "# The single source of truth. There is no default and no fallback.\n"
        "target:\n");
    append_url(text, "  ", answers->target, true);
    g_string_append(text, "  # The system identifier of its cluster: another server behind this URL is an error.\n");
    append_value(text, "  identity", answers->target->server->system_identifier);
    g_string_append(text, "\n# Folded into it; a fold only reads them.\nsources:\n");
    for (guint i = 0; i < answers->sources->len; i++)
        append_source(text, answers->sources->pdata[i]);
    g_string_append_c(text, '\n');
    append_protect(text, answers);
    append_testdb(text, answers->test);
    g_string_append(text, "# fold:\n"
                          "#   jobs: 4              # connections a side\n"
                          "#   on_conflict: stop    # or keep-target, take-source, newest(updated_at), rekey\n"
                          "#   tables:\n"
                          "#     public.scratch: { skip: true }\n");
    return g_string_free(text, FALSE);
}

static void add_needs(GPtrArray *needs, const Candidate *candidate, bool is_target)
{
    const char *variable = written_variable(candidate, is_target);
    g_autofree char *line = pgpass_line(candidate);
    if (variable != NULL && g_getenv(variable) == NULL)
        g_ptr_array_add(needs, candidate->place->file == NULL
                                   ? g_strdup_printf("set %s in the environment", variable)
                                   : g_strdup_printf("set %s in the environment: set -a; . ./%s; set +a", variable,
                                                     candidate->place->file));
    else if (variable == NULL && candidate_lacks_password(candidate))
        g_ptr_array_add(needs, g_strdup_printf("put the password into ~/.pgpass (mode 0600): %s", line));
}

GPtrArray *init_file_needs(const InitAnswers *answers)
{
    GPtrArray *needs = g_ptr_array_new_with_free_func(g_free);
    add_needs(needs, answers->target, true);
    for (guint i = 0; i < answers->sources->len; i++)
        add_needs(needs, ((const InitSource *)answers->sources->pdata[i])->candidate, false);
    return needs;
}

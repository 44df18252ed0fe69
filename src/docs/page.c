/* The project's database page. */
#include <string.h>

#include "docs/internal.h"
#include "out/out.h"

static void append_row(GString *rows, const char *what, const char *value, const char *remark)
{
    if (value == NULL || *value == '\0')
        return;
    g_autofree char *cell = docs_cell(value);
    g_string_append_printf(rows, "| %s | %s%s |\n", what, cell, remark);
}

static void append_intro(GString *page, const DocsFacts *facts)
{
    g_autoptr(GString) rows = g_string_new(NULL);
    bool tunnel = facts->ssh_host != NULL;
    append_row(rows, "connection string", facts->url, ", as pgfold.yaml has it (without a password)");
    append_row(rows, "host", facts->host, tunnel ? ", as seen from the ssh host" : "");
    append_row(rows, "database", facts->database, "");
    append_row(rows, "through ssh", facts->ssh_host, "");
    append_row(rows, "cluster", facts->identity,
               facts->pinned ? ": pinned, another one is an error" : ": of the last fold; `target.identity` pins none");
    append_row(rows, "variable", facts->config->code.variable, "");
    g_autofree char *name = facts->database == NULL ? g_strdup("") : docs_code(facts->database);
    g_autofree char *database = *name == '\0' ? g_strdup("") : g_strdup_printf(", %s", name);
    g_autofree char *variable = docs_code(facts->config->code.variable);
    g_autofree char *text = DOCS_FILL(docs_text_intro, "database", database, "variable", variable, "rows", rows->str);
    g_string_append(page, text);
}

static void append_reach(GString *page, const DocsFacts *facts)
{
    const char *name = facts->config->code.variable;
    g_autofree char *variable = docs_code(name);
    g_autofree char *host = docs_code(facts->ssh_host == NULL ? "" : facts->ssh_host);
    g_autofree char *file = docs_code(facts->ssh_config == NULL ? "" : facts->ssh_config);
    g_autofree char *config =
        facts->ssh_config == NULL ? g_strdup("") : g_strdup_printf(" (of the ssh configuration %s)", file);
    g_autofree char *text = facts->ssh_host != NULL ? DOCS_FILL(docs_text_reach_ssh, "host", host, "config", config)
                                                    : DOCS_FILL(docs_text_reach, "variable", variable, "name", name);
    g_string_append(page, text);
}

static void append_tests(GString *page, const DocsFacts *facts)
{
    const Config *config = facts->config;
    g_autoptr(GString) code = g_string_new(NULL);
    g_autofree char *command = g_strconcat("pgfold testdb -- ", facts->tests, NULL);
    docs_append_code(code, "", command);
    g_autofree char *number = g_strdup_printf("%d", config->testdb.port);
    g_autofree char *port = config->testdb.port == 0 ? g_strdup("") : DOCS_FILL(docs_text_tests_port, "port", number);
    g_autofree char *text = DOCS_FILL(docs_text_tests, "code", code->str, "port", port);
    g_string_append(page, text);
    if (strcmp(config->code.variable, "DATABASE_URL") == 0)
        return;
    g_autofree char *other = DOCS_FILL(docs_text_other_variable, "name", config->code.variable);
    g_string_append(page, other);
}

/* The page is for everybody who may read the project. A password that stands in a command is not for all of them. */
static char *hide_passwords(const char *command, bool *ret_hidden)
{
    static const char *const PATTERNS[] = {
        "(?<=://)([^\\s/:@'\"]*:)(?!\\$)[^\\s/@'\"]+(?=@)",
        "(?i)(\\b(?:PG|DB_|POSTGRES_|MYSQL_)?(?:SSL)?PASSWORD=)(?![\\s$'\"]|\"\\$|$)[^\\s'\"&]+",
        "(?i)(\\b(?:PG|DB_|POSTGRES_|MYSQL_)?(?:SSL)?PASSWORD=[\"'])(?!\\$)[^\"']+",
    };
    char *text = g_strdup(command);
    for (guint i = 0; i < G_N_ELEMENTS(PATTERNS); i++) {
        g_autoptr(GRegex) pattern = g_regex_new(PATTERNS[i], G_REGEX_RAW, 0, NULL);
        char *hidden = g_regex_replace(pattern, text, -1, 0, "\\1****", 0, NULL);
        g_free(text);
        text = hidden;
    }
    *ret_hidden = *ret_hidden || strcmp(text, command) != 0;
    return text;
}

static void append_step(GString *page, guint number, const ConfigDeploy *step, GPtrArray *notes)
{
    bool hidden = false;
    g_autofree char *name = docs_escape(step->name);
    g_autofree char *run = hide_passwords(step->run, &hidden);
    g_string_append_printf(page, "%s%u. **%s**\n\n", number > 1 ? "\n" : "", number, name);
    docs_append_code(page, "   ", run);
    if (step->check == NULL) {
        g_ptr_array_add(notes, g_strdup_printf("deploy: the step \"%s\" has no check", step->name));
    } else {
        g_autofree char *check = hide_passwords(step->check, &hidden);
        g_string_append(page, "\n   Check:\n\n");
        docs_append_code(page, "   ", check);
    }
    if (hidden)
        g_ptr_array_add(notes,
                        g_strdup_printf("deploy: the step \"%s\" has a password in it: it is shown as ****; write "
                                        "a variable there instead",
                                        step->name));
}

static void append_deploy(GString *page, const DocsFacts *facts, GPtrArray *notes)
{
    const GPtrArray *steps = facts->config->deploy;
    g_string_append(page, steps->len == 0 ? docs_text_no_deploy : docs_text_deploy);
    for (guint i = 0; i < steps->len; i++)
        append_step(page, i + 1, steps->pdata[i], notes);
}

static void append_source(GString *page, const DocsSource *source)
{
    g_autofree char *name = docs_escape(source->name);
    g_autofree char *fenced = source->fenced == 0 ? g_strdup("") : docs_date(source->fenced);
    g_autofree char *retired = source->retired == 0 ? g_strdup("") : docs_date(source->retired);
    if (source->run == 0) {
        g_string_append_printf(page, "| %s | %s | | | | | | %s | %s |\n", name, source->state, fenced, retired);
        return;
    }
    g_autofree char *date = docs_date(source->at), *rows = out_count((guint64)source->rows);
    g_autofree char *from = docs_cell(source->database), *into = docs_cell(source->into);
    g_string_append_printf(page,
                           "| %s | %s | %s | %s | %s | %s | run %" G_GINT64_FORMAT ", SHA-256 %.12s… | %s | %s |\n",
                           name, source->state, date, rows, from, into, source->run, source->sha256, fenced, retired);
}

static void append_back(GString *page, const DocsSource *source, const char *template)
{
    g_autofree char *name = docs_escape(source->name);
    g_autofree char *run = g_strdup_printf("%" G_GINT64_FORMAT, source->run);
    g_autofree char *text = DOCS_FILL(template, "source", name, "run", run);
    g_string_append(page, text);
}

static void append_history(GString *page, const DocsFacts *facts)
{
    g_string_append(page, docs_text_sources);
    for (guint i = 0; i < facts->sources->len; i++)
        append_source(page, facts->sources->pdata[i]);
    g_string_append(page, docs_text_back);
    gsize length = page->len;
    for (guint i = 0; i < facts->sources->len; i++) {
        const DocsSource *source = facts->sources->pdata[i];
        if (strcmp(source->state, "retired") == 0)
            append_back(page, source, docs_text_unretire);
        if (source->fenced != 0)
            append_back(page, source, docs_text_lift);
        if (source->undoable)
            append_back(page, source, docs_text_undo);
    }
    if (page->len == length)
        g_string_append(page, docs_text_nothing_back);
}

static void append_protected(GString *page, const Config *config)
{
    static const char *const KINDS[CONFIG_PROTECT_KINDS] = {"databases", "schemas",    "tables",
                                                            "roles",     "containers", "paths"};
    bool begun = false;
    for (int kind = 0; kind < CONFIG_PROTECT_KINDS; kind++) {
        char *const *entries = config->protect[kind];
        if (*entries == NULL)
            continue;
        g_string_append_printf(page, "%s- %s:", begun ? "" : docs_text_protect, KINDS[kind]);
        begun = true;
        for (guint i = 0; entries[i] != NULL; i++) {
            g_autofree char *code = docs_code(entries[i]);
            g_string_append_printf(page, "%s %s", i == 0 ? "" : ",", code);
        }
        g_string_append_c(page, '\n');
    }
}

char *docs_page_block(const DocsFacts *facts, GPtrArray *notes)
{
    GString *page = g_string_new(docs_text_page_start);
    append_intro(page, facts);
    append_reach(page, facts);
    append_tests(page, facts);
    append_deploy(page, facts, notes);
    append_history(page, facts);
    append_protected(page, facts->config);
    g_string_append(page, docs_text_page_end);
    return g_string_free(page, FALSE);
}

bool docs_page_write(DocsText *text, const char *file, const char *block, GError **error)
{
    guint at = 0, count = 0;
    if (!docs_block_find(text, file, "page", &at, &count, error))
        return false;
    if (count > 0) {
        docs_text_remove(text, at, count);
        docs_text_insert(text, at, block);
        return true;
    }
    at = text->lines->len;
    if (at == 0)
        at += docs_text_insert(text, at, docs_text_page_title);
    else if (!docs_text_is_blank(text, at - 1))
        at += docs_text_insert(text, at, "\n");
    docs_text_insert(text, at, block);
    return true;
}

/* pgfold docs: the project's database page, .env.example, and entries that lead to the page. */
#include "docs/docs.h"

#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/command.h"
#include "out/diff.h"

static const CommandOption options[] = {
    {"check", 0, OPTION_FLAG, NULL, "write nothing; exit status 1 when something would be changed (for CI)"},
    {"dry-run", 'n', OPTION_FLAG, NULL, "print a diff that `git apply` takes instead of writing"},
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {NULL},
};

static const CommandExample examples[] = {
    {"pgfold docs", "Write the page, .env.example and the entries"},
    {"pgfold docs --dry-run | git apply", "The same, as a patch"},
    {"pgfold docs --check", "In CI: are they what pgfold.yaml and the receipts say?"},
    {NULL},
};

static const char *action_of(const DocsChange *change)
{
    return !docs_change_is_needed(change) ? "keep" : change->old_text == NULL ? "create" : "change";
}

static guint count_needed(const Docs *docs)
{
    guint needed = 0;
    for (guint i = 0; i < docs->changes->len; i++)
        needed += docs_change_is_needed(docs->changes->pdata[i]) ? 1 : 0;
    return needed;
}

/* --- JSON ------------------------------------------------------------------------------------------------------------
 */

static json_t *time_json(gint64 at)
{
    g_autoptr(GDateTime) time = at == 0 ? NULL : g_date_time_new_from_unix_utc(at / G_USEC_PER_SEC);
    g_autofree char *text = time == NULL ? NULL : g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    return out_json_string(text);
}

static json_t *change_json(const DocsChange *change)
{
    g_autoptr(GString) diff = out_unified_diff(change->path, change->old_text, change->new_text);
    return json_pack("{s:o, s:s, s:o}", "path", out_json_string(change->path), "action", action_of(change), "diff",
                     diff->len == 0 ? json_null() : out_json_string(diff->str));
}

static json_t *mention_json(const DocsMention *mention)
{
    return json_pack("{s:o, s:i, s:o, s:o}", "file", out_json_string(mention->file), "line", mention->line, "text",
                     out_json_string(mention->text), "about", out_json_string(mention->about));
}

static json_t *source_json(const DocsSource *source)
{
    bool folded = source->run != 0;
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", out_json_string(source->name), "state",
                     source->state, "run", folded ? json_integer(source->run) : json_null(), "receipt",
                     out_json_string(source->receipt), "rows", folded ? json_integer(source->rows) : json_null(), "at",
                     time_json(source->at), "fenced", time_json(source->fenced), "retired", time_json(source->retired));
}

static void print_json(Out *out, const Docs *docs, bool written)
{
    json_t *document = out_json_new("docs"), *files = json_array(), *mentions = json_array(), *sources = json_array(),
           *notes = json_array();
    for (guint i = 0; i < docs->changes->len; i++)
        json_array_append_new(files, change_json(docs->changes->pdata[i]));
    for (guint i = 0; i < docs->mentions->len; i++)
        json_array_append_new(mentions, mention_json(docs->mentions->pdata[i]));
    for (guint i = 0; i < docs->sources->len; i++)
        json_array_append_new(sources, source_json(docs->sources->pdata[i]));
    for (guint i = 0; i < docs->notes->len; i++)
        json_array_append_new(notes, out_json_string(docs->notes->pdata[i]));
    json_object_set_new(document, "written", json_boolean(written));
    json_object_set_new(document, "files", files);
    json_object_set_new(document, "mentions", mentions);
    json_object_set_new(document, "sources", sources);
    json_object_set_new(document, "notes", notes);
    out_json(out, document);
}

/* --- for people ------------------------------------------------------------------------------------------------------
 */

static void print_diffs(Out *out, const Docs *docs)
{
    for (guint i = 0; i < docs->changes->len; i++) {
        const DocsChange *change = docs->changes->pdata[i];
        g_autoptr(GString) diff = out_unified_diff(change->path, change->old_text, change->new_text);
        out_patch(out, diff->str);
    }
}

static void list_needed(Out *out, const Docs *docs, const char *create, const char *change_word)
{
    for (guint i = 0; i < docs->changes->len; i++) {
        const DocsChange *change = docs->changes->pdata[i];
        if (docs_change_is_needed(change))
            out_line(out, "%s %s", change->old_text == NULL ? create : change_word, change->path);
    }
}

static void list_mentions(Out *out, const Docs *docs)
{
    if (docs->mentions->len == 0)
        return;
    out_line(out, "\nLines that speak of what goes; they are yours to rewrite:");
    for (guint i = 0; i < docs->mentions->len; i++) {
        const DocsMention *mention = docs->mentions->pdata[i];
        g_autofree char *text = g_strstrip(g_strdup(mention->text));
        g_autofree char *shown = out_styled(out, OUT_PLAIN, text), *about = out_styled(out, OUT_NAME, mention->about);
        out_line(out, "  %s:%d: %s: %s", mention->file, mention->line, about, shown);
    }
}

/* --- the command -----------------------------------------------------------------------------------------------------
 */

static bool confirm(const CommandArgs *args, Out *out, const Docs *docs, GError **error)
{
    bool yes = args_flag(args, "yes");
    if (yes || !out_can_ask(out)) /* git keeps what was there before */
        return true;
    list_needed(out, docs, "new:    ", "changed:");
    if (out_confirm(out, false, "Write %u file%s?", count_needed(docs), count_needed(docs) == 1 ? "" : "s"))
        return true;
    if (cancel_check(error))
        pgf_error_set(error, PGF_ERROR_REFUSED, "`pgfold docs --dry-run` shows what would be written.",
                      "not confirmed: nothing was written");
    return false;
}

/* ret_written: whether anything was. */
static bool finish(const CommandArgs *args, Out *out, const Config *config, const Docs *docs, bool *ret_written,
                   GError **error)
{
    if (args_flag(args, "dry-run")) {
        if (!out->json)
            print_diffs(out, docs);
        return true;
    }
    if (args_flag(args, "check")) {
        list_needed(out, docs, "missing:", "not up to date:");
        return true;
    }
    if (count_needed(docs) > 0) {
        if (!confirm(args, out, docs, error) || !docs_write(config, docs->changes, command_caller.umask, error))
            return false;
        *ret_written = true;
        list_needed(out, docs, "Wrote", "Changed");
    }
    list_mentions(out, docs);
    return true;
}

static int run(const CommandArgs *args, Out *out, GError **error)
{
    g_autoptr(Config) config = config_open(args_config(args), CONFIG_OFFLINE, error);
    if (config == NULL)
        return PGF_ERROR_USAGE;
    g_autoptr(Ledger) ledger = NULL;
    if (!ledger_open_existing(config->state, &ledger, error))
        return PGF_ERROR_USAGE;
    DocsInput input = {.config = config, .ledger = ledger};
    g_autoptr(Docs) docs = docs_make(&input, error);
    if (docs == NULL)
        return PGF_ERROR_REFUSED;
    for (guint i = 0; i < docs->notes->len; i++)
        out_warning(out, "%s", (const char *)docs->notes->pdata[i]);
    bool written = false;
    if (!finish(args, out, config, docs, &written, error))
        return PGF_ERROR_REFUSED;
    if (out->json)
        print_json(out, docs, written);
    else if (count_needed(docs) == 0)
        out_notice(out, "Nothing to change: %u file%s as pgfold.yaml and the receipts say.", docs->changes->len,
                   docs->changes->len == 1 ? " is" : "s are");
    return args_flag(args, "check") && count_needed(docs) > 0 ? PGF_ERROR_DIFFERS : 0;
}

const Command command_docs = {
    .name = "docs",
    .summary = "write the project's database page and .env.example",
    .description =
        "From pgfold.yaml and the receipts it writes the page docs/database.md (docs.page): which database is the true "
        "one, how to reach it, how to run tests on an ephemeral server, how to deploy (deploy: in pgfold.yaml, each "
        "step "
        "with its check), what was folded, fenced and retired, and how to go back.\n\n"
        ".env.example gets the variable (code.variable) with an explanation; values that lead to a local database are "
        "taken out of it. README.md, AGENTS.md and CLAUDE.md, where they speak of a local database, get an entry that "
        "leads to the page.\n\n"
        "What others wrote stays: pgfold replaces what is between its own marks, and lists the lines that speak of "
        "files "
        "that go. Running it again changes nothing. It connects to nothing, and works before the first fold. "
        "docs/database-page.md has the rules.",
    .options = options,
    .examples = examples,
    .exit_codes =
        "1 with --check when something would be changed, and when a receipt was changed. 4 when a file leads out "
        "of the project by a symbolic link, when the page is protected (protect.paths), when marks do not match, "
        "or when writing was not confirmed.",
    .run = run,
};

/* What was folded, fenced and retired, as receipts and ledger have it. */
#include <string.h>

#include "docs/internal.h"
#include "ledger/memory.h"
#include "ledger/receipt.h"

typedef struct Reading {
    const DocsInput *input;
    GPtrArray *sources;        /* of DocsSource* */
    GPtrArray *marks, *fences; /* of the ledger */
    gint64 newest;             /* when the fold ended that identity and database are from */
    char *identity, *database; /* of the target */
} Reading;

static void source_free(gpointer data)
{
    DocsSource *source = data;
    g_free(source->name);
    g_free(source->receipt);
    g_free(source->sha256);
    g_free(source->database);
    g_free(source->into);
    g_free(source);
}

static void reading_clear(Reading *reading)
{
    g_clear_pointer(&reading->sources, g_ptr_array_unref);
    g_clear_pointer(&reading->marks, g_ptr_array_unref);
    g_clear_pointer(&reading->fences, g_ptr_array_unref);
    g_free(reading->identity);
    g_free(reading->database);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static void need_source(const Reading *reading, const char *name)
{
    for (guint i = 0; i < reading->sources->len; i++) {
        const DocsSource *source = reading->sources->pdata[i];
        if (strcmp(source->name, name) == 0)
            return;
    }
    DocsSource *source = g_new0(DocsSource, 1);
    source->name = g_strdup(name);
    source->state = "not folded yet";
    g_ptr_array_add(reading->sources, source);
}

/* Those of pgfold.yaml, and those that were folded under a name which is no longer there. */
static bool list_sources(const Reading *reading, GError **error)
{
    const Config *config = reading->input->config;
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = config->sources->pdata[i];
        if (source->name != NULL && source->databases == NULL) /* of several databases those that were folded */
            need_source(reading, source->name);
    }
    if (reading->input->ledger == NULL)
        return true;
    g_autoptr(GPtrArray) marks = ledger_marks(reading->input->ledger, error);
    for (guint i = 0; marks != NULL && i < marks->len; i++) {
        const LedgerMark *mark = marks->pdata[i];
        if (mark->stage == LEDGER_FOLDED)
            need_source(reading, mark->source_name);
    }
    return marks != NULL;
}

static gint64 count_rows(const Receipt *receipt)
{
    gint64 rows = 0;
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *relation = receipt->relations->pdata[i];
        if (relation->verdict != RECEIPT_SKIPPED && relation->rows > 0)
            rows += relation->rows;
    }
    return rows;
}

/* Whether its rows went into the target's own database, and not into one that the source names. */
static bool is_into_target(const Config *config, const char *name)
{
    for (guint i = 0; i < config->sources->len; i++) {
        const ConfigSource *source = config->sources->pdata[i];
        if (g_strcmp0(source->name, name) == 0)
            return source->into_database == NULL;
        if (source->databases != NULL && config_is_database_of(name, source->name))
            return false;
    }
    return true;
}

static void take_target(Reading *reading, const char *name, const Receipt *receipt)
{
    if (receipt->finished <= reading->newest || !is_into_target(reading->input->config, name))
        return;
    reading->newest = receipt->finished;
    receipt_text(&reading->identity, receipt->target.system_identifier);
    receipt_text(&reading->database, receipt->target.database);
}

static bool take_receipt(Reading *reading, DocsSource *source, const char *path, GError **error)
{
    g_autoptr(GError) failed = NULL;
    Ledger *ledger = reading->input->ledger;
    g_autoptr(Receipt) receipt = receipt_check(path, NULL, error) ? receipt_read(path, error) : NULL;
    if (receipt == NULL)
        return false;
    g_autoptr(LedgerMerge) merge = ledger_merge_of(ledger, receipt->run, &failed);
    if (failed != NULL) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    bool undone = merge != NULL && merge->state == LEDGER_MERGE_UNDONE;
    source->state = undone ? "taken back" : receipt->contained ? "folded" : "not folded yet";
    source->run = receipt->run;
    source->receipt = g_path_get_basename(path);
    source->sha256 = g_strdup(receipt->sha256);
    source->database = g_strdup(receipt->source.database);
    source->into = g_strdup(receipt->target.database);
    source->rows = count_rows(receipt);
    source->at = receipt->finished;
    source->undoable = merge != NULL && merge->state == LEDGER_MERGE_COMMITTED;
    take_target(reading, source->name, receipt);
    return true;
}

static bool read_receipt(Reading *reading, DocsSource *source, GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autofree char *path = receipt_newest(reading->input->ledger, source->name, &failed);
    if (failed != NULL) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    return path == NULL || take_receipt(reading, source, path, error);
}

static void take_fence(const Reading *reading, DocsSource *source)
{
    for (guint i = 0; i < reading->fences->len; i++) {
        const LedgerFence *fence = reading->fences->pdata[i];
        if (fence->standing && strcmp(fence->source_name, source->name) == 0)
            source->fenced = fence->since; /* the oldest comes last */
    }
}

static bool is_among(const char *const *names, const char *name)
{
    return names != NULL && g_strv_contains(names, name);
}

/* What the caller is about to do has today's date, as the ledger will have it. */
static void take_retirement(const Reading *reading, DocsSource *source)
{
    for (guint i = 0; i < reading->marks->len; i++) {
        const LedgerMark *mark = reading->marks->pdata[i];
        if (mark->stage == LEDGER_RETIRED && strcmp(mark->source_name, source->name) == 0 &&
            strcmp(mark->outcome, LEDGER_PUT_BACK) != 0 && mark->at >= source->at)
            source->retired = mark->at;
    }
    if (source->retired == 0 && is_among(reading->input->retiring, source->name))
        source->retired = g_get_real_time();
    if (source->fenced == 0 && is_among(reading->input->fencing, source->name))
        source->fenced = g_get_real_time();
    if (source->retired != 0)
        source->state = "retired";
}

static bool read_ledger(Reading *reading, GError **error)
{
    Ledger *ledger = reading->input->ledger;
    reading->marks = ledger_marks(ledger, error);
    reading->fences = reading->marks == NULL ? NULL : ledger_fences(ledger, NULL, error);
    if (reading->fences == NULL)
        return false;
    for (guint i = 0; i < reading->sources->len; i++) {
        DocsSource *source = reading->sources->pdata[i];
        if (!read_receipt(reading, source, error))
            return false;
        take_fence(reading, source);
        take_retirement(reading, source);
    }
    return true;
}

GPtrArray *docs_sources_read(const DocsInput *input, char **ret_identity, char **ret_database, GError **error)
{
    g_auto(Reading) reading = {.input = input, .sources = g_ptr_array_new_with_free_func(source_free)};
    if (!list_sources(&reading, error) || (input->ledger != NULL && !read_ledger(&reading, error)))
        return NULL;
    *ret_identity = g_steal_pointer(&reading.identity);
    *ret_database = g_steal_pointer(&reading.database);
    return g_steal_pointer(&reading.sources);
}

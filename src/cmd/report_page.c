#include "cmd/report_page.h"

#include <string.h>

#include "out/table.h"
#include "out/text.h"

typedef struct Page {
    GString *text;
    bool markdown;
    bool color;
    int width;
} Page;

char *report_time(gint64 at)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at / G_USEC_PER_SEC);
    return time == NULL ? g_strdup("?") : g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC");
}

/* What means something in Markdown is shown as it is. */
static char *markdown_escape(const char *text)
{
    g_autofree char *harmless = text_escape(text);
    GString *escaped = g_string_new(NULL);
    for (const char *c = harmless; *c != '\0'; c++) {
        if (strchr("\\`*_<>[]#|&", *c) != NULL)
            g_string_append_c(escaped, '\\');
        g_string_append_c(escaped, *c);
    }
    return g_string_free(escaped, FALSE);
}

static void add_heading(Page *page, int level, OutStyle style, const char *text)
{
    g_autofree char *shown = page->markdown ? markdown_escape(text) : out_paint(page->color, style, text);
    if (page->text->len > 0)
        g_string_append_c(page->text, '\n');
    if (page->markdown)
        g_string_append_printf(page->text, "%.*s ", level, "###");
    g_string_append_printf(page->text, page->markdown ? "%s\n\n" : "%s\n", shown);
}

static void add_paragraph(Page *page, const char *text)
{
    g_autofree char *shown = page->markdown ? markdown_escape(text) : text_escape(text);
    if (page->markdown)
        g_string_append_printf(page->text, "%s\n", shown);
    else
        text_wrap(page->text, shown, 0, page->width > 0 ? page->width : 100);
}

static void add_table(Page *page, const Table *table)
{
    g_autofree char *text = page->markdown ? table_markdown(table) : table_text(table, page->width, page->color);
    g_string_append(page->text, text);
}

static OutStyle verdict_style(ReceiptVerdict verdict)
{
    return verdict == RECEIPT_CONTAINED ? OUT_GOOD : verdict == RECEIPT_SKIPPED ? OUT_WARN : OUT_BAD;
}

static void add_count_cell(Table *table, gint64 count)
{
    if (count == RECEIPT_UNKNOWN)
        table_add(table, OUT_DIM, "-");
    else
        table_add_count(table, OUT_PLAIN, (guint64)count);
}

/* "contained", or "different: 3 rows are missing". */
static void add_verdict_cell(Table *table, ReceiptVerdict verdict, const char *reason)
{
    table_addf(table, verdict_style(verdict), "%s%s%s", receipt_verdict_text(verdict), reason == NULL ? "" : ": ",
               reason == NULL ? "" : reason);
}

/* What is claimed is never more than what was compared: tables that were left out are counted beside it. */
static char *summary(const Receipt *receipt)
{
    guint64 rows = 0, bytes = 0, settled = 0;
    guint folded = 0;
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *relation = receipt->relations->pdata[i];
        if (relation->verdict == RECEIPT_SKIPPED)
            continue;
        rows += relation->rows > 0 ? (guint64)relation->rows : 0;
        bytes += relation->bytes > 0 ? (guint64)relation->bytes : 0;
        settled += (guint64)MAX(relation->kept, 0) + (guint64)MAX(relation->settled, 0);
        folded++;
    }
    guint left_out = receipt->relations->len - folded;
    g_autofree char *row_text = out_count(rows);
    g_autofree char *size = out_bytes(bytes);
    g_autofree char *rest = left_out == 0 ? g_strdup("")
                                          : g_strdup_printf(" Left out on request, and not proven: %u table%s.",
                                                            left_out, left_out == 1 ? "" : "s");
    if (receipt->contained && settled > 0) {
        g_autofree char *lost = out_count(settled);
        return g_strdup_printf(
            "%u table%s of the source with %s rows (%s): every row was found in the target, but for %s that "
            "a rule settled in favour of the target's.%s",
            folded, folded == 1 ? "" : "s", row_text, size, lost, rest);
    }
    if (receipt->contained)
        return g_strdup_printf("%u table%s of the source with %s rows (%s): every row was found in the target with the "
                               "same value.%s",
                               folded, folded == 1 ? "" : "s", row_text, size, rest);
    return g_strdup_printf(
        "%u table%s of the source with %s rows (%s): not everything was found in the target. The lists "
        "below say what differs.%s",
        folded, folded == 1 ? "" : "s", row_text, size, rest);
}

static void add_opening(Page *page, const Receipt *receipt)
{
    g_autofree char *title = g_strdup_printf("Fold of %s into %s: %s", receipt->source.name, receipt->target.name,
                                             receipt->contained ? "contained" : "not contained");
    g_autofree char *text = summary(receipt);
    add_heading(page, 1, receipt->contained ? OUT_GOOD : OUT_BAD, title);
    add_paragraph(page, text);
}

static void add_end_row(Table *table, const char *what, const char *source, const char *target)
{
    table_add(table, OUT_DIM, what);
    table_add(table, OUT_PLAIN, source);
    table_add(table, OUT_PLAIN, target);
}

static void add_ends(Page *page, const Receipt *receipt)
{
    static const TableColumn columns[] = {{"", TABLE_LEFT, false},
                                          {"SOURCE", TABLE_LEFT, false},
                                          {"TARGET", TABLE_LEFT, true},
                                          {NULL, TABLE_LEFT, false}};
    const ReceiptEnd *source = &receipt->source, *target = &receipt->target;
    g_autoptr(Table) table = table_new(columns);
    add_heading(page, 2, OUT_BOLD, "From where, to where");
    add_end_row(table, "database", source->database, target->database);
    add_end_row(table, "server", source->address, target->address);
    add_end_row(table, "cluster", source->system_identifier, target->system_identifier);
    add_end_row(table, "PostgreSQL", source->version_text, target->version_text);
    add_end_row(table, "role", source->role, target->role);
    add_table(page, table);
}

static void add_fact(Table *table, OutStyle style, const char *what, const char *value)
{
    if (value == NULL)
        return;
    table_add(table, OUT_DIM, what);
    table_add(table, style, value);
}

static void add_backup_facts(Table *table, const ReceiptBackup *backup)
{
    g_autofree char *at = report_time(backup->at);
    if (!backup->made) {
        g_autofree char *none =
            g_strdup_printf("none: %s%s%s, %s", backup->reason, backup->by == NULL ? "" : ", agreed to by ",
                            backup->by == NULL ? "" : backup->by, at);
        add_fact(table, OUT_WARN, "backup", none);
        return;
    }
    add_fact(table, OUT_PLAIN, "backup", backup->path);
    g_autofree char *proof = g_strdup_printf("%s%s%s", backup->proven ? "yes" : "no", backup->how == NULL ? "" : ": ",
                                             backup->how == NULL ? "" : backup->how);
    add_fact(table, backup->proven ? OUT_GOOD : OUT_WARN, "backup proven", proof);
    add_fact(table, OUT_PLAIN, "backup SHA-256", backup->sha256);
}

static void add_evidence(Page *page, const ReportFacts *facts)
{
    static const TableColumn columns[] = {
        {"", TABLE_LEFT, false}, {"EVIDENCE", TABLE_LEFT, true}, {NULL, TABLE_LEFT, false}};
    const Receipt *receipt = facts->receipt;
    g_autoptr(Table) table = table_new(columns);
    g_autofree char *started = report_time(receipt->started);
    g_autofree char *finished = report_time(receipt->finished);
    g_autofree char *run = g_strdup_printf("%" G_GINT64_FORMAT ", pgfold %s%s%s", receipt->run, receipt->pgfold_version,
                                           receipt->client_tools == NULL ? "" : ", ",
                                           receipt->client_tools == NULL ? "" : receipt->client_tools);
    g_autofree char *chain = facts->chain_problem != NULL
                                 ? g_strdup_printf("broken: %s", facts->chain_problem)
                                 : g_strdup_printf("sound, %u receipt%s", facts->chain, facts->chain == 1 ? "" : "s");
    add_heading(page, 2, OUT_BOLD, "Evidence");
    add_fact(table, OUT_PLAIN, "run", run);
    add_fact(table, OUT_PLAIN, "started", started);
    add_fact(table, OUT_PLAIN, "finished", finished);
    add_fact(table, OUT_PLAIN, "snapshot", receipt->snapshot);
    add_fact(table, OUT_PLAIN, "log position", receipt->lsn);
    add_backup_facts(table, &receipt->backup);
    add_fact(table, OUT_PLAIN, "archive of the merge", receipt->archive);
    add_fact(table, OUT_BAD, "taken back", facts->undone);
    add_fact(table, OUT_PLAIN, "receipt", facts->path);
    add_fact(table, OUT_PLAIN, "receipt SHA-256", receipt->sha256);
    add_fact(table, OUT_PLAIN, "receipt before", receipt->previous_file);
    add_fact(table, facts->chain_problem != NULL ? OUT_BAD : OUT_GOOD, "chain", chain);
    add_table(page, table);
}

static void add_relation(Table *table, const ReceiptRelation *relation)
{
    table_addf(table, OUT_NAME, "%s.%s", relation->schema, relation->name);
    table_add(table, OUT_DIM, relation->kind);
    table_add(table, OUT_PLAIN, receipt_action_text(relation->action));
    add_count_cell(table, relation->rows);
    add_count_cell(table, relation->target_rows);
    if (relation->bytes == RECEIPT_UNKNOWN)
        table_add(table, OUT_DIM, "-");
    else
        table_add_bytes(table, OUT_PLAIN, (guint64)relation->bytes);
    table_add(table, OUT_DIM, relation->digest == NULL ? "-" : relation->digest);
    bool merged = relation->action == RECEIPT_MERGE && relation->verdict == RECEIPT_CONTAINED;
    add_verdict_cell(table, relation->verdict, merged ? NULL : relation->reason); /* has a table of its own */
}

/* What differs stands first: nobody should have to look for it among thousands of tables. */
static void add_relations(Page *page, const Receipt *receipt)
{
    static const TableColumn columns[] = {
        {"TABLE", TABLE_LEFT, false}, {"KIND", TABLE_LEFT, false},       {"ACTION", TABLE_LEFT, false},
        {"ROWS", TABLE_RIGHT, false}, {"IN TARGET", TABLE_RIGHT, false}, {"SIZE", TABLE_RIGHT, false},
        {"DIGEST", TABLE_LEFT, true}, {"VERDICT", TABLE_LEFT, false},    {NULL, TABLE_LEFT, false}};
    static const ReceiptVerdict order[] = {RECEIPT_DIFFERENT, RECEIPT_SKIPPED, RECEIPT_CONTAINED};
    if (receipt->relations->len == 0)
        return;
    g_autoptr(Table) table = table_new(columns);
    add_heading(page, 2, OUT_BOLD, "Tables");
    for (guint o = 0; o < G_N_ELEMENTS(order); o++) {
        for (guint i = 0; i < receipt->relations->len; i++) {
            const ReceiptRelation *relation = receipt->relations->pdata[i];
            if (relation->verdict == order[o])
                add_relation(table, relation);
        }
    }
    add_table(page, table);
}

static bool is_merged(const ReceiptRelation *relation)
{
    return relation->action == RECEIPT_MERGE && relation->inserted != RECEIPT_UNKNOWN;
}

/* What became of the rows of tables that held rows before. */
static void add_merged(Page *page, const Receipt *receipt)
{
    static const TableColumn columns[] = {{"TABLE", TABLE_LEFT, true},         {"INSERTED", TABLE_RIGHT, false},
                                          {"OVERWRITTEN", TABLE_RIGHT, false}, {"LEFT", TABLE_RIGHT, false},
                                          {"SETTLED", TABLE_RIGHT, false},     {"NEW KEY", TABLE_RIGHT, false},
                                          {"MATCHED", TABLE_RIGHT, false},     {NULL, TABLE_LEFT, false}};
    g_autoptr(Table) table = table_new(columns);
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *r = receipt->relations->pdata[i];
        const gint64 counts[] = {r->inserted, r->overwritten, r->kept, r->settled, r->rekeyed, r->matched};
        if (!is_merged(r))
            continue;
        table_addf(table, OUT_NAME, "%s.%s", r->schema, r->name);
        for (gsize k = 0; k < G_N_ELEMENTS(counts); k++)
            add_count_cell(table, counts[k]);
    }
    if (table_rows(table) == 0)
        return;
    add_heading(page, 2, OUT_BOLD, "Merged");
    add_table(page, table);
}

static void add_value_cell(Table *table, const ReceiptValue *value)
{
    if (value->used)
        table_addf(table, OUT_PLAIN, "%" G_GINT64_FORMAT, value->value);
    else
        table_add(table, OUT_DIM, "not used");
}

static void add_sequences(Page *page, const Receipt *receipt)
{
    static const TableColumn columns[] = {{"SEQUENCE", TABLE_LEFT, true},
                                          {"SOURCE", TABLE_RIGHT, false},
                                          {"TARGET", TABLE_RIGHT, false},
                                          {"VERDICT", TABLE_LEFT, false},
                                          {NULL, TABLE_LEFT, false}};
    if (receipt->sequences->len == 0)
        return;
    g_autoptr(Table) table = table_new(columns);
    add_heading(page, 2, OUT_BOLD, "Sequences");
    for (guint i = 0; i < receipt->sequences->len; i++) {
        const ReceiptSequence *sequence = receipt->sequences->pdata[i];
        table_addf(table, OUT_NAME, "%s.%s", sequence->schema, sequence->name);
        add_value_cell(table, &sequence->source);
        add_value_cell(table, &sequence->target);
        add_verdict_cell(table, sequence->verdict, sequence->reason);
    }
    add_table(page, table);
}

static void add_objects(Page *page, const Receipt *receipt)
{
    static const TableColumn columns[] = {{"KIND", TABLE_LEFT, true},
                                          {"SOURCE", TABLE_RIGHT, false},
                                          {"TARGET", TABLE_RIGHT, false},
                                          {"VERDICT", TABLE_LEFT, false},
                                          {NULL, TABLE_LEFT, false}};
    const ReceiptLargeObjects *large = &receipt->large_objects;
    g_autoptr(Table) table = table_new(columns);
    add_heading(page, 2, OUT_BOLD, "Objects");
    for (guint i = 0; i < receipt->objects->len; i++) {
        const ReceiptObjects *objects = receipt->objects->pdata[i];
        if (g_str_equal(objects->kind, "large object") && objects->verdict == RECEIPT_CONTAINED)
            continue; /* has a line of its own, with the verdict on the contents */
        table_add(table, OUT_NAME, objects->kind);
        add_count_cell(table, objects->source);
        add_count_cell(table, objects->target);
        add_verdict_cell(table, objects->verdict, objects->reason);
    }
    table_add(table, OUT_NAME, "large object");
    add_count_cell(table, large->count);
    add_count_cell(table, large->target_count);
    add_verdict_cell(table, large->verdict, large->reason);
    add_table(page, table);
}

static void add_protected(Page *page, const Receipt *receipt)
{
    static const TableColumn columns[] = {
        {"KIND", TABLE_LEFT, false},       {"NAME", TABLE_LEFT, true},     {"WHERE", TABLE_LEFT, false},
        {"LOOKED AT", TABLE_LEFT, false},  {"COUNT", TABLE_RIGHT, false},  {"ROWS", TABLE_RIGHT, false},
        {"FINGERPRINT", TABLE_LEFT, true}, {"VERDICT", TABLE_LEFT, false}, {NULL, TABLE_LEFT, false}};
    if (receipt->protected->len == 0)
        return;
    g_autoptr(Table) table = table_new(columns);
    add_heading(page, 2, OUT_BOLD, "Protected");
    for (guint i = 0; i < receipt->protected->len; i++) {
        const ReceiptProtected *item = receipt->protected->pdata[i];
        bool same = strcmp(item->verdict, "same") == 0, changed = strcmp(item->verdict, "changed") == 0;
        table_add(table, OUT_PLAIN, item->kind);
        table_add(table, OUT_NAME, item->name);
        table_add(table, OUT_PLAIN, item->server == NULL ? "" : item->server);
        table_add(table, OUT_PLAIN, item->method);
        add_count_cell(table, item->count);
        add_count_cell(table, item->rows);
        table_addf(table, OUT_DIM, "%.12s", item->after == NULL ? "" : item->after);
        table_addf(table,
                   same      ? OUT_GOOD
                   : changed ? OUT_BAD
                             : OUT_WARN,
                   "%s%s%s", item->verdict, item->reason == NULL ? "" : ": ", item->reason == NULL ? "" : item->reason);
    }
    add_table(page, table);
}

static void add_notes(Page *page, const Receipt *receipt)
{
    if (receipt->notes->len == 0)
        return;
    add_heading(page, 2, OUT_BOLD, "Notes");
    for (guint i = 0; i < receipt->notes->len; i++) {
        g_autofree char *shown =
            page->markdown ? markdown_escape(receipt->notes->pdata[i]) : text_escape(receipt->notes->pdata[i]);
        g_string_append_printf(page->text, "- %s\n", shown);
    }
}

static char *make_page(const ReportFacts *facts, Page page)
{
    page.text = g_string_new(NULL);
    add_opening(&page, facts->receipt);
    add_ends(&page, facts->receipt);
    add_evidence(&page, facts);
    add_relations(&page, facts->receipt);
    add_merged(&page, facts->receipt);
    add_sequences(&page, facts->receipt);
    add_objects(&page, facts->receipt);
    add_protected(&page, facts->receipt);
    add_notes(&page, facts->receipt);
    return g_string_free(page.text, FALSE);
}

char *report_markdown(const ReportFacts *facts)
{
    return make_page(facts, (Page){.markdown = true});
}

char *report_terminal(const ReportFacts *facts, bool color, int width)
{
    return make_page(facts, (Page){.color = color, .width = width});
}

#include "cmd/verify_view.h"

#include "cmd/show.h"
#include "out/table.h"

enum { VALUE_WIDTH = 60, ROW_COLUMNS = 6 };

static guint64 source_rows(const Verification *v)
{
    return audit_rows(v->audit);
}

/* Rows that lost against the target's by a rule, and are still what they were then. */
static guint64 settled_rows(const Verification *v)
{
    guint64 rows = 0;
    for (guint i = 0; i < v->relations->len; i++)
        rows += ((const VerifyRelation *)v->relations->pdata[i])->settled;
    return rows;
}

static guint count_compared(const Verification *v)
{
    guint count = 0;
    for (guint i = 0; i < v->relations->len; i++)
        count += ((const VerifyRelation *)v->relations->pdata[i])->audit->source_digested ? 1 : 0;
    return count;
}

static guint count_verdict(const Verification *v, VerifyVerdict verdict)
{
    guint count = 0;
    for (guint i = 0; i < v->relations->len; i++)
        count += ((const VerifyRelation *)v->relations->pdata[i])->verdict == verdict ? 1 : 0;
    return count;
}

static void append(GString *text, guint count, const char *noun, const char *phrase)
{
    if (count == 0)
        return;
    g_autofree char *counted = show_count(count, noun);
    g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", counted, phrase);
}

char *verify_outcome(const Verification *v)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *tables = show_count(count_compared(v), "table");
    g_autofree char *rows = show_count(source_rows(v), "row");
    guint skipped = count_verdict(v, VERIFY_SKIPPED);
    guint64 settled = settled_rows(v);
    if (v->contained) {
        g_string_append_printf(text, "contained: %s, %s", tables, rows);
        if (settled > 0)
            g_string_append_printf(text, ", of which %" G_GUINT64_FORMAT " settled by an earlier fold", settled);
        if (skipped > 0)
            g_string_append_printf(text, "; %u left out by the configuration", skipped);
        return g_string_free(g_steal_pointer(&text), FALSE);
    }
    append(text, count_verdict(v, VERIFY_MISSING), "table", "missing");
    append(text, count_verdict(v, VERIFY_DIFFERENT), "table", "different");
    append(text, count_verdict(v, VERIFY_INCOMPARABLE), "table", "incomparable");
    append(text, v->shortfalls->len, "other thing", "less");
    return g_strdup_printf("not contained: %s", text->str);
}

static OutStyle style_of(VerifyVerdict verdict)
{
    switch (verdict) {
    case VERIFY_SAME:
    case VERIFY_CONTAINED:
        return OUT_GOOD;
    case VERIFY_DIFFERENT:
    case VERIFY_MISSING:
    case VERIFY_INCOMPARABLE:
        return OUT_BAD;
    case VERIFY_REFRESHED:
        return OUT_WARN;
    case VERIFY_SKIPPED:
        return OUT_DIM;
    }
    return OUT_PLAIN;
}

/* Blank where nothing was counted; zero of a table that differs is worth seeing. */
static void add_count(Table *table, bool counted, guint64 count)
{
    if (counted)
        table_add_count(table, count > 0 ? OUT_BOLD : OUT_PLAIN, count);
    else
        table_add(table, OUT_PLAIN, "");
}

static void add_relation(Table *table, const VerifyRelation *r, bool settled)
{
    bool counted = r->audit->verdict == AUDIT_DIFFERENT && r->verdict != VERIFY_REFRESHED;
    table_add(table, OUT_NAME, r->audit->source->label);
    add_count(table, r->audit->source_digested, r->audit->source_digest.rows);
    add_count(table, r->audit->target_digested, r->audit->target_digest.rows);
    add_count(table, counted, r->rows.missing);
    add_count(table, counted, r->rows.different);
    add_count(table, counted, r->rows.extra);
    if (settled)
        add_count(table, counted, r->settled);
    table_add(table, style_of(r->verdict), verify_verdict_text(r->verdict));
    if (r->verdict == VERIFY_SAME)
        table_usual(table);
}

static void show_relations(Out *out, const Verification *v)
{
    static const TableColumn COLUMNS[] = {{"TABLE", TABLE_LEFT, true},       {"ROWS", TABLE_RIGHT, false},
                                          {"TARGET", TABLE_RIGHT, false},    {"MISSING", TABLE_RIGHT, false},
                                          {"DIFFERENT", TABLE_RIGHT, false}, {"EXTRA", TABLE_RIGHT, false},
                                          {"RESULT", TABLE_LEFT, false},     {NULL, TABLE_LEFT, false}};
    static const TableColumn WITH_SETTLED[] = {
        {"TABLE", TABLE_LEFT, true},     {"ROWS", TABLE_RIGHT, false},      {"TARGET", TABLE_RIGHT, false},
        {"MISSING", TABLE_RIGHT, false}, {"DIFFERENT", TABLE_RIGHT, false}, {"EXTRA", TABLE_RIGHT, false},
        {"SETTLED", TABLE_RIGHT, false}, {"RESULT", TABLE_LEFT, false},     {NULL, TABLE_LEFT, false}};
    bool settled = settled_rows(v) > 0;
    g_autoptr(Table) table = table_new(settled ? WITH_SETTLED : COLUMNS);
    for (guint i = 0; i < v->relations->len; i++)
        if (!((const VerifyRelation *)v->relations->pdata[i])->audit->source->left_out)
            add_relation(table, v->relations->pdata[i], settled);
    out_line(out, "%s", "");
    if (table_rows(table) > 0)
        table_print(table, out);
    else
        out_line(out, "There are no tables.");
}

static const char *row_verdict_text(RowVerdict verdict)
{
    static const char *const TEXTS[] = {
        [ROW_MISSING] = "missing", [ROW_EXTRA] = "extra", [ROW_DIFFERENT] = "different"};
    return TEXTS[verdict];
}

/* "name='x', note=NULL, ..." of a row that is on one side only. */
static char *row_text(const RowDifference *row)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < row->columns->len && i < ROW_COLUMNS; i++) {
        const RowColumn *column = row->columns->pdata[i];
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        show_values(row->verdict == ROW_MISSING ? column->source : column->target, NULL, VALUE_WIDTH / 2, &a, &b);
        g_string_append_printf(text, "%s%s=%s", i > 0 ? ", " : "", column->name, a);
    }
    g_string_append(text, row->columns->len > ROW_COLUMNS ? ", …" : "");
    return g_string_free(text, FALSE);
}

static void add_row_alone(Table *table, const RowDifference *row)
{
    g_autofree char *text = row_text(row);
    g_autofree char *times =
        row->times > 1 ? g_strdup_printf("%" G_GUINT64_FORMAT " times: ", row->times) : g_strdup("");
    g_autofree char *full = g_strconcat(times, text, NULL);
    table_add(table, OUT_PLAIN, "");
    table_add(table, OUT_PLAIN, row->verdict == ROW_MISSING ? full : "");
    table_add(table, OUT_PLAIN, row->verdict == ROW_EXTRA ? full : "");
}

static void add_column(Table *table, const RowColumn *column)
{
    g_autofree char *source = NULL;
    g_autofree char *target = NULL;
    show_values(column->source, column->target, VALUE_WIDTH, &source, &target);
    table_add(table, OUT_NAME, column->name);
    table_add(table, OUT_PLAIN, source);
    table_add(table, OUT_PLAIN, target);
}

static void add_row(Table *table, const RowDifference *row)
{
    bool whole = row->verdict != ROW_DIFFERENT;
    guint lines = whole ? 1 : row->columns->len;
    for (guint i = 0; i < lines; i++) {
        table_add(table, OUT_PLAIN, i == 0 ? row_verdict_text(row->verdict) : "");
        table_add(table, OUT_BOLD, i == 0 ? row->key : "");
        if (whole)
            add_row_alone(table, row);
        else
            add_column(table, row->columns->pdata[i]);
    }
}

static void show_rows(Out *out, const VerifyRelation *r)
{
    static const TableColumn COLUMNS[] = {{"  ROW", TABLE_LEFT, false},  {"KEY", TABLE_LEFT, false},
                                          {"COLUMN", TABLE_LEFT, false}, {"SOURCE", TABLE_LEFT, false},
                                          {"TARGET", TABLE_LEFT, true},  {NULL, TABLE_LEFT, false}};
    guint shown = r->rows.rows == NULL ? 0 : r->rows.rows->len;
    guint64 all = r->rows.missing + r->rows.extra + r->rows.different;
    g_autofree char *name = out_styled(out, OUT_BOLD, r->audit->source->label);
    g_autofree char *counted = show_count(all, "row");
    out_line(out, "\n%s: %s", name,
             all == 0 ? "digests differ, but no row does: they changed in between; run it again" : counted);
    if (shown == 0)
        return;
    g_autoptr(Table) table = table_new(COLUMNS);
    for (guint i = 0; i < shown; i++)
        add_row(table, r->rows.rows->pdata[i]);
    table_print(table, out);
    if (shown < all)
        out_line(out, "  … and more: --rows shows up to as many as you say");
}

static GPtrArray *obstacle_texts(const Verification *v)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < v->relations->len; i++) {
        const VerifyRelation *r = v->relations->pdata[i];
        if (r->verdict == VERIFY_INCOMPARABLE)
            g_ptr_array_add(texts, g_strdup_printf("%s: %s", r->audit->source->label, r->audit->obstacle));
    }
    return texts;
}

void verify_show(const VerifyView *view, const Ends *ends, const Verification *v, const char *outcome)
{
    Out *out = view->out;
    if (out->json) {
        json_array_append_new(view->sources, verification_json(ends, v, outcome));
        return;
    }
    show_end(out, ends->source_config->name, ends->source);
    show_end(out, "target", ends->target);
    show_relations(out, v);
    show_left_out(out, ends->filter);
    for (guint i = 0; i < v->relations->len; i++) {
        const VerifyRelation *r = v->relations->pdata[i];
        if (r->verdict == VERIFY_DIFFERENT || (r->verdict == VERIFY_CONTAINED && out->verbose))
            show_rows(out, r);
    }
    g_autoptr(GPtrArray) obstacles = obstacle_texts(v);
    show_list(out, "Tables that cannot be compared", obstacles);
    show_list(out, "Less in the target", v->shortfalls);
    g_autoptr(GPtrArray) views = show_view_texts(v->audit);
    show_list(out, "Materialized views that hold other rows in the target (refreshed there; nothing is lost)", views);
    g_autofree char *summary = out_styled(out, v->contained ? OUT_GOOD : OUT_BAD, outcome);
    g_autofree char *name = out_styled(out, OUT_BOLD, ends->source_config->name);
    out_line(out, "\n%s: %s", name, summary);
}

static guint64 receipt_rows(const Receipt *receipt)
{
    guint64 rows = 0;
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *r = receipt->relations->pdata[i];
        rows += r->rows > 0 ? (guint64)r->rows : 0;
    }
    return rows;
}

void verify_show_receipt(Out *out, const char *path, const Receipt *receipt, guint chain, const char *backup_problem)
{
    if (out->json) {
        json_t *document = out_json_new("verify-receipt");
        json_object_set_new(document, "file", out_json_string(path));
        json_object_set_new(document, "intact", json_true());
        json_object_set_new(document, "chain", json_integer(chain));
        json_object_set_new(document, "contained", json_boolean(receipt->contained));
        json_object_set_new(document, "backup_problem", out_json_string(backup_problem));
        json_object_set_new(document, "receipt", receipt_to_json(receipt));
        out_json(out, document);
        return;
    }
    g_autofree char *receipts = show_count(chain, "receipt");
    g_autofree char *tables = show_count(receipt->relations->len, "table");
    g_autofree char *rows = show_count(receipt_rows(receipt), "row");
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(receipt->finished / G_USEC_PER_SEC);
    g_autofree char *time = when == NULL ? g_strdup("?") : g_date_time_format(when, "%Y-%m-%d %H:%M UTC");
    g_autofree char *verdict =
        out_styled(out, receipt->contained ? OUT_GOOD : OUT_BAD, receipt->contained ? "contained" : "not contained");
    g_autofree char *file = out_styled(out, OUT_BOLD, path);
    out_line(out, "%s: unchanged, as is its chain of %s", file, receipts);
    out_line(out, "  %s (%s) in %s on %s: %s, %s: %s", receipt->source.name, receipt->source.database,
             receipt->target.database, time, tables, rows, verdict);
    if (receipt->backup.made && backup_problem == NULL)
        out_line(out, "  backup %s: unchanged", receipt->backup.path);
}

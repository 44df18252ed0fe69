#include "cmd/audit_view.h"

#include "cmd/audit_json.h"
#include "cmd/show.h"
#include "out/table.h"

enum { SHORT_DIGEST = 12 }; /* of 32 digits: for the eye only */

/* Properties that are never the same, or say nothing about the contents. */
static const char *const QUIET_PROPERTIES[] = {"bytes", "large objects", "owner", "collation version", NULL};

void audit_report_free(AuditReport *report)
{
    if (report == NULL)
        return;
    audit_free(report->audit);
    g_clear_pointer(&report->findings, g_ptr_array_unref);
    g_free(report);
}

static bool has_target(const AuditReport *report)
{
    return report->audit->target != NULL;
}

/* A target was asked for: an absent database of its is a difference. */
static bool wants_target(const AuditReport *report)
{
    return report->comparison->ends->target != NULL;
}

static bool has_errors(const AuditReport *report)
{
    return report->findings->len > 0 && ((AuditFinding *)report->findings->pdata[0])->check->severity == CHECK_ERROR;
}

bool audit_is_good(const AuditReport *report)
{
    bool same = has_target(report) ? audit_same(report->audit) : !wants_target(report);
    return same && !has_errors(report);
}

static guint count_verdict(const Audit *audit, AuditVerdict verdict)
{
    guint count = 0;
    for (guint i = 0; i < audit->relations->len; i++)
        count += ((const AuditRelation *)audit->relations->pdata[i])->verdict == verdict ? 1 : 0;
    return count;
}

static void append_verdict(GString *text, const Audit *audit, AuditVerdict verdict, const char *phrase)
{
    guint count = count_verdict(audit, verdict);
    if (count > 0)
        g_string_append_printf(text, "%s%u %s", text->len > 0 ? ", " : "", count, phrase);
}

static guint count_source_tables(const Audit *audit)
{
    guint count = 0;
    for (guint i = 0; i < audit->relations->len; i++)
        count += ((const AuditRelation *)audit->relations->pdata[i])->source_digested ? 1 : 0;
    return count;
}

char *audit_outcome(const AuditReport *report)
{
    const Audit *audit = report->audit;
    g_autofree char *tables = show_count(count_source_tables(audit), "table");
    g_autofree char *rows = show_count(audit_rows(audit), "row");
    g_autofree char *size = g_strdup_printf("%s, %s", tables, rows);
    if (!has_target(report))
        return g_strdup_printf("%s: %s",
                               wants_target(report) ? "the target database does not exist yet" : "source only", size);
    g_autoptr(GString) text = g_string_new(NULL);
    append_verdict(text, audit, AUDIT_DIFFERENT, "different");
    append_verdict(text, audit, AUDIT_INCOMPARABLE, "incomparable");
    append_verdict(text, audit, AUDIT_SOURCE_ONLY, "in the source only");
    append_verdict(text, audit, AUDIT_TARGET_ONLY, "in the target only");
    append_verdict(text, audit, AUDIT_DRIFT, "with another definition");
    if (text->len > 0)
        return g_strdup_printf("differs: %s: %s", size, text->str);
    if (!audit_same(audit))
        return g_strdup_printf("differs: %s the same, other things not", size);
    return g_strdup_printf("same: %s%s", size, has_errors(report) ? ", but checks found errors" : "");
}

static OutStyle style_of(AuditVerdict verdict)
{
    switch (verdict) {
    case AUDIT_SAME:
        return OUT_GOOD;
    case AUDIT_DRIFT:
    case AUDIT_SOURCE_ONLY:
        return OUT_WARN;
    case AUDIT_DIFFERENT:
    case AUDIT_INCOMPARABLE:
        return OUT_BAD;
    case AUDIT_TARGET_ONLY:
    case AUDIT_SKIPPED:
        return OUT_DIM;
    }
    return OUT_PLAIN;
}

static void add_digest(Table *table, bool digested, const Digest *digest)
{
    g_autofree char *text = digest_text(digest);
    /* The low half of the sum: the high one is often all zeros or all ones. */
    table_addf(table, OUT_DIM, "%.*s", SHORT_DIGEST, digested ? text + 32 - SHORT_DIGEST : "");
}

static void add_rows(Table *table, bool digested, const Digest *digest)
{
    if (digested)
        table_add_count(table, OUT_PLAIN, digest->rows);
    else
        table_add(table, OUT_PLAIN, "");
}

static void add_relation(Table *table, const AuditRelation *r, bool has_target)
{
    const CatalogRelation *relation = r->source != NULL ? r->source : r->target;
    table_add(table, OUT_NAME, relation->label);
    add_rows(table, r->source_digested, &r->source_digest);
    if (r->source != NULL && catalog_has_rows(r->source))
        table_add_bytes(table, OUT_PLAIN, r->source->bytes);
    else
        table_add(table, OUT_PLAIN, "");
    add_digest(table, r->source_digested, &r->source_digest);
    if (has_target) {
        add_rows(table, r->target_digested, &r->target_digest);
        table_add(table, style_of(r->verdict), audit_verdict_text(r->verdict));
    }
    if (!has_target || r->verdict == AUDIT_SAME)
        table_usual(table);
}

static void show_relations(const AuditView *view, const AuditReport *report)
{
    static const TableColumn BOTH[] = {
        {"TABLE", TABLE_LEFT, true},   {"ROWS", TABLE_RIGHT, false},        {"BYTES", TABLE_RIGHT, false},
        {"DIGEST", TABLE_LEFT, false}, {"TARGET ROWS", TABLE_RIGHT, false}, {"RESULT", TABLE_LEFT, false},
        {NULL, TABLE_LEFT, false}};
    static const TableColumn ALONE[] = {{"TABLE", TABLE_LEFT, true},
                                        {"ROWS", TABLE_RIGHT, false},
                                        {"BYTES", TABLE_RIGHT, false},
                                        {"DIGEST", TABLE_LEFT, false},
                                        {NULL, TABLE_LEFT, false}};
    g_autoptr(Table) table = table_new(has_target(report) ? BOTH : ALONE);
    for (guint i = 0; i < report->audit->relations->len; i++) {
        const AuditRelation *r = report->audit->relations->pdata[i];
        bool same = view->only_differences && has_target(report) && r->verdict == AUDIT_SAME;
        bool left_out = same || (r->source != NULL && r->source->left_out);
        if (!left_out)
            add_relation(table, r, has_target(report));
    }
    out_line(view->out, "%s", "");
    if (table_rows(table) > 0)
        table_print(table, view->out);
    else
        out_line(view->out, report->audit->relations->len == 0 ? "There are no tables." : "All tables are the same.");
}

static GPtrArray *texts_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static GPtrArray *drift_texts(const Audit *audit)
{
    GPtrArray *texts = texts_new();
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        for (guint k = 0; r->verdict != AUDIT_SKIPPED && k < r->drift->len; k++)
            g_ptr_array_add(texts, g_strdup_printf("%s: %s", r->source->label, (const char *)r->drift->pdata[k]));
    }
    return texts;
}

static char *sequence_at(const CatalogSequence *sequence)
{
    if (sequence == NULL)
        return g_strdup("absent");
    return sequence->is_called ? g_strdup_printf("at %" G_GINT64_FORMAT, sequence->last_value)
                               : g_strdup_printf("not used, starts at %" G_GINT64_FORMAT, sequence->last_value);
}

static GPtrArray *sequence_texts(const Audit *audit)
{
    GPtrArray *texts = texts_new();
    for (guint i = 0; i < audit->sequences->len; i++) {
        const AuditSequence *s = audit->sequences->pdata[i];
        if (s->same)
            continue;
        g_autofree char *source = sequence_at(s->source);
        g_autofree char *target = sequence_at(s->target);
        const char *label = s->source != NULL ? s->source->label : s->target->label;
        g_ptr_array_add(texts, g_strdup_printf("%s: %s in the source, %s in the target", label, source, target));
    }
    return texts;
}

static GPtrArray *pair_texts(const GPtrArray *pairs, const char *const *without)
{
    GPtrArray *texts = texts_new();
    for (guint i = 0; i < pairs->len; i++) {
        const AuditPair *pair = pairs->pdata[i];
        if (pair->same || (without != NULL && g_strv_contains(without, pair->name)))
            continue;
        g_ptr_array_add(texts, g_strdup_printf("%s: %s in the source, %s in the target", pair->name,
                                               pair->source == NULL ? "none" : pair->source,
                                               pair->target == NULL ? "none" : pair->target));
    }
    return texts;
}

static void show_large_objects(Out *out, const Audit *audit)
{
    const Digest *source = &audit->source_large_objects, *target = &audit->target_large_objects;
    if (!audit->large_objects_digested || digest_equal(source, target))
        return;
    g_autofree char *here = show_count(source->rows, "large object");
    g_autofree char *there = out_count(target->rows);
    g_autofree char *bold = out_styled(out, OUT_BOLD, "Large objects differ");
    out_line(out, "\n%s\n  %s in the source, %s in the target", bold, here, there);
}

static void show_differences(Out *out, const Audit *audit)
{
    g_autoptr(GPtrArray) drift = drift_texts(audit);
    g_autoptr(GPtrArray) sequences = sequence_texts(audit);
    g_autoptr(GPtrArray) extensions = pair_texts(audit->extensions, NULL);
    g_autoptr(GPtrArray) counts = pair_texts(audit->counts, NULL);
    g_autoptr(GPtrArray) properties = pair_texts(audit->properties, QUIET_PROPERTIES);
    g_autoptr(GPtrArray) views = pair_texts(audit->views, NULL);
    g_autoptr(GPtrArray) view_rows = show_view_texts(audit);
    show_list(out, "Definitions that differ", drift);
    show_list(out, "Views whose query differs", views);
    show_list(out, "Materialized views whose query gives other rows in the target: it is refreshed there", view_rows);
    show_list(out, "Sequences that differ", sequences);
    show_list(out, "Extensions that differ", extensions);
    show_list(out, "Numbers of objects that differ", counts);
    show_large_objects(out, audit);
    show_list(out, "Properties of the database that differ (no fold changes them)", properties);
}

void audit_show(const AuditView *view, const AuditReport *report, const char *outcome)
{
    Out *out = view->out;
    const Ends *ends = report->comparison->ends;
    if (out->json) {
        json_array_append_new(view->sources, audit_report_json(report, outcome));
        return;
    }
    show_end(out, ends->source_config->name, ends->source);
    if (has_target(report))
        show_end(out, "target", ends->target);
    else if (wants_target(report))
        out_line(out, "target: the server has no database \"%s\" yet; only the source is audited",
                 ends->target_missing);
    show_relations(view, report);
    show_left_out(out, ends->filter);
    if (has_target(report))
        show_differences(out, report->audit);
    show_findings(out, report->findings);
    g_autofree char *summary = out_styled(out, audit_is_good(report) ? OUT_GOOD : OUT_BAD, outcome);
    g_autofree char *name = out_styled(out, OUT_BOLD, ends->source_config->name);
    out_line(out, "\n%s: %s", name, summary);
}

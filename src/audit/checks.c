#include "audit/checks.h"

#include <string.h>

#include "audit/ask.h"
#include "base/error.h"

enum { NAMED_IN_ERROR = 10 }; /* findings that an error message names */

/* Findings that come from an audit instead of a query of the table. */
static const AuditCheck ORPHANS = {
    .id = "orphans",
    .side = CHECK_SOURCE,
    .severity = CHECK_ERROR,
    .description = "rows whose parent is missing, under a foreign key that says it is there",
    .remedy = "Add the parents or remove the rows: no server creates this constraint over them.",
};
static const AuditCheck ORPHANS_NOT_VALID = {
    .id = "orphans-not-valid",
    .side = CHECK_SOURCE,
    .severity = CHECK_NOTICE,
    .description = "rows whose parent is missing, under a foreign key that is NOT VALID or NOT ENFORCED",
    .remedy = "They are folded as they are.",
};
static const AuditCheck TEXT_DIGESTS = {
    .id = "text-digests",
    .side = CHECK_SOURCE,
    .severity = CHECK_NOTICE,
    .description = "columns of types that the server does not bring: compared by their text",
    .remedy = "Nothing, where both sides have one version of the type (docs/digest.md).",
};

/* A query that counts; more than 0 is a finding. Each probe is written by its own job only. */
typedef struct Probe {
    const AuditCheck *check;
    char *text;
    char *sql;
    guint64 count;
} Probe;

const char *check_severity_text(CheckSeverity severity)
{
    static const char *const TEXTS[] = {"notice", "warning", "error"};
    return TEXTS[severity];
}

static void finding_free(gpointer data)
{
    AuditFinding *finding = data;
    g_ptr_array_unref(finding->items);
    g_free(finding);
}

static GPtrArray *findings_new(void)
{
    return g_ptr_array_new_with_free_func(finding_free);
}

/* Takes item. Items of one check stand together. */
static void add_item(GPtrArray *findings, const AuditCheck *check, char *item)
{
    AuditFinding *finding = NULL;
    for (guint i = 0; i < findings->len && finding == NULL; i++)
        if (((AuditFinding *)findings->pdata[i])->check == check)
            finding = findings->pdata[i];
    if (finding == NULL) {
        finding = g_new0(AuditFinding, 1);
        finding->check = check;
        finding->items = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(findings, finding);
    }
    g_ptr_array_add(finding->items, item);
}

/* Errors first; g_ptr_array_sort() is stable. */
static int by_severity(gconstpointer a, gconstpointer b)
{
    const AuditFinding *x = *(AuditFinding *const *)a;
    const AuditFinding *y = *(AuditFinding *const *)b;
    return (int)y->check->severity - (int)x->check->severity;
}

void checks_merge(GPtrArray *findings, GPtrArray *more)
{
    g_ptr_array_extend_and_steal(findings, more);
    g_ptr_array_sort(findings, by_severity);
}

static bool applies(const AuditCheck *check, const PgConn *conn, bool missing)
{
    if (conn == NULL || (check->needs_database && missing))
        return false;
    int version = pg_conn_identity(conn)->version / 10000;
    return version >= check->min_version && (check->max_version == 0 || version <= check->max_version);
}

/* A finding about a table that the configuration leaves out is none: columns 2 and 3 name the table, or say without a
 * schema that it is about a large object. */
static bool left_out(const ChecksSpec *spec, const PgResult *rows, int row)
{
    if (spec->skip == NULL || pg_result_columns(rows) < 3 || pg_result_get(rows, row, 2) == NULL)
        return false;
    if (pg_result_get(rows, row, 1) == NULL)
        return spec->filter != NULL && spec->filter->named_only;
    return spec->skip(pg_result_get(rows, row, 1), pg_result_get(rows, row, 2), spec->skip_data);
}

static void add_question(GPtrArray *questions, const ChecksSpec *spec, const AuditCheck *check)
{
    PgConn *conn = check->side == CHECK_SOURCE ? spec->source : spec->target;
    bool missing = check->side == CHECK_TARGET && spec->target_missing;
    if (check->counts_rows || !applies(check, conn, missing))
        return;
    Question *question = question_new(questions, check, conn);
    question->value = check->takes_jobs ? g_strdup_printf("%u", spec->jobs) : NULL;
}

GPtrArray *checks_run(const ChecksSpec *spec, GError **error)
{
    g_autoptr(GPtrArray) findings = findings_new();
    g_autoptr(GPtrArray) questions = g_ptr_array_new_with_free_func(question_free);
    for (const AuditCheck *check = checks_table; check->id != NULL; check++)
        add_question(questions, spec, check);
    if (!questions_ask(questions, spec, error))
        return NULL;
    for (guint i = 0; i < questions->len; i++) {
        const Question *q = questions->pdata[i];
        for (int row = 0; row < pg_result_rows(q->answer); row++)
            if (!left_out(spec, q->answer, row))
                add_item(findings, q->check, g_strdup(pg_result_get(q->answer, row, 0)));
    }
    g_ptr_array_sort(findings, by_severity);
    return g_steal_pointer(&findings);
}

static void probe_free(gpointer data)
{
    Probe *probe = data;
    g_free(probe->text);
    g_free(probe->sql);
    g_free(probe);
}

static void add_probe(GPtrArray *probes, const AuditCheck *check, const char *text, const char *sql)
{
    Probe *probe = g_new0(Probe, 1);
    probe->check = check;
    probe->text = g_strdup(text);
    probe->sql = g_strdup(sql);
    g_ptr_array_add(probes, probe);
}

static bool run_probe(PoolWorker *worker, gpointer data, GError **error)
{
    Probe *probe = data;
    g_autoptr(PgResult) r = pg_query(worker->source, probe->sql, DEADLINE_NONE, error);
    if (r == NULL) {
        g_prefix_error(error, "%s: ", probe->text);
        return false;
    }
    probe->count = (guint64)pg_result_int(r, 0, 0);
    return true;
}

/* The share that a partition has in its parent's foreign key is counted with the parent's. */
static void add_foreign_keys(GPtrArray *probes, const Audit *audit, const AuditSpec *spec)
{
    for (guint i = 0; i < audit->source->foreign_keys->len; i++) {
        const CatalogForeignKey *key = audit->source->foreign_keys->pdata[i];
        if (key->inherited)
            continue;
        g_autofree char *text = g_strdup_printf("%s: %s", key->child_label, key->name);
        add_probe(probes, key->validated ? &ORPHANS : &ORPHANS_NOT_VALID, text, key->orphans_sql);
    }
}

static bool add_table_probes(GPtrArray *probes, const AuditSpec *spec, GError **error)
{
    g_autoptr(GPtrArray) questions = g_ptr_array_new_with_free_func(question_free);
    for (const AuditCheck *check = checks_table; check->id != NULL; check++)
        if (check->counts_rows && applies(check, spec->source, false))
            (void)question_new(questions, check, spec->source);
    if (!questions_ask_one(questions, spec->source, error))
        return false;
    for (guint i = 0; i < questions->len; i++) {
        const Question *q = questions->pdata[i];
        for (int row = 0; row < pg_result_rows(q->answer); row++)
            if (!filter_leaves_out_extension(spec->filter, pg_result_get(q->answer, row, 2)))
                add_probe(probes, q->check, pg_result_get(q->answer, row, 0), pg_result_get(q->answer, row, 1));
    }
    return true;
}

static bool run_probes(GPtrArray *probes, const AuditSpec *spec, GError **error)
{
    g_autoptr(Pool) pool = pool_new(spec->sources->len, (PgConn *const *)spec->sources->pdata, NULL);
    pool_reads(pool);
    for (guint i = 0; i < probes->len; i++) {
        Probe *probe = probes->pdata[i];
        pool_add(pool, "probe", probe->text, 0, run_probe, probe);
    }
    return pool_run(pool, spec->observer, spec->observer_data, error);
}

static bool is_foreign_type(const CatalogColumn *column, DigestText text)
{
    return !column->is_virtual && !column->from_initdb && column->base_kind != 'e' &&
           g_str_equal(digest_method(column, text), "text");
}

static void find_text_digests(GPtrArray *findings, const Audit *audit)
{
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        for (guint c = 0; r->source_digested && c < r->source->columns->len; c++) {
            const CatalogColumn *column = r->source->columns->pdata[c];
            if (is_foreign_type(column, audit->text))
                add_item(findings, &TEXT_DIGESTS,
                         g_strdup_printf("%s.%s (%s)", r->source->label, column->name, column->type));
        }
    }
}

GPtrArray *checks_run_rows(const AuditSpec *spec, const Audit *audit, GError **error)
{
    g_autoptr(GPtrArray) findings = findings_new();
    g_autoptr(GPtrArray) probes = g_ptr_array_new_with_free_func(probe_free);
    add_foreign_keys(probes, audit, spec);
    if (!add_table_probes(probes, spec, error) || !run_probes(probes, spec, error))
        return NULL;
    for (guint i = 0; i < probes->len; i++) {
        const Probe *probe = probes->pdata[i];
        if (probe->count > 0)
            add_item(findings, probe->check,
                     g_strdup_printf("%s: %" G_GUINT64_FORMAT " row%s", probe->text, probe->count,
                                     probe->count == 1 ? "" : "s"));
    }
    find_text_digests(findings, audit);
    g_ptr_array_sort(findings, by_severity);
    return g_steal_pointer(&findings);
}

static char *list_items(const AuditFinding *finding)
{
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < finding->items->len && i < NAMED_IN_ERROR; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? "; " : "", (const char *)finding->items->pdata[i]);
    if (finding->items->len > NAMED_IN_ERROR)
        g_string_append_printf(list, "; and %u more", finding->items->len - NAMED_IN_ERROR);
    return g_string_free(list, FALSE);
}

static char *sentence(const AuditFinding *finding)
{
    g_autofree char *items = list_items(finding);
    return g_strdup_printf("%s: %s: %s", finding->check->side == CHECK_SOURCE ? "source" : "target",
                           finding->check->description, items);
}

bool checks_allow_reading(const GPtrArray *findings, GError **error)
{
    g_autoptr(GString) message = g_string_new(NULL);
    const char *remedy = NULL;
    for (guint i = 0; i < findings->len; i++) {
        const AuditFinding *finding = findings->pdata[i];
        if (!finding->check->forbids_reading)
            continue;
        g_autofree char *text = sentence(finding);
        g_string_append_printf(message, "%s%s", message->len > 0 ? "\n" : "", text);
        remedy = remedy == NULL ? finding->check->remedy : remedy;
    }
    if (message->len == 0)
        return true;
    pgf_error_set(error, PGF_ERROR_REFUSED, remedy, "%s", message->str);
    return false;
}

static GPtrArray *sentences(const GPtrArray *findings, CheckSeverity severity)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < findings->len; i++) {
        const AuditFinding *finding = findings->pdata[i];
        if (finding->check->severity == severity)
            g_ptr_array_add(list, sentence(finding));
    }
    return list;
}

GPtrArray *checks_blocks(const GPtrArray *findings)
{
    return sentences(findings, CHECK_ERROR);
}

GPtrArray *checks_warnings(const GPtrArray *findings)
{
    return sentences(findings, CHECK_WARNING);
}

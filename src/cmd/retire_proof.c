/* Is a receipt still true? By a fence that stood before the fold and stands now, or by looking at every row again. */
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "cmd/retire_job.h"
#include "cmd/retire_target.h"
#include "cmd/verify_view.h"
#include "cmd/verifying.h"
#include "config/protect.h"
#include "fence/fence.h"
#include "protect/protect.h"

enum { CHANGED_SHOWN = 20 };

/* --- who they are ------------------------------------------------------------------------------------------------- */

static bool is_end(const ReceiptEnd *end, const PgIdentity *identity)
{
    return g_strcmp0(end->system_identifier, identity->system_identifier) == 0 &&
           end->database_oid == identity->database_oid && g_strcmp0(end->database, identity->database) == 0;
}

static bool check_ends(const RetireJob *job, const Ends *ends, GError **error)
{
    const char *name = job->source->name;
    if (ends->target_missing != NULL)
        return retire_refuse(error, g_strdup_printf("pgfold fold %s", name),
                             "the target has no database \"%s\": nothing of source %s is there", ends->target_missing,
                             name);
    if (!is_end(&job->receipt->source, pg_conn_identity(ends->source)))
        return retire_refuse(error, g_strdup_printf("pgfold fold %s proves this one.", name),
                             "source %s is another database than the one in its receipt (%s)", name, job->receipt_file);
    if (!is_end(&job->receipt->target, pg_conn_identity(ends->target)))
        return retire_refuse(error, g_strdup_printf("pgfold fold %s proves it for this one.", name),
                             "the target is another database than the one in the receipt of source %s (%s)", name,
                             job->receipt_file);
    return true;
}

/* --- by a fence --------------------------------------------------------------------------------------------------- */

/* It was closed for good before the fold began, and is closed. */
static bool is_fenced_since(const RetireJob *job, const FenceSurvey *survey)
{
    gint64 newest = 0;
    for (guint i = 0; i < survey->rows->len; i++) {
        const LedgerFence *row = survey->rows->pdata[i];
        if (!row->standing)
            return false;
        newest = MAX(newest, row->since);
    }
    return newest > 0 && newest < job->receipt->started && survey->since > 0 && survey->statements->len == 0 &&
           survey->sessions->len == 0;
}

static bool prove_fence(Retirement *r, RetireJob *job, const Ends *ends, const FenceSurvey *survey, GError **error)
{
    g_autoptr(GError) cause = NULL;
    const char *name = job->source->name;
    if (!fence_prove(ends->source, job->source->url, survey->since, &cause)) {
        if (!cancel_check(error))
            return false;
        return retire_refuse(error, g_strdup_printf("pgfold fence %s, then pgfold fold %s", name, name),
                             "source %s: its fence does not hold: %s", name, cause->message);
    }
    if (!retire_target_holds(job, ends, error))
        return false;
    checklist_add(r->lines, "true", RETIRE_YES, name, "the receipt is still true",
                  g_strdup("a fence stood before the fold began, and a write was refused just now"));
    return true;
}

/* --- by looking again --------------------------------------------------------------------------------------------- */

static const ReceiptRelation *find_relation(const Receipt *receipt, const CatalogRelation *relation)
{
    for (guint i = 0; i < receipt->relations->len; i++) {
        const ReceiptRelation *one = receipt->relations->pdata[i];
        if (strcmp(one->schema, relation->schema) == 0 && strcmp(one->name, relation->name) == 0)
            return one;
    }
    return NULL;
}

/* Every table of the source has the rows that the receipt says. */
static bool is_source_unchanged(const Receipt *receipt, const Audit *audit)
{
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *r = audit->relations->pdata[i];
        if (r->source == NULL || !r->source_digested)
            continue;
        const ReceiptRelation *then = find_relation(receipt, r->source);
        g_autofree char *digest = digest_text(&r->source_digest);
        if (then == NULL || then->rows != (gint64)r->source_digest.rows || g_strcmp0(then->digest, digest) != 0)
            return false;
    }
    g_autofree char *objects = audit->large_objects_digested ? digest_text(&audit->source_large_objects) : NULL;
    return receipt->large_objects.digest == NULL || g_strcmp0(receipt->large_objects.digest, objects) == 0;
}

/* The receipt may prove more than pgfold.yaml lets anybody look at by now; and what it never knew of is proven by
 * nothing.
 */
static bool check_looked_at(const Retirement *r, const RetireJob *job, const Audit *audit, GError **error)
{
    for (guint i = 0; i < audit->relations->len; i++) {
        const AuditRelation *one = audit->relations->pdata[i];
        if (one->source == NULL || one->verdict != AUDIT_SKIPPED || !catalog_has_rows(one->source))
            continue;
        const ReceiptRelation *then = find_relation(job->receipt, one->source);
        bool was_proven = then != NULL && then->verdict == RECEIPT_CONTAINED;
        if (was_proven || args_flag(r->args, "volumes"))
            return retire_refuse(
                error, g_strdup("Take it out of exclude: and skip: in pgfold.yaml, so that it is looked at again."),
                "source %s: %s is left out by pgfold.yaml now%s", job->source->name, one->source->label,
                was_proven
                    ? ", and was not when it was folded: nobody knows whether its rows are still those of the receipt"
                    : ": with the volumes its rows would be gone");
    }
    return true;
}

static bool judge(Retirement *r, RetireJob *job, const Ends *ends, const Verification *verification, GError **error)
{
    const char *name = job->source->name;
    g_autofree char *outcome = verify_outcome(verification);
    if (!check_looked_at(r, job, verification->audit, error))
        return false;
    if (!ledger_mark(r->ledger, r->run, name, LEDGER_VERIFIED, verification->contained, outcome, NULL, error))
        return false;
    if (verification->contained) {
        checklist_add(r->lines, "true", RETIRE_YES, name, "the receipt is still true",
                      g_strdup_printf("verified again just now: %s", outcome));
        return true;
    }
    bool unchanged = is_source_unchanged(job->receipt, verification->audit);
    if (!unchanged)
        return retire_refuse(
            error, g_strdup_printf("pgfold verify %s shows the rows; pgfold fold %s brings them over.", name, name),
            "source %s is not what its receipt says any more: %s", name, outcome);
    if (!args_flag(r->args, "moved-on"))
        return retire_refuse(
            error,
            g_strdup_printf("pgfold verify %s shows the rows. Where it is the application that changed "
                            "them in the target since: --moved-on",
                            name),
            "source %s is as its receipt says, and the target is not any more: %s", name, outcome);
    if (!retire_target_holds(job, ends, error))
        return false;
    checklist_add(r->lines, "true", RETIRE_YES, name, "the receipt is still true",
                  g_strdup_printf("every table of the source has the digest of the receipt; the target has moved on "
                                  "since (--moved-on): %s",
                                  outcome));
    return true;
}

static bool read_horizon(PgConn *conn, RetireHorizon *ret_horizon, GError **error)
{
    g_autoptr(PgResult) rows =
        pg_query(conn,
                 "SELECT pg_catalog.txid_snapshot_xmin(s), pg_catalog.txid_snapshot_xmax(s) FROM "
                 "pg_catalog.txid_current_snapshot() AS s",
                 deadline_in_ms(PG_CATALOG_MS), error);
    if (rows == NULL)
        return false;
    ret_horizon->oldest = g_ascii_strtoll(pg_result_get(rows, 0, 0), NULL, 10);
    ret_horizon->next = g_ascii_strtoll(pg_result_get(rows, 0, 1), NULL, 10);
    return true;
}

static bool verify_again(Retirement *r, RetireJob *job, Comparison *comparison, GError **error)
{
    Record record = {.out = r->out, .ledger = r->ledger, .run = r->run, .source_name = job->source->name};
    out_notice(r->out, "Proving %s again...", job->source->name);
    /* Before the snapshot: what is written after it is seen later. */
    if (!read_horizon(comparison->ends->source, &job->horizon, error) || !comparison_snapshot(comparison, error))
        return false;
    g_autoptr(Verification) verification = verifying_run(comparison, &record, r->out, 0, error);
    job->verified = verification != NULL;
    return verification != NULL && judge(r, job, comparison->ends, verification, error);
}

/* --- what is protected -------------------------------------------------------------------------------------------- */

static const ReceiptProtected *find_protected(const Receipt *receipt, const ProtectFinding *now)
{
    for (guint i = 0; i < receipt->protected->len; i++) {
        const ReceiptProtected *one = receipt->protected->pdata[i];
        if (strcmp(one->kind, now->kind) == 0 && strcmp(one->name, now->name) == 0 &&
            g_strcmp0(one->server, now->server) == 0)
            return one;
    }
    return NULL;
}

static char *protected_name(const ProtectFinding *one)
{
    return g_strdup_printf("%s %s%s%s%s", one->kind, one->name, one->server == NULL ? "" : " (",
                           one->server == NULL ? "" : one->server, one->server == NULL ? "" : ")");
}

/* changed, unknown: of char*. */
static guint compare_with_receipt(const Receipt *receipt, const GPtrArray *now, GPtrArray *changed, GPtrArray *unknown)
{
    guint same = 0;
    for (guint i = 0; i < now->len; i++) {
        const ProtectFinding *one = now->pdata[i];
        const ReceiptProtected *then = find_protected(receipt, one);
        bool readable =
            one->verdict != PROTECT_UNREADABLE && (then == NULL || g_strcmp0(then->verdict, "unreadable") != 0);
        if (then == NULL || !readable || g_strcmp0(then->method, one->method) != 0)
            g_ptr_array_add(unknown, protected_name(one));
        else if (g_strcmp0(then->after, one->before) != 0)
            g_ptr_array_add(changed, protected_name(one));
        else
            same++;
    }
    return same;
}

static bool refuse_changed(const RetireJob *job, const GPtrArray *changed, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < MIN(changed->len, CHANGED_SHOWN); i++)
        g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ", (const char *)changed->pdata[i]);
    return retire_refuse(error,
                         g_strdup_printf("Look at it. Where others changed it, as they may: --protected-changed, or a "
                                         "receipt of what it is now: pgfold fold %s",
                                         job->source->name),
                         "protected, and not what it was when %s was folded: %s", job->source->name, names->str);
}

static void add_items(RetireLine *line, const GPtrArray *texts)
{
    for (guint i = 0; i < texts->len; i++)
        g_ptr_array_add(line->items, g_strdup(texts->pdata[i]));
}

static bool check_receipt_protected(Retirement *r, RetireJob *job, const Ends *ends, GError **error)
{
    job->protected = protect_take(ends, error);
    if (job->protected == NULL)
        return false;
    g_autoptr(GPtrArray) now = protect_compare(job->protected, job->protected);
    g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
    guint same = compare_with_receipt(job->receipt, now, changed, unknown);
    const char *name = job->source->name;
    if (changed->len > 0 && !args_flag(r->args, "protected-changed"))
        return refuse_changed(job, changed, error);
    if (changed->len > 0)
        add_items(checklist_add(r->lines, "protected-since", RETIRE_NOTE, name,
                                "protected things were changed since the fold, by others",
                                g_strdup("--protected-changed")),
                  changed);
    if (same > 0)
        checklist_add(r->lines, "protected-since", RETIRE_YES, name, "protected things are as they were after the fold",
                      g_strdup_printf("%u fingerprint%s of the receipt", same, same == 1 ? "" : "s"));
    if (unknown->len > 0)
        add_items(checklist_add(r->lines, "protected-since", RETIRE_NOTE, name,
                                "protected things that the receipt has no comparable fingerprint of", NULL),
                  unknown);
    return true;
}

/* --- the gate ----------------------------------------------------------------------------------------------------- */

/* A plain cluster is closed at the end: what stands against that is said now. */
static bool plan_fence(Retirement *r, RetireJob *job, const Ends *ends, const FenceSurvey *survey, GError **error)
{
    if (job->container != NULL)
        return true;
    job->fence = survey->statements->len > 0;
    if (!config_check_protected_role(r->config, pg_conn_label(ends->source), pg_conn_identity(ends->source)->role,
                                     error))
        return false;
    return fence_gate(survey, ends->source, error);
}

static bool prove(Retirement *r, RetireJob *job, Comparison *comparison, GError **error)
{
    const Ends *ends = comparison->ends;
    if (!check_ends(job, ends, error) || !retire_gate_server(r, job, ends, error))
        return false;
    g_autoptr(FenceSurvey) survey = fence_survey(ends->source, r->ledger, error);
    if (survey == NULL || !plan_fence(r, job, ends, survey, error))
        return false;
    bool ok = is_fenced_since(job, survey) ? prove_fence(r, job, ends, survey, error)
                                           : verify_again(r, job, comparison, error);
    return ok && check_receipt_protected(r, job, ends, error);
}

bool retire_gate_proof(Retirement *r, RetireJob *job, GError **error)
{
    if (job->closed != 0) {
        checklist_add(r->lines, "true", RETIRE_YES, job->source->name, "the receipt is still true",
                      g_strdup_printf("it was proven before run %" G_GINT64_FORMAT
                                      " stopped its container, which has not run since",
                                      job->closed));
        return true;
    }
    g_autoptr(Comparison) comparison = comparison_connect(r->config, job->source, error);
    return comparison != NULL && prove(r, job, comparison, error);
}

/* --- closing it --------------------------------------------------------------------------------------------------- */

static bool end_sessions(Retirement *r, PgConn *conn, gint64 since, GError **error)
{
    g_autoptr(GPtrArray) sessions = fence_sessions(conn, since, error);
    if (sessions == NULL)
        return false;
    if (sessions->len > 0)
        out_notice(r->out, "Ending %u session%s that began before the fence.", sessions->len,
                   sessions->len == 1 ? "" : "s");
    return sessions->len == 0 || fence_end_sessions(conn, since, error);
}

static bool raise_fence(Retirement *r, RetireJob *job, PgConn *conn, GError **error)
{
    gint64 step = 0, since = 0;
    g_autoptr(GError) cause = NULL;
    if (!ledger_step_begin(r->ledger, r->run, "fence", job->source->name, &step, error))
        return false;
    r->changed = true;
    out_notice(r->out, "Fencing %s.", job->source->name);
    if (fence_raise(conn, r->ledger, r->run, job->source->name, &since, &cause) &&
        end_sessions(r, conn, since, &cause) && fence_prove(conn, job->source->url, since, &cause))
        return ledger_step_done(r->ledger, step, NULL, error);
    (void)ledger_step_failed(r->ledger, step, cause->message, NULL);
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

/* Nothing was written to the server since the proof; own: transactions that were ours. */
static bool is_still(const RetireJob *job, const RetireHorizon *now, gint64 own)
{
    return job->horizon.oldest == job->horizon.next && now->next <= job->horizon.next + own;
}

/* The line of the first proof gives way to that of the second. */
static void forget_line(Retirement *r, const char *source, const char *id)
{
    for (guint i = 0; i < r->lines->len; i++) {
        const RetireLine *line = r->lines->pdata[i];
        if (strcmp(line->id, id) == 0 && g_strcmp0(line->source, source) == 0) {
            g_ptr_array_remove_index(r->lines, i);
            return;
        }
    }
}

bool retire_close(Retirement *r, RetireJob *job, GError **error)
{
    RetireHorizon now = {0};
    if (job->closed != 0 || (!job->fence && !job->verified))
        return true;
    g_autoptr(Comparison) comparison = comparison_connect(r->config, job->source, error);
    if (comparison == NULL || (job->fence && !raise_fence(r, job, comparison->ends->source, error)))
        return false;
    if (!job->verified)
        return true;
    if (!read_horizon(comparison->ends->source, &now, error))
        return false;
    if (is_still(job, &now, job->fence ? 1 : 0))
        return true;
    out_notice(r->out, "Transactions ran on the server of %s meanwhile.", job->source->name);
    forget_line(r, job->source->name, "true");
    return verify_again(r, job, comparison, error);
}

bool retire_check_protected(Retirement *r, RetireJob *job, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (job->protected == NULL || job->protected->len == 0)
        return true;
    g_autoptr(Ends) ends = ends_open(r->config, job->source, true, &cause);
    g_autoptr(GPtrArray) after = ends == NULL ? NULL : protect_take(ends, &cause);
    if (!cancel_check(error))
        return false;
    g_autoptr(GPtrArray) findings =
        after != NULL ? protect_compare(job->protected, after) : protect_unknown(job->protected, cause->message);
    guint changed = protect_count(findings, PROTECT_CHANGED) + (after == NULL ? findings->len : 0);
    RetireLine *line = checklist_add(r->lines, "protected", changed == 0 ? RETIRE_YES : RETIRE_NO, job->source->name,
                                     "protected things are as they were before this run",
                                     g_strdup_printf("%u looked at before and after", findings->len));
    for (guint i = 0; i < findings->len; i++) {
        const ProtectFinding *one = findings->pdata[i];
        if (one->verdict == PROTECT_CHANGED || after == NULL)
            g_ptr_array_add(line->items, protected_name(one));
    }
    return true;
}

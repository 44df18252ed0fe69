/* How `pgfold audit` shows what it found: tables and sentences for people, or JSON (docs/json.md). */
#pragma once

#include "audit/checks.h"
#include "cmd/shared.h"

typedef struct AuditReport {
    const Comparison *comparison; /* not owned */
    Audit *audit;
    GPtrArray *findings; /* of AuditFinding* */
} AuditReport;

void audit_report_free(AuditReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditReport, audit_report_free)

typedef struct AuditView {
    Out *out;
    bool only_differences;
    json_t *sources; /* with --json each report is appended; not owned */
} AuditView;

/* Nothing differs (or there is nothing to compare with), and no check found an error. */
bool audit_is_good(const AuditReport *report);
/* "same: 11 tables, 15,607 rows", "2 tables differ": for the summary and the ledger. Transfer full. */
char *audit_outcome(const AuditReport *report);
void audit_show(const AuditView *view, const AuditReport *report, const char *outcome);

/* How findings are shown: to people, as JSON, as SARIF 2.1.0, as GitHub's annotations. */
#pragma once

#include "out/out.h"
#include "scan/scan.h"

typedef struct ScanSummary {
    guint shown;                     /* findings that count */
    guint by_class[SCAN_CLASSES];    /* of them */
    guint suppressed, fixable, info; /* info: of shown */
    bool fails;                      /* --check ends with 1 */
} ScanSummary;

/* A finding counts unless it is suppressed, or not on a changed line. */
bool scan_counts(const ScanFinding *finding);
ScanSummary scan_summary(const ScanReport *report, bool strict);

void scan_show(const ScanReport *report, const ScanSummary *summary, Out *out);
void scan_show_rule(const ScanRule *rule, Out *out);
void scan_show_github(const ScanReport *report, Out *out);
json_t *scan_json(const ScanReport *report, const ScanSummary *summary);
json_t *scan_sarif(const ScanReport *report);

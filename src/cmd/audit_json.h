/* The part of `pgfold audit --json` about one source (docs/schema/audit.json). */
#pragma once

#include "cmd/audit_view.h"

/* New reference. */
json_t *audit_report_json(const AuditReport *report, const char *outcome);

/* Findings that somebody has looked at and lets stand. */
#pragma once

#include "scan/judge.h"

/* "pgfold: allow RULE[, RULE] REASON" in a comment on the line of a finding, or alone on the line above; without a
 * reason it does not count. */
void suppress_inline(const Source *source, GPtrArray *findings);

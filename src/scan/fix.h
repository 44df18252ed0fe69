/* Edits that mend a finding, where that is certain. */
#pragma once

#include "scan/judge.h"

/* Fills edits, or no_fix, of each. */
void scan_add_fixes(const ScanOptions *options, const Source *source, GPtrArray *findings);

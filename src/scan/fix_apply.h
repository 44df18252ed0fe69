/* The text of a file with its edits, and the proof that it is better than before. */
#pragma once

#include "scan/fix.h"

/* The edits of one finding: the result parses as well as before, and a scan of it has what it had without this one. */
bool fix_proves(const ScanOptions *options, const Source *source, const ScanFinding *finding);
void scan_edits_free(GPtrArray *edits);

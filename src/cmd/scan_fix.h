/* pgfold scan --fix: writes the certain fixes of a scan to its files. */
#pragma once

#include "out/out.h"
#include "scan/scan.h"

typedef struct ScanFixOptions {
    const char *folder;
    bool dry_run; /* print a unified diff that `git apply` takes, and write nothing */
    bool yes;     /* ask nothing, and write to files with uncommitted changes too */
} ScanFixOptions;

/* False with PGF_ERROR_REFUSED when nothing was written, PGF_ERROR_MIDWAY when some files were. */
bool scan_fix(const ScanReport *report, const ScanFixOptions *options, Out *out, GError **error);

/* One source proven again beside the target, down to the rows that differ: for verify and retire. */
#pragma once

#include "cmd/shared.h"
#include "verify/verify.h"

/* record: of a run that was begun; may record nothing. max_rows: to be described, of each table. PGF_ERROR_DIFFERS
 * where there is no target database. */
Verification *verifying_run(Comparison *comparison, Record *record, Out *out, guint max_rows, GError **error);

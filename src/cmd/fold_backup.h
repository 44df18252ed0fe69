/* The backup that a fold makes of its source first, proven. Used by fold and backup. */
#pragma once

#include "backup/backup.h"
#include "backup/contents.h"
#include "ends/ends.h"
#include "ledger/receipt.h"
#include "out/out.h"

/* Makes it under the snapshot of ends, restores it into an ephemeral cluster and compares every digest. Fills the
 * receipt's part. folder: NULL for `backups` in the state folder. */
bool fold_backup(const Ends *ends, const DumpTools *tools, const Audit *audit, const char *folder, Out *out,
                 ReceiptBackup *ret_backup, GError **error);

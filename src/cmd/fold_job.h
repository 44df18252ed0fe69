/* One source on its way through `pgfold fold`. For the files of that command only. */
#pragma once

#include "cmd/analysis.h"
#include "fold/fold.h"
#include "ledger/receipt.h"

typedef struct Job {
    const CommandArgs *args;
    Out *out;
    const Choice *choice;
    const ConfigSource *source;
    Ledger *ledger;
    gint64 run;
    Comparison *comparison;
    Analysis *analysis;
    Receipt *receipt;
    char *columns_marker; /* schema that came with new columns, or NULL */
    json_t *json;         /* what is printed about this source */
} Job;

/* fold_gate.c: whether it may go on. */
void fold_show_notices(const Job *job);
bool fold_gate(const Job *job, GError **error);
bool fold_confirm(const Job *job, GError **error);

/* fold_receipt.c: the receipt is written, entered into the ledger and printed. */
bool fold_write_receipt(Job *job, const FoldSpec *spec, const FoldResult *result, GError **error);

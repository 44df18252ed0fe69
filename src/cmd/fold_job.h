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
    FoldUnfinished unfinished; /* the run that died, from which this one goes on */
    bool take_away;            /* what such a run has left stands in the way: nothing is gone on from */
    Comparison *comparison;
    Analysis *analysis;
    Receipt *receipt;
    char *columns_marker; /* schema that came with new columns, or NULL */
    GPtrArray *protected; /* of ProtectItem*: before anything was changed; NULL: not taken yet */
    bool touched;         /* something protected is not as it was */
    json_t *json;         /* what is printed about this source */
} Job;

/* fold_open.c: connects both ends, locks the target, deals with what dead runs have left there, and takes snapshots. */
bool fold_open(Job *job, GError **error);

/* fold_gate.c: whether it may go on. */
void fold_show_notices(const Job *job);
bool fold_gate(const Job *job, GError **error);
bool fold_confirm(const Job *job, GError **error);

/* fold_protect.c: what is protected, looked at once before the first change, and into the receipt afterwards. */
bool fold_protect_before(Job *job, GError **error);
void fold_protect_after(Job *job);
/* A line for each; what changed is also a warning. */
void fold_protect_show(const Job *job);

/* fold_receipt.c: the receipt is written, entered into the ledger and printed. */
/* After --schema-only: there is nothing to prove, and no receipt. */
bool fold_tell_definitions(Job *job);
bool fold_write_receipt(Job *job, const FoldSpec *spec, const FoldResult *result, GError **error);

/* The receipt of a fold, from its plan and its result (ledger/receipt.h). */
#pragma once

#include "fold/fold.h"
#include "ledger/receipt.h"

/* Fills relations, sequences, objects, large objects and both ends; the caller adds backup, notes and times, then
 * receipt_judge() and receipt_write(). The verdicts come from what was read on the target at the end. */
void fold_evidence(const FoldSpec *spec, const FoldResult *result, Receipt *receipt);

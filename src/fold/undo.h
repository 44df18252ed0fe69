/*
 * Undo: takes a committed fold out of the target again, whole or not at all (docs/merge.md).
 *
 * What it needs: the ledger's note of the fold (ledger/memory.h), its receipt (what new tables held at the end; only
 * where the fold has made something), and, where rows were merged, the undo schema that the fold has left in the
 * target. One that was stopped may be run again: it finds out how far it came.
 */
#pragma once

#include "config/config.h"
#include "ledger/memory.h"
#include "ledger/receipt.h"

/* drop_sql of a fold that made the database itself. */
#define UNDO_WHOLE_DATABASE "DATABASE"

typedef struct UndoSpec {
    const Config *config;
    Ledger *ledger; /* locked */
    const LedgerMerge *merge;
    const Receipt *receipt; /* only its target and source need be filled where the fold has made no objects */
    bool forget;            /* only drop what undo needs */
    bool rehearse;          /* do all of it, and roll it back: whether it would go through */
} UndoSpec;

/* PGF_ERROR_REFUSED, with the rows or objects named, where a later change would be lost: nothing was changed then. */
bool undo_run(const UndoSpec *spec, GError **error);

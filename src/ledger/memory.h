/*
 * What merges of a source into a target have settled for good: which key of the source became which of the target, and
 * which rows lost against the target's by a rule (docs/merge.md). Later plans, folds and verifies stand on it.
 *
 * A merge is recorded as pending before the target commits, and confirmed afterwards; what takes it back likewise.
 * Whether one that was interrupted in between was committed is known from the target: its undo schema is there, or it
 * is not.
 *
 * Main thread only. Keys are JSON arrays of the key columns' texts, hashes are digests of whole rows (reconcile).
 */
#pragma once

#include "ledger/ledger.h"

typedef enum LedgerMergeState {
    LEDGER_MERGE_PENDING,
    LEDGER_MERGE_COMMITTED,
    LEDGER_MERGE_UNDOING, /* committed, until its undo schema is gone */
    LEDGER_MERGE_UNDONE,
    LEDGER_MERGE_FORGETTING,
    LEDGER_MERGE_FORGOTTEN, /* committed; what undo needs was dropped */
    LEDGER_MERGE_ABANDONED
} LedgerMergeState;

typedef struct LedgerMerge {
    gint64 run;
    char *source_name;
    LedgerEnd target;
    LedgerMergeState state;
    char *undo_schema; /* in the target's database */
    char *drop_sql;    /* takes away what the run has created, or NULL */
    char *archive;     /* folder, or NULL */
    gint64 at;
} LedgerMerge;

void ledger_merge_free(LedgerMerge *merge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerMerge, ledger_merge_free)

/* The run must be identified. drop_sql and archive may be NULL. */
bool ledger_merge_begin(Ledger *ledger, gint64 run, const char *undo_schema, const char *drop_sql, const char *archive,
                        GError **error);
bool ledger_merge_set_state(Ledger *ledger, gint64 run, LedgerMergeState state, GError **error);
/* The newest first. LedgerMerge*. Transfer full. */
GPtrArray *ledger_merges(Ledger *ledger, GError **error);
/* NULL with *error unset where the run merged nothing. */
LedgerMerge *ledger_merge_of(Ledger *ledger, gint64 run, GError **error);

/* For many rows between ledger_batch_begin() and ledger_batch_commit(). */
bool ledger_merge_add_key(Ledger *ledger, gint64 run, const char *schema, const char *table, const char *old_key,
                          const char *new_key, GError **error);
bool ledger_merge_add_lost(Ledger *ledger, gint64 run, const char *schema, const char *table, const char *key,
                           gint64 hash, GError **error);

/* All that is remembered between one source and one target. */
typedef struct LedgerMemory LedgerMemory;

/* Committed merges between the two databases only. */
LedgerMemory *ledger_memory_load(Ledger *ledger, const PgIdentity *source, const PgIdentity *target, GError **error);
void ledger_memory_free(LedgerMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LedgerMemory, ledger_memory_free)
bool ledger_memory_is_empty(const LedgerMemory *memory);
/* Whether one of these merges made that undo schema. */
bool ledger_memory_knows(const LedgerMemory *memory, const char *undo_schema);
/* Whether keys of that table were changed, or rows of it lost. */
bool ledger_memory_has_keys(const LedgerMemory *memory, const char *schema, const char *table);
bool ledger_memory_has_lost(const LedgerMemory *memory, const char *schema, const char *table);

typedef bool (*LedgerKeyFunc)(const char *old_key, const char *new_key, gpointer data, GError **error);
typedef bool (*LedgerLostFunc)(const char *key, gint64 hash, gpointer data, GError **error);
/* The newest word on each key. Streams from the ledger's file: memory stays flat. */
bool ledger_memory_each_key(const LedgerMemory *memory, const char *schema, const char *table, LedgerKeyFunc func,
                            gpointer data, GError **error);
bool ledger_memory_each_lost(const LedgerMemory *memory, const char *schema, const char *table, LedgerLostFunc func,
                             gpointer data, GError **error);

/* How `pgfold verify` shows what it found: tables for people, or JSON (docs/json.md). */
#pragma once

#include "ends/ends.h"
#include "ledger/receipt.h"
#include "out/out.h"
#include "verify/verify.h"

typedef struct VerifyView {
    Out *out;
    json_t *sources; /* with --json each result is appended; not owned */
} VerifyView;

/* "contained: 11 tables, 15,607 rows", "not contained: 2 tables differ". Transfer full. */
char *verify_outcome(const Verification *verification);
void verify_show(const VerifyView *view, const Ends *ends, const Verification *verification, const char *outcome);

/* One document of JSON, or some lines: a receipt that was found to be good. chain: how many receipts stand behind it.
 * backup_problem: what is wrong with the backup that it names, or NULL. */
void verify_show_receipt(Out *out, const char *path, const Receipt *receipt, guint chain, const char *backup_problem);

/* The part of the JSON document about one source (docs/schema/verify.json). New reference. */
json_t *verification_json(const Ends *ends, const Verification *verification, const char *outcome);

/*
 * What the ledger knows of retirements: each run wrote its plan before its first change, and a step before and after
 * each change. From that a killed run goes on, and `retire --undo` goes back.
 *
 * The plan: {"code": null or {"branch", "from": branch or null, "base", "tip", "new": bool},
 *            "sources": [{"name", "receipt", "sha256", "fence": bool,
 *                         "container": null or {"engine", "id", "name", "running": bool, "started"}, "volumes":
 * [name]}]} Steps: "branch" and "switch" (item: the branch), "stop", "remove" and "fence" (item: the source), "volume".
 */
#pragma once

#include <jansson.h>

#include "ledger/ledger.h"

#define RETIRE_COMMAND "retire"
#define RETIRE_UNDO_COMMAND "retire --undo"

typedef struct RetireRun {
    gint64 id, at;
    bool running; /* another process is at it */
    json_t *plan;
    GPtrArray *steps;   /* of LedgerStep* */
    GHashTable *undone; /* set of names of sources that were put back */
    bool code_undone;
} RetireRun;

/* Those that have a plan and were not taken back, the newest first. RetireRun*. Transfer full. */
GPtrArray *retire_runs(Ledger *ledger, GError **error);

/* Whether a step was begun (it may have been done, then), and whether it is known to have been done. item: NULL: any.
 */
bool retire_run_began(const RetireRun *run, const char *step, const char *item);
bool retire_run_did(const RetireRun *run, const char *step, const char *item);
/* The source in its plan that was not put back yet, or NULL. */
const json_t *retire_run_source(const RetireRun *run, const char *name);
/* Its branch, where it changed code and that was not taken back; else NULL. */
const json_t *retire_run_code(const RetireRun *run);

bool retire_record_plan(Ledger *ledger, gint64 run, json_t *plan_taken, GError **error);
/* In the run that takes it back. source NULL: the code. */
bool retire_record_undone(Ledger *ledger, gint64 run, gint64 of, const char *source, GError **error);

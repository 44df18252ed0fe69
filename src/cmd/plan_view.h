/* How `pgfold plan` shows a plan: tables for people, or JSON (docs/json.md). */
#pragma once

#include "cmd/analysis.h"

typedef struct PlanView {
    Out *out;
    json_t *sources; /* with --json each plan is appended; not owned */
} PlanView;

/* blocks: of analysis_blocks(). */
void plan_show(const PlanView *view, const Analysis *analysis, const GPtrArray *blocks);

/* The part of the JSON document about one source (docs/schema/plan.json). New reference. */
json_t *plan_json(const Analysis *analysis, const GPtrArray *blocks);

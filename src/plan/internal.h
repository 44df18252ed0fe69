/* Shared by the files of src/plan only. */
#pragma once

#include "plan/plan.h"

void plan_block(Plan *plan, const char *format, ...) G_GNUC_PRINTF(2, 3);
void plan_notice(Plan *plan, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* entries.c: what pg_dump would create. plan->relations is filled. */
void plan_entries(Plan *plan, const PlanSpec *spec);
/* server.c: roles, the database itself, and what the connected role may do. */
bool plan_server(Plan *plan, const PlanSpec *spec, GError **error);

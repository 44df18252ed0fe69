/* Shared by the files of src/plan only. */
#pragma once

#include "plan/plan.h"

void plan_block(Plan *plan, const char *format, ...) G_GNUC_PRINTF(2, 3);
void plan_notice(Plan *plan, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* entries.c: what pg_dump would create. plan->relations is filled. */
void plan_entries(Plan *plan, const PlanSpec *spec);
/* Dump id -> DumpEntry*; not owning. */
GHashTable *plan_entries_by_id(const Dump *dump);
/* left_out.c: the dump ids (a set; transfer full) of what include and exclude leave out; */
GHashTable *plan_left_out(const PlanSpec *spec);
/* that nothing that is made needs any of it, once all entries are judged; */
void plan_check_needs(Plan *plan, const PlanSpec *spec, GHashTable *left_out);
/* and what is left out, for the notices. */
void plan_tell_left_out(Plan *plan, const PlanSpec *spec);
/* names.c: new entries whose name something else in the target has. */
bool plan_check_names(Plan *plan, const PlanSpec *spec, GError **error);
/* tablespaces.c: what the target's server has, and what the entries of the source want (DumpEntry* -> char*). */
typedef struct PlanTablespaces {
    GHashTable *there, *wanted;
} PlanTablespaces;
/* Before plan_entries(), which compares: entries that want what is not there get the default one. */
bool plan_tablespaces_map(const PlanSpec *spec, PlanTablespaces *ret_spaces, GError **error);
/* After it. */
void plan_tablespaces_judge(Plan *plan, const PlanSpec *spec, const PlanTablespaces *spaces);
void plan_tablespaces_clear(PlanTablespaces *spaces);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PlanTablespaces, plan_tablespaces_clear)
/* labels.c: after plan_entries(). */
bool plan_labels(Plan *plan, const PlanSpec *spec, GError **error);
/* server.c: roles, the database itself, and what the connected role may do. */
bool plan_server(Plan *plan, const PlanSpec *spec, GError **error);
/* memberships.c: into the statements that create roles. */
bool plan_memberships(Plan *plan, const PlanSpec *spec, GError **error);
/* {"a","b"}: the names of all roles of the plan, as the server reads an array. Transfer full. */
char *plan_role_names(const Plan *plan);
PlanRole *plan_find_role(const Plan *plan, const char *name);
/* obstacles.c: definitions that rows cannot pass on their way. */
bool plan_obstacles(Plan *plan, const PlanSpec *spec, GError **error);
/* advice.c: after the others. */
bool plan_advice(Plan *plan, const PlanSpec *spec, GError **error);
/* Whether a fold would make something that belongs to that role. */
bool plan_gives_to(const Plan *plan, const char *role);
/* protect.c: whatever would touch something protected blocks. Each relation as soon as it is judged; the rest when all
 * else is planned. */
void plan_protect_relation(Plan *plan, const PlanSpec *spec, PlanRelation *r);
bool plan_protect(Plan *plan, const PlanSpec *spec, GError **error);
/* protect_roles.c: part of that. */
bool plan_protect_roles(Plan *plan, const PlanSpec *spec, GError **error);

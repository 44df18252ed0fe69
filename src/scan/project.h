/* What the files of a code base say together: compose services that run PostgreSQL, scripts that only serve it, and
 * what refers to files that are to be removed. */
#pragma once

#include "scan/judge.h"

/* Compose files of the folder: services. */
void project_read_compose(ScanContext *context, const char *file, const char *text, gsize length, ScanClass class);
/* Adds findings of rule local-service: services of a compose file that run PostgreSQL. */
void project_judge_services(const ScanContext *context, const Source *source, ScanClass class, GPtrArray *findings);
/* Is it a helper script that only serves a local database? */
bool project_is_script(const char *file, const char *text, gsize length);
/* Adds findings of rule local-reference for each obsolete file that text names. */
void project_judge_references(const ScanContext *context, const Source *source, ScanClass class, GPtrArray *findings);
void scan_service_free(gpointer service);

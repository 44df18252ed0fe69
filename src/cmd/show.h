/*
 * Pieces of output that audit, plan and verify have in common, for people and as JSON (docs/json.md).
 * All JSON values are new references; strings are transfer full.
 */
#pragma once

#include "audit/checks.h"
#include "out/out.h"
#include "verify/verify.h"

/* "1 table", "2 tables", "1,234 rows". noun: in the singular. */
char *show_count(guint64 count, const char *noun);

/* "table", "partitioned table", "materialized view", "foreign table". */
const char *show_kind(const CatalogRelation *relation);

/* "laptop: shop, PostgreSQL 15.4, socket /run/postgresql port 5432", in front of a table. */
void show_end(Out *out, const char *name, const PgConn *conn);

/* A bold heading and an indented line for each text; nothing where there are none. */
void show_list(Out *out, const char *heading, const GPtrArray *texts);

/* One line about what include and exclude leave out; nothing for NULL. */
void show_left_out(Out *out, const Filter *filter);

/* Errors, warnings, and (unless quiet) notices, each with its remedy. */
void show_findings(Out *out, const GPtrArray *findings);

/* Materialized views that hold other rows in the target, a sentence each. */
GPtrArray *show_view_texts(const Audit *audit);

/* Two values cut to width characters each, so that the first difference between them is seen; quoted, "NULL" for SQL
 * NULL. */
void show_values(const char *a, const char *b, guint width, char **ret_a, char **ret_b);

json_t *show_end_json(const PgConn *conn); /* null for NULL */
json_t *show_findings_json(const GPtrArray *findings);
json_t *show_texts_json(const GPtrArray *texts);
json_t *show_count_json(guint64 count);
/* The hexadecimal digits, or null where a relation was not digested. */
json_t *show_digest_json(bool digested, const Digest *digest);

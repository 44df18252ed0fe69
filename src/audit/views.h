/*
 * What an audit says of views: whether their queries differ, and whether a materialized view holds other rows.
 *
 * The rows of a materialized view do not travel: its query gives them in each database anew. Where it gives others,
 * that is worth knowing, and no reason against a fold.
 */
#pragma once

#include "audit/audit.h"

/* Views and materialized views whose query is not the same on both sides, or that are on one side only: array of
 * AuditPair*, whose queries are added to texts, which owns them. Transfer full. Servers write queries in words of their
 * own: those of two major versions are not compared. */
GPtrArray *views_compare(PgConn *source, PgConn *target, GPtrArray *texts, GError **error);
/* A materialized view that is filled on both sides. */
bool views_wanted(const AuditRelation *relation);
/* Its rows on both sides, into relation->source_view and target_view; leaves out what cannot be read. */
bool views_digest(PoolWorker *worker, AuditRelation *relation, DigestText text, GError **error);

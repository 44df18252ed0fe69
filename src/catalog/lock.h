/*
 * Locks that keep what a snapshot shows readable.
 *
 * A snapshot alone does not: TRUNCATE and a rewriting ALTER TABLE put an empty or newer file in the place of the one
 * that it saw, and a scan that comes later finds no rows and no error. ACCESS SHARE, as pg_dump takes it, keeps both
 * away; readers and writers go on.
 */
#pragma once

#include "catalog/catalog.h"

#define CATALOG_LOCK_MS 10000 /* how long a lock that somebody else holds is waited for */

/* Locks each table of the catalog that has rows and that the role may read, until conn's transaction ends. conn is the
 * connection that read the catalog, in the same transaction (of level repeatable read). PGF_ERROR_REFUSED where a
 * table was rewritten, replaced or dropped since the snapshot, or somebody else keeps an exclusive lock. */
bool catalog_lock(PgConn *conn, const Catalog *catalog, GError **error);

/* For the other connections that share the holder's snapshot, each in its transaction: an ALTER TABLE that waits for
 * the holder stands in their way, and they would wait for each other without end. Ends such a wait after
 * CATALOG_LOCK_MS, with an error. */
bool catalog_bound_waits(PgConn *conn, GError **error);

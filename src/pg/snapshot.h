/*
 * One moment of a database, shared by any number of connections.
 *
 * A holder connection exports it and keeps it alive by staying in its transaction; the others join it. The holder has
 * no idle timeout (pinned on opening). Letting go ends the transaction, so that vacuum on the source can go on.
 */
#pragma once

#include "pg/conn.h"

typedef struct PgSnapshot {
    PgConn *holder; /* not owned */
    char *id;       /* pg_export_snapshot() */
    char *lsn;      /* write-ahead log position just before it was taken ("0/16B3748") */
} PgSnapshot;

PgSnapshot *pg_snapshot_export(PgConn *holder, GError **error);
/* Puts conn into a read-only transaction that sees the snapshot. */
bool pg_snapshot_join(PgConn *conn, const PgSnapshot *snapshot, GError **error);
/* For a connection that reads many tables in one transaction. Each table that a query names, and each index of it,
 * stays locked to the end of the transaction, and the server's table of locks holds a few thousand: with thousands of
 * tables it would be full. After mark, let_go lets go of all locks taken since, as often as it is called, but not of
 * the snapshot: the connection must not have written anything. Nothing happens outside of a transaction; conn may be
 * NULL. */
bool pg_snapshot_mark_locks(PgConn *conn, GError **error);
bool pg_snapshot_let_go_of_locks(PgConn *conn, GError **error);
/* Ends the transaction of a connection that joined, or of the holder. */
bool pg_snapshot_leave(PgConn *conn, GError **error);
void pg_snapshot_free(PgSnapshot *snapshot); /* does not end the holder's transaction: pg_snapshot_leave(holder) does */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PgSnapshot, pg_snapshot_free)

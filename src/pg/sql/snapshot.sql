-- purpose: export the snapshot of the transaction, with the log position beside it
-- params: none
-- columns: snapshot id, lsn
-- versions: 12-
SELECT pg_catalog.pg_export_snapshot(),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END::text

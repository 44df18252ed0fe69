-- purpose: whether the source is a standby
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat('replayed up to ', pg_catalog.pg_last_wal_replay_lsn())
 WHERE pg_catalog.pg_is_in_recovery()

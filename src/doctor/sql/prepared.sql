-- purpose: prepared transactions of this database: they hold locks until somebody ends them
-- params: none
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('%L of %s: COMMIT PREPARED %L, or ROLLBACK PREPARED %L', gid, owner, gid, gid), NULL::text, NULL::text
  FROM pg_catalog.pg_prepared_xacts
 WHERE database = pg_catalog.current_database()
 ORDER BY prepared

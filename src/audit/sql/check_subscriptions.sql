-- purpose: subscriptions: they belong to their server and are not folded
-- params: none
-- columns: finding
-- versions: 12-
SELECT s.subname::text
  FROM pg_catalog.pg_subscription s
  JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
 WHERE d.datname = pg_catalog.current_database()
 ORDER BY s.subname COLLATE "C"

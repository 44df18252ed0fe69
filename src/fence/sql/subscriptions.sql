-- purpose: enabled subscriptions of this database: their workers write rows without asking whether that is allowed
-- params: none
-- columns: what it is, the statement that stops it
-- versions: 12-
SELECT pg_catalog.format('subscription %I is enabled, and its worker writes where transactions are read-only too', s.subname),
       pg_catalog.format('ALTER SUBSCRIPTION %I DISABLE;', s.subname)
  FROM pg_catalog.pg_subscription s
  JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
 WHERE d.datname = pg_catalog.current_database() AND s.subenabled
 ORDER BY s.subname COLLATE "C"

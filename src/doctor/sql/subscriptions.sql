-- purpose: enabled subscriptions of this database: their workers write to it at any time
-- params: none
-- columns: finding, statement, verdict
-- versions: 12-
SELECT pg_catalog.format('subscription %s is enabled', s.subname), NULL::text, NULL::text
  FROM pg_catalog.pg_subscription s
  JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
 WHERE d.datname = pg_catalog.current_database() AND s.subenabled
 ORDER BY s.subname COLLATE "C"

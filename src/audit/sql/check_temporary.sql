-- purpose: temporary tables and sequences of other sessions: they end with their session and are not folded
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(n.nspname, '.', c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'S', 'v') AND c.relpersistence = 't'
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"

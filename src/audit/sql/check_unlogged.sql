-- purpose: unlogged tables: folded with their rows, and emptied when their server crashes
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(n.nspname, '.', c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'u'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"

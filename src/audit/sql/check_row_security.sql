-- purpose: tables of which row security hides rows from the connected role
-- params: none
-- columns: finding, schema, table
-- versions: 12-
SELECT pg_catalog.concat(n.nspname, '.', c.relname), n.nspname, c.relname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
   AND pg_catalog.row_security_active(c.oid)
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"

-- purpose: the tables whose rows are compared: they are looked for in the target
-- params: none
-- columns: schema and name, quoted
-- versions: 12-
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'

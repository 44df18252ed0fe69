-- purpose: the tables whose rows are compared: they are looked for in the target
-- params: $1 text a schema, $2 text its name in the target; or NULL
-- columns: schema (as the target calls it) and name, quoted
-- versions: 12-
SELECT pg_catalog.format('%I.%I', CASE WHEN n.nspname = $1::text THEN $2::text ELSE n.nspname END, c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'

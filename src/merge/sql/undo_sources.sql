-- purpose: schemas in which merges keep what undo needs, and tell from which database their rows came
-- params: none
-- columns: schema
-- versions: 12-
SELECT n.nspname
  FROM pg_catalog.pg_namespace n
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'source' AND c.relkind = 'r'
 WHERE n.nspname ~ '^pgfold_undo_'
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
 ORDER BY 1

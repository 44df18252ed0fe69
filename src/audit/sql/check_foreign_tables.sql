-- purpose: foreign tables: their definition is folded, the rows stay where they are
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(n.nspname, '.', c.relname, ' on server ', s.srvname)
  FROM pg_catalog.pg_foreign_table f
  JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
  JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"

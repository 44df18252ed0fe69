-- purpose: collations that come with the server and that columns, indexes and domains of the source use by name
-- params: none
-- columns: name
-- versions: 12-
SELECT DISTINCT k.collname::text
  FROM (SELECT a.attcollation AS oid
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
        UNION
        SELECT t.typcollation FROM pg_catalog.pg_type t WHERE t.oid >= 16384) used
  JOIN pg_catalog.pg_collation k ON k.oid = used.oid
  JOIN pg_catalog.pg_namespace kn ON kn.oid = k.collnamespace
 WHERE kn.nspname = 'pg_catalog' AND k.collname <> 'default'

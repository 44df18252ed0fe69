-- purpose: tablespaces, other than the default one, that relations of the source are in
-- params: none
-- columns: name
-- versions: 12-
SELECT DISTINCT t.spcname::text
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
 WHERE t.spcname <> 'pg_global'

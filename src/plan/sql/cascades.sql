-- purpose: tables whose rows change when a row that they refer to is given other values
-- params: none
-- columns: schema and name of the table referred to; schema and name of the one that follows; the foreign key
-- versions: 12-
SELECT pn.nspname, p.relname, cn.nspname, c.relname, k.conname
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
 WHERE k.contype = 'f' AND k.confupdtype IN ('c', 'n', 'd')
 ORDER BY 1, 2, 3, 4, 5

-- purpose: foreign keys, to tell those that lead to a table that is left out
-- params: none
-- columns: oid, oid of the table, oid of the table that it leads to, text for people, whether it is a partition's share
-- versions: 12-
SELECT k.oid::text, k.conrelid::text, k.confrelid::text,
       pg_catalog.concat(cn.nspname, '.', c.relname, ': ', k.conname, ' (to ', pn.nspname, '.', p.relname, ')'),
       k.conparentid <> 0
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
  JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
 WHERE k.contype = 'f'
 ORDER BY cn.nspname COLLATE "C", c.relname COLLATE "C", k.conname COLLATE "C"

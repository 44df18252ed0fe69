-- purpose: tables, among those of the source, of which row security hides rows from the connected role
-- params: $1 text[] quoted names
-- columns: finding, schema, table
-- versions: 12-
SELECT pg_catalog.concat(n.nspname, '.', c.relname), n.nspname, c.relname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
   AND pg_catalog.format('%I.%I', n.nspname, c.relname) = ANY ($1::text[])
   AND pg_catalog.row_security_active(c.oid)
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"

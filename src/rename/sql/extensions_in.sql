-- purpose: extensions whose objects are in this schema, the ones that others need first
-- params: $1 text schema
-- columns: name text
-- versions: 12-
SELECT e.extname
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE n.nspname = $1::text
 ORDER BY e.oid

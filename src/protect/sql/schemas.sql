-- purpose: the schemas of this database
-- params: none
-- columns: oid, name
-- versions: 12-
SELECT oid::text, nspname FROM pg_catalog.pg_namespace ORDER BY nspname COLLATE "C"

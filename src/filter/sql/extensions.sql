-- purpose: extensions that somebody made (initdb made plpgsql)
-- params: none
-- columns: oid, name
-- versions: 12-
SELECT x.oid::text, x.extname FROM pg_catalog.pg_extension x WHERE x.oid >= 16384 ORDER BY x.extname COLLATE "C"

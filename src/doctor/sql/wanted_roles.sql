-- purpose: the roles that own something in this database or hold privileges in it
-- params: none
-- columns: {"name", "login"} as JSON
-- versions: 12-
SELECT pg_catalog.jsonb_build_object('name', r.rolname, 'login', r.rolcanlogin)::text
  FROM pg_catalog.pg_roles r
 WHERE r.rolname !~ '^pg_'
   AND (r.oid IN (SELECT d.refobjid FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_database b ON b.oid = d.dbid
                   WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND b.datname = pg_catalog.current_database())
        OR r.oid IN (SELECT relowner FROM pg_catalog.pg_class WHERE oid >= 16384)
        OR r.oid IN (SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
 ORDER BY r.rolname COLLATE "C"

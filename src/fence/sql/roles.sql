-- purpose: all roles, and which of them we may act as
-- params: none
-- columns: oid, name, may be set
-- versions: 12-
SELECT r.oid::text, r.rolname,
       pg_catalog.pg_has_role(r.oid, CASE WHEN pg_catalog.current_setting('server_version_num')::int4 < 160000 THEN 'MEMBER' ELSE 'SET' END)
  FROM pg_catalog.pg_roles r

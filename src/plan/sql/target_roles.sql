-- purpose: every role of the target's cluster, and whether the connected role may act for it, and make others its members
-- params: none
-- columns: name, may act for it, may grant it
-- versions: 12-
SELECT r.rolname, pg_catalog.pg_has_role(CURRENT_USER, r.oid, 'MEMBER'),
       me.rolsuper OR pg_catalog.pg_has_role(CURRENT_USER, r.oid, 'MEMBER WITH ADMIN OPTION')
       OR (me.rolcreaterole AND NOT r.rolsuper AND pg_catalog.current_setting('server_version_num')::int4 < 160000)
  FROM pg_catalog.pg_roles r
  JOIN pg_catalog.pg_roles me ON me.rolname = CURRENT_USER
 ORDER BY r.rolname COLLATE "C"

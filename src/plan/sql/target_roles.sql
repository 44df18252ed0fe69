-- purpose: every role of the target's cluster, and whether the connected role may act for it
-- params: none
-- columns: name, may act for it
-- versions: 12-
SELECT rolname, pg_catalog.pg_has_role(CURRENT_USER, oid, 'MEMBER')
  FROM pg_catalog.pg_roles
 ORDER BY rolname COLLATE "C"

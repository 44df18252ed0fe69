-- purpose: which of these roles is a member of which other
-- params: $1 text[] names of roles
-- columns: role, member
-- versions: 12-
SELECT g.rolname, m.rolname
  FROM pg_catalog.pg_auth_members a
  JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
  JOIN pg_catalog.pg_roles m ON m.oid = a.member
 WHERE g.rolname = ANY ($1::text[]) AND m.rolname = ANY ($1::text[])
 ORDER BY g.rolname COLLATE "C", m.rolname COLLATE "C"

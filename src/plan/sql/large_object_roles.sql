-- purpose: the roles that own large objects, or hold privileges on them
-- params: none
-- columns: name, whether it owns one
-- versions: 12-
SELECT r.rolname, pg_catalog.bool_or(o.owns)
  FROM (SELECT m.lomowner AS role, true AS owns FROM pg_catalog.pg_largeobject_metadata m
         UNION
        SELECT a.grantee, false FROM pg_catalog.pg_largeobject_metadata m CROSS JOIN LATERAL pg_catalog.aclexplode(m.lomacl) a) o
  JOIN pg_catalog.pg_roles r ON r.oid = o.role
 GROUP BY r.rolname
 ORDER BY r.rolname COLLATE "C"

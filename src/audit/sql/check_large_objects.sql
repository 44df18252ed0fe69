-- purpose: large objects of about 1 GB and more: no value in SQL can hold them, so they cannot be digested
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat('large object ', l.oid)
  FROM pg_catalog.pg_largeobject_metadata l
 WHERE CASE WHEN pg_catalog.pg_has_role(l.lomowner, 'USAGE')
                 OR EXISTS (SELECT FROM pg_catalog.aclexplode(l.lomacl) a
                             WHERE a.privilege_type = 'SELECT'
                               AND CASE a.grantee WHEN 0 THEN true ELSE pg_catalog.pg_has_role(a.grantee, 'USAGE') END)
            THEN pg_catalog.length(pg_catalog.lo_get(l.oid, 1073741700, 1)) > 0
       END
 ORDER BY l.oid

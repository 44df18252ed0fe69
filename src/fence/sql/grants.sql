-- purpose: who holds CONNECT on this database, in the order in which the privileges are stored. PUBLIC is 0
-- params: none
-- columns: grantee oid, grantee (NULL: PUBLIC), grantor oid, grantor, with grant option
-- versions: 12-
SELECT a.grantee::text, CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
       a.grantor::text, pg_catalog.pg_get_userbyid(a.grantor), a.is_grantable
  FROM pg_catalog.pg_database d
 CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba)))
            WITH ORDINALITY a (grantor, grantee, privilege_type, is_grantable, n)
 WHERE d.datname = pg_catalog.current_database() AND a.privilege_type = 'CONNECT'
 ORDER BY a.n

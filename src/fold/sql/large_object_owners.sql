-- purpose: statements that give large objects their owner, privileges and comment
-- params: none
-- columns: kind (owner, privilege, comment), statement
-- versions: 12-
SELECT s.kind, s.sql FROM (
    SELECT 1 AS n, 'owner' AS kind, m.oid,
           pg_catalog.format('ALTER LARGE OBJECT %s OWNER TO %I', m.oid, pg_catalog.pg_get_userbyid(m.lomowner)) AS sql
      FROM pg_catalog.pg_largeobject_metadata m
    UNION ALL
    SELECT 2, 'privilege', m.oid,
           pg_catalog.format('GRANT %s ON LARGE OBJECT %s TO %s%s', a.privilege_type, m.oid,
               CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
               CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM pg_catalog.pg_largeobject_metadata m
     CROSS JOIN LATERAL pg_catalog.aclexplode(m.lomacl) a
     WHERE a.grantee <> m.lomowner
    UNION ALL
    SELECT 3, 'comment', m.oid, pg_catalog.format('COMMENT ON LARGE OBJECT %s IS %L', m.oid, d.description)
      FROM pg_catalog.pg_largeobject_metadata m
      JOIN pg_catalog.pg_description d ON d.objoid = m.oid AND d.classoid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass
) s
 ORDER BY s.n, s.oid

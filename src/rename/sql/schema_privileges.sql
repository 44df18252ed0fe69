-- purpose: statements that give a schema of this name the owner, privileges and comment that it has here; a role
--   that initdb made gives none: the schema is then whose who makes it
-- params: $1 text schema
-- columns: sql text
-- versions: 12-
SELECT s.sql
  FROM (SELECT 1 AS n, pg_catalog.format('ALTER SCHEMA %I OWNER TO %I', n.nspname, pg_catalog.pg_get_userbyid(n.nspowner)) AS sql
          FROM pg_catalog.pg_namespace n
         WHERE n.nspname = $1::text AND n.nspowner >= 16384
        UNION ALL
        SELECT 2, pg_catalog.format('GRANT %s ON SCHEMA %I TO %s%s', a.privilege_type, n.nspname,
                         CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                         CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
          FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a
         WHERE n.nspname = $1::text AND a.grantee <> n.nspowner) s
 ORDER BY s.n, s.sql

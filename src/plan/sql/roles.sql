-- purpose: the roles that own something or hold privileges in this database, and the groups that they belong to, with what
--          creates them elsewhere. Powers
--          over the whole cluster (superuser, createrole, replication, bypassrls) and passwords are left out on purpose
-- params: $1 text[] further roles that are wanted by name, $2 text[] these only, and their groups; NULL: all
-- columns: name, create statement, needed even where neither owners nor privileges are kept (a policy or a setting names it),
--          comment
-- versions: 12-
WITH RECURSIVE db AS (SELECT oid, datdba, datacl FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
own (oid, needed) AS (
    SELECT r.oid,
           EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE r.oid = ANY (p.polroles))
           OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting g JOIN db ON db.oid = g.setdatabase WHERE g.setrole = r.oid)
           OR EXISTS (SELECT FROM pg_catalog.pg_user_mappings m WHERE m.umuser = r.oid)
      FROM pg_catalog.pg_roles r
     WHERE r.rolname !~ '^pg_'
       AND ($2::text[] IS NULL OR r.rolname = ANY ($2::text[]))
       AND (r.oid IN (SELECT d.refobjid FROM pg_catalog.pg_shdepend d
                       WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
                         AND d.dbid = (SELECT oid FROM db))
            OR r.oid IN (SELECT datdba FROM db)
            OR r.rolname = ANY ($1::text[])
            OR r.oid IN (SELECT a.grantee FROM db CROSS JOIN LATERAL pg_catalog.aclexplode(db.datacl) a)
            OR r.oid IN (SELECT g.setrole FROM pg_catalog.pg_db_role_setting g JOIN db ON db.oid = g.setdatabase)
            OR r.oid IN (SELECT relowner FROM pg_catalog.pg_class WHERE oid >= 16384)
            OR r.oid IN (SELECT nspowner FROM pg_catalog.pg_namespace WHERE oid >= 16384)
            OR r.oid IN (SELECT proowner FROM pg_catalog.pg_proc WHERE oid >= 16384)
            OR r.oid IN (SELECT typowner FROM pg_catalog.pg_type WHERE oid >= 16384)
            OR r.oid IN (SELECT lomowner FROM pg_catalog.pg_largeobject_metadata))
    UNION
    SELECT g.oid, o.needed
      FROM own o
      JOIN pg_catalog.pg_auth_members a ON a.member = o.oid
      JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
     WHERE g.rolname !~ '^pg_'
)
SELECT r.rolname,
       pg_catalog.format('CREATE ROLE %I WITH %s %s CONNECTION LIMIT %s%s', r.rolname,
           CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
           CASE WHEN r.rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END, r.rolconnlimit,
           CASE WHEN r.rolvaliduntil IS NULL THEN '' ELSE pg_catalog.format(' VALID UNTIL %L', r.rolvaliduntil) END),
       pg_catalog.bool_or(o.needed), pg_catalog.shobj_description(r.oid, 'pg_authid')
  FROM own o
  JOIN pg_catalog.pg_roles r ON r.oid = o.oid
 GROUP BY r.oid, r.rolname, r.rolcanlogin, r.rolinherit, r.rolconnlimit, r.rolvaliduntil
 ORDER BY r.rolname COLLATE "C"

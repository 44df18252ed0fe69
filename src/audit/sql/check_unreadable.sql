-- purpose: what the connected role may not read, as the statements that allow it
-- params: none
-- columns: finding, schema, table or sequence (NULL and "large object" for such; both NULL for a schema)
-- versions: 12-
WITH user_schema AS (
    SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
     WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'),
relation AS (
    SELECT c.oid, s.nspname, c.relname, c.relkind
      FROM pg_catalog.pg_class c JOIN user_schema s ON s.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'S') AND c.relpersistence <> 't'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e')),
finding (n, schema, name, text) AS (
    SELECT 1, NULL::name, NULL::name, pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', s.nspname, CURRENT_USER)
      FROM user_schema s
     WHERE NOT pg_catalog.has_schema_privilege(s.oid, 'USAGE')
       AND EXISTS (SELECT FROM relation r WHERE r.nspname = s.nspname)
    UNION ALL
    SELECT 2, r.nspname, r.relname, pg_catalog.format('GRANT SELECT ON %I.%I TO %I', r.nspname, r.relname, CURRENT_USER)
      FROM relation r WHERE r.relkind = 'r' AND NOT pg_catalog.has_table_privilege(r.oid, 'SELECT')
    UNION ALL
    SELECT 3, r.nspname, r.relname, pg_catalog.format('GRANT SELECT ON SEQUENCE %I.%I TO %I', r.nspname, r.relname, CURRENT_USER)
      FROM relation r
     WHERE CASE r.relkind WHEN 'S' THEN NOT pg_catalog.has_sequence_privilege(r.oid, 'SELECT') ELSE false END
    UNION ALL
    SELECT 4, NULL, 'large object', pg_catalog.format('GRANT SELECT ON LARGE OBJECT %s TO %I', l.oid, CURRENT_USER)
      FROM pg_catalog.pg_largeobject_metadata l
     WHERE NOT pg_catalog.pg_has_role(l.lomowner, 'USAGE')
       AND pg_catalog.current_setting('lo_compat_privileges') = 'off'
       AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(l.lomacl) a
                        WHERE a.privilege_type = 'SELECT'
                          AND CASE a.grantee WHEN 0 THEN true ELSE pg_catalog.pg_has_role(a.grantee, 'USAGE') END))
SELECT text, schema, name FROM finding ORDER BY n, text COLLATE "C"

-- purpose: procedural languages that no extension brings, and whose handler pg_dump leaves out because it is the
--          server's own: CREATE LANGUAGE then needs an extension of that name
-- params: none
-- columns: name
-- versions: 12-
SELECT l.lanname
  FROM pg_catalog.pg_language l
  JOIN pg_catalog.pg_proc f ON f.oid = l.lanplcallfoid
  JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
 WHERE l.lanispl AND n.nspname = 'pg_catalog'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_language'::pg_catalog.regclass
                      AND d.objid = l.oid AND d.deptype = 'e')
 ORDER BY l.lanname

-- purpose: collations in use whose library has another version now than when they were made: indexes over text in them
--          may be in the wrong order
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(n.nspname, '.', k.collname, ': ', k.collversion, ' recorded, ',
                         pg_catalog.pg_collation_actual_version(k.oid), ' installed')
  FROM pg_catalog.pg_collation k
  JOIN pg_catalog.pg_namespace n ON n.oid = k.collnamespace
 WHERE k.collversion <> pg_catalog.pg_collation_actual_version(k.oid)
   AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.refclassid = 'pg_catalog.pg_collation'::pg_catalog.regclass AND d.refobjid = k.oid)
 ORDER BY n.nspname COLLATE "C", k.collname COLLATE "C"

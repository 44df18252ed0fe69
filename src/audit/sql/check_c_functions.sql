-- purpose: functions in shared libraries that no extension brings: the library must be on the target's machine too
-- params: none
-- columns: finding
-- versions: 12-
SELECT pg_catalog.concat(n.nspname, '.', f.proname, ' in ', f.probin)
  FROM pg_catalog.pg_proc f
  JOIN pg_catalog.pg_language l ON l.oid = f.prolang
  JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
 WHERE l.lanname = 'c' AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                      AND d.objid = f.oid AND d.deptype = 'e')
 ORDER BY 1

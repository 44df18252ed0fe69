-- purpose: what is checked or computed while rows arrive and depends on the name of the database, itself or through a
--          function that it calls: until its end a new database has another name
-- params: none
-- columns: what it is
-- versions: 12-
WITH p AS (SELECT '\m(current_database|current_catalog)\M' AS pattern),
named_function AS (
    SELECT f.oid FROM pg_catalog.pg_proc f CROSS JOIN p
     WHERE f.oid >= 16384 AND CASE WHEN f.prokind IN ('f', 'p') THEN pg_catalog.pg_get_functiondef(f.oid) ~* p.pattern ELSE false END)
SELECT s.what
  FROM (SELECT CASE WHEN k.contypid <> 0 THEN pg_catalog.format('constraint %s of domain %s', k.conname, pg_catalog.format_type(k.contypid, NULL))
                    ELSE pg_catalog.format('constraint %s of table %s', k.conname, k.conrelid::pg_catalog.regclass) END AS what
          FROM pg_catalog.pg_constraint k CROSS JOIN p
         WHERE k.contype = 'c' AND k.oid >= 16384
           AND (pg_catalog.pg_get_constraintdef(k.oid) ~* p.pattern
                OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid
                              AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid IN (SELECT oid FROM named_function)))
        UNION ALL
        SELECT pg_catalog.format('generated column %s of table %s', a.attname, a.attrelid::pg_catalog.regclass)
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
         CROSS JOIN p
         WHERE a.attgenerated = 's'
           AND (pg_catalog.pg_get_expr(e.adbin, e.adrelid) ~* p.pattern
                OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid IN ('pg_catalog.pg_attrdef'::pg_catalog.regclass, 'pg_catalog.pg_class'::pg_catalog.regclass)
                              AND d.objid = CASE d.classid WHEN 'pg_catalog.pg_attrdef'::pg_catalog.regclass THEN e.oid ELSE a.attrelid END
                              AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid IN (SELECT oid FROM named_function)))) s
 ORDER BY s.what COLLATE "C"

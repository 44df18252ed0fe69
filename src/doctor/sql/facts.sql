-- purpose: how much there is in this database. Rows are looked for in small databases only: a table of no bytes has none, and
--          what is larger than 64 MB is not empty for our purposes
-- params: none
-- columns: bytes, whether users have anything in it, whether any of their tables has rows (true where that may not be seen)
-- versions: 12-
WITH own AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e')),
filled AS (SELECT o.oid, o.nspname, o.relname, s.bytes FROM own o CROSS JOIN LATERAL pg_catalog.pg_relation_size(o.oid) s (bytes)
            WHERE o.relkind = 'r' AND s.bytes > 0)
SELECT pg_catalog.pg_database_size(pg_catalog.current_database()),
       EXISTS (SELECT FROM own)
       OR EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
       OR EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                   WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
                     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                                        AND d.objid = p.oid AND d.deptype = 'e')),
       CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata) THEN true
            WHEN NOT EXISTS (SELECT FROM filled) THEN false
            WHEN (SELECT sum(bytes) FROM filled) > 67108864 THEN true
            ELSE (SELECT pg_catalog.bool_or(CASE
                             WHEN NOT pg_catalog.has_schema_privilege(f.nspname::text, 'USAGE') OR NOT pg_catalog.has_table_privilege(f.oid, 'SELECT')
                             THEN true
                             ELSE pg_catalog.query_to_xml(
                                 pg_catalog.format('SELECT EXISTS (SELECT FROM ONLY %I.%I) AS e', f.nspname, f.relname),
                                 false, true, '')::text LIKE '%true%' END)
                    FROM filled f) END

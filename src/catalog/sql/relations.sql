-- purpose: every table-like relation of the users
-- params: none
-- columns: oid, schema, name, kind, persistence, bytes, pages, estimate, owner, is_partition, row_security, extension_member,
--          populated, bytes without indexes
-- versions: 12-
SELECT c.oid::text, n.nspname, c.relname, c.relkind, c.relpersistence,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid) ELSE 0 END,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8 ELSE 0 END,
       c.reltuples::float8::text, pg_catalog.pg_get_userbyid(c.relowner), c.relispartition, c.relrowsecurity,
       e.objid IS NOT NULL, c.relispopulated,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) ELSE 0 END
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend e ON e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
       AND e.objsubid = 0 AND e.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
 WHERE c.relkind IN ('r', 'p', 'm', 'f')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|pgfold_undo_)'
   AND (e.objid IS NULL OR c.oid = ANY (x.extconfig))
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
